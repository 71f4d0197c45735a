/** Every order in which the steps of a ring change can happen keeps the invariant; without any one rule some order does not. */
import { describe, expect, it } from 'vitest';
import { type Exploration, explore } from './model/explore.js';
import { type Bounds, firstWorld, keyOf, type Rule, stepsOf } from './model/world.js';

/** MODEL=full explores larger worlds, for minutes. */
const FULL = process.env.MODEL === 'full';
const LIMIT = FULL ? 20_000_000 : 1_000_000;

const NONE: Bounds = { keys: 1, commands: 2, workerDeaths: 0, restarts: 0, nodeRestarts: 0, cancels: 0 };

function exploration(bounds: Partial<Bounds>, without: Rule | null = null): Exploration {
  return explore(firstWorld({ ...NONE, ...bounds }), (world) => stepsOf(world, without), keyOf, LIMIT);
}

const WORLDS: readonly (readonly [string, Partial<Bounds>])[] = [
  ['three commands', { commands: FULL ? 4 : 3 }],
  ['two keys', { keys: 2, commands: FULL ? 3 : 2 }],
  ['a cancel', { cancels: 1, commands: FULL ? 3 : 2 }],
  ['two cancels', { cancels: 2, commands: FULL ? 3 : 2 }],
  ['a cancel, and a proxy that is killed', { cancels: 1, restarts: 1, commands: FULL ? 2 : 1 }],
  ['a worker that is killed', { workerDeaths: 1, commands: FULL ? 3 : 2 }],
  ['a proxy that is killed', { restarts: 1, commands: FULL ? 3 : 2 }],
  ['a node that starts anew', { nodeRestarts: 1, commands: 2 }],
];

describe('the protocol of ring changes', () => {
  for (const [name, bounds] of WORLDS) {
    it(`keeps its invariant with ${name}`, { timeout: FULL ? 3_600_000 : 120_000 }, () => {
      const { trace, states } = exploration(bounds);
      expect(trace).toEqual([]);
      expect(states).toBeGreaterThan(500);
      if (FULL) console.info(`${name}: ${states} states`);
    });
  }
});

const BROKEN: readonly (readonly [Rule, Partial<Bounds>])[] = [
  ['1 fence', {}],
  ['2 no late command', {}],
  ['2 no late move', {}],
  ['3 settle before run', {}],
  ['4 no way back alone', {}],
  ['5 answers of another change are ignored', { cancels: 1, commands: 3 }],
  ['6 everybody counts', {}],
  ['7 what is recorded goes forward', { restarts: 1 }],
  ['8 dead workers are dropped first', { workerDeaths: 1 }],
  ['8 a worker looks for its primary', { restarts: 1 }],
  ['9 a new worker takes the phase at hand', { workerDeaths: 1 }],
  ['moves hold still while a cancel is undecided', { cancels: 1 }],
  ['a cancel that is given up forgets nothing', { cancels: 1 }],
  ['one move of a key at a time', {}],
  ['an empty reply of the source is asked of the target', { commands: 1 }],
  ['commands wait for reads of moving keys', {}],
];

describe('without the rule', () => {
  for (const [rule, bounds] of BROKEN) {
    it(`"${rule}" something is lost`, { timeout: 120_000 }, () => {
      const { trace } = exploration(bounds, rule);
      expect(trace.at(-1)).toMatch(/VIOLATION|overtakes/);
      if (FULL) console.info(`without ${rule}:\n  ${trace.join('\n  ')}`);
    });
  }
});
