/**
 * Leaving out members that do not answer, in the one order in which that does no harm: the member's lease has run out,
 * its record is marked, every node has dropped its connections, it is taken out. Whoever was connected before is cut,
 * whoever connects later finds the mark.
 */
import { messageOf } from '../../errors.js';
import { unlessNobodyListens } from '../../node/failure.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import { type FleetMember, mayFenceOff, mayForget, mayPass } from '../state/fleet.js';
import type { Consistency, Member } from '../state/ring-state.js';
import type { MemberRecords } from '../store/ring-store.js';

/**
 * How long a lease must have been seen to have run out before its member is passed: a renewal may be on its way, and two
 * machines' clocks do not run at quite the same speed. Milliseconds.
 */
export const PASSING_MARGIN_MS = 1000;

const JUST_RUN_OUT = 'its lease has only just run out';
const NOBODY_IS_PASSED =
  'nobody is passed where consistency is available, unless a person vouches that it is dead (ringproxy proxies forget)';

export interface PassingPorts {
  readonly store: MemberRecords;
  /** Those that a member may have connections to. */
  nodes(): readonly Member[];
  consistency(): Consistency;
  /** Makes the nodes drop all connections of these proxies. @throws when a node cannot be asked */
  killPredecessors(nodes: readonly Member[], proxies: readonly string[]): Promise<void>;
  info(message: string): void;
  warn(message: string): void;
}

/** A member that is still counted, and why. */
export interface Remaining {
  readonly member: FleetMember;
  /** For people. */
  readonly why: string;
}

export class Passing {
  readonly #ports: PassingPorts;
  readonly #timers: Pick<Timers, 'now'>;
  /** Since when the lease of a member is seen to have run out, by the timers' clock. */
  readonly #deadSince = new Map<string, number>();
  /** What was told last of a member that cannot be passed yet. */
  readonly #told = new Map<string, string>();
  /** One at a time: what is found of a member holds until it is done with. */
  #passing: Promise<unknown> = Promise.resolve();

  constructor(ports: PassingPorts, timers: Pick<Timers, 'now'> = systemTimers) {
    this.#ports = ports;
    this.#timers = timers;
  }

  /** Looks who is alive. @returns those whose lease has run out, or who are fenced off */
  async look(): Promise<readonly FleetMember[]> {
    const members = await this.#ports.store.members();
    const now = this.#timers.now();
    // Those of whom only the id is known ran on this proxy's state directory before it: the next fence drops them.
    const dead = members.filter((member) => member.info !== null && (member.fencedOff || !member.alive));
    const known = new Set(dead.map(({ id }) => id));
    for (const id of this.#deadSince.keys()) if (!known.has(id)) this.#deadSince.delete(id);
    for (const id of this.#told.keys()) if (!known.has(id)) this.#told.delete(id);
    for (const id of known) if (!this.#deadSince.has(id)) this.#deadSince.set(id, now);
    return dead;
  }

  /**
   * Passes whom it may.
   * @returns those that are still counted in fences
   */
  pass(): Promise<readonly Remaining[]> {
    return this.#inTurn(async () => {
      const remaining: Remaining[] = [];
      for (const member of await this.look()) {
        const why = await this.#passOne(member, false);
        if (why === null) continue;
        remaining.push({ member, why });
        this.#tell(member, why);
      }
      return remaining;
    });
  }

  /**
   * Passes a member of whom an operator says that it is dead.
   * @returns why it is still counted, or null; what is left to do is done when it can be
   */
  forget(member: FleetMember): Promise<string | null> {
    return this.#inTurn(async () => {
      await this.look();
      return this.#passOne(member, true);
    });
  }

  /** What is known of a member's life, for people: `p1 (http://…), whose lease ran out 12 s ago`. */
  describe(member: FleetMember): string {
    const { id, info, alive, fencedOff } = member;
    const where = info === null || info.admin === '' ? '' : ` (${info.admin})`;
    const since = this.#deadSince.get(id);
    const seconds = since === undefined ? 0 : Math.round((this.#timers.now() - since) / 1000);
    const life = fencedOff
      ? 'which is fenced off'
      : alive
        ? 'whose lease holds'
        : `whose lease ran out at least ${seconds} s ago`;
    return `the proxy ${id}${where}, ${life}`;
  }

  async #passOne(member: FleetMember, isVouchedFor: boolean): Promise<string | null> {
    const { store, consistency } = this.#ports;
    if (!member.fencedOff) {
      if (!mayFenceOff(member)) return 'its lease holds';
      if (!isVouchedFor && !mayPass(consistency())) return NOBODY_IS_PASSED;
      const deadFor = this.#timers.now() - (this.#deadSince.get(member.id) ?? this.#timers.now());
      if (!isVouchedFor && deadFor < PASSING_MARGIN_MS) return JUST_RUN_OUT;
      if (!(await store.fenceOff(member.id))) return 'its lease holds again';
      this.#ports.warn(
        `${this.describe(member)}, does not count any more: it may not speak to nodes until it has registered anew`,
      );
    }
    const failure = await this.#drop(member.id);
    if (failure !== null) return failure;
    if (!mayForget({ ...member, fencedOff: true }, true)) return 'it is not fenced off';
    await store.deregister([member.id]);
    this.#ports.info(`the nodes have dropped the connections of the proxy ${member.id}: it is taken out`);
    return null;
  }

  /** @returns which node has not dropped its connections, or null */
  async #drop(id: string): Promise<string | null> {
    for (const node of this.#ports.nodes()) {
      try {
        await unlessNobodyListens(this.#ports.killPredecessors([node], [id]));
      } catch (error) {
        return `its connections may still carry commands: ${messageOf(error)}`;
      }
    }
    return null;
  }

  #tell(member: FleetMember, why: string): void {
    if (member.alive || why === this.#told.get(member.id) || why === JUST_RUN_OUT) return;
    this.#told.set(member.id, why);
    this.#ports.warn(`${this.describe(member)}, counts in every change of the ring: ${why}`);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#passing.then(work, work);
    this.#passing = done.catch(() => {});
    return done;
  }
}
