import type { Config } from '../src/config/settings.js';
import { RingproxyError } from '../src/errors.js';

/**
 * What `serve` says as it starts, said by a check: there are nodes, or something that may know of a ring.
 * @throws RingproxyError when there are neither
 */
export function requireRing({ nodes, stateDir, coordination }: Config, where: string): void {
  if (nodes.length > 0 || stateDir !== '' || coordination !== 'none') return;
  throw new RingproxyError(
    'NO_NODES',
    `${where}: the ring has no nodes`,
    'name them as nodes: [NAME=HOST:PORT, …] or with --node; state-dir or coordination may know of a ring, too',
  );
}
