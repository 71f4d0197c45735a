/** What is looked at before a change begins: nodes that may not join, and targets that have no room. */
import { counted } from '../../counted.js';
import { RingproxyError } from '../../errors.js';
import type { NodeFacts } from '../../health/inspect.js';
import type { NodeHealth } from '../../health/node-monitor.js';
import type { NodeIdentity } from '../../node/identity.js';
import type { RingMove } from '../../ring/moves.js';
import type { Member } from '../state/ring-state.js';

export interface AdmissionHooks {
  /** Looks at a node. @throws RingproxyError when it cannot */
  inspect(node: Member): Promise<NodeFacts>;
  /** What is known of a node's health, or null. */
  health(node: NodeIdentity): NodeHealth | null;
}

export interface Arrivals<Node> {
  /** They hold keys, which are to be removed. */
  readonly toFlush: readonly Node[];
  /** They are the server already that the member of their name is, by another address: nothing is to be done with their keys. */
  readonly readdressed: readonly Node[];
}

/**
 * Refuses what would break the ring: a node that is none, a replica, one that is in the ring under another
 * name, or one with keys of its own.
 * @param known the members' run ids, index-aligned; empty where one is not known
 * @throws RingproxyError with the reason
 */
export async function examineArrivals<Node extends Member>(
  members: readonly Member[],
  known: readonly string[],
  arriving: readonly Node[],
  flush: boolean,
  hooks: AdmissionHooks,
): Promise<Arrivals<Node>> {
  const toFlush: Node[] = [];
  const readdressed: Node[] = [];
  const runIds = new Map(
    members.flatMap((member, index) => {
      const runId = known[index] ?? '';
      return runId === '' ? [] : [[runId, member] as const];
    }),
  );
  for (const node of arriving) {
    const facts = await hooks.inspect(node);
    const same = runIds.get(facts.runId);
    if (same !== undefined && same.name !== node.name) {
      throw new RingproxyError(
        'ADDRESS_TAKEN',
        `${node.address} is in the ring already: it is the same server as ${same.name} (${same.address})`,
      );
    }
    if (facts.runId !== '') runIds.set(facts.runId, node);
    refuseUnfit(node, facts, flush || same !== undefined);
    if (same !== undefined) readdressed.push(node);
    else if (facts.keys > 0) toFlush.push(node);
  }
  return { toFlush, readdressed };
}

/** Which server processes the members are; one that does not answer is known by what it last said; otherwise empty. */
export function processesOf(members: readonly Member[], hooks: AdmissionHooks): Promise<string[]> {
  return Promise.all(
    members.map(async (member) => {
      const facts = await hooks.inspect(member).catch(() => null);
      return facts?.runId ?? hooks.health(member)?.runId ?? '';
    }),
  );
}

function refuseUnfit(node: Member, facts: NodeFacts, flush: boolean): void {
  if (facts.role !== 'master') {
    throw new RingproxyError('NODE_IS_REPLICA', `${node.name} (${node.address}) is a replica`);
  }
  if (facts.clusterEnabled) {
    throw new RingproxyError('NODE_IS_CLUSTER', `${node.name} (${node.address}) is a Redis Cluster node`);
  }
  if (facts.keys > 0 && !flush) {
    throw new RingproxyError(
      'NODE_NOT_EMPTY',
      `${node.name} (${node.address}) holds ${counted(facts.keys, 'key')}, which would show up as stale data`,
    );
  }
}

/** What goes to a node that has not the room for it. */
interface Shortage {
  readonly target: Member;
  /** Bytes. */
  readonly arriving: number;
  readonly free: number;
  readonly policy: string;
}

/**
 * Compares what would move, estimated from the sources' memory, with the targets' room (`maxmemory`).
 * @param moves what part of the hash space goes from which node to which, by name
 * @param shares the part that each source owns, by name
 * @returns warnings on targets that would evict keys
 * @throws RingproxyError when a target would refuse them instead
 */
export async function checkRoom(
  moves: readonly RingMove[],
  shares: ReadonlyMap<string, number>,
  sources: readonly Member[],
  targets: readonly Member[],
  flushed: readonly Member[],
  hooks: AdmissionHooks,
): Promise<string[]> {
  const arriving = new Map<string, number>();
  for (const source of sources) {
    const own = moves.filter((move) => move.source === source.name);
    if (own.length === 0) continue;
    // A source that cannot be asked now will say so when its keys are to move.
    const facts = await hooks.inspect(source).catch(() => null);
    const share = shares.get(source.name) ?? 0;
    if (facts === null || share === 0) continue;
    const data = Math.max(0, facts.usedMemory - facts.startupMemory);
    for (const move of own) arriving.set(move.target, (arriving.get(move.target) ?? 0) + (data * move.share) / share);
  }
  const shortages: Shortage[] = [];
  for (const target of targets) {
    const bytes = arriving.get(target.name) ?? 0;
    if (bytes === 0) continue;
    const facts = await hooks.inspect(target).catch(() => null);
    if (facts === null || facts.maxMemory === 0) continue;
    const used = flushed.includes(target) ? facts.startupMemory : facts.usedMemory;
    const free = Math.max(0, facts.maxMemory - used);
    if (bytes > free) shortages.push({ target, arriving: bytes, free, policy: facts.maxMemoryPolicy });
  }
  const refusing = shortages.find((shortage) => shortage.policy === 'noeviction');
  if (refusing !== undefined) {
    throw new RingproxyError('NO_ROOM', describeShortage(refusing));
  }
  return shortages.map((shortage) => `${describeShortage(shortage)}: it will evict keys (${shortage.policy})`);
}

function describeShortage({ target, arriving, free }: Shortage): string {
  return `${target.name} (${target.address}) has room for ${megabytes(free)}, but about ${megabytes(arriving)} would move to it`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}
