/**
 * This proxy's part in every change of the ring: it follows the record. Each phase that is recorded is published to the
 * data plane; where a fence is raised, commands of this proxy are waited for and the answer is recorded; where keys
 * move, the job that moves them is begun and ended. It decides nothing: whoever has acknowledged waits for the record of
 * what became of the change.
 */
import type { MoveMemory } from '../../rebalance/move-memory.js';
import type { ChangeRings, RingBuilder } from '../change-rings.js';
import { MoveJob, type MoveJobPorts } from '../jobs/move-job.js';
import { dropPredecessors, type TakeOverPorts } from '../jobs/take-over.js';
import type { MemberInfo, Revision } from '../state/fleet.js';
import type { Member, RunningChange } from '../state/ring-state.js';
import type { RingStore, StoredRing } from '../store/ring-store.js';
import { type LocalRing, type MemberSnapshot, snapshotOf } from './local-ring.js';
import { type OwnFencePorts, raiseOwnFence } from './own-fence.js';

export interface ParticipantPorts
  extends Omit<OwnFencePorts, 'dropLateMoves'>,
    Pick<TakeOverPorts, 'killPredecessors'> {
  /** The ring that is routed by from now on. */
  publish(snapshot: MemberSnapshot): void;
  /** Keys of a node, as far as it is known. */
  keysOf(node: Member): number;
  /** What this proxy tells of itself. */
  info(): MemberInfo;
  warn(message: string): void;
  readonly job: MoveJobPorts;
}

export class Participant {
  readonly #id: string;
  readonly #store: RingStore;
  readonly #rings: RingBuilder;
  readonly #ports: ParticipantPorts;
  #local: LocalRing | null = null;
  /** Records are followed one after the other. */
  #following: Promise<void> = Promise.resolve();
  /** Those who wait for the next record. */
  #waiting: (() => void)[] = [];
  #stopWatching: () => void = () => {};
  #closed = false;

  constructor(id: string, store: RingStore, rings: RingBuilder, ports: ParticipantPorts) {
    this.#id = id;
    this.#store = store;
    this.#rings = rings;
    this.#ports = ports;
  }

  /** Null before `join`. */
  get local(): LocalRing | null {
    return this.#local;
  }

  /** Registers this proxy, and takes the phase that stands in the record. @throws RingproxyError when it cannot */
  async join(): Promise<void> {
    // Nothing that is recorded from now on is missed: what comes twice is passed over by its revision.
    this.#stopWatching = this.#store.watch((event) => {
      if (event.kind === 'ring') void this.#follow(event.ring);
    });
    for (;;) {
      const stored = await this.#store.load();
      if (stored === null) throw new Error('a proxy joins a ring that is recorded');
      if ((await this.#store.register(this.#id, this.#ports.info(), stored.revision)) === null) continue;
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

  /** Ends the moves of this proxy; a change that is recorded goes on with whoever takes it up. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching();
    await this.#following.catch(() => {});
    await this.#local?.job?.stop();
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
      this.#note(this.#local, before.stored.state.change, change);
      return;
    }
    const isSame = before !== null && change !== null && before.stored.state.change?.id === change.id;
    const changing = isSame ? before.change : await this.#rings.buildChange(stored.state);
    if (change === null || changing === null) {
      this.#settle({ stored, rings: await this.#rings.buildStable(stored.state), change: null, job: null });
      return;
    }
    const local = { stored, rings: changing.rings, change: changing };
    if (change.phase === 'moving') await this.#move({ ...local, job: null }, change, changing);
    else this.#hold({ ...local, job: before?.job ?? null }, change, changing);
  }

  /** Something was noted with the change. */
  #note({ job, stored: { revision } }: LocalRing, before: RunningChange | null, change: RunningChange): void {
    job?.follow(change);
    if (change.still !== true || before?.still === true) return;
    const held = job?.hold() ?? Promise.resolve({ acknowledged: true, why: '' });
    held
      .then((answer) => this.#store.answer(this.#id, { ...answer, revision }))
      .catch((error: unknown) => this.#warn(error));
  }

  #settle(local: LocalRing): void {
    const before = this.#local?.job;
    this.#use(local);
    void before?.stop();
  }

  /** A fence is raised. */
  #hold(local: LocalRing, change: RunningChange, { union }: ChangeRings): void {
    this.#use(local);
    const nodes = union.filter((node) => !change.undrained.includes(node.name));
    const { revision } = local.stored;
    const { job } = local;
    job?.follow(change);
    // As a rule it holds still already: what was noted may have been passed over.
    const holding = job?.hold() ?? Promise.resolve(null);
    raiseOwnFence(nodes, {
      fence: (timeout) => this.#ports.fence(timeout),
      killLateConnections: (asked) => this.#ports.killLateConnections(asked),
      dropLateMoves: async () => {
        const held = await holding;
        if (held !== null && !held.acknowledged) throw new Error(held.why);
        await job?.mover?.dropLateConnections();
      },
    })
      .then((answer) => this.#store.answer(this.#id, { ...answer, revision }))
      // Whoever waits for the answer goes by its absence.
      .catch((error: unknown) => this.#warn(error));
  }

  /** Keys move: the job that is there goes on, or one begins. */
  async #move(local: LocalRing, change: RunningChange, rings: ChangeRings): Promise<void> {
    const was = this.#local?.stored.state.change ?? null;
    const earlier = this.#local?.job ?? null;
    if (earlier?.changeId === change.id) {
      this.#use({ ...local, job: earlier });
      earlier.follow(change);
      return;
    }
    const job = new MoveJob(change, rings, this.#ports.job);
    const begins = was?.phase === 'preparing' && was.id === change.id;
    const turnsRound = was?.phase === 'turning' && earlier !== null;
    if (begins || turnsRound) {
      await this.#begin({ ...local, job }, job, earlier?.mover?.memory ?? null, false);
    } else {
      // Keys have moved before this proxy knew of it.
      this.#use({ ...local, job });
      this.#takeOver(job).catch((error: unknown) => this.#warn(error));
    }
    // Before that ends clients' waits for the old mover, their keys must be looked for on the way back.
    void earlier?.stop();
  }

  /** Goes on with a change that a predecessor has left. */
  async #takeOver(job: MoveJob): Promise<void> {
    const gone = (await this.#store.members()).filter((member) => member.fencedOff).map(({ id }) => id);
    const summary = this.#local?.stored.state.change?.summary ?? '';
    const free = await dropPredecessors(job.rings.union, gone, {
      killPredecessors: (nodes, proxies) => this.#ports.killPredecessors(nodes, proxies),
      isClosed: () => this.#closed,
      onWait: (failure) => {
        if (failure !== null && job.failure === null) this.#ports.warn(`${summary}: ${failure}`);
        job.failure = failure;
      },
    });
    if (!free) return;
    const begun = this.#inTurn(async () => {
      const local = this.#local;
      if (local !== null && local.job === job) await this.#begin(local, job, null, true);
    });
    // Told already.
    await begun.catch(() => {});
  }

  async #begin(local: LocalRing, job: MoveJob, earlier: MoveMemory | null, resumed: boolean): Promise<void> {
    const keys = local.stored.state.members.reduce((sum, node) => sum + this.#ports.keysOf(node), 0);
    await job.begin(earlier, resumed, keys);
    this.#use(local);
    void job.mover?.sweep();
  }

  #warn(error: unknown): void {
    this.#ports.warn(error instanceof Error ? error.message : String(error));
  }

  #use(local: LocalRing): void {
    this.#local = local;
    this.#ports.publish(snapshotOf(local));
  }
}

function isSamePhase(before: RunningChange | null, now: RunningChange): boolean {
  return before !== null && before.id === now.id && before.phase === now.phase;
}
