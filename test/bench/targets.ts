import { freePort } from '../support/free-port.js';
import { startNutcracker } from '../support/nutcracker-process.js';
import type { RedisProcess } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';

/** The other targets serve the same nodes by their own rings, and place keys there. */
const OTHERS = [/does not own/, /none of this fleet/];

/** Something that takes commands: a proxy in front of the nodes, or a node itself. */
export interface Target {
  readonly name: string;
  readonly port: number;
  /** The process whose processor time and memory count. */
  readonly pid: number;
  /** Ends it; the nodes stay. */
  stop(): Promise<unknown>;
}

export type StartTarget = (nodes: readonly RedisProcess[]) => Promise<Target>;

/** The product with its default configuration. @param main the program of another build */
export function ringproxy(name = 'ringproxy', main?: string): StartTarget {
  return async (nodes) => {
    const proxy = await startRingproxy({ nodes, allowLog: OTHERS, ...(main === undefined ? {} : { main }) });
    return { name, port: proxy.port, pid: proxy.pid, stop: () => proxy.stop() };
  };
}

export const twemproxy: StartTarget = async (nodes) => {
  const port = await freePort();
  const servers = nodes.map((node, index) => `   - ${node.address}:1 node${index + 1}\n`);
  const process = await startNutcracker(
    `bench:\n  listen: 127.0.0.1:${port}\n  hash: fnv1a_64\n  distribution: ketama\n  redis: true\n  preconnect: true\n  servers:\n${servers.join('')}`,
    [port],
  );
  return { name: 'twemproxy', port, pid: process.pid, stop: () => process.stop() };
};

/** One of the nodes, without a proxy. */
export const direct: StartTarget = async ([node]) => {
  if (node === undefined) throw new Error('no nodes');
  return { name: 'direct', port: node.port, pid: node.pid, stop: async () => {} };
};
