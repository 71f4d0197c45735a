/**
 * Strangers: proxies that serve these nodes and are none of this fleet. Nobody would hold their commands while keys move,
 * and they would go on by the ring that they have: measured, two proxies that were each alone with its ring lost 2,989
 * acknowledged writes within 20 s of `ring add` at one of them, without an error. They are told by the names of their
 * connections at the nodes.
 */
import { RingproxyError } from '../../errors.js';
import type { ProxyConnection } from '../../rebalance/connections.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { Member } from '../state/ring-state.js';

export interface StrangerPorts {
  /** Connections by which proxies change data at these nodes; of nodes that do not tell, none. */
  connections(nodes: readonly Member[]): Promise<readonly ProxyConnection[]>;
  /** Ids of all proxies whose connections are looked after: of this one, and of its fleet. */
  known(): Promise<readonly string[]>;
}

/** One proxy. */
export interface Stranger {
  readonly id: string;
  /** Hosts that it connects from, as the nodes see them. */
  readonly from: readonly string[];
  /** Names of the nodes. */
  readonly nodes: readonly string[];
  /** Since it was last heard of. */
  readonly idleSeconds: number;
}

/** A node may take a moment to notice that a proxy which has just ended is gone. */
const LINGER_MS = 1000;
const LOOK_AGAIN_MS = 100;

export async function findStrangers(nodes: readonly Member[], ports: StrangerPorts): Promise<Stranger[]> {
  const connections = await ports.connections(nodes);
  // Read behind it: whoever was connected by then had registered before.
  const known = new Set(connections.length === 0 ? [] : await ports.known());
  const byProxy = new Map<string, ProxyConnection[]>();
  for (const connection of connections) {
    if (!known.has(connection.proxy)) {
      byProxy.set(connection.proxy, [...(byProxy.get(connection.proxy) ?? []), connection]);
    }
  }
  return [...byProxy].map(([id, own]) => ({
    id,
    from: unique(own.map(({ peer }) => peer)),
    nodes: unique(own.map(({ node }) => node)),
    idleSeconds: Math.min(...own.map(({ idleSeconds }) => idleSeconds)),
  }));
}

/**
 * The same, but for those that are about to be gone.
 * @returns once there are none, or they have lingered for a moment
 */
export async function findLastingStrangers(
  nodes: readonly Member[],
  ports: StrangerPorts,
  timers: Pick<Timers, 'now' | 'after'> = systemTimers,
): Promise<Stranger[]> {
  const deadline = timers.now() + LINGER_MS;
  for (;;) {
    const found = await findStrangers(nodes, ports);
    if (found.length === 0 || timers.now() >= deadline) return found;
    await new Promise<void>((resolve) => timers.after(LOOK_AGAIN_MS, resolve));
  }
}

/**
 * Refuses to change what strangers serve as well.
 * @param nodes of either ring
 * @param force a person answers for it
 * @returns warnings
 * @throws RingproxyError FOREIGN_PROXY that names them
 */
export async function refuseStrangers(
  nodes: readonly Member[],
  force: boolean,
  ports: StrangerPorts,
  timers: Pick<Timers, 'now' | 'after'> = systemTimers,
): Promise<string[]> {
  const found = force ? await findStrangers(nodes, ports) : await findLastingStrangers(nodes, ports, timers);
  if (found.length === 0) return [];
  if (!force)
    throw new RingproxyError('FOREIGN_PROXY', `${describeStrangers(found)}: they would not follow the change`);
  return [`${describeStrangers(found)}: what they write while keys move may be lost`];
}

export function describeStrangers(strangers: readonly Stranger[]): string {
  const each = strangers.map(
    ({ id, from, nodes, idleSeconds }) =>
      `${id} (from ${from.join(', ')}, at ${nodes.join(', ')}, idle ${idleSeconds} s)`,
  );
  return `proxies that are none of this fleet are connected to the nodes: ${each.join('; ')}`;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
