/**
 * Owns the ring: its generations, and the changes from one to the next.
 *
 *   stable(g) ─▶ preparing ─▶ moving ─▶ stable(g+1)
 *                   │ the fence took too long: back to stable(g)
 *
 * preparing: commands on moved keys are held; when everything that was in flight is answered, no command on
 * a moved key is under way. moving: it is recorded that keys move, then each moved key is settled before its
 * first command, and a sweep moves the rest. `cancel` is a change back, through the same phases.
 */
import { randomUUID } from 'node:crypto';
import type {
  ChangeAccepted,
  ChangeRequest,
  ChangeView,
  HistoryEntry,
  NodeInput,
  NodeState,
  RingView,
  WhichView,
} from '../admin/api.js';
import { formatAddress, parseAddress } from '../config/address.js';
import { RingproxyError } from '../errors.js';
import type { NodeFacts } from '../health/inspect.js';
import type { NodeHealth } from '../health/node-monitor.js';
import type { KeyMoves } from '../proxy/key-moves.js';
import type { RoutingSnapshot } from '../proxy/snapshot.js';
import type { Mover } from '../rebalance/mover.js';
import { buildRing } from '../ring/build.js';
import { ringMoves } from '../ring/moves.js';
import type { NodeSpec } from '../ring/node-spec.js';
import type { Ring, RingOptions } from '../ring/ring.js';
import { overNodes, sameNode } from '../ring/union.js';
import {
  differences,
  firstState,
  type Member,
  nextMembers,
  type RingState,
  type RunningChange,
  unionOf,
} from './ring-state.js';
import type { StateDir } from './state-dir.js';

export interface MoverCallbacks {
  onFailure(message: string): void;
  onSwept(): void;
  onMoved(source: string, target: string, keys: number, bytes: number): void;
}

export interface RingManagerHooks {
  /** The ring that is routed by from now on. */
  publish(snapshot: RoutingSnapshot): void;
  /** Waits until what is in flight is answered. @returns false when that takes longer than `timeout` milliseconds */
  fence(timeout: number): Promise<boolean>;
  /** Makes the nodes drop connections on which a command may still lie. @throws when a node cannot be asked */
  killLateConnections(nodes: readonly NodeSpec[]): Promise<void>;
  /** The same for connections of a proxy that was here before. @throws when a node cannot be asked */
  killPredecessors(nodes: readonly NodeSpec[]): Promise<void>;
  createMover(nodes: readonly NodeSpec[], ring: Ring, nextRing: Ring, callbacks: MoverCallbacks): Mover;
  /** Looks at a node that is to join. @throws RingproxyError when it cannot */
  inspect(node: NodeSpec): Promise<NodeFacts>;
  /** Removes every key of a node that is to join. */
  flush(node: NodeSpec): Promise<void>;
  /** What is known of a node's health, or null. */
  health(node: NodeSpec): NodeHealth | null;
  warn(message: string): void;
  info(message: string): void;
}

const HISTORY_LIMIT = 1000;
/** How long commands on moved keys are held at most before the change is given up. */
const FENCE_TIMEOUT_MS = 2000;
const RETRY_MS = 500;

/** Keys that went from one node to another since the start. */
export interface MovedKeys {
  readonly source: string;
  readonly target: string;
  keys: number;
}

/** A change that is under way, with what carries it out. */
interface Running {
  readonly change: RunningChange;
  readonly union: readonly Member[];
  readonly ring: Ring;
  readonly nextRing: Ring;
  readonly plainNextRing: Ring;
  mover: Mover | null;
  keysEstimated: number;
  /** Why the change cannot be finished yet, or null. */
  failure: string | null;
}

export class RingManager {
  readonly #hooks: RingManagerHooks;
  readonly #stateDir: StateDir | null;
  readonly #proxyId: string;
  readonly #history: HistoryEntry[] = [];
  #state: RingState | null = null;
  #ring: Ring | null = null;
  #running: Running | null = null;
  #busy = false;
  /** Everything has moved, and that is being recorded: too late to turn round. */
  #finishing = false;
  #closed = false;
  readonly #moved = new Map<string, MovedKeys>();
  #bytesMoved = 0;

  constructor(proxyId: string, stateDir: StateDir | null, hooks: RingManagerHooks) {
    this.#proxyId = proxyId;
    this.#stateDir = stateDir;
    this.#hooks = hooks;
  }

  get generation(): number {
    return this.#state?.generation ?? 0;
  }

  get phase(): 'stable' | 'preparing' | 'moving' {
    return this.#running?.change.phase ?? 'stable';
  }

  /** What was moved since the start, by source and target. */
  get movedKeys(): Iterable<MovedKeys> {
    return this.#moved.values();
  }

  /** Estimated. */
  get bytesMoved(): number {
    return this.#bytesMoved + (this.#running?.mover?.bytesMoved ?? 0);
  }

  /** Takes the ring that is kept, or makes the first generation of what is configured. @throws RingproxyError */
  async bootstrap(nodes: readonly NodeSpec[], options: RingOptions): Promise<void> {
    const kept = (await this.#stateDir?.load()) ?? null;
    if (kept === null) {
      const startedAt = new Date().toISOString();
      await this.#adopt(firstState(nodes, options));
      this.#record('bootstrap', startedAt, `ring of ${nodes.map((node) => node.name).join(', ')}`, 0, 0);
      return;
    }
    for (const difference of differences(kept, nodes, options)) {
      this.#hooks.warn(`the ring that exists wins over the configuration: ${difference}`);
    }
    // In `preparing` nothing has moved yet: the change is given up. In `moving` it can only go on.
    await this.#adopt({ ...kept, change: kept.change?.phase === 'moving' ? kept.change : null });
    if (kept.change?.phase === 'moving') {
      this.#hooks.info(`resuming the change that was under way: ${kept.change.summary}`);
      await this.#dropPredecessors(unionOf(kept.members, kept.change.members));
      await this.#move(await this.#plan(kept.change));
    }
  }

  /** Begins a change. @throws RingproxyError with the reason when it is refused */
  async change(request: ChangeRequest): Promise<ChangeAccepted> {
    const { state, ring } = this.#current();
    if (this.#running !== null || this.#busy) {
      const what = this.#running?.change.summary ?? 'it is just being prepared';
      throw new RingproxyError(
        'CHANGE_RUNNING',
        `another change is under way: ${what}`,
        'wait for it, or cancel it',
        409,
      );
    }
    this.#busy = true;
    try {
      const joining = (request.add ?? []).map(toSpec);
      const replace = (request.replace ?? []).map((entry) => ({ name: entry.name, address: toSpec(entry).address }));
      const members = nextMembers(state, { add: joining, remove: request.remove, weights: request.weights, replace });
      const arriving = members.filter((member) => !state.members.some((old) => sameNode(old, member)));
      const toFlush = await this.#examine(arriving, request.flush === true);
      const nextRing = await buildRing(members, state.options);
      const moves = ringMoves(ring, nextRing);
      const warnings: string[] = [];
      const undrained = request.noDrain === true ? (request.remove ?? []) : [];
      if (undrained.length > 0)
        warnings.push(`the keys of ${undrained.join(', ')} are given up: they will read as missing`);
      const generation = state.generation + 1;
      if (request.dryRun === true) return { generation, dryRun: true, warnings, moves };
      // Only now, behind every check: what is flushed does not come back.
      for (const node of toFlush) await this.#hooks.flush(node);
      for (const warning of warnings) this.#hooks.warn(warning);
      const change: RunningChange = {
        id: randomUUID(),
        kind: request.kind,
        phase: 'preparing',
        members,
        startedAt: new Date().toISOString(),
        summary: describe(request),
        undrained,
      };
      await this.#prepare(change);
      return { generation, dryRun: false, warnings, moves };
    } finally {
      this.#busy = false;
    }
  }

  pause(): void {
    this.#mover().pause();
  }

  resume(): void {
    this.#mover().resume();
  }

  throttle(keysPerSecond: number): void {
    this.#mover().throttle(keysPerSecond);
  }

  /** Turns the running change round: everything goes back to where it was. */
  async cancel(): Promise<void> {
    const mover = this.#mover();
    const { state } = this.#current();
    const running = this.#running;
    if (running === null || this.#busy) throw noChange();
    if (this.#finishing) {
      throw new RingproxyError(
        'CANNOT_CANCEL',
        'everything has moved already, that is being recorded',
        'undo it with another change when it is done',
        409,
      );
    }
    this.#busy = true;
    try {
      if (running.change.undrained.length > 0) {
        throw new RingproxyError(
          'CANNOT_CANCEL',
          'nodes that were given up cannot come back',
          'add them again when it is done',
          409,
        );
      }
      // What had not moved yet is on its old node: it becomes the target of the change back.
      const turned: RingState = {
        ...state,
        generation: state.generation + 1,
        members: running.change.members,
        change: null,
      };
      this.#state = turned;
      this.#ring = running.plainNextRing;
      this.#running = null;
      await this.#prepare(
        {
          ...running.change,
          id: randomUUID(),
          kind: 'cancel',
          phase: 'preparing',
          members: state.members,
          startedAt: new Date().toISOString(),
          summary: `cancelled: ${running.change.summary}`,
        },
        mover,
      );
    } finally {
      this.#busy = false;
    }
  }

  view(): RingView {
    const { state, ring } = this.#current();
    const running = this.#running;
    const members = running?.union ?? state.members;
    const shares = (running?.ring ?? ring).shares();
    return {
      generation: state.generation,
      phase: this.phase,
      hash: state.options.hash,
      distribution: state.options.distribution,
      hashTag: state.options.hashTag,
      vnodes: state.options.vnodes,
      nodes: members.map((member, index) => {
        const health = this.#hooks.health(member);
        return {
          name: member.name,
          address: member.address,
          weight: member.weight,
          state: health?.up === false ? 'down' : this.#nodeState(member),
          share: shares[index] ?? 0,
          keys: health?.keys ?? null,
          usedMemory: health?.usedMemory ?? null,
          error: health?.error ?? null,
        };
      }),
      change: running === null ? null : describeRunning(running, this.#proxyId),
      proxies: [],
    };
  }

  which(keys: readonly Buffer[]): WhichView[] {
    const { state, ring } = this.#current();
    const running = this.#running;
    return keys.map((key) => {
      const hash = ring.hashOf(key, 0, key.length);
      const member = state.members[ring.ownerOfHash(hash)];
      const next = running === null ? undefined : running.union[running.nextRing.ownerOfHash(hash)];
      const moves = next !== undefined && member !== undefined && !sameNode(next, member);
      return {
        key: key.toString('utf8'),
        hash,
        node: member?.name ?? '',
        address: member?.address ?? '',
        nextNode: moves ? next.name : null,
      };
    });
  }

  history(): HistoryEntry[] {
    return [...this.#history];
  }

  /** Ends the sweep; a change that is recorded goes on with the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running?.mover?.stop();
  }

  /**
   * Holds commands on moved keys until none is in flight; then keys move.
   * @param before moves of the change that is turned round: until the fence stands, its keys are not touched
   */
  async #prepare(change: RunningChange, before: Mover | null = null): Promise<void> {
    const running = await this.#plan(change);
    this.#running = running;
    this.#publish(running, null);
    const sources = running.union.filter((node) => !change.undrained.includes(node.name));
    await before?.stop();
    for (;;) {
      try {
        if (!(await this.#hooks.fence(FENCE_TIMEOUT_MS))) {
          throw new Error(`commands were still in flight after ${FENCE_TIMEOUT_MS} ms`);
        }
        await this.#hooks.killLateConnections(sources);
        await before?.dropLateConnections();
        // Recorded before anything moves: whatever happens from here on, the change goes forward.
        await this.#save({ ...this.#current().state, change: { ...change, phase: 'moving' } });
        break;
      } catch (error) {
        const why = messageOf(error);
        if (before === null) {
          // The held commands run first: what is wrong may be the state directory itself. Should it have kept the
          // record all the same, a restart goes forward, which is as right, since nothing has moved.
          this.#running = null;
          this.#publishStable();
          if (error instanceof RingproxyError && error.code === 'STATE_DIR') throw error;
          throw new RingproxyError(
            'FENCE_TIMEOUT',
            `the change was given up, nothing has moved: ${why}`,
            'see which node is slow or down (ringproxy ring show), then try again',
            409,
          );
        }
        // A change that is turned round cannot stop half-way: its keys stay held until the nodes answer.
        this.#hooks.warn(`the change back waits: ${why}`);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    await this.#move({ ...running, change: { ...change, phase: 'moving' } });
  }

  async #move(running: Running): Promise<void> {
    const { state } = this.#current();
    const { change, union, ring, nextRing } = running;
    const mover = this.#hooks.createMover(union, ring, nextRing, {
      onFailure: (message) => this.#hooks.warn(`${message}; the change is paused: mend it, then ringproxy ring resume`),
      onSwept: () => void this.#finish(running),
      onMoved: (source, target, keys) => this.#countMoved(source, target, keys),
    });
    running.mover = mover;
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
    const moved = mover?.progress.reduce((sum, source) => sum + source.keysMoved, 0) ?? 0;
    this.#bytesMoved += mover?.bytesMoved ?? 0;
    this.#record(change.kind, change.startedAt, change.summary, moved, mover?.bytesMoved ?? 0);
    this.#hooks.info(`${change.summary}: done, ${moved} keys moved, generation ${next.generation}`);
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

  async #plan(change: RunningChange): Promise<Running> {
    const { state, ring } = this.#current();
    const union = unionOf(state.members, change.members);
    const plainNextRing = await buildRing(change.members, state.options);
    return {
      change,
      union,
      ring: overNodes(ring, union),
      nextRing: overNodes(plainNextRing, union),
      plainNextRing,
      mover: null,
      keysEstimated: 0,
      failure: null,
    };
  }

  /** A node that cannot be asked now is dead or will start anew: neither runs a late command. */
  async #dropPredecessors(nodes: readonly NodeSpec[]): Promise<void> {
    for (const node of nodes) {
      await this.#hooks.killPredecessors([node]).catch((error: unknown) => {
        this.#hooks.warn(`${node.name} (${node.address}) cannot be reached: ${String(error)}`);
      });
    }
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

  #countMoved(source: string, target: string, keys: number): void {
    const identity = `${source}\n${target}`;
    const moved = this.#moved.get(identity) ?? { source, target, keys: 0 };
    moved.keys += keys;
    this.#moved.set(identity, moved);
  }

  #nodeState(member: Member): NodeState {
    const running = this.#running;
    if (running === null) return 'active';
    if (!this.#current().state.members.some((old) => sameNode(old, member))) return 'joining';
    return running.change.members.some((next) => sameNode(next, member)) ? 'active' : 'leaving';
  }

  /**
   * Refuses what would break the ring: a node that is none, a replica, one that is in the ring under another
   * address, or one with keys of its own.
   * @returns the nodes to flush
   */
  async #examine(arriving: readonly Member[], flush: boolean): Promise<Member[]> {
    const toFlush: Member[] = [];
    const runIds = arriving.length === 0 ? new Map<string, Member>() : await this.#runIds();
    for (const node of arriving) {
      const facts = await this.#hooks.inspect(node);
      const known = runIds.get(facts.runId);
      if (known !== undefined) {
        throw new RingproxyError(
          'ADDRESS_TAKEN',
          `${node.address} is in the ring already: it is the same server as ${known.name} (${known.address})`,
          'a node can be in the ring once',
          409,
        );
      }
      if (facts.runId !== '') runIds.set(facts.runId, node);
      refuseUnfit(node, facts, flush);
      if (facts.keys > 0) toFlush.push(node);
    }
    return toFlush;
  }

  /** The servers of the ring; one that does not answer is known by what it last said. */
  async #runIds(): Promise<Map<string, Member>> {
    const { members } = this.#current().state;
    const found = new Map<string, Member>();
    await Promise.all(
      members.map(async (member) => {
        const facts = await this.#hooks.inspect(member).catch(() => null);
        const runId = facts?.runId ?? this.#hooks.health(member)?.runId ?? '';
        if (runId !== '') found.set(runId, member);
      }),
    );
    return found;
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
    const mover = this.#running?.mover;
    if (mover === null || mover === undefined) throw noChange();
    return mover;
  }

  #current(): { state: RingState; ring: Ring } {
    if (this.#state === null || this.#ring === null) {
      throw new RingproxyError('NOT_READY', 'the ring is not known yet', 'try again in a moment', 503);
    }
    return { state: this.#state, ring: this.#ring };
  }

  #record(kind: HistoryEntry['kind'], startedAt: string, summary: string, keysMoved: number, bytesMoved: number): void {
    const finishedAt = new Date();
    this.#history.push({
      id: randomUUID(),
      kind,
      generation: this.generation,
      startedAt,
      finishedAt: finishedAt.toISOString(),
      by: this.#proxyId,
      summary,
      keysMoved,
      bytesMoved,
      durationSeconds: (finishedAt.getTime() - new Date(startedAt).getTime()) / 1000,
    });
    if (this.#history.length > HISTORY_LIMIT) this.#history.shift();
  }
}

function refuseUnfit(node: NodeSpec, facts: NodeFacts, flush: boolean): void {
  if (facts.role !== 'master') {
    throw new RingproxyError(
      'NODE_IS_REPLICA',
      `${node.name} (${node.address}) is a replica`,
      'it would refuse writes: add its master, or promote it with REPLICAOF NO ONE',
      409,
    );
  }
  if (facts.clusterEnabled) {
    throw new RingproxyError(
      'NODE_IS_CLUSTER',
      `${node.name} (${node.address}) is a Redis Cluster node`,
      'it would answer MOVED for most keys: use a node without cluster-enabled',
      409,
    );
  }
  if (facts.keys > 0 && !flush) {
    throw new RingproxyError(
      'NODE_NOT_EMPTY',
      `${node.name} (${node.address}) holds ${facts.keys} keys, which would show up as stale data`,
      'use an empty node, or add --flush to delete them first',
      409,
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function noChange(): RingproxyError {
  return new RingproxyError('NO_CHANGE', 'no change is under way', 'start one with ringproxy ring add or remove', 409);
}

function describe(request: ChangeRequest): string {
  const parts = [
    ...(request.add ?? []).map((node) => `add ${node.name ?? node.address}`),
    ...(request.remove ?? []).map((name) => `remove ${name}`),
    ...(request.weights ?? []).map((entry) => `weight of ${entry.name} to ${entry.weight}`),
    ...(request.replace ?? []).map((entry) => `replace ${entry.name} by ${entry.address}`),
  ];
  return parts.join(', ');
}

function describeRunning(running: Running, proxyId: string): ChangeView {
  const { change, mover, keysEstimated } = running;
  const sources = mover?.progress ?? [];
  const keysMoved = sources.reduce((sum, source) => sum + source.keysMoved, 0);
  const keysScanned = sources.reduce((sum, source) => sum + source.keysScanned, 0);
  const seconds = (Date.now() - new Date(change.startedAt).getTime()) / 1000;
  const done = sources.length > 0 && sources.every((source) => source.done);
  const part = done ? 1 : keysEstimated === 0 ? 0 : Math.min(0.999, keysScanned / keysEstimated);
  return {
    id: change.id,
    kind: change.kind,
    phase: change.phase,
    paused: mover?.paused ?? false,
    startedAt: change.startedAt,
    keysMoved,
    keysScanned,
    keysEstimated,
    bytesMoved: mover?.bytesMoved ?? 0,
    percent: Math.round(part * 1000) / 10,
    etaSeconds: part > 0 ? Math.round((seconds / part) * (1 - part)) : null,
    sources: sources.map((source) => ({ ...source, owner: proxyId })),
    error: running.failure ?? mover?.error ?? null,
  };
}

function toSpec(input: NodeInput): NodeSpec {
  const parsed = parseAddress(input.address);
  if (parsed === null || ('port' in parsed && parsed.port === 0)) {
    throw new RingproxyError('BAD_ADDRESS', `'${input.address}' is not a node's address`, 'expected HOST:PORT');
  }
  const address = formatAddress(parsed);
  return { name: input.name ?? address, address, weight: input.weight ?? 1 };
}
