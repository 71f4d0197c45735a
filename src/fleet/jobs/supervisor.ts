/**
 * The jobs of the fleet at this proxy: claims those that are its own, does them, and ends them when they pass to others.
 *
 *   store (members, claims) ─▶ supervisor ─▶ placement ─▶ assignment ─▶ job.run(claim, signal)
 */
import { systemTimers, type Timers } from '../../time/timers.js';
import type { Claim } from '../../topology/state/fleet.js';
import type { ClaimRecords, MemberRecords, RingRecords, Standing } from '../../topology/store/ring-store.js';
import { Assignment } from './assignment.js';
import type { Job, JobView } from './job.js';
import { place } from './placement.js';
import { rankFor } from './rendezvous.js';

/** The store did not answer: it is asked again so much later. */
const RETRY_MS = 1000;

export interface SupervisorPorts {
  /** This proxy's id in the fleet: another one after it was fenced off. */
  memberId(): string;
  readonly store: ClaimRecords &
    Pick<MemberRecords, 'members'> &
    Pick<RingRecords, 'watch'> &
    Pick<Standing, 'isReachable'>;
  warn(message: string): void;
}

export class JobSupervisor {
  readonly #ports: SupervisorPorts;
  readonly #timers: Timers;
  readonly #random: () => number;
  readonly #assignments = new Map<string, Assignment>();
  /** Withdrawn, with work that has not ended yet: until it has, a job of the same name is not claimed here. */
  readonly #leaving = new Set<Assignment>();
  /** In force, as they were read last. */
  #claims: readonly Claim[] = [];
  /** The live members, in one text, and since when they are the same. */
  #members = '';
  #steadySince = 0;
  #stopWatching: (() => void) | null = null;
  /** Takes back the next look. */
  #nextLook: () => void = () => {};
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  readonly #releasing = new Set<Promise<void>>();
  #isStoreAway = false;
  #closed = false;

  constructor(ports: SupervisorPorts, timers: Timers = systemTimers, random: () => number = Math.random) {
    this.#ports = ports;
    this.#timers = timers;
    this.#random = random;
  }

  /** From now on jobs are claimed. @returns when those were looked at that are there */
  start(): Promise<void> {
    if (this.#stopWatching === null && !this.#closed) {
      this.#stopWatching = this.#ports.store.watch(({ kind }) => {
        if (kind === 'claims' || kind === 'members' || kind === 'standing') void this.#look();
      });
    }
    return this.#look();
  }

  /**
   * A job that this proxy can do. Where no other live member can either, it is done here.
   * @returns what withdraws it: when that is done, nothing of it is under way here
   * @throws Error when there is a job of that name
   */
  add(job: Job): () => Promise<void> {
    if (this.#assignments.has(job.name)) throw new Error(`there is a job ${job.name}`);
    const assignment = new Assignment(job, {
      now: () => this.#timers.now(),
      random: this.#random,
      onEnded: (claim, error) => this.#ended(job, claim, error),
    });
    this.#assignments.set(job.name, assignment);
    void this.#look();
    return async () => {
      if (this.#assignments.get(job.name) === assignment) this.#assignments.delete(job.name);
      this.#leaving.add(assignment);
      await assignment.end('withdrawn');
      this.#leaving.delete(assignment);
      void this.#look();
    };
  }

  /** All that somebody does, also those that this proxy cannot do. */
  get views(): readonly JobView[] {
    return this.#claims
      .map(({ job, holder, since }) => ({ job, holder, since }))
      .sort((a, b) => (a.job < b.job ? -1 : 1));
  }

  /** Who does it, as far as it is known; null: nobody. */
  holderOf(job: string): string | null {
    return this.#claims.find((claim) => claim.job === job)?.holder ?? null;
  }

  /** Ends all that is done here, and lets it go; what there is to do stays known, for the next `start`. */
  async stop(): Promise<void> {
    this.#stopWatching?.();
    this.#stopWatching = null;
    this.#nextLook();
    await this.#looking;
    const all = [...this.#assignments.values(), ...this.#leaving];
    await Promise.all(all.map((assignment) => assignment.end('withdrawn')));
    await Promise.allSettled(this.#releasing);
  }

  /** The same for ever. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.stop();
    this.#assignments.clear();
  }

  #ended(job: Job, claim: Claim, error: unknown): void {
    if (error !== null) this.#ports.warn(`the job ${job.name} has failed, and is begun again: ${messageOf(error)}`);
    // One that is not in force is passed over.
    const released = this.#ports.store.release(claim).catch((failure: unknown) => {
      // Its lease ends it: until then nobody does it.
      this.#ports.warn(`the job ${job.name} is not let go: ${messageOf(failure)}`);
    });
    this.#releasing.add(released);
    void released.then(() => {
      this.#releasing.delete(released);
      return this.#look();
    });
  }

  /** @returns when it was looked, from now on */
  #look(): Promise<void> {
    if (this.#closed || this.#stopWatching === null) return Promise.resolve();
    this.#lookAgain = true;
    this.#looking ??= this.#lookOn().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #lookOn(): Promise<void> {
    while (this.#lookAgain && this.#stopWatching !== null) {
      this.#lookAgain = false;
      this.#nextLook();
      let wait: number;
      try {
        wait = await this.#place();
        this.#isStoreAway = false;
      } catch (error) {
        if (!this.#isStoreAway) this.#ports.warn(`jobs stay where they are: ${messageOf(error)}`);
        this.#isStoreAway = true;
        wait = RETRY_MS * (0.5 + this.#random());
      }
      if (wait < Number.POSITIVE_INFINITY && this.#stopWatching !== null) {
        this.#nextLook = this.#timers.after(wait, () => void this.#look());
      }
    }
  }

  /** @returns in how many milliseconds it is to be looked again, if nothing happens before */
  async #place(): Promise<number> {
    const { store } = this.#ports;
    const members = await store.members();
    const live = members.flatMap(({ id, alive, fencedOff }) => (alive && !fencedOff ? [id] : []));
    this.#claims = await store.claims();
    const now = this.#timers.now();
    const all = [...live].sort().join(' ');
    if (all !== this.#members) this.#steadySince = now;
    this.#members = all;
    let wait = Number.POSITIVE_INFINITY;
    for (const assignment of [...this.#assignments.values()]) {
      wait = Math.min(wait, await this.#placeOne(assignment, live));
    }
    return wait;
  }

  async #placeOne(assignment: Assignment, live: readonly string[]): Promise<number> {
    const { job, claim: mine, declined, isEnding } = assignment;
    const held = this.#claims.find((claim) => claim.job === job.name) ?? null;
    const now = this.#timers.now();
    if (held !== null) assignment.freeSince = null;
    else assignment.freeSince ??= now;
    // When it has ended, it is looked again.
    if (isEnding || [...this.#leaving].some((one) => one.job.name === job.name)) return Number.POSITIVE_INFINITY;
    const ranked = rankFor(job.name, live);
    const placement = place({
      ranked,
      held,
      mine,
      me: this.#ports.memberId(),
      stays: job.stays,
      isCutOff: !this.#ports.store.isReachable,
      freeFor: now - (assignment.freeSince ?? now),
      steadyFor: now - this.#steadySince,
      isDeclined: declined?.by === ranked[0] && declined?.members === this.#members,
    });
    switch (placement.kind) {
      case 'leave':
        return Number.POSITIVE_INFINITY;
      case 'wait':
        return placement.milliseconds;
      case 'lost':
        void assignment.end('lost');
        return Number.POSITIVE_INFINITY;
      case 'hand over':
        assignment.declined = { by: placement.to, members: this.#members };
        void assignment.end('handed over');
        return Number.POSITIVE_INFINITY;
      case 'claim':
        return assignment.pause > 0 ? assignment.pause : this.#claim(assignment);
    }
  }

  async #claim(assignment: Assignment): Promise<number> {
    const { job } = assignment;
    const claim = await this.#ports.store.claim(job.name, this.#ports.memberId(), job.pace);
    if (claim === null) return Number.POSITIVE_INFINITY;
    // It was withdrawn, or all is ending, while it was claimed.
    if (this.#stopWatching === null || this.#assignments.get(job.name) !== assignment) {
      await this.#ports.store.release(claim);
      return Number.POSITIVE_INFINITY;
    }
    this.#claims = [...this.#claims.filter((other) => other.job !== job.name), claim];
    assignment.begin(claim);
    return Number.POSITIVE_INFINITY;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
