import { readsOnly } from '../../src/node/standing.js';
import { MovingNodes } from '../../src/rebalance/moving-nodes.js';
import type { HalfMoved } from '../../src/rebalance/trust.js';
import { buildRingSync } from '../../src/ring/build.js';
import type { NodeSpec } from '../../src/ring/node-spec.js';
import { DEFAULT_RING_OPTIONS, type Ring } from '../../src/ring/ring.js';
import { Rings } from '../../src/ring/rings.js';
import { overNodes } from '../../src/ring/union.js';
import { FaultRelay } from '../support/fault-relay.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';

/** A real node behind a network that fails where a test says. */
export interface StageNode {
  readonly name: string;
  readonly redis: RedisProcess;
  readonly net: FaultRelay;
}

export async function stageNode(name: string, args: readonly string[] = []): Promise<StageNode> {
  const redis = await startRedis({ args });
  return { name, redis, net: await FaultRelay.start(redis.port) };
}

/** As the mover knows it: by the network, but nodes find each other past it. */
export function moverNode({ name, redis, net }: StageNode) {
  return { name, address: net.address, peerAddress: redis.address, username: '', password: '' };
}

export const LINK = { pass: () => readsOnly('test'), connectTimeout: 2000, timeout: 2000 };

/** The run id of a node's process. */
export async function runIdOf({ redis }: StageNode): Promise<string> {
  return /run_id:(\w+)/.exec(await redis.client().info('server'))?.[1] ?? '';
}

/** Links to nodes, which know the processes that run now. */
export async function movingNodes(
  nodes: readonly StageNode[],
  onFirstSeen: (index: number, runId: string) => Promise<void> = () => Promise.resolve(),
): Promise<MovingNodes> {
  return new MovingNodes(nodes.map(moverNode), await Promise.all(nodes.map(runIdOf)), { ...LINK, onFirstSeen });
}

/** Rings of some of the nodes, before and after, over the same list. */
export function rings(nodes: readonly Pick<StageNode, 'name'>[], before: readonly string[], after: readonly string[]) {
  const specs: NodeSpec[] = nodes.map((node) => ({ name: node.name, address: node.name, weight: 1 }));
  const ringOf = (names: readonly string[]): Ring => {
    const members = specs.filter(({ name }) => names.includes(name));
    return overNodes(buildRingSync(members, { ...DEFAULT_RING_OPTIONS, vnodes: 160 }), specs);
  };
  const [now, then] = [ringOf(before), ringOf(after)];
  return { now, then, rings: new Rings(now, then) };
}

/** For moves of which nobody remembers anything. */
export const half: HalfMoved = { onCopied: () => {}, onSent: () => {} };

export const keys = (...names: readonly string[]): Buffer[] => names.map((name) => Buffer.from(name));
