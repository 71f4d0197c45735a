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
import { MovesServer } from '../rebalance/moves/moves-server.js';
import {
  MOVES_PATH,
  type MovesAnswer,
  parseMovesAnswer,
  parseQuestion,
  questionBody,
} from '../rebalance/moves/peer-protocol.js';
import type { RingOptions } from '../ring/ring.js';
import type { Rings } from '../ring/rings.js';
import { systemTimers } from '../time/timers.js';
import { within } from '../time/within.js';
import { RingBuilder } from './change-rings.js';
import { foundRing } from './coordinator/bootstrap.js';
import { planChange } from './coordinator/change-plan.js';
import { describeForgetting, ejectedAmong, withoutEjected } from './coordinator/ejecting.js';
import { addHistory } from './coordinator/finishing.js';
import { type PeerAsking, RequestForwarding } from './coordinator/forwarding.js';
import { CoordinatorJob } from './coordinator/office.js';
import { changeRunning, noChange, notMovingYet } from './coordinator/refusals.js';
import type { FleetRequest, RingAnswer, RingRequest } from './coordinator/ring-requests.js';
import { refuseTurning } from './coordinator/turning.js';
import type { MoveJobPorts } from './jobs/move-job.js';
import { type MovedKeys, MoveTotals } from './jobs/move-totals.js';
import { type LocalRing, snapshotOf } from './participant/local-ring.js';
import { Participant } from './participant/participant.js';
import type { RingManagerHooks } from './ring-manager-hooks.js';
import { ejectedNow, forgetEjected } from './state/ejection.js';
import {
  type Consistency,
  differences,
  firstState,
  type Member,
  type NewMember,
  type RingState,
} from './state/ring-state.js';
import { afterEverybodyIsGone, phaseOf } from './state/transitions.js';
import type { RingStore, StoredRing } from './store/ring-store.js';
import { arcsView } from './views/arcs-view.js';
import { shownPhase } from './views/change-view.js';
import { describeRing, locateKeys } from './views/ring-view.js';

/** What was recorded is known here so much later at most; otherwise it is shown as it was. */
const REACHED_MS = 2000;

/** Of what a ring is made that is not there yet, beside nodes and options. */
export interface Founding {
  /** The ring that this proxy had while it was alone; null: it had none. */
  readonly former: RingState | null;
  /** The fleet's ring as this proxy knew it last; null: it knew none. */
  readonly remembered: RingState | null;
  /** Null: where a proxy is alone, there is nothing to agree on. */
  readonly consistency: Consistency | null;
  /** A proxy without nodes waits until another one has made the ring. */
  readonly waits: boolean;
}

const ALONE: Founding = { former: null, remembered: null, consistency: null, waits: false };

export class RingManager {
  readonly #memberId: () => string;
  readonly #hooks: RingManagerHooks;
  readonly #store: RingStore;
  readonly #rings = new RingBuilder();
  readonly #participant: Participant;
  readonly #coordinator: CoordinatorJob;
  readonly #requests: RequestForwarding;
  readonly #moved = new MoveTotals();
  readonly #moves: MovesServer;
  /** The duties of the fleet; later parts add theirs. */
  readonly jobs: JobSupervisor;

  /** @param memberId this proxy's id: another one after `leave` */
  constructor(memberId: () => string, store: RingStore, hooks: RingManagerHooks) {
    this.#memberId = memberId;
    this.#hooks = hooks;
    this.#store = store;
    const warn = (message: string): void => hooks.warn(message);
    const jobs = new JobSupervisor({ memberId, store, warn });
    const participant = new Participant(store, this.#rings, {
      memberId,
      publish: (snapshot) => hooks.publish(snapshot),
      noted: () => hooks.noted(),
      fence: (timeout) => hooks.fence(timeout),
      killLateConnections: (nodes) => hooks.killLateConnections(nodes),
      keysOf: (node) => hooks.health(node)?.keys ?? 0,
      info: () => hooks.memberInfo(),
      warn,
      job: {
        store,
        jobs,
        createMover: (...start) => hooks.createMover(...start),
        killPredecessors: (...killed) => hooks.killPredecessors(...killed),
        killEarlierMovers: (...killed) => hooks.killEarlierMovers(...killed),
        askMover: hooks.peers === null ? null : moverAsking(hooks.peers),
        onMoved: (...moved) => this.#moved.count(...moved),
        onSourceSwept: (job, source) => {
          if (this.#participant.local?.job === job) hooks.onSourceSwept(source);
        },
        onSwept: () => this.#coordinator.look(),
        warn,
      },
    });
    this.#participant = participant;
    this.#moves = new MovesServer((question) => participant.local?.job?.ownSource(question) ?? null, systemTimers);
    this.#coordinator = new CoordinatorJob(store, participant, this.#rings, hooks);
    this.#requests = new RequestForwarding({ memberId, store, peers: hooks.peers, own: this.#coordinator });
    this.jobs = jobs;
    this.jobs.add(this.#coordinator);
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

  /** The ring as it is recorded, or null before it is known. */
  get recorded(): RingState | null {
    return this.#participant.local?.stored.state ?? null;
  }

  /** Nodes that are none of the ring, and may come back to it. */
  get ejected(): readonly Member[] {
    const { recorded } = this;
    return recorded === null ? [] : ejectedNow(recorded);
  }

  /** Nodes are reached otherwise than before: publishes the ring as it is once more. */
  publishAnew(): void {
    const { local } = this.#participant;
    if (local !== null) this.#hooks.publish(snapshotOf(local));
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

  /**
   * Takes the ring that is kept; where there is none, makes the first generation of what is configured.
   * @param founding what else it is made of
   * @returns whether this proxy has made it
   * @throws RingproxyError
   */
  async bootstrap(nodes: readonly NewMember[], options: RingOptions, founding: Founding = ALONE): Promise<boolean> {
    const startedAt = new Date().toISOString();
    const { remembered, consistency, waits } = founding;
    const former = remembered === null ? founding.former : afterEverybodyIsGone(remembered);
    const make = (): RingState | null => {
      const made = former ?? (waits && nodes.length === 0 ? null : firstState(nodes, options));
      return made === null || consistency === null ? made : { ...made, consistency };
    };
    const { ring, isNew } = await foundRing(this.#memberId(), this.#store, make, () =>
      this.#hooks.info('there is no ring yet: waits until a proxy that has nodes makes it'),
    );
    if (remembered !== null) this.#compareWithRemembered(remembered, ring.state, isNew);
    if (former !== null || !isNew) this.#warnOfDifferences(ring.state, nodes, options, consistency);
    await this.join();
    if (!isNew) return false;
    const names = ring.state.members.map(({ name }) => name).join(', ');
    const origin = remembered === null ? ', as this proxy had it alone' : ', as this proxy knew it last';
    const summary = `ring of ${names}${former === null ? '' : origin}`;
    const none = { keysMoved: 0, bytesMoved: 0, keysDropped: 0 };
    const done = { kind: 'bootstrap', generation: ring.state.generation, startedAt, summary, ...none } as const;
    await addHistory(this.#store, done, this.#memberId(), this.#hooks);
    return true;
  }

  /**
   * This proxy is not of the fleet any more, under the id that it has: it decides nothing, moves nothing, and follows
   * nothing until it has joined anew.
   */
  async leave(): Promise<void> {
    await this.jobs.stop();
    await this.#participant.leave();
  }

  /** Serves a ring that was known before, while nobody can be asked for the one of now; `join` follows. */
  serveKnown(ring: StoredRing): Promise<void> {
    return this.#participant.adopt(ring);
  }

  /** Registers this proxy, and takes the ring as it is recorded. @throws RingproxyError when it cannot */
  async join(): Promise<void> {
    await this.#participant.join();
    await this.jobs.start();
  }

  /** Begins a change. @param who asks for it, as the history tells @throws RingproxyError with the reason when it is refused */
  async change(change: ChangeRequest, who?: string): Promise<ChangeAccepted> {
    if (change.dryRun === true) return this.#preview(change);
    const { accepted } = await this.#ask({ kind: 'change', change, who });
    if (accepted === null) throw new RingproxyError('INTERNAL', 'a change was begun, and nothing is said of it');
    return accepted;
  }

  /** What the fleet wants of its own ring. @throws RingproxyError with the reason when it is refused */
  async askByFleet(request: FleetRequest): Promise<void> {
    await this.#ask(request);
  }

  /** @throws RingproxyError when no keys move */
  async pause(): Promise<void> {
    await this.#ask({ kind: 'pause' });
  }

  /**
   * @param noDrain give up the keys of nodes that do not answer
   * @throws RingproxyError when no keys move, or there is no such node
   */
  async resume(noDrain = false): Promise<void> {
    await this.#ask({ kind: 'resume', noDrain });
  }

  /** @param keysPerSecond 0: as fast as it goes @throws RingproxyError when no keys move */
  async throttle(keysPerSecond: number): Promise<void> {
    await this.#ask({ kind: 'throttle', keysPerSecond });
  }

  /**
   * Turns the running change round: everything goes back to where it was.
   * @param who asks for it, as the history tells
   * @throws RingproxyError when that cannot be; then the change goes on as before
   */
  async cancel(who?: string): Promise<void> {
    await this.#ask({ kind: 'cancel', who });
  }

  /** What `cancel` would move back, if nothing moved on until then. @throws RingproxyError as `cancel` does */
  previewCancel(): ChangeAccepted {
    const { stored, change, job } = this.#local();
    const { generation, change: record } = stored.state;
    if (record === null || change === null) throw noChange();
    if (record.phase === 'preparing' || job?.isTakingOver === true) throw notMovingYet();
    refuseTurning(record, false);
    return { generation: generation + 2, dryRun: true, warnings: [], moves: change.rings.movesBack(), survey: null };
  }

  /** Carries out what another proxy was asked for. @param body as it came @throws RingproxyError which that one gets */
  answerPeer(body: unknown): Promise<RingAnswer> {
    return this.#requests.answer(body);
  }

  /** Answers another proxy about keys that this one moves. @param from its id @param body as it came @throws RingproxyError */
  async answerMoves(from: string, body: unknown): Promise<MovesAnswer> {
    const question = parseQuestion(body);
    if (question === null) throw new RingproxyError('BAD_REQUEST', 'it is no question about keys that move');
    return this.#moves.answer(from, question);
  }

  /** Whether there is one to show: not before it is learned, nor while this proxy joins anew. */
  get isKnown(): boolean {
    return this.#participant.local !== null;
  }

  /** @throws RingproxyError NOT_READY while none is known */
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
  async forget(id: string): Promise<void> {
    await this.#ask({ kind: 'forget', id });
  }

  async history(): Promise<HistoryEntry[]> {
    return [...(await this.#store.history())];
  }

  /** Ends the sweep; a change that is recorded goes on with the next start, or with whoever takes it up. */
  async close(): Promise<void> {
    await this.jobs.close();
    await this.#participant.close();
  }

  /**
   * Keys are where the newest ring has put them: one that is older sends clients to nodes that do not have them.
   * @throws RingproxyError when the ring that is recorded is older than the one that this proxy has known
   */
  #compareWithRemembered(remembered: RingState, { generation, members }: RingState, isNew: boolean): void {
    const named = (nodes: readonly { readonly name: string }[]): string => nodes.map(({ name }) => name).join(', ');
    const known = `generation ${remembered.generation} (${named(remembered.members)})`;
    if (isNew) {
      this.#hooks.warn(`etcd had no ring: this proxy has recorded the one that it knew last, ${known}`);
    } else if (generation < remembered.generation) {
      throw new RingproxyError(
        'RING_OF_THE_PAST',
        `etcd has generation ${generation} of the ring (${named(members)}), and this proxy has known ${known}`,
      );
    }
  }

  #warnOfDifferences(
    state: RingState,
    nodes: readonly NewMember[],
    options: RingOptions,
    consistency: Consistency | null,
  ): void {
    // One that has learned its ring has configured none.
    const found = nodes.length === 0 ? [] : differences(state, nodes, options);
    const kept = state.consistency ?? 'strict';
    if (consistency !== null && consistency !== kept) found.push(`the ring is ${kept}, not ${consistency}`);
    for (const difference of found) {
      this.#hooks.warn(`the ring that exists wins over the configuration: ${difference}`);
    }
  }

  /** Whoever has asked for it sees it here, too. */
  async #ask(request: RingRequest): Promise<RingAnswer> {
    const answer = await this.#requests.carryOut(request, this.#memberId());
    await within(REACHED_MS, this.#participant.reached(answer.revision));
    return answer;
  }

  /** Changes nothing: whoever looks at what would move keeps nobody from looking, or from doing it. */
  async #preview(request: ChangeRequest): Promise<ChangeAccepted> {
    const { state } = this.#local().stored;
    if (state.change !== null) throw changeRunning(state.change.summary, state.change.by);
    const names = ejectedAmong(request, state);
    const rest = withoutEjected(request, names);
    const known = forgetEjected(state, names);
    const { generation } = state;
    const forgets = names.length === 0 ? [] : [describeForgetting(names)];
    if (rest === null && names.length > 0)
      return { generation, dryRun: true, warnings: forgets, moves: [], survey: null };
    const { accepted } = await planChange(rest ?? request, known, this.#rings, this.#hooks);
    return { ...accepted, warnings: [...forgets, ...accepted.warnings] };
  }

  #local(): LocalRing {
    const { local } = this.#participant;
    if (local === null) throw new RingproxyError('NOT_READY', 'the ring is not known yet');
    return local;
  }
}

/** How long another proxy may take to answer about keys: more than it takes its time for. Milliseconds. */
const ASK_MOVER_MS = 2000;

function moverAsking(peers: PeerAsking): MoveJobPorts['askMover'] {
  return async (member, question) => {
    const reply = await peers.ask(member, MOVES_PATH, questionBody(question), ASK_MOVER_MS);
    const answer = reply.ok ? parseMovesAnswer(reply.body) : null;
    return answer?.moves === true ? answer : null;
  };
}
