/** What operators read of a fleet. */
import { describe, expect, it } from 'vitest';
import { describeCoordination, describeProxies } from '../../../src/topology/views/fleet-view.js';
import { claims, member, ring, seen } from './seen-fleet.js';

describe('the proxies that are shown', () => {
  it('are all members, this one first, with what each does', () => {
    const fleet = seen({
      self: 'b',
      ring: ring(3, 7, { phase: 'turning' }),
      members: [member('c', { alive: false, fencedOff: true }), member('a', { alive: false }), member('b')],
      claims: claims({ 'mover/n2': 'b', coordinator: 'b', 'mover/n1': 'b', report: 'a' }),
    });
    const shown = describeProxies(fleet, () => null);
    expect(
      shown.map(({ id, alive, fencedOff, coordinator, jobs }) => [id, alive, fencedOff, coordinator, jobs]),
    ).toEqual([
      ['b', true, false, true, ['mover/n1', 'mover/n2']],
      ['a', false, false, false, ['report']],
      ['c', false, true, false, []],
    ]);
    // Until it has told otherwise, a member counts as following the record.
    expect(shown[0]).toMatchObject({ generation: 7, phase: 'moving', workers: 2, admin: 'http://h:b', load: null });
  });

  it('have the generation that they have told, so that one that lags is seen', () => {
    const news = (id: string) => (id === 'a' ? ({ generation: 6, phase: 'preparing', load: null } as const) : null);
    const shown = describeProxies(seen({ ring: ring(3, 7), members: [member('a'), member('b')] }), news);
    expect(shown.map(({ generation, phase }) => [generation, phase])).toEqual([
      [6, 'preparing'],
      [7, 'stable'],
    ]);
  });

  it('are not those of before, of which only the id is known', () => {
    const before = member('old', { alive: false, fencedOff: true, info: null });
    expect(describeProxies(seen({ members: [before, member('a')] }), () => null).map(({ id }) => id)).toEqual(['a']);
  });
});

describe('how a proxy gets on with etcd', () => {
  const since = new Date('2026-01-01T00:00:00Z');

  it('is said with what it means', () => {
    const strict = describeCoordination(seen({ isReachable: false }), 'etcd', since);
    expect(strict).toMatchObject({ reachable: false, unreachableSince: since.toISOString(), leaseSeconds: 8 });
    expect(strict.trouble).toMatch(/^etcd is out of reach: .* new ones wait; the ring cannot be changed$/);
    const available = describeCoordination(seen({ isReachable: false, consistency: 'available' }), 'etcd', since);
    expect(available.trouble).toMatch(/clients are served as before/);
    expect(describeCoordination(seen(), 'etcd', since)).toMatchObject({ trouble: null, unreachableSince: null });
    const fenced = seen({ members: [member('a', { fencedOff: true })] });
    expect(describeCoordination(fenced, 'etcd', null).trouble).toMatch(/was fenced off/);
    expect(describeCoordination(seen({ leaseLeft: 0 }), 'etcd', null).trouble).toMatch(
      /lease of this proxy has run out/,
    );
  });

  it('is nothing for a proxy that is alone', () => {
    const alone = seen({ leaseLeft: Number.POSITIVE_INFINITY });
    expect(describeCoordination(alone, 'none', null)).toMatchObject({
      kind: 'none',
      leaseSeconds: null,
      trouble: null,
    });
  });
});
