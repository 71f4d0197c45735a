/**
 * Owns the ring: its generations, and the changes from one to the next.
 *
 *   stable(g) ─▶ preparing ─▶ moving ─▶ stable(g+1)
 *                   │ the fence took too long: back to stable(g)
 *
 *   moving(g→g+1) ─▶ [cancel: fence] ─▶ moving(g+1→g)
 *                        │ the fence took too long: the change goes on
 *
 * preparing: commands on moved keys are held; when everything that was in flight is answered, no command on
 * a moved key is under way. moving: it is recorded that keys move, then each moved key is settled before its
 * first command, and a sweep moves the rest. `cancel` is a change back: while its fence is raised, the mover holds still
 * and moved keys are held, on whichever node they are; then either it is recorded that they move back, or all goes on.
 *
 * The file is long because every step of a change must be seen beside what may come in between: a cancel, a pause, a
 * failure, the end of the process. What can be decided without that is in files of its own (`change-protocol.ts` …).
 */
import { randomUUID } from 'node:crypto';
import type { ChangeAccepted, ChangeRequest, HistoryEntry, RingView, WhichView } from '../admin/api.js';
import { RingproxyError } from '../errors.js';
import { NodeFailure } from '../node/failure.js';
import { sameNode } from '../node/identity.js';
import type { KeyMoves } from '../proxy/key-moves.js';
import type { MoveMemory } from '../rebalance/move-memory.js';
import type { Mover } from '../rebalance/mover.js';
import { buildRing } from '../ring/build.js';
import { ringMoves } from '../ring/moves.js';
import type { NodeSpec } from '../ring/node-spec.js';
import type { Ring, RingOptions } from '../ring/ring.js';
import { overNodes } from '../ring/union.js';
import { checkRoom, examineArrivals } from './admission/admission.js';
import { checkFitness } from './admission/fitness.js';
import { tellingNodes } from './admission/node-failure.js';
import { planChange, type Running, refuseTurning } from './coordinator/running-change.js';
import { type MovedKeys, MoveTotals } from './jobs/move-totals.js';
import type { RingManagerHooks } from './ring-manager-hooks.js';
import { afterFence, afterRestart, mayMove } from './state/change-protocol.js';
import {
  differences,
  firstState,
  type Member,
  type NodeProcess,
  nextMembers,
  type RingState,
  type RunningChange,
  unionOf,
} from './state/ring-state.js';
import { History } from './store/history.js';
import type { StateDir } from './store/state-dir.js';
import { describeChange, describeRequest, toNewMember } from './views/change-view.js';
import { describeNodes, locateKeys } from './views/ring-view.js';

/** How long commands on moved keys are held at most before the change is given up. */
const FENCE_TIMEOUT_MS = 2000;
/** Nodes drop late connections in what is left of that, but may take so long in any case. */
const LEAST_DROP_MS = 500;
/** How long a cancel waits for the sweep to stand still: a large key may be under way. Nobody waits for it meanwhile. */
const SWEEP_STOP_MS = 10_000;
/** How long a cancel waits for keys that clients have asked for. */
const SETTLE_STOP_MS = 500;
const RETRY_MS = 500;
/** What is counted while keys move is kept so often at most. */
const KEEP_MS = 200;

export class RingManager {
  readonly #hooks: RingManagerHooks;
  readonly #stateDir: StateDir | null;
  readonly #proxyId: string;
  readonly #history: History;
  #state: RingState | null = null;
  #ring: Ring | null = null;
  #running: Running | null = null;
  #busy = false;
  /** Everything has moved, and that is being recorded: too late to turn round. */
  #finishing = false;
  #closed = false;
  #keeping: NodeJS.Timeout | null = null;
  readonly #moved = new MoveTotals();
  #bytesMoved = 0;

  constructor(proxyId: string, stateDir: StateDir | null, hooks: RingManagerHooks) {
    this.#proxyId = proxyId;
    this.#stateDir = stateDir;
    this.#hooks = hooks;
    this.#history = new History(proxyId, stateDir, hooks.warn);
  }

  get generation(): number {
    return this.#state?.generation ?? 0;
  }

  /** The members of the ring as it is recorded. */
  get nodes(): readonly Member[] {
    return this.#state?.members ?? [];
  }

  /** The ring and its nodes while nothing is about to change them; otherwise null. */
  get stableRing(): { ring: Ring; nodes: readonly Member[] } | null {
    if (this.#running !== null || this.#busy || this.#state === null || this.#ring === null) return null;
    return { ring: this.#ring, nodes: this.#state.members };
  }

  get phase(): 'stable' | 'preparing' | 'moving' {
    return this.#running?.change.phase ?? 'stable';
  }

  /** What was moved since the start, by source and target. */
  get movedKeys(): Iterable<MovedKeys> {
    return this.#moved.entries;
  }

  /** Estimated. */
  get bytesMoved(): number {
    return this.#bytesMoved + (this.#running?.mover?.bytesMoved ?? 0);
  }

  /** Takes the ring that is kept, or makes the first generation of what is configured. @throws RingproxyError */
  async bootstrap(nodes: readonly NodeSpec[], options: RingOptions): Promise<void> {
    const kept = (await this.#stateDir?.load()) ?? null;
    await this.#history.load();
    if (kept === null) {
      const startedAt = new Date().toISOString();
      await this.#adopt(firstState(nodes, options));
      const summary = `ring of ${nodes.map((node) => node.name).join(', ')}`;
      await this.#history.add({
        kind: 'bootstrap',
        generation: 1,
        startedAt,
        summary,
        keysMoved: 0,
        bytesMoved: 0,
        keysDropped: 0,
      });
      return;
    }
    for (const difference of differences(kept, nodes, options)) {
      this.#hooks.warn(`the ring that exists wins over the configuration: ${difference}`);
    }
    const goesOn = afterRestart(kept.change?.phase ?? null) === 'go forward';
    await this.#adopt({ ...kept, change: goesOn ? kept.change : null });
    if (kept.change !== null && goesOn) {
      this.#hooks.info(`resuming the change that was under way: ${kept.change.summary}`);
      const running = await this.#plan(kept.change);
      this.#running = running;
      this.#publish(running, null);
      void this.#resumeMoves(running);
    }
  }

  /** Begins a change. @throws RingproxyError with the reason when it is refused */
  async change(request: ChangeRequest): Promise<ChangeAccepted> {
    const { state, ring } = this.#current();
    if (this.#running !== null || this.#busy) {
      throw changeRunning(this.#running?.change.summary ?? 'it is just being prepared');
    }
    // A dry run changes nothing: whoever looks at what would move keeps nobody from looking, or from doing it.
    const looks = request.dryRun === true;
    if (!looks) this.#busy = true;
    try {
      const joining = (request.add ?? []).map(toNewMember);
      const replace = (request.replace ?? []).map(toNewMember);
      const members = nextMembers(state, { add: joining, remove: request.remove, weights: request.weights, replace });
      const arriving = members.filter((member) => !state.members.some((old) => sameNode(old, member)));
      const toFlush = await examineArrivals(state.members, arriving, request.flush === true, this.#hooks);
      const nextRing = await buildRing(members, state.options);
      const moves = ringMoves(ring, nextRing);
      const undrained = request.noDrain === true ? (request.remove ?? []) : [];
      const warnings: string[] = [];
      if (undrained.length > 0)
        warnings.push(`the keys of ${undrained.join(', ')} are given up: they will read as missing`);
      const losing = state.members.filter((member) => moves.some(({ source }) => source === member.name));
      const gaining = members.filter((member) => moves.some(({ target }) => target === member.name));
      const drained = losing.filter((member) => !undrained.includes(member.name));
      warnings.push(...(await checkFitness(drained, arriving, gaining, this.#hooks)));
      const shares = new Map(ring.nodes.map((node, index) => [node.name, ring.shares()[index] ?? 0]));
      const sources = state.members.filter((member) => !undrained.includes(member.name));
      warnings.push(...(await checkRoom(moves, shares, sources, members, toFlush, this.#hooks)));
      const generation = state.generation + 1;
      const union = unionOf(state.members, members);
      const rings = [overNodes(ring, union), overNodes(nextRing, union)] as const;
      // Those that join are empty, or will be.
      const keeping = gaining.filter((node) => !arriving.includes(node) && this.#hooks.health(node)?.up !== false);
      const indices = keeping.map((node) => union.findIndex((member) => sameNode(member, node)));
      warnings.push(...(await tellingNodes(this.#hooks.clearStrays(union, ...rings, indices, looks))));
      if (looks) {
        const survey = await tellingNodes(this.#hooks.survey(union, ...rings));
        return { generation, dryRun: true, warnings, moves, survey };
      }
      const change: RunningChange = {
        id: randomUUID(),
        kind: request.kind,
        phase: 'preparing',
        members,
        startedAt: new Date().toISOString(),
        summary: describeRequest(request),
        undrained,
        processes: [],
        throttle: request.throttle ?? 0,
      };
      await this.#stateDir?.rehearse({ ...state, change });
      // Only now, behind every check: what is flushed does not come back.
      for (const node of toFlush) await this.#hooks.flush(node);
      for (const node of arriving) await this.#hooks.bringFunctions(state.members, node);
      for (const warning of warnings) this.#hooks.warn(warning);
      await this.#prepare(change);
      return { generation, dryRun: false, warnings, moves, survey: null };
    } finally {
      if (!looks) this.#busy = false;
    }
  }

  pause(): void {
    this.#mover().pause();
  }

  /**
   * @param noDrain give up the keys of nodes that do not answer
   * @throws RingproxyError when there is no such node
   */
  async resume(noDrain = false): Promise<void> {
    const mover = this.#mover();
    if (noDrain) {
      if (this.#busy) throw changeRunning('it is just being turned round');
      this.#busy = true;
      await this.#giveUpDead(mover).finally(() => {
        this.#busy = false;
      });
    }
    mover.resume();
  }

  /** Kept with the change, so that it holds for a proxy that goes on with it, too. */
  throttle(keysPerSecond: number): void {
    this.#mover().throttle(keysPerSecond);
    const running = this.#running as Running;
    running.change = { ...running.change, throttle: keysPerSecond };
    if (this.#finishing || this.#busy) return;
    this.#keep(running).catch((error: unknown) =>
      this.#hooks.warn(`the throttle is not kept over a restart: ${messageOf(error)}`),
    );
  }

  /**
   * Turns the running change round: everything goes back to where it was.
   * @throws RingproxyError when that cannot be; then the change goes on as before
   */
  async cancel(): Promise<void> {
    const mover = this.#mover();
    const running = this.#running;
    if (running === null || this.#busy) throw noChange();
    refuseTurning(running, this.#finishing);
    this.#busy = true;
    try {
      await this.#turnRound(running, mover);
    } finally {
      this.#busy = false;
    }
  }

  /** What `cancel` would move back, if nothing moved on until then. @throws RingproxyError as `cancel` does */
  previewCancel(): ChangeAccepted {
    this.#mover();
    const { state, ring } = this.#current();
    const running = this.#running as Running;
    refuseTurning(running, this.#finishing);
    const moves = ringMoves(running.plainNextRing, ring);
    return { generation: state.generation + 2, dryRun: true, warnings: [], moves, survey: null };
  }

  view(): RingView {
    const { state, ring } = this.#current();
    const running = this.#running;
    return {
      generation: state.generation,
      phase: this.phase,
      hash: state.options.hash,
      distribution: state.options.distribution,
      hashTag: state.options.hashTag,
      vnodes: state.options.vnodes,
      nodes: describeNodes(state, running?.change ?? null, (running?.ring ?? ring).shares(), this.#hooks),
      change:
        running === null
          ? null
          : describeChange(running.change, running.mover, running.keysEstimated, running.failure, this.#proxyId),
      proxies: [],
    };
  }

  which(keys: readonly Buffer[]): WhichView[] {
    const { state, ring } = this.#current();
    return locateKeys(keys, ring, state.members, this.#running);
  }

  history(): HistoryEntry[] {
    return this.#history.entries;
  }

  /** Ends the sweep; a change that is recorded goes on with the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#keeping !== null) clearTimeout(this.#keeping);
    await this.#running?.mover?.stop();
  }

  /** Holds commands on moved keys until none is in flight; then keys move. @throws RingproxyError when it is given up */
  async #prepare(change: RunningChange): Promise<void> {
    const { state } = this.#current();
    const running = await this.#plan(change);
    this.#running = running;
    this.#publish(running, null);
    const moving = { ...change, phase: 'moving' as const };
    const failure = await this.#raiseFence(running, state, moving);
    if (afterFence(failure === null, false) !== 'move') {
      // The held commands run first: what is wrong may be the state directory itself. Should it have kept the
      // record all the same, a restart goes forward, which is as right, since nothing has moved.
      this.#running = null;
      this.#publishStable();
      throw notPassed('the change was given up, nothing has moved', failure);
    }
    this.#begin({ ...running, change: this.#current().state.change ?? moving }, null);
  }

  /** @param mover that of `running`, which goes on as it was when the fence is not passed */
  async #turnRound(running: Running, mover: Mover): Promise<void> {
    const { state } = this.#current();
    const turned: RingState = {
      ...state,
      generation: state.generation + 1,
      members: running.change.members,
      change: null,
    };
    const change: RunningChange = {
      ...running.change,
      id: randomUUID(),
      kind: 'cancel',
      phase: 'moving',
      members: state.members,
      startedAt: new Date().toISOString(),
      summary: `cancelled: ${running.change.summary}`,
    };
    const back = await planChange(change, turned, running.plainNextRing);
    await this.#stateDir?.rehearse({ ...turned, change });
    try {
      const isStill = await mover.hold(SWEEP_STOP_MS, SETTLE_STOP_MS);
      // It may have come to its end while it was waited for.
      if (this.#running !== running) throw noChange();
      if (this.#finishing) throw tooLate();
      if (!isStill) throw notPassed(GOES_ON, new Error(mover.error ?? 'keys are under way that do not arrive'));
      // Moved keys are held where they are: nothing moves, and nobody knows yet in which direction it will.
      this.#publish(running, null);
      const failure = await this.#raiseFence(running, turned, change, mover);
      if (afterFence(failure === null, true) !== 'move') {
        this.#publish(running, mover);
        throw notPassed(GOES_ON, failure);
      }
    } catch (error) {
      mover.release();
      throw error;
    }
    // Some may have been dropped since the record was made.
    back.change = { ...(this.#current().state.change ?? change), keysDropped: running.change.keysDropped };
    this.#ring = running.plainNextRing;
    this.#bytesMoved += mover.bytesMoved;
    // Before that ends clients' waits for the old mover, their keys must be looked for on the way back.
    this.#begin(back, mover.memory);
    await mover.stop();
  }

  /**
   * Makes sure that no command on a moved key is under way anywhere, and records that keys move.
   * @param state what is to be recorded, with the change `moving`
   * @param mover of the change that is turned round
   * @returns why that failed, or null
   */
  async #raiseFence(
    { union, change }: Running,
    state: RingState,
    moving: RunningChange,
    mover: Mover | null = null,
  ): Promise<unknown> {
    const startedAt = performance.now();
    const nodes = union.filter((node) => !change.undrained.includes(node.name));
    try {
      const members = await this.#hooks.fence(FENCE_TIMEOUT_MS);
      if (!mayMove(members)) return new Error(members.find((member) => !member.acknowledged)?.why);
      const deadline = Math.max(startedAt + FENCE_TIMEOUT_MS, performance.now() + LEAST_DROP_MS);
      for (const node of nodes) {
        const why = `${node.name} (${node.address}) does not drop connections of which commands may still lie there`;
        await within(deadline, why, this.#hooks.killLateConnections([node]));
      }
      await within(deadline, 'a node does not drop connections of an earlier proxy', this.#dropPredecessors(nodes));
      await within(deadline, 'a node does not drop connections of moves', mover?.dropLateConnections());
      const processes = await this.#processesOf(moving, union);
      // Recorded before anything moves: whatever happens from here on, the change goes on.
      await this.#save({ ...state, change: { ...moving, processes } });
      return null;
    } catch (error) {
      return error;
    }
  }

  /** Keys move from now on. @param earlier the memory of what has moved them the other way, until just now */
  #begin(running: Running, earlier: MoveMemory | null): void {
    this.#move(running, earlier, false);
    // What was loaded just before clients' FUNCTION LOAD went to the new nodes as well.
    const { members } = this.#current().state;
    for (const node of running.change.members) {
      if (members.some((member) => sameNode(member, node))) continue;
      void this.#hooks.bringFunctions(members, node).catch((error: unknown) => this.#hooks.warn(messageOf(error)));
    }
  }

  /** Those of the first fence: what a node has that was restarted since then may be from the past. */
  async #processesOf(change: RunningChange, union: readonly Member[]): Promise<readonly NodeProcess[]> {
    if (change.processes.length > 0) return change.processes;
    const runIds = await this.#hooks.runIds(union);
    return union.map(({ name, address }, index) => ({ name, address, runId: runIds[index] ?? '' }));
  }

  async #onFirstSeen(running: Running, index: number, runId: string): Promise<void> {
    const node = running.union[index];
    if (node === undefined || this.#running !== running) return;
    const { name, address } = node;
    const known = running.change.processes.filter((process) => !sameNode(process, node));
    running.change = { ...running.change, processes: [...known, { name, address, runId }] };
    await this.#save({ ...this.#current().state, change: running.change });
  }

  /** Kept with the change, so that whoever ends it says how many they were in all. */
  #noteDropped(running: Running, keys: number): void {
    running.change = { ...running.change, keysDropped: (running.change.keysDropped ?? 0) + keys };
    this.#keeping ??= setTimeout(() => {
      this.#keeping = null;
      if (this.#running !== running || this.#finishing || this.#busy || this.#closed) return;
      this.#keep(running).catch((error: unknown) =>
        this.#hooks.warn(`the number of dropped keys is not kept over a restart: ${messageOf(error)}`),
      );
    }, KEEP_MS);
  }

  /** Not by #save: whatever the state is when this is written, it must not become this one again. */
  async #keep(running: Running): Promise<void> {
    await this.#stateDir?.save({ ...this.#current().state, change: running.change });
  }

  #move(running: Running, earlier: MoveMemory | null, resumed: boolean): void {
    if (this.#closed) return;
    const { state } = this.#current();
    const { change, union, ring, nextRing } = running;
    const runIds = union.map((node) => change.processes.find((process) => sameNode(process, node))?.runId ?? '');
    const mover = this.#hooks.createMover(
      union,
      ring,
      nextRing,
      { runIds, earlier, resumed },
      {
        onFirstSeen: (index, runId) => this.#onFirstSeen(running, index, runId),
        onFailure: (message) =>
          this.#hooks.warn(`${message}; the change is paused: mend it, then ringproxy ring resume`),
        onSwept: () => void this.#finish(running),
        onDropped: (keys) => this.#noteDropped(running, keys),
        onMoved: (source, target, keys) => this.#moved.count(source, target, keys),
      },
    );
    running.mover = mover;
    mover.throttle(change.throttle ?? 0);
    mover.giveUp(union.flatMap((node, index) => (change.undrained.includes(node.name) ? [index] : [])));
    for (const node of state.members) running.keysEstimated += this.#hooks.health(node)?.keys ?? 0;
    this.#running = running;
    this.#publish(running, mover);
    void mover.sweep();
  }

  async #finish(running: Running): Promise<void> {
    // Turned round in the meantime.
    if (this.#running !== running) return;
    const { state } = this.#current();
    const { change, plainNextRing } = running;
    const mover = running.mover;
    const next: RingState = { ...state, generation: state.generation + 1, members: change.members, change: null };
    this.#finishing = true;
    const recorded = await this.#recordFinish(next, running);
    this.#finishing = false;
    if (!recorded) return;
    this.#running = null;
    this.#ring = plainNextRing;
    this.#publishStable();
    await mover?.stop();
    const { keysDropped = 0 } = running.change;
    const moved = mover?.progress.reduce((sum, source) => sum + source.keysMoved, 0) ?? 0;
    this.#bytesMoved += mover?.bytesMoved ?? 0;
    await this.#history.add({
      kind: change.kind,
      generation: next.generation,
      startedAt: change.startedAt,
      summary: change.summary,
      keysMoved: moved,
      bytesMoved: mover?.bytesMoved ?? 0,
      keysDropped,
    });
    if (keysDropped > 0) this.#hooks.warn(`${change.summary}: ${describeDropped(keysDropped)}`);
    // Everybody else hears of it by `ringproxy:ring:finished`.
    this.#hooks.debug(`${change.summary}: done, ${moved} keys moved, generation ${next.generation}`);
  }

  /** Clients are served meanwhile: every moved key is where both rings look for it. @returns false when closed before */
  async #recordFinish(next: RingState, running: Running): Promise<boolean> {
    while (!this.#closed) {
      try {
        await this.#save(next);
        return true;
      } catch (error) {
        if (running.failure === null) {
          this.#hooks.warn(
            `${running.change.summary}: everything has moved, but not recorded yet: ${messageOf(error)}`,
          );
        }
        running.failure = messageOf(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return false;
  }

  /**
   * The predecessor's moves may still lie at a node, and would run late: until it has dropped them, moved keys are
   * held. A node that refuses connections has no process that could run them.
   */
  async #resumeMoves(running: Running): Promise<void> {
    const proxies = this.#stateDir?.predecessors ?? [];
    for (const node of running.union) {
      while (!this.#closed) {
        try {
          await this.#hooks.killPredecessors([node], proxies);
          break;
        } catch (error) {
          if (error instanceof NodeFailure && error.nobodyListens) break;
          if (running.failure === null) this.#hooks.warn(`${running.change.summary}: waits for ${messageOf(error)}`);
          running.failure = `waits for ${messageOf(error)}`;
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      }
    }
    if (this.#closed) return;
    running.failure = null;
    this.#move(running, null, true);
  }

  /** A process of theirs may live on, stalled, with commands that it has yet to send. */
  async #dropPredecessors(nodes: readonly Member[]): Promise<void> {
    const proxies = this.#stateDir?.predecessors ?? [];
    if (proxies.length === 0) return;
    await this.#hooks.killPredecessors(nodes, proxies);
    this.#stateDir?.forgetPredecessors();
  }

  #plan(change: RunningChange): Promise<Running> {
    const { state, ring } = this.#current();
    return planChange(change, state, ring);
  }

  #publish(running: Running, moves: KeyMoves | null): void {
    this.#hooks.publish({
      generation: this.generation,
      phase: running.change.phase,
      ring: running.ring,
      nextRing: running.nextRing,
      moves,
      nodes: running.union,
    });
  }

  #publishStable(): void {
    const { state, ring } = this.#current();
    this.#hooks.publish({
      generation: state.generation,
      phase: 'stable',
      ring,
      nextRing: null,
      moves: null,
      nodes: state.members,
    });
  }

  /** Recorded before it counts: after a restart, too, nothing is asked of these nodes. */
  async #giveUpDead(mover: Mover): Promise<void> {
    const { state } = this.#current();
    const running = this.#running as Running;
    const unfinished = mover.progress.filter((source) => !source.done).map((source) => source.node);
    const dead = running.union.filter(
      (node) => unfinished.includes(node.name) && this.#hooks.health(node)?.up === false,
    );
    if (dead.length === 0) {
      throw new RingproxyError('NOTHING_TO_GIVE_UP', 'every node that keys are moved off answers');
    }
    const names = dead.map((node) => node.name);
    const change: RunningChange = { ...running.change, undrained: [...running.change.undrained, ...names] };
    await this.#save({ ...state, change });
    running.change = change;
    this.#hooks.warn(`the keys that ${names.join(', ')} did not hand over are given up: they read as missing`);
    mover.giveUp(dead.map((node) => running.union.indexOf(node)));
  }

  async #adopt(state: RingState): Promise<void> {
    await this.#save(state);
    this.#ring = await buildRing(state.members, state.options);
    this.#publishStable();
  }

  async #save(state: RingState): Promise<void> {
    await this.#stateDir?.save(state);
    this.#state = state;
  }

  #mover(): Mover {
    if (this.#running === null) throw noChange();
    const { mover } = this.#running;
    if (mover !== null) return mover;
    throw new RingproxyError('CHANGE_PREPARING', 'the change is just beginning: keys do not move yet');
  }

  #current(): { state: RingState; ring: Ring } {
    if (this.#state === null || this.#ring === null) {
      throw new RingproxyError('NOT_READY', 'the ring is not known yet');
    }
    return { state: this.#state, ring: this.#ring };
  }
}

function describeDropped(keys: number): string {
  return `${keys} keys were dropped and read as missing: their node was restarted while they moved, and what it had could not be told from what was changed or deleted since`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const GOES_ON = 'the change was not turned round, it goes on as before';

/** @param failure the reason; one that has a code of its own keeps it */
function notPassed(what: string, failure: unknown): RingproxyError {
  if (failure instanceof RingproxyError && failure.code === 'STATE_DIR') return failure;
  return new RingproxyError('FENCE_TIMEOUT', `${what}: ${messageOf(failure)}`);
}

/** @param deadline by `performance.now` @throws Error that says why when the work takes longer */
async function within(deadline: number, why: string, work: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((_, reject) => {
    timer = setTimeout(() => reject(new Error(why)), deadline - performance.now());
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function changeRunning(what: string): RingproxyError {
  return new RingproxyError('CHANGE_RUNNING', `another change is under way: ${what}`);
}

function tooLate(): RingproxyError {
  return new RingproxyError('CANNOT_CANCEL', 'everything has moved already, that is being recorded');
}

function noChange(): RingproxyError {
  return new RingproxyError('NO_CHANGE', 'no change is under way');
}
