/** Counts the keys of a node that somebody asks for: a walk over all of them, of which the node sends those that a glob fits. */
import { isReserved } from '../proxy/route/reserved.js';
import type { NodeLink } from './node-link.js';
import { once, walkNode } from './sweep.js';

export interface CountedKeys {
  readonly keys: number;
  /** Whether the node was looked at to the end; otherwise there may be more. */
  readonly complete: boolean;
}

export interface CountBounds {
  /** Milliseconds. */
  readonly patience: number;
  /** With so many, no more are looked for. */
  readonly most: number;
}

/** COUNT of a SCAN: few of them fit, so more than where all are sent. */
const SCAN_KEYS = 1024;

/**
 * A key that comes or goes meanwhile may be counted or not; one may be counted twice while the node's table grows.
 * @param wanted.has is asked of what the glob fits; the key has a character for each byte
 * @throws NodeFailure, TransferRefused
 */
export async function countKeys(
  link: NodeLink,
  wanted: { readonly glob: string; has(key: string): boolean },
  { patience, most }: CountBounds,
): Promise<CountedKeys> {
  const deadline = performance.now() + patience;
  let keys = 0;
  const walk = {
    link: () => Promise.resolve(link),
    match: wanted.glob,
    scanKeys: () => SCAN_KEYS,
    scanned: () => {},
    goesOn: () => Promise.resolve(keys < most && performance.now() < deadline),
    persist: once,
  };
  const complete = await walkNode(walk, async (_database, page) => {
    for (const key of page) if (!isReserved(key, 0, key.length) && wanted.has(key.toString('latin1'))) keys++;
  });
  return { keys, complete };
}
