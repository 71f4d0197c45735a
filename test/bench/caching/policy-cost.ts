/**
 * What keys of groups without a policy pay when another group gets one: one process whose other group is kept near in
 * one moment, and is just counted in the next.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisProcess } from '../../support/redis-process.js';
import type { RingproxyProcess } from '../../support/ringproxy-process.js';
import type { BenchOptions } from '../options.js';
import type { Switched } from '../pairs.js';
import type { Row } from '../report.js';
import { measureSwitchedCost } from './switched-cost.js';

const PLAIN = { kept: { prefixes: ['kept:'] } };
const NEAR = { kept: { prefixes: ['kept:'], cache: 'near' } };
/** Feeds open, and what was compiled for the one way is used for the other. */
const SETTLED_MS = 100;

export function measurePolicyCost(
  nodes: readonly RedisProcess[],
  options: BenchOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  const cost = {
    name: 'a policy elsewhere',
    compared: 'another group kept near against just counted',
    bar: 0.02,
    proxy: { config: `key-groups: ${JSON.stringify(NEAR)}\n` },
    switched: byGroups,
  };
  return measureSwitchedCost(cost, nodes, options, print);
}

function byGroups({ admin }: RingproxyProcess): Switched {
  return {
    turn: async (on) => {
      const response = await fetch(`${admin}/v1/groups?force=true`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(on ? NEAR : PLAIN),
      });
      if (!response.ok) throw new Error(`the groups were not changed: ${await response.text()}`);
      await pause(SETTLED_MS);
    },
  };
}
