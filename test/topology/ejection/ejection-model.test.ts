/** Every order in which a node can fail, be ejected and come back keeps the invariant; without any one rule some order does not. */
import { describe, expect, it } from 'vitest';
import {
  type EjectionBounds,
  type EjectionRule,
  ejectionKeyOf,
  ejectionStepsOf,
  firstEjection,
} from '../model/ejection-world.js';
import { type Exploration, explore } from '../model/explore.js';

/** MODEL=full explores larger worlds, for minutes. */
const FULL = process.env.MODEL === 'full';
const LIMIT = FULL ? 20_000_000 : 1_000_000;

const NONE: EjectionBounds = {
  ...{ commands: 2, deaths: 0, hangs: 0, saves: 0, leases: 0, ejections: 1, returns: 0, abandons: 0 },
};

function exploration(bounds: Partial<EjectionBounds>, without: EjectionRule | null = null): Exploration {
  const first = firstEjection({ ...NONE, ...bounds });
  return explore(first, (world) => ejectionStepsOf(world, without), ejectionKeyOf, LIMIT);
}

const WORLDS: readonly (readonly [string, Partial<EjectionBounds>])[] = [
  ['an ejection', { commands: FULL ? 4 : 3 }],
  ['a node that hangs, and a proxy that loses its lease', { hangs: 1, leases: 1 }],
  ['a return', { returns: 1 }],
  ['a return from an old snapshot', { commands: FULL ? 3 : 2, returns: 1, deaths: 2, saves: 1 }],
  ['a return that is given up', { commands: 2, returns: 1, abandons: 1, deaths: 1 }],
  [
    'a return of a node that hung, beside a proxy that loses its lease',
    { returns: 1, hangs: 1, leases: 1, commands: FULL ? 2 : 1 },
  ],
];

describe('the protocol of ejections', () => {
  for (const [name, bounds] of WORLDS) {
    it(`keeps its invariant with ${name}`, { timeout: FULL ? 3_600_000 : 120_000 }, () => {
      const { trace, states } = exploration(bounds);
      expect(trace).toEqual([]);
      expect(states).toBeGreaterThan(500);
      if (FULL || process.env.MODEL === 'count') console.info(`${name}: ${states} states`);
    });
  }
});

const BROKEN: readonly (readonly [EjectionRule, Partial<EjectionBounds>])[] = [
  ['the fence is over all proxies', {}],
  ['what is given up is cut before it is acknowledged', {}],
  ['a proxy that is passed was dropped by the node as well', { hangs: 1, leases: 1 }],
  ['the node drops the connections of before when it comes back', { returns: 1 }],
  ['it drops them before it is emptied', { returns: 1 }],
  ['it is emptied', { returns: 1 }],
  ['its disk is emptied', { returns: 1, deaths: 1, saves: 1, commands: 1 }],
  ['it is the process that was emptied', { returns: 1, deaths: 2, saves: 1, commands: 1 }],
  ['a node is given up in its return behind a fence', { returns: 1, abandons: 1 }],
];

describe('without the rule', () => {
  for (const [rule, bounds] of BROKEN) {
    it(`"${rule}" something is stale`, { timeout: 120_000 }, () => {
      const { trace } = exploration(bounds, rule);
      expect(trace.at(-1)).toMatch(/VIOLATION/);
      if (FULL) console.info(`without ${rule}:\n  ${trace.join('\n  ')}`);
    });
  }
});
