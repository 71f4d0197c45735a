/**
 * Moving the keys of one change: a job of the fleet for each source, of which this proxy does those that it claims. It
 * lasts until every source is swept, by whichever proxy, or the change is turned round.
 */
import type { Duty, EndReason } from '../../fleet/jobs/job.js';
import type { JobSupervisor } from '../../fleet/jobs/supervisor.js';
import type { KeyMoves } from '../../proxy/key-moves.js';
import { Looks } from '../../rebalance/looks.js';
import { type MigrateTurns, OwnTurns } from '../../rebalance/migrate-turns.js';
import { MoveMemory } from '../../rebalance/move-memory.js';
import { ChangeMoves } from '../../rebalance/moves/change-moves.js';
import type { OwnSource } from '../../rebalance/moves/moves-server.js';
import type { MovesQuestion } from '../../rebalance/moves/peer-protocol.js';
import type { ChangeRings } from '../change-rings.js';
import type { FenceMember } from '../state/change-protocol.js';
import { type Claim, isInForce } from '../state/fleet.js';
import { runIdIn } from '../state/move-records.js';
import { type Member, type RunningChange, serversBefore, withoutGivenUp } from '../state/ring-state.js';
import { moverJob, type RingStore } from '../store/ring-store.js';
import { FleetTurns, isCrosswise } from './fleet-turns.js';
import { JobStatus } from './job-status.js';
import type { CreateMover } from './mover-start.js';
import { OwnMoves } from './own-moves.js';
import { SourceMove, type SourceMoveCallbacks, type SourceMover } from './source-move.js';
import { SourceRecords } from './source-records.js';
import { type AskMover, SourcesElsewhere } from './sources-elsewhere.js';
import { steeringOf } from './steering.js';
import { Predecessors, type PredecessorsPorts } from './take-over.js';

export interface MoveJobPorts extends Pick<PredecessorsPorts, 'killPredecessors' | 'killEarlierMovers'> {
  /** This proxy's id in the fleet. */
  memberId(): string;
  readonly store: Pick<RingStore, 'claim' | 'claims' | 'members' | 'moves' | 'noteMove' | 'release' | 'watch'>;
  readonly jobs: Pick<JobSupervisor, 'add'>;
  readonly createMover: CreateMover;
  /** Null: this proxy is alone. */
  readonly askMover: AskMover | null;
  /** A source has no moved key left. */
  onSourceSwept(job: MoveJob, source: number): void;
  /** No source has one. */
  onSwept(job: MoveJob): void;
  onMoved(source: string, target: string, keys: number, bytes: number): void;
  warn(message: string): void;
}

/** What is known of a change before its keys move. */
export interface JobStart {
  readonly change: RunningChange;
  readonly rings: ChangeRings;
  /** This proxy knows of it since before its keys moved. */
  readonly isFresh: boolean;
  /** What this proxy remembers of the change that this one turns round; null: none, or nothing. */
  readonly earlier: MoveMemory | null;
  /** What the nodes that lose keys hold. */
  readonly keysEstimated: number;
}

const WITHDRAWN: EndReason = 'withdrawn';

export class MoveJob {
  readonly rings: ChangeRings;
  readonly #ports: MoveJobPorts;
  readonly #isFresh: boolean;
  readonly #sources: readonly number[];
  readonly #looks = new Looks();
  readonly #turns: MigrateTurns;
  readonly #moves: ChangeMoves;
  /** What is known of the change, of all sources. */
  readonly memory: MoveMemory;
  /** As it stands in the record. */
  #change: RunningChange;
  /** Sources without a moved key. */
  readonly #swept = new Set<number>();
  /** Whom this proxy asks, by source. */
  readonly #elsewhere: SourcesElsewhere;
  /** What this proxy moves. */
  readonly #own: OwnMoves;
  readonly #predecessors: Predecessors;
  /** What withdraws the job of a source. */
  readonly #withdraws = new Map<number, () => Promise<void>>();
  readonly #withdrawing: Promise<void>[] = [];
  readonly #records: SourceRecords;
  #stopWatching: () => void = () => {};
  #isTold = false;
  #isSuspended = false;
  /** How far it is, at all proxies. */
  readonly status: JobStatus;
  #stopping: Promise<void> | null = null;

  constructor({ change, rings, isFresh, earlier, keysEstimated }: JobStart, ports: MoveJobPorts) {
    this.#change = change;
    this.rings = rings;
    this.#ports = ports;
    this.#isFresh = isFresh;
    const { memberId, store, askMover } = ports;
    this.#turns =
      askMover !== null && isCrosswise(rings.rings)
        ? new FleetTurns({ memberId, claims: store, isStopped: () => this.#isSuspended })
        : new OwnTurns();
    this.memory = new MoveMemory(rings.union, earlier);
    this.#sources = [...rings.rings.sources()].sort((a, b) => a - b);
    this.#moves = new ChangeMoves(this.#sources, this.memory, this.#looks, (source) => this.#runIdOf(source));
    this.#elsewhere = new SourcesElsewhere({
      change: change.id,
      moves: this.#moves,
      settled: this.memory.settled,
      memberId: () => memberId(),
      ask: askMover,
    });
    this.#predecessors = new Predecessors(rings.union, {
      ...{ store, reachable: () => this.#reachable },
      killPredecessors: (...killed) => ports.killPredecessors(...killed),
      killEarlierMovers: (...killed) => ports.killEarlierMovers(...killed),
    });
    this.#own = new OwnMoves({
      reachable: () => this.#reachable,
      dropEarlier: (node, ...move) => this.#predecessors.dropEarlier([node], ...move),
      isInForce: (claim) => this.#isInForce(claim),
      share: (source) => this.memory.share(source),
      error: () => this.status.error,
    });
    this.#records = new SourceRecords(this.#sources, {
      ...{ change: change.id, store, warn: ports.warn },
      nameOf: (source) => this.#nameOf(source),
      own: (source) => this.#own.of(source)?.record ?? null,
      isStopped: () => this.#isSuspended,
      onNews: () => {
        this.#adopt();
        this.status.countTime();
      },
    });
    this.status = new JobStatus({
      ...{ keysEstimated, records: this.#records },
      change: () => this.#change,
      isSwept: (place) => this.#swept.has(this.#sources[place] ?? -1),
    });
    this.forgetGivenUp(change);
  }

  /**
   * What is given up for good has no moved key left. To be called before clients are served by this record: they would be
   * sent to a node that is not spoken to any more.
   */
  forgetGivenUp({ undrained, givingUp = [] }: RunningChange): void {
    const forGood = this.#indicesOf(undrained.filter((name) => !givingUp.includes(name)));
    for (const source of this.#sources) if (forGood.includes(source)) this.#moves.swept(source);
  }

  get changeId(): string {
    return this.#change.id;
  }

  /** What the data plane asks about moved keys. */
  get moves(): KeyMoves {
    return this.#moves;
  }

  /** Nobody moves keys, since something of a predecessor may run yet. */
  get isTakingOver(): boolean {
    if (this.#isFresh || this.#swept.size > 0) return false;
    const others = this.status.sources.some(({ owner }) => owner !== '' && owner !== this.#ports.memberId());
    return !this.#own.areMoving && !others;
  }

  /** From now on sources are claimed, and keys move. */
  begin(): void {
    const watched = ['claims', 'moves', 'members'];
    this.#stopWatching = this.#ports.store.watch(({ kind }) => {
      if (watched.includes(kind)) void this.#records.look();
    });
    for (const source of this.#sources) {
      const job = moverJob(this.#nameOf(source));
      const run = (duty: Duty): Promise<void> => this.#run(source, duty);
      this.#withdraws.set(source, this.#ports.jobs.add({ name: job, pace: 'quick', stays: true, run }));
    }
    this.follow(this.#change);
    void this.#records.look();
  }

  /** Something was noted with the change, or its phase is another one. */
  follow(change: RunningChange): void {
    const before = this.#change;
    this.#change = change;
    this.#giveUp(change);
    const resumes = before.paused === true || (change.resumes ?? 0) > (before.resumes ?? 0);
    // What others have told of before, they tell anew.
    if (resumes) this.#records.goOn();
    this.#own.steer(steeringOf(change), resumes);
    this.status.countTime();
    // Whoever serves clients was told of no source while moves were held.
    for (const source of this.#swept) this.#ports.onSourceSwept(this, source);
  }

  /** Waits until no sweep of this proxy has keys under way; none begins as long as the record wants it so. */
  still(timeout: number): Promise<FenceMember> {
    return this.#own.still(timeout);
  }

  /**
   * Waits until this proxy moves nothing, and the nodes have dropped what may still lie there; nothing begins as long as the
   * record wants it so.
   * @param timeout milliseconds
   */
  standstill(timeout: number): Promise<FenceMember> {
    return this.#own.standstill(timeout);
  }

  /** A source that is only given up if a fence is passed has its keys until then. */
  #giveUp({ undrained, givingUp = [] }: RunningChange): void {
    const gone = this.#indicesOf(undrained);
    const forGood = this.#indicesOf(undrained.filter((name) => !givingUp.includes(name)));
    this.#own.giveUp(gone, forGood);
    for (const source of this.#sources) if (forGood.includes(source)) this.#finish(source);
    this.#tellIfSwept();
  }

  #indicesOf(names: readonly string[]): number[] {
    const { union } = this.rings;
    return serversBefore(union, names).map((node) => union.indexOf(node));
  }

  /** Ends it, and waits until nothing of it is under way here. What others wait for, they ask anew. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Moves nothing from here on; who waits waits on, until it is stopped. */
  async suspend(): Promise<void> {
    this.#isSuspended = true;
    this.#stopWatching();
    for (const source of this.#sources) this.#withdraw(source);
    await Promise.all(this.#withdrawing);
  }

  async #stop(): Promise<void> {
    await this.suspend();
    this.#moves.close();
    for (const source of this.#sources) this.#elsewhere.end(source);
  }

  async #isInForce(claim: Claim): Promise<boolean> {
    const claims = await this.#ports.store.claims();
    return isInForce(claim, claims.find(({ job }) => job === claim.job) ?? null);
  }

  /** A claim has come to this proxy: moves the keys of the source until it is lost or withdrawn. */
  async #run(source: number, { claim, signal }: Duty): Promise<void> {
    const { store } = this.#ports;
    const record = (await store.moves(this.changeId)).find((other) => other.source === this.#nameOf(source)) ?? null;
    if (record?.swept === true) {
      // Whoever has swept it has let it go before that was known here: what is recorded of it stays.
      this.#records.note(record);
      if (!this.#isSuspended) this.#adopt();
      return aborted(signal);
    }
    const isFirst = this.#isFresh && record === null;
    const move = new SourceMove(source, claim, record, {
      nodes: this.rings.union,
      processes: this.#change.processes,
      steering: () => steeringOf(this.#change),
      onWait: (failure) => this.status.waitsFor(source, failure),
      note: (told) => store.noteMove(this.changeId, told, claim),
      create: (runIds, callbacks) => this.#create(source, claim, runIds, callbacks),
    });
    this.#own.add(move);
    try {
      if (isFirst) this.memory.begin(source);
      const free = (): Promise<boolean> => (isFirst ? Promise.resolve(true) : this.#takeOver(source, claim, signal));
      if (!(await move.begin(free, signal))) return;
      move.mover?.forget(this.#indicesOf(this.#change.undrained));
      this.#moves.assign(source, move, true);
      this.#elsewhere.end(source);
      void move.mover?.sweep();
      await aborted(signal);
    } finally {
      const ended = this.#own.end(move);
      if (this.#own.remove(move)) {
        void this.#records.look();
        this.#records.note(move.record);
        this.#moves.assign(source, null, true);
        this.status.waitsFor(source, null);
      }
      // Whoever has it next moves keys that this one knows nothing of.
      if (signal.reason !== WITHDRAWN) this.memory.share(source);
      await ended;
      await move.close();
    }
  }

  #create(source: number, claim: Claim, runIds: readonly string[], callbacks: SourceMoveCallbacks): SourceMover {
    const { createMover, warn, onMoved } = this.#ports;
    const { union, rings } = this.rings;
    const right = { holder: claim.holder, source: union[source]?.id ?? -1, revision: claim.revision };
    return createMover(
      {
        ...{ nodes: union, rings, source, runIds, right },
        ...{ memory: this.memory, looks: this.#looks, turns: this.#turns },
        sweeping: () => this.#sources.length - this.#swept.size,
        isInForce: () => this.#isInForce(claim).catch(() => null),
      },
      {
        ...callbacks,
        onFailure: (message) => warn(`${message}; the change is paused: mend it, then ringproxy ring resume`),
        onMoved,
      },
    );
  }

  /** Nothing of those that moved the source's keys before can run any more. @returns false when it was ended before */
  #takeOver(source: number, claim: Claim, signal: AbortSignal): Promise<boolean> {
    const { summary } = this.#change;
    return this.#predecessors.takeOver(source, claim, {
      isClosed: () => signal.aborted,
      onWait: (failure) => {
        if (failure !== null && this.status.error === null) this.#ports.warn(`${summary}: ${failure}`);
        this.status.waitsFor(source, failure);
      },
    });
  }

  #adopt(): void {
    for (const source of this.#sources) {
      if (this.#own.of(source) === null && !this.#swept.has(source)) {
        this.#elsewhere.assign(source, this.#records.claimOf(this.#nameOf(source)));
      }
      if (this.#records.told(this.#nameOf(source))?.swept === true) this.#finish(source);
    }
    this.#tellIfSwept();
  }

  /** The source, if this proxy moves its keys by this very claim; null: it does not. */
  ownSource({ change, source, revision }: MovesQuestion): OwnSource | null {
    const move = this.#own.of(source);
    if (change !== this.changeId || move?.mover == null || move.claim.revision !== revision) return null;
    const { rings } = this.rings;
    return {
      looks: this.#looks,
      isMoving: (target, key) => {
        const hash = rings.hashOf(key, 0, key.length);
        return rings.ownerOf(hash) === source && rings.nextOwnerOf(hash) === target;
      },
      isSettled: (database, key) => this.memory.settled.has(source, database, key, 0, key.length),
      settle: (...key) => move.settle(...key),
      noteGone: (...key) => move.noteGone(...key),
    };
  }

  /** The source has no moved key left, or is given up. */
  #finish(source: number): void {
    if (this.#swept.has(source)) return;
    this.#swept.add(source);
    this.#moves.swept(source);
    this.#elsewhere.end(source);
    this.#ports.onSourceSwept(this, source);
    this.#withdraw(source);
  }

  #tellIfSwept(): void {
    if (this.#swept.size < this.#sources.length || this.#isTold || this.#isSuspended) return;
    this.#isTold = true;
    this.#ports.onSwept(this);
  }

  #withdraw(source: number): void {
    const withdraw = this.#withdraws.get(source);
    this.#withdraws.delete(source);
    if (withdraw !== undefined) this.#withdrawing.push(withdraw());
  }

  #runIdOf(source: number): string {
    const node = this.rings.union[source];
    if (node === undefined) return '';
    const own = this.#own.of(source)?.mover?.runIdOf(source) ?? '';
    const told = this.#records.told(node.name)?.processes ?? [];
    return runIdIn(node, this.#change.processes) || own || runIdIn(node, told);
  }

  /** The nodes of the change without those that were given up. */
  get #reachable(): readonly Member[] {
    return withoutGivenUp(this.rings.union, this.#change);
  }

  #nameOf(source: number): string {
    return this.rings.union[source]?.name ?? '';
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
