import { fileURLToPath } from 'node:url';
import { startChild } from '../support/child.js';
import { freePort } from '../support/free-port.js';
import { startNutcracker } from '../support/nutcracker-process.js';
import type { RedisProcess } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { startPredixy } from './predixy.js';
import type { Runtime } from './runtime.js';

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

/** The product with its default configuration. @param main the program of another build, and what to call it */
export function ringproxy(runtime: Runtime, main?: { readonly name: string; readonly path: string }): StartTarget {
  return async (nodes) => {
    const build = main === undefined ? {} : { main: main.path };
    const proxy = await startRingproxy({ nodes, allowLog: OTHERS, node: runtime.path, ...build });
    const name = `${main?.name ?? 'ringproxy'}${runtime.suffix}`;
    return { name, port: proxy.port, pid: proxy.pid, stop: () => proxy.stop() };
  };
}

/** The least that forwards (see `floor/forwarder.ts`). */
export function floor(runtime: Runtime): StartTarget {
  return async (nodes) => {
    const main = fileURLToPath(new URL('./floor/main.js', import.meta.url));
    const child = await startChild(runtime.path, [main, ...nodes.map(({ address }) => address)]);
    const port = await child.line((line) => /^127\.0\.0\.1:(\d+)$/.exec(line)?.[1] ?? null);
    return { name: `floor${runtime.suffix}`, port: Number(port), pid: child.pid, stop: () => child.stop() };
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

/** @param program of predixy, with one thread */
export function predixy(program: string): StartTarget {
  return async (nodes) => {
    const port = await freePort();
    const child = await startPredixy(program, port, nodes);
    return { name: 'predixy', port, pid: child.pid, stop: () => child.kill() };
  };
}

/** One of the nodes, without a proxy. */
export const direct: StartTarget = async ([node]) => {
  if (node === undefined) throw new Error('no nodes');
  return { name: 'direct', port: node.port, pid: node.pid, stop: async () => {} };
};
