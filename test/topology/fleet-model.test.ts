/** Every order in which the steps of a ring change over several proxies can happen keeps the invariant; without any one rule some order does not. */
import { describe, expect, it } from 'vitest';
import { type Exploration, explore } from './model/explore.js';
import { type FleetBounds, type FleetRule, firstFleet, fleetKeyOf, fleetStepsOf } from './model/fleet-world.js';

/** MODEL=full explores larger worlds, for minutes. */
const FULL = process.env.MODEL === 'full';
const LIMIT = FULL ? 20_000_000 : 1_000_000;

const NONE: FleetBounds = {
  ...{
    commands: 1,
    deletes: true,
    leases: 0,
    deaths: 0,
    joins: 0,
    cancels: 0,
    changes: 1,
    consistency: 'strict',
    members: 2,
    begins: 'stable',
  },
};
/** Keys move already. */
const MOVING = { begins: 'moving', changes: 0, deletes: FULL } as const;
/** The change may be turned round. */
const TURNING = { ...MOVING, begins: 'turning' } as const;

function exploration(bounds: Partial<FleetBounds>, without: FleetRule | null = null): Exploration {
  return explore(firstFleet({ ...NONE, ...bounds }), (world) => fleetStepsOf(world, without), fleetKeyOf, LIMIT);
}

const WORLDS: readonly (readonly [string, Partial<FleetBounds>])[] = [
  ['several commands', { commands: FULL ? 3 : 2 }],
  ['a change that is begun twice', { changes: 2, commands: FULL ? 2 : 1 }],
  ['a proxy that loses its lease', { leases: 1, commands: FULL ? 2 : 1 }],
  ['a proxy that dies', { deaths: 1, commands: FULL ? 2 : 1 }],
  ['a proxy that cannot reach the store, where that does not matter', { consistency: 'available', leases: 1 }],
  ['a proxy that joins', FULL ? { joins: 1 } : { joins: 1, members: 1, commands: 2 }],
  ['a mover that stands still', { ...MOVING, leases: 1, commands: 2 }],
  ['a mover that dies', { ...MOVING, deaths: 1, commands: 2 }],
  ['a cancel', { ...MOVING, cancels: 1, commands: FULL ? 2 : 1 }],
  // Half a million states.
  ...(FULL ? [['a cancel, and a mover that stands still', { ...TURNING, leases: 1 }] as const] : []),
];

describe('the protocol of ring changes over several proxies', () => {
  for (const [name, bounds] of WORLDS) {
    it(`keeps its invariant with ${name}`, { timeout: FULL ? 3_600_000 : 120_000 }, () => {
      const { trace, states } = exploration(bounds);
      expect(trace).toEqual([]);
      expect(states).toBeGreaterThan(500);
      if (FULL) console.info(`${name}: ${states} states`);
    });
  }
});

const BROKEN: readonly (readonly [FleetRule, Partial<FleetBounds>])[] = [
  ['1 fence', {}],
  ['2 no late command', {}],
  ['3 settle before run', {}],
  ['4 no way back alone', {}],
  ['5 an acknowledgement is of one fence', { changes: 2 }],
  ['5 the revision is compared', { leases: 1 }],
  ['5 the claim is compared', { leases: 1 }],
  ['6 everybody counts', { leases: 1 }],
  ['6 members are durable', { leases: 1 }],
  ['7 what is recorded goes forward', { ...MOVING, leases: 1 }],
  ['8 first look, then speak', { leases: 1 }],
  ['8 the name comes before the look', { leases: 1 }],
  ['8 a lease is counted from when its renewal was sent', { leases: 1 }],
  ['9 a joiner has seen the ring as it is', { joins: 1, members: 1 }],
  ['9 a joiner registers before it serves', { joins: 1, members: 1 }],
  ['only a member whose lease has run out is fenced off', {}],
  ['nobody is passed where consistency is available', { consistency: 'available', leases: 1 }],
  ['a member is fenced off before the nodes drop it', { leases: 1 }],
  ['a member is dropped by the nodes before it is left out', { leases: 1 }],
  ['a source has one mover', { ...MOVING, commands: 2 }],
  ['the nodes drop a mover before the next one begins', { ...MOVING, leases: 1, commands: 2 }],
  ['a mover connects by a claim that is in force', { ...MOVING, leases: 1, commands: 2 }],
  ['a mover looks whether it belongs to the fleet', { ...TURNING, leases: 1 }],
  ['moves hold still while a cancel is undecided', { ...MOVING, cancels: 1 }],
];

describe('without the rule', () => {
  for (const [rule, bounds] of BROKEN) {
    it(`"${rule}" something is lost`, { timeout: 120_000 }, () => {
      const { trace } = exploration(bounds, rule);
      expect(trace.at(-1)).toMatch(/VIOLATION/);
      if (FULL) console.info(`without ${rule}:\n  ${trace.join('\n  ')}`);
    });
  }
});
