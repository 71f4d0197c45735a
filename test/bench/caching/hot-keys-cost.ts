/** What finding hot keys costs: one process that looks for them in one moment, and does not in the next. */
import type { RedisProcess } from '../../support/redis-process.js';
import type { BenchOptions } from '../options.js';
import { bySignal } from '../pairs.js';
import type { Row } from '../report.js';
import { HOT_KEYS, switchedBuild } from '../switched-build.js';
import { measureSwitchedCost } from './switched-cost.js';

export function measureHotKeys(
  nodes: readonly RedisProcess[],
  options: BenchOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  const cost = {
    name: 'hot keys',
    compared: 'looking for hot keys against not looking',
    bar: 0.01,
    commands: ['get'],
    proxy: { main: switchedBuild(HOT_KEYS) },
    switched: bySignal,
  };
  return measureSwitchedCost(cost, nodes, options, print);
}
