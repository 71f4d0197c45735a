/**
 * Owns the ring: composes who decides about it, who follows, and what is shown of it.
 *
 *   coordinator ─▶ store ─▶ participant ─▶ data plane (RoutingSnapshot)
 *        ▲           ▲           │    └──▶ jobs ─▶ mover
 *        │           └── answers ┘           │
 *        └───────────── swept ───────────────┘
 *
 * Every proxy follows what is recorded, also the one that records it: a proxy that is alone with its ring takes the same
 * way as one of many.
 */
import type {
  ArcsView,
  ChangeAccepted,
  ChangeRequest,
  HistoryEntry,
  OwnRingView,
  RingPhase,
  WhichView,
} from '../admin/api.js';
import { RingproxyError } from '../errors.js';
import { JobSupervisor } from '../fleet/jobs/supervisor.js';
import type { RingOptions } from '../ring/ring.js';
import type { Rings } from '../ring/rings.js';
import { RingBuilder } from './change-rings.js';
import { ChangeNotes } from './coordinator/change-notes.js';
import { Coordinator } from './coordinator/coordinator.js';
import { Recorder } from './coordinator/recorder.js';
import { messageOf } from './coordinator/refusals.js';
import { type MovedKeys, MoveTotals } from './jobs/move-totals.js';
import { type LocalRing, snapshotOf } from './participant/local-ring.js';
import { Participant } from './participant/participant.js';
import type { RingManagerHooks } from './ring-manager-hooks.js';
import { afterRestart } from './state/change-protocol.js';
import { type Consistency, differences, firstState, type Member, type NewMember } from './state/ring-state.js';
import { afterEverybodyIsGone, phaseOf } from './state/transitions.js';
import type { RingStore } from './store/ring-store.js';
import { arcsView } from './views/arcs-view.js';
import { shownPhase } from './views/change-view.js';
import { describeRing, locateKeys } from './views/ring-view.js';

export class RingManager {
  readonly #hooks: RingManagerHooks;
  readonly #store: RingStore;
  readonly #recorder: Recorder;
  readonly #participant: Participant;
  readonly #coordinator: Coordinator;
  readonly #notes: ChangeNotes;
  readonly #jobs: JobSupervisor;
  readonly #moved = new MoveTotals();

  constructor(proxyId: string, store: RingStore, hooks: RingManagerHooks) {
    this.#hooks = hooks;
    this.#store = store;
    const rings = new RingBuilder();
    const recorder = new Recorder(proxyId, store);
    const warn = (message: string): void => hooks.warn(message);
    const notes = new ChangeNotes(recorder, { isDeciding: () => this.#coordinator.isDeciding, warn });
    const memberId = (): string => proxyId;
    const jobs = new JobSupervisor({ memberId, store, warn });
    const participant = new Participant(store, rings, {
      memberId,
      publish: (snapshot) => hooks.publish(snapshot),
      fence: (timeout) => hooks.fence(timeout),
      killLateConnections: (nodes) => hooks.killLateConnections(nodes),
      keysOf: (node) => hooks.health(node)?.keys ?? 0,
      info: () => hooks.memberInfo(),
      warn,
      job: {
        store,
        jobs,
        createMover: (...start) => hooks.createMover(...start),
        killPredecessors: (nodes, proxies) => hooks.killPredecessors(nodes, proxies),
        killEarlierMovers: (...earlier) => hooks.killEarlierMovers(...earlier),
        onMoved: (...moved) => this.#moved.count(...moved),
        onSourceSwept: (job, source) => {
          if (this.#participant.local?.job === job) hooks.onSourceSwept(source);
        },
        onSwept: (job) => {
          this.#coordinator.finish(job).catch((error: unknown) => warn(messageOf(error)));
        },
        warn,
      },
    });
    this.#recorder = recorder;
    this.#notes = notes;
    this.#jobs = jobs;
    this.#participant = participant;
    this.#coordinator = new Coordinator(proxyId, store, recorder, participant, rings, hooks);
  }

  get generation(): number {
    return this.#participant.local?.stored.state.generation ?? 0;
  }

  /** The members of the ring as it is recorded. */
  get nodes(): readonly Member[] {
    return this.#participant.local?.stored.state.members ?? [];
  }

  /** The nodes that commands are routed to: while a change is under way, members of either ring. */
  get routed(): readonly Member[] {
    const { local } = this.#participant;
    return local === null ? [] : snapshotOf(local).nodes;
  }

  /** The ring and its nodes while nothing is about to change them; otherwise null. */
  get stableRing(): { rings: Rings; nodes: readonly Member[] } | null {
    const { local } = this.#participant;
    if (local === null || local.change !== null || this.#coordinator.isDeciding) return null;
    return { rings: local.rings, nodes: local.stored.state.members };
  }

  /** What holds for proxies that cannot ask the store, as far as the ring is known. */
  get consistency(): Consistency {
    return this.#participant.local?.stored.state.consistency ?? 'strict';
  }

  get phase(): RingPhase {
    const { local } = this.#participant;
    return local === null ? 'stable' : shownPhase(phaseOf(local.stored.state));
  }

  /** What was moved since the start, by source and target. */
  get movedKeys(): Iterable<MovedKeys> {
    return this.#moved.entries;
  }

  /** Estimated. */
  get bytesMoved(): number {
    return this.#moved.bytes;
  }

  /** Takes the ring that is kept, or makes the first generation of what is configured. @throws RingproxyError */
  async bootstrap(nodes: readonly NewMember[], options: RingOptions): Promise<void> {
    const kept = await this.#store.load();
    if (kept === null) {
      const startedAt = new Date().toISOString();
      await this.#recorder.record((state) => state ?? firstState(nodes, options));
      await this.#join();
      const summary = `ring of ${nodes.map((node) => node.name).join(', ')}`;
      const none = { keysMoved: 0, bytesMoved: 0, keysDropped: 0 };
      await this.#coordinator.addHistory({ kind: 'bootstrap', generation: 1, startedAt, summary, ...none });
      return;
    }
    for (const difference of differences(kept.state, nodes, options)) {
      this.#hooks.warn(`the ring that exists wins over the configuration: ${difference}`);
    }
    if (kept.state.change !== null) {
      await this.#recorder.change(afterEverybodyIsGone);
      if (afterRestart(phaseOf(kept.state)) === 'go forward') {
        this.#hooks.info(`resuming the change that was under way: ${kept.state.change.summary}`);
      }
    }
    await this.#join();
  }

  /** Begins a change. @throws RingproxyError with the reason when it is refused */
  change(request: ChangeRequest): Promise<ChangeAccepted> {
    return this.#coordinator.begin(request);
  }

  /** @throws RingproxyError when no keys move */
  pause(): void {
    this.#coordinator.mover().pause();
    this.#hooks.onSteered();
  }

  /**
   * @param noDrain give up the keys of nodes that do not answer
   * @throws RingproxyError when no keys move, or there is no such node
   */
  async resume(noDrain = false): Promise<void> {
    const mover = this.#coordinator.mover();
    if (noDrain) await this.#coordinator.giveUpDead();
    mover.resume();
    this.#hooks.onSteered();
  }

  /** @param keysPerSecond 0: as fast as it goes @throws RingproxyError when no keys move */
  throttle(keysPerSecond: number): void {
    this.#coordinator.mover().throttle(keysPerSecond);
    const job = this.#participant.local?.job ?? null;
    if (job !== null) this.#notes.throttled(job);
  }

  /**
   * Turns the running change round: everything goes back to where it was.
   * @throws RingproxyError when that cannot be; then the change goes on as before
   */
  cancel(): Promise<void> {
    return this.#coordinator.cancel();
  }

  /** What `cancel` would move back, if nothing moved on until then. @throws RingproxyError as `cancel` does */
  previewCancel(): ChangeAccepted {
    return this.#coordinator.previewCancel();
  }

  view(): OwnRingView {
    return describeRing(this.#local(), this.#hooks);
  }

  /** The ring that commands are routed by, to be drawn. @param limit most arcs @throws RingproxyError before there is one */
  arcs(limit: number): ArcsView {
    return arcsView(snapshotOf(this.#local()), limit);
  }

  which(keys: readonly Buffer[]): WhichView[] {
    return locateKeys(keys, this.#local());
  }

  /** Takes a dead proxy out of all fences. @throws RingproxyError when it is none of this ring, or lives */
  async forget(proxyId: string): Promise<void> {
    const member = (await this.#store.members()).find(({ id }) => id === proxyId);
    if (member === undefined) throw new RingproxyError('UNKNOWN_PROXY', `there is no proxy ${proxyId} in this fleet`);
    throw new RingproxyError('PROXY_ALIVE', `the proxy ${proxyId} lives`);
  }

  async history(): Promise<HistoryEntry[]> {
    return [...(await this.#store.history())];
  }

  /** Ends the sweep; a change that is recorded goes on with the next start. */
  async close(): Promise<void> {
    this.#recorder.close();
    this.#notes.close();
    await this.#participant.close();
    await this.#jobs.close();
  }

  async #join(): Promise<void> {
    await this.#participant.join();
    await this.#jobs.start();
  }

  #local(): LocalRing {
    const { local } = this.#participant;
    if (local === null) throw new RingproxyError('NOT_READY', 'the ring is not known yet');
    return local;
  }
}
