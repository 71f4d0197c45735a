/** What caching types do and cost: `npm run bench -- caching`, or one part of it. */
import type { RedisProcess } from '../../support/redis-process.js';
import type { BenchOptions } from '../options.js';
import type { Row } from '../report.js';
import { measureFailures } from './failures.js';
import { measureHotKeys } from './hot-keys-cost.js';
import { measureNear } from './near.js';
import { measurePolicyCost } from './policy-cost.js';
import { measureReplicated } from './replicated.js';
import { measureTypes } from './types.js';
import { measureZipf } from './zipf.js';

/** @param print takes a table as soon as it is known */
type Measure = (nodes: readonly RedisProcess[], options: BenchOptions, print: (text: string) => void) => Promise<Row[]>;

const PARTS = {
  'hot-keys': measureHotKeys,
  near: measureNear,
  'policy-cost': measurePolicyCost,
  replicated: measureReplicated,
  zipf: (_nodes, options, print) => measureZipf(options, print),
  types: (_nodes, options, print) => measureTypes(options, print),
  'types-sharded': (_nodes, options, print) => measureTypes(options, print, 'sharded'),
  'types-near': (_nodes, options, print) => measureTypes(options, print, 'near'),
  'types-replicated': (_nodes, options, print) => measureTypes(options, print, 'replicated'),
  failures: (_nodes, _options, print) => measureFailures(print),
} as const satisfies Readonly<Record<string, Measure>>;

type Part = keyof typeof PARTS;

/** What runs when none is named: `types` has these. */
const isPartOfAnother = (part: Part): boolean => part.startsWith('types-');

export const CACHING_PARTS = Object.keys(PARTS) as readonly Part[];

export function isCachingPart(name: string): name is Part {
  return Object.hasOwn(PARTS, name);
}

export async function measureCaching(
  nodes: readonly RedisProcess[],
  options: BenchOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  const named = options.only.filter(isCachingPart);
  const rows: Row[] = [];
  for (const part of named.length === 0 ? CACHING_PARTS.filter((part) => !isPartOfAnother(part)) : named)
    rows.push(...(await PARTS[part](nodes, options, print)));
  return rows;
}
