/**
 * Owns the ring: its generations, the changes to it and what is kept of them. In this version a change
 * takes effect at once and leaves the data where it is; phases, fence and sweep take their place here.
 */
import { randomUUID } from 'node:crypto';
import type {
  ChangeAccepted,
  ChangeRequest,
  HistoryEntry,
  NodeInput,
  NodeView,
  RingView,
  WhichView,
} from '../admin/api.js';
import { formatAddress, parseAddress } from '../config/address.js';
import { RingproxyError } from '../errors.js';
import type { NodeFacts } from '../health/inspect.js';
import type { NodeHealth } from '../health/node-monitor.js';
import type { RoutingSnapshot } from '../proxy/snapshot.js';
import { buildRing } from '../ring/build.js';
import { ringMoves } from '../ring/moves.js';
import type { NodeSpec } from '../ring/node-spec.js';
import type { Ring, RingOptions } from '../ring/ring.js';
import { differences, firstState, type RingState, withNodes, withoutNodes } from './ring-state.js';
import type { StateDir } from './state-dir.js';

export interface RingManagerHooks {
  /** The ring that is routed by from now on. */
  publish(snapshot: RoutingSnapshot): void;
  /** Looks at a node that is to join. @throws RingproxyError when it cannot */
  inspect(node: NodeSpec): Promise<NodeFacts>;
  /** Removes every key of a node that is to join. */
  flush(node: NodeSpec): Promise<void>;
  /** What is known of a node's health, or null. */
  health(name: string): NodeHealth | null;
  warn(message: string): void;
  info(message: string): void;
}

const HISTORY_LIMIT = 1000;

export class RingManager {
  readonly #hooks: RingManagerHooks;
  readonly #stateDir: StateDir | null;
  readonly #proxyId: string;
  readonly #history: HistoryEntry[] = [];
  #state: RingState | null = null;
  #ring: Ring | null = null;
  #changing = false;

  constructor(proxyId: string, stateDir: StateDir | null, hooks: RingManagerHooks) {
    this.#proxyId = proxyId;
    this.#stateDir = stateDir;
    this.#hooks = hooks;
  }

  get generation(): number {
    return this.#state?.generation ?? 0;
  }

  get members(): readonly NodeSpec[] {
    return this.#state?.members ?? [];
  }

  /** Takes the ring that is kept, or makes the first generation of what is configured. @throws RingproxyError */
  async bootstrap(nodes: readonly NodeSpec[], options: RingOptions): Promise<void> {
    const kept = (await this.#stateDir?.load()) ?? null;
    if (kept !== null) {
      for (const difference of differences(kept, nodes, options)) {
        this.#hooks.warn(`the ring that exists wins over the configuration: ${difference}`);
      }
      await this.#adopt(kept);
      return;
    }
    const startedAt = new Date();
    const state = firstState(nodes, options);
    await this.#stateDir?.save(state);
    await this.#adopt(state);
    this.#record('bootstrap', startedAt, `ring of ${state.members.map((member) => member.name).join(', ')}`);
  }

  /** Carries out a change of the membership. @throws RingproxyError with the reason when it is refused */
  async change(request: ChangeRequest): Promise<ChangeAccepted> {
    if (this.#changing) {
      throw new RingproxyError('CHANGE_RUNNING', 'another change is under way', 'try again when it is done', 409);
    }
    this.#changing = true;
    try {
      return await this.#change(request);
    } finally {
      this.#changing = false;
    }
  }

  view(): RingView {
    const { state, ring } = this.#current();
    const shares = ring.shares();
    const nodes: NodeView[] = state.members.map((member, index) => {
      const health = this.#hooks.health(member.name);
      return {
        name: member.name,
        address: member.address,
        weight: member.weight,
        state: health?.up === false ? 'down' : 'active',
        share: shares[index] ?? 0,
        keys: health?.keys ?? null,
        usedMemory: health?.usedMemory ?? null,
        error: health?.error ?? null,
      };
    });
    return {
      generation: state.generation,
      phase: 'stable',
      hash: state.options.hash,
      distribution: state.options.distribution,
      hashTag: state.options.hashTag,
      vnodes: state.options.vnodes,
      nodes,
      change: null,
      proxies: [],
    };
  }

  which(keys: readonly Buffer[]): WhichView[] {
    const { state, ring } = this.#current();
    return keys.map((key) => {
      const hash = ring.hashOf(key, 0, key.length);
      const member = state.members[ring.ownerOfHash(hash)];
      return {
        key: key.toString('utf8'),
        hash,
        node: member?.name ?? '',
        address: member?.address ?? '',
        nextNode: null,
      };
    });
  }

  history(): HistoryEntry[] {
    return [...this.#history];
  }

  async #change(request: ChangeRequest): Promise<ChangeAccepted> {
    const { state, ring } = this.#current();
    const startedAt = new Date();
    const joining = (request.add ?? []).map(toSpec);
    const leaving = request.remove ?? [];
    const next = request.kind === 'add' ? withNodes(state, joining) : withoutNodes(state, leaving);
    for (const node of joining) await this.#examine(node, request.flush === true, request.dryRun === true);
    const nextRing = await buildRing(next.members, next.options);
    const moves = ringMoves(ring, nextRing);
    const moved = moves.reduce((sum, move) => sum + move.share, 0);
    const warnings = [
      `keys do not move yet: about ${(moved * 100).toFixed(1)} % of the keys have another owner now and read as missing`,
    ];
    if (leaving.length > 0)
      warnings.push(`the keys on ${leaving.join(', ')} are not copied: they stay there, out of reach`);
    if (request.dryRun === true) return { generation: next.generation, dryRun: true, warnings, moves };
    await this.#stateDir?.save(next);
    this.#publish(next, nextRing);
    const what =
      request.kind === 'add' ? `added ${joining.map((node) => node.name).join(', ')}` : `removed ${leaving.join(', ')}`;
    this.#record(request.kind, startedAt, what);
    for (const warning of warnings) this.#hooks.warn(`${what}: ${warning}`);
    return { generation: next.generation, dryRun: false, warnings, moves };
  }

  /** Refuses what would break the ring: a node that is none, a replica, or one with keys of its own. */
  async #examine(node: NodeSpec, flush: boolean, dryRun: boolean): Promise<void> {
    const facts = await this.#hooks.inspect(node);
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
    if (facts.keys === 0) return;
    if (!flush) {
      throw new RingproxyError(
        'NODE_NOT_EMPTY',
        `${node.name} (${node.address}) holds ${facts.keys} keys, which would show up as stale data`,
        'use an empty node, or add --flush to delete them first',
        409,
      );
    }
    if (!dryRun) await this.#hooks.flush(node);
  }

  async #adopt(state: RingState): Promise<void> {
    this.#publish(state, await buildRing(state.members, state.options));
  }

  #publish(state: RingState, ring: Ring): void {
    this.#state = state;
    this.#ring = ring;
    this.#hooks.publish({
      generation: state.generation,
      phase: 'stable',
      ring,
      nextRing: null,
      nodes: state.members,
    });
    this.#hooks.info(`generation ${state.generation}: ${state.members.map((member) => member.name).join(', ')}`);
  }

  #current(): { state: RingState; ring: Ring } {
    if (this.#state === null || this.#ring === null) {
      throw new RingproxyError('NOT_READY', 'the ring is not known yet', 'try again in a moment', 503);
    }
    return { state: this.#state, ring: this.#ring };
  }

  #record(kind: HistoryEntry['kind'], startedAt: Date, summary: string): void {
    const finishedAt = new Date();
    this.#history.push({
      id: randomUUID(),
      kind,
      generation: this.generation,
      startedAt: startedAt.toISOString(),
      finishedAt: finishedAt.toISOString(),
      by: this.#proxyId,
      summary,
      keysMoved: 0,
      bytesMoved: 0,
      durationSeconds: (finishedAt.getTime() - startedAt.getTime()) / 1000,
    });
    if (this.#history.length > HISTORY_LIMIT) this.#history.shift();
  }
}

function toSpec(input: NodeInput): NodeSpec {
  const parsed = parseAddress(input.address);
  if (parsed === null || ('port' in parsed && parsed.port === 0)) {
    throw new RingproxyError('BAD_ADDRESS', `'${input.address}' is not a node's address`, 'expected HOST:PORT');
  }
  const address = formatAddress(parsed);
  return { name: input.name ?? address, address, weight: input.weight ?? 1 };
}
