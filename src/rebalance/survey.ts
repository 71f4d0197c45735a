/** Looks at the keys that would move, before they do: the largest of them take their nodes' time. */

import { NodeFailure } from '../node/failure.js';
import type { Rings } from '../ring/rings.js';
import type { MoverNode } from './moving-nodes.js';
import { type LinkOptions, NodeLink } from './node-link.js';
import { sizesOf } from './sizes.js';
import { once, sweepSource } from './sweep.js';
import { TransferRefused } from './transfer-refused.js';

export interface SurveyedKey {
  readonly node: string;
  readonly database: number;
  readonly key: string;
  /** As MEMORY USAGE tells. */
  readonly bytes: number;
}

export interface Survey {
  /** The largest first. */
  readonly largest: SurveyedKey[];
  /** Keys that were looked at. */
  readonly keys: number;
  /** Whether these were all that would move, of the nodes that were asked. */
  readonly complete: boolean;
  /** Names of nodes that were asked, and could not be looked at. */
  readonly unseen: readonly string[];
}

const LARGEST = 10;
const SCAN_KEYS = 128;

/**
 * Walks the sources for at most `patience` milliseconds. One that fails is told of: the others can be looked at.
 * @param nodes index-aligned with those of `rings`; null: it is not asked
 */
export async function surveyMoves(
  nodes: readonly (MoverNode | null)[],
  rings: Rings,
  options: Omit<LinkOptions, 'onLate'>,
  patience: number,
): Promise<Survey> {
  const deadline = performance.now() + patience;
  const largest: SurveyedKey[] = [];
  const unseen: string[] = [];
  let keys = 0;
  const inTime = (): boolean => performance.now() < deadline;
  const walk = async (source: number, node: MoverNode): Promise<void> => {
    const link = await NodeLink.open(node, { ...options, onLate: () => {} });
    try {
      await sweepSource(source, rings, {
        link: () => Promise.resolve(link),
        scanKeys: () => SCAN_KEYS,
        batchKeys: () => SCAN_KEYS,
        scanned: () => {},
        goesOn: () => Promise.resolve(inTime()),
        persist: once,
        move: async (_target, database, moving) => {
          const sizes = await sizesOf(link, database, moving);
          keys += moving.length;
          for (const [i, key] of moving.entries()) {
            keep(largest, { node: node.name, database, key: key.toString(), bytes: sizes[i] ?? 0 });
          }
          return [];
        },
      });
    } finally {
      link.close();
    }
  };
  await Promise.all(
    [...rings.sources()].map(async (source) => {
      const node = nodes[source] ?? null;
      if (node === null) return;
      try {
        await walk(source, node);
      } catch (error) {
        if (!(error instanceof NodeFailure || error instanceof TransferRefused)) throw error;
        unseen.push(node.name);
      }
    }),
  );
  return { largest, keys, complete: inTime() && unseen.length === 0, unseen };
}

function keep(largest: SurveyedKey[], key: SurveyedKey): void {
  if (largest.length === LARGEST && key.bytes <= (largest[LARGEST - 1]?.bytes ?? 0)) return;
  const at = largest.findIndex((other) => other.bytes < key.bytes);
  largest.splice(at < 0 ? largest.length : at, 0, key);
  if (largest.length > LARGEST) largest.pop();
}
