import type { Merge } from '../../../commands/command.js';
import { mergeArray } from './array.js';
import { mergeConcat } from './concat.js';
import type { Merger } from './group.js';
import { infoMerger } from './info.js';
import { mergeHistograms, mergeStats, mergeTexts } from './reports.js';
import { mergeLeast, mergeRunning } from './scripts.js';
import { mergeFirst, mergeRandom, mergeSum } from './simple.js';
import { mergeEarliest, mergeHistory, mergeLatest, slowlogMerger } from './slowlog.js';

/** How the parts' replies become one, by the merge column of the command table. */
export const MERGERS: Readonly<Record<Merge, Merger>> = {
  none: mergeFirst,
  array: mergeArray,
  sum: mergeSum,
  ok: mergeFirst,
  concat: mergeConcat,
  info: infoMerger([]),
  random: mergeRandom,
  least: mergeLeast,
  one: mergeFirst,
  running: mergeRunning,
  slowlog: slowlogMerger(undefined),
  history: mergeHistory,
  latest: mergeLatest,
  histograms: mergeHistograms,
  earliest: mergeEarliest,
  texts: mergeTexts,
  stats: mergeStats,
};
