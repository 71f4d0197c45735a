/**
 * This proxy's part in every change of the ring: it follows the record. Each phase that is recorded is published to the
 * data plane; where a fence is raised, commands of this proxy are waited for and the answer is recorded; where keys
 * move, the job that moves them is begun and ended. It decides nothing: whoever has acknowledged waits for the record of
 * what became of the change.
 */
import { messageOf } from '../../errors.js';
import type { ChangeRings, RingBuilder } from '../change-rings.js';
import { SETTLE_STOP_MS, SWEEP_STOP_MS } from '../fence-times.js';
import { MoveJob, type MoveJobPorts } from '../jobs/move-job.js';
import type { FenceMember } from '../state/change-protocol.js';
import type { MemberInfo, Revision } from '../state/fleet.js';
import { type Member, type RingState, type RunningChange, withoutGivenUp } from '../state/ring-state.js';
import type { RingStore, StoredRing } from '../store/ring-store.js';
import { type LocalRing, type MemberSnapshot, snapshotOf } from './local-ring.js';
import { type OwnFencePorts, raiseOwnFence } from './own-fence.js';

export interface ParticipantPorts extends Omit<OwnFencePorts, 'dropLateMoves'> {
  /** This proxy's id in the fleet: another one each time that it joins. */
  memberId(): string;
  /** The ring that is routed by from now on. */
  publish(snapshot: MemberSnapshot): void;
  /** Something was noted with the change that is under way, such as that it is paused; by whichever proxy. */
  noted(): void;
  /** Keys of a node, as far as it is known. */
  keysOf(node: Member): number;
  /** What this proxy tells of itself. */
  info(): MemberInfo;
  warn(message: string): void;
  readonly job: Omit<MoveJobPorts, 'memberId'>;
}

export class Participant {
  readonly #store: RingStore;
  readonly #rings: RingBuilder;
  readonly #ports: ParticipantPorts;
  #local: LocalRing | null = null;
  /** What it moved when it left: clients wait by that until it has joined again. */
  #left: MoveJob | null = null;
  /** Records are followed one after the other. */
  #following: Promise<void> = Promise.resolve();
  /** Those who wait for the next record. */
  #waiting: (() => void)[] = [];
  #stopWatching: () => void = () => {};
  #closed = false;

  constructor(store: RingStore, rings: RingBuilder, ports: ParticipantPorts) {
    this.#store = store;
    this.#rings = rings;
    this.#ports = ports;
  }

  /** Null before `join`. */
  get local(): LocalRing | null {
    return this.#local;
  }

  /** Follows from a record that was known before, without being registered by it: the store cannot be asked. */
  adopt(stored: StoredRing): Promise<void> {
    this.#watch();
    return this.#follow(stored);
  }

  /** Registers this proxy, and takes the phase that stands in the record. @throws RingproxyError when it cannot */
  async join(): Promise<void> {
    this.#watch();
    for (;;) {
      const stored = await this.#store.load();
      if (stored === null) throw new Error('a proxy joins a ring that is recorded');
      if ((await this.#store.register(this.#ports.memberId(), this.#ports.info(), stored.revision)) === null) continue;
      return this.#follow(stored);
    }
  }

  /** Waits until this proxy routes by what was recorded then. @throws what keeps it from that */
  async reached(revision: Revision): Promise<void> {
    for (;;) {
      const told = new Promise<void>((resolve) => this.#waiting.push(resolve));
      await this.#following;
      if (this.#closed || (this.#local?.stored.revision ?? -1) >= revision) return;
      await told;
    }
  }

  /**
   * This proxy is not of the fleet any more: it moves nothing, and follows nothing until it joins again. Clients are routed
   * as before; commands on keys that move wait.
   */
  async leave(): Promise<void> {
    this.#stopWatching();
    await this.#following.catch(() => {});
    const job = this.#local?.job ?? null;
    this.#local = null;
    this.#left = job ?? this.#left;
    await job?.suspend();
  }

  /** Ends the moves of this proxy; a change that is recorded goes on with whoever takes it up. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching();
    await this.#following.catch(() => {});
    await this.#left?.stop();
    await this.#local?.job?.stop();
  }

  /** Nothing that is recorded from now on is missed: what comes twice is passed over by its revision. */
  #watch(): void {
    this.#stopWatching();
    this.#stopWatching = this.#store.watch((event) => {
      if (event.kind === 'ring') void this.#follow(event.ring);
    });
  }

  #follow(stored: StoredRing): Promise<void> {
    const done = this.#inTurn(() => this.#take(stored));
    for (const resolve of this.#waiting.splice(0)) resolve();
    return done;
  }

  /** What fails is told to those who wait for it, and leaves the next record to be followed. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#following.catch(() => {}).then(() => (this.#closed ? undefined : work()));
    this.#following = done;
    done.catch((error: unknown) => this.#warn(error));
    return done;
  }

  async #take(stored: StoredRing): Promise<void> {
    const before = this.#local;
    if (before !== null && stored.revision <= before.stored.revision) return;
    const { change } = stored.state;
    if (before !== null && change !== null && isSamePhase(before.stored.state.change, change)) {
      this.#local = { ...before, stored };
      this.#followNotes(before.job, change, stored.revision);
      if (haveSameProcesses(before.stored.state, stored.state)) this.#ports.noted();
      else this.#ports.publish(snapshotOf(this.#local));
      return;
    }
    if (before !== null && before.change === null && change === null && isSameRing(before.stored.state, stored.state)) {
      this.#use({ ...before, stored });
      return;
    }
    const isSame = before !== null && change !== null && before.stored.state.change?.id === change.id;
    const changing = isSame ? before.change : await this.#rings.buildChange(stored.state);
    if (change === null || changing === null) {
      this.#use({ stored, rings: await this.#rings.buildStable(stored.state), change: null, job: null });
      void before?.job?.stop();
      return;
    }
    const local = { stored, rings: changing.rings, change: changing };
    if (change.phase === 'moving') this.#move({ ...local, job: null }, change, changing);
    else this.#hold({ ...local, job: isSame ? before.job : null }, before?.job ?? null, change, changing);
  }

  /** Something was noted with the change. */
  #followNotes(job: MoveJob | null, change: RunningChange, revision: Revision): void {
    job?.follow(change);
    if (job === null || change.still !== true || change.phase !== 'moving') return;
    this.#answer(job.still(SWEEP_STOP_MS), revision);
  }

  /** A fence is raised. @param before what has moved keys here until now: of this change, or of one that has ended */
  #hold(local: LocalRing, before: MoveJob | null, change: RunningChange, { union }: ChangeRings): void {
    this.#use(local);
    const nodes = withoutGivenUp(union, change);
    local.job?.follow(change);
    const standing = local.job?.standstill(SETTLE_STOP_MS) ?? before?.stop();
    const fence = raiseOwnFence(nodes, {
      fence: (timeout) => this.#ports.fence(timeout),
      killLateConnections: (late) => this.#ports.killLateConnections(late),
      dropLateMoves: async () => {
        const stands = await standing;
        if (stands !== undefined && !stands.acknowledged) throw new Error(stands.why);
      },
    });
    this.#answer(fence, local.stored.revision);
  }

  /** Whoever waits for the answer goes by its absence. */
  #answer(answer: Promise<FenceMember>, revision: Revision): void {
    answer
      .then((said) => this.#store.answer(this.#ports.memberId(), { ...said, revision }))
      .catch((error: unknown) => this.#warn(error));
  }

  /** Keys move: the job that is there goes on, or one begins. */
  #move(local: LocalRing, change: RunningChange, rings: ChangeRings): void {
    const was = this.#local?.stored.state.change ?? null;
    const before = this.#local?.job ?? null;
    if (before?.changeId === change.id) {
      before.forgetGivenUp(change);
      this.#use({ ...local, job: before });
      this.#followNotes(before, change, local.stored.revision);
      return;
    }
    const begins = was?.phase === 'preparing' && was.id === change.id;
    const turnsRound = was?.phase === 'turning' && change.kind === 'cancel' && before !== null;
    const job = new MoveJob(
      {
        change,
        rings,
        isFresh: begins || turnsRound,
        earlier: turnsRound ? before.memory : null,
        keysEstimated: this.#keysToLookAt(rings),
      },
      { ...this.#ports.job, memberId: () => this.#ports.memberId() },
    );
    this.#use({ ...local, job });
    // Before that ends clients' waits for the old moves, their keys must be looked for on the way back; and jobs of the
    // same name are let go of before they are claimed anew.
    void before?.stop();
    job.begin();
    this.#followNotes(job, change, local.stored.revision);
  }

  /** What the nodes that lose keys hold. */
  #keysToLookAt({ union, rings }: ChangeRings): number {
    const sources = union.filter((_node, index) => rings.sources().has(index));
    return sources.reduce((sum, node) => sum + this.#ports.keysOf(node), 0);
  }

  #warn(error: unknown): void {
    this.#ports.warn(messageOf(error));
  }

  #use(local: LocalRing): void {
    this.#local = local;
    this.#ports.publish(snapshotOf(local));
    void this.#left?.stop();
    this.#left = null;
  }
}

function isSamePhase(before: RunningChange | null, now: RunningChange): boolean {
  return before !== null && before.id === now.id && before.phase === now.phase;
}

function haveSameProcesses(before: RingState, now: RingState): boolean {
  return JSON.stringify(before.processes) === JSON.stringify(now.processes);
}

/** Something else was recorded beside it. */
function isSameRing(before: RingState, now: RingState): boolean {
  const ringOf = ({ generation, members, options }: RingState): unknown => [generation, members, options];
  return JSON.stringify(ringOf(before)) === JSON.stringify(ringOf(now));
}
