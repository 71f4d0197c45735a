/** What is told of groups: shares are worked out here, for the command line, the page and programs alike. */
import { expect, it } from 'vitest';
import { type CachePolicy, SHARDED } from '../../../src/proxy/caching/policy.js';
import { noFills } from '../../../src/proxy/measure/fill-counts.js';
import { type GroupFigures, noFigures } from '../../../src/proxy/measure/group-figures.js';
import { groupsView } from '../../../src/topology/groups/groups-view.js';

function viewOf(policy: Partial<CachePolicy>, figures: Partial<GroupFigures>) {
  const groups = [{ group: 'a', prefixes: ['a:'], policy: { ...SHARDED, ...policy } }];
  return groupsView({ stored: null, groups }, [{ ...noFigures('a'), ...figures }], []).groups[0];
}

it('says how much of what was read proxies have kept near', () => {
  expect(viewOf({ cache: 'near' }, { nearHits: 3, nearMisses: 1 })?.near?.hitRatio).toBe(0.75);
  expect(viewOf({ cache: 'near' }, {})?.near?.hitRatio).toBeNull();
});

it('says how many misses have spared their clients making the value', () => {
  const told = (fills: object) => viewOf({ fillWait: 500 }, { fills: { ...noFills(), ...fills } })?.fillShare;
  // Who has left before there was an answer counts for nothing.
  expect(told({ first: 1, filled: 4, stale: 2, next: 1, early: 1, timeout: 1, left: 7 })).toBe(0.6);
  expect(told({ left: 1 })).toBeNull();
  expect(viewOf({}, { fills: { ...noFills(), filled: 1 } })?.fillShare).toBeNull();
});

it('says how much of what was read replicas have answered', () => {
  const { replicaReads } = noFigures('a');
  const told = (reads: object) =>
    viewOf({ readFrom: 'replica' }, { replicaReads: { ...replicaReads, ...reads } })?.replicaShare;
  // Two of the four that replicas were asked they have not answered: the master was asked again.
  expect(told({ replica: 4, again: 2, late: 3, none: 1 })).toBe(0.25);
  expect(told({})).toBeNull();
  expect(viewOf({}, { replicaReads: { ...replicaReads, replica: 1 } })?.replicaShare).toBeNull();
});
