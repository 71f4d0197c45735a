/** Which events follow from what was seen of a fleet and is seen now. */
import { describe, expect, it } from 'vitest';
import { EVENT_CHANNELS } from '../../../src/telemetry/subscribers.js';
import type { SeenFleet } from '../../../src/topology/views/fleet-sight.js';
import { FleetWatcher } from '../../../src/topology/views/fleet-watcher.js';
import { ManualTimers } from '../../support/manual-timers.js';
import { claims, listen, member, ring, seen } from './seen-fleet.js';

const CHANNELS = Object.keys(EVENT_CHANNELS)
  .filter((name) => /^ringproxy:(fleet|etcd):/.test(name))
  .map((name) => name.replace('ringproxy:', ''));

/** @returns what is told of each step, as its channel and summary */
function told(...steps: (Partial<SeenFleet> | number)[]): string[][] {
  const heard = listen(...CHANNELS);
  const timers = new ManualTimers();
  const watcher = new FleetWatcher(timers);
  return steps.map((step) => {
    heard.splice(0);
    if (typeof step === 'number') timers.advance(step);
    else watcher.observe(seen(step));
    return heard.map(({ channel, event }) => `${channel}: ${event.summary}`);
  });
}

const two = [member('a'), member('b')];

describe('events of a fleet', () => {
  it('tell nothing of what was there before, and nothing twice', () => {
    const fleet = { members: two, claims: claims({ coordinator: 'b', 'mover/n1': 'a' }) };
    expect(told(fleet, fleet, { ...fleet, members: [...two] })).toEqual([[], [], []]);
  });

  it('tell who joins, and who leaves in good order', () => {
    expect(told({}, { members: two }, {})).toEqual([
      [],
      ['fleet:joined: proxy b (http://h:b) has joined the fleet; it has 2 members now'],
      ['fleet:left: proxy b (http://h:b) has left the fleet; it has 1 member now'],
    ]);
  });

  it('tell of one that dies, is fenced off, and forgotten', () => {
    const away = member('b', { alive: false });
    const fenced = member('b', { alive: false, fencedOff: true });
    const steps = [{ members: two }, { members: [member('a'), away] }, { members: [member('a'), fenced] }, {}];
    expect(told(...steps).flat()).toEqual([
      'fleet:away: proxy b (http://h:b) has lost its lease: it died, stands still, or is cut off from etcd',
      'fleet:fenced-off: proxy b (http://h:b) was fenced off: it may not speak to nodes any more, and joins anew when it can',
      'fleet:forgotten: proxy b (http://h:b) was forgotten: no fence waits for it any more; it has 1 member now',
    ]);
  });

  it('tell of one that stood still and is back in time', () => {
    const steps = [{ members: two }, { members: [member('a'), member('b', { alive: false })] }, { members: two }];
    expect(told(...steps)[2]).toEqual(['fleet:back: proxy b (http://h:b) has a lease again']);
  });

  it('know one that joins anew by its address, and themselves by who they are', () => {
    const fenced = member('b', { alive: false, fencedOff: true });
    const anew = member('c', { admin: 'http://h:b' });
    expect(told({ members: [member('a'), fenced] }, { members: [member('a'), anew] })[1]).toEqual([
      'fleet:forgotten: proxy b (http://h:b) was forgotten: no fence waits for it any more; it has 2 members now',
      'fleet:rejoined: proxy c (http://h:b) has joined anew: it was b',
    ]);
    const own = member('c', { admin: '' });
    expect(told({ members: [member('a', { fencedOff: true })] }, { self: 'c', members: [own] })[1]?.[1]).toBe(
      'fleet:rejoined: proxy c has joined anew: it was a',
    );
    // A live one with that address is somebody else, behind the same balancer.
    expect(told({ members: two }, { members: [...two, anew] })[1]?.[0]).toMatch(/^fleet:joined: proxy c/);
  });

  it('tell who decides, from one to the next, and when nobody does', () => {
    const steps = [
      {},
      { claims: claims({ coordinator: 'a' }) },
      { claims: [] },
      { claims: claims({ coordinator: 'b' }) },
    ];
    expect(told(...steps).flat()).toEqual([
      'fleet:coordinator: proxy a is the coordinator: it decides about the ring',
      'fleet:coordinator: nobody decides about the ring: proxy a does not any more, another one takes it in a moment',
      'fleet:coordinator: proxy b is the coordinator: it decides about the ring',
    ]);
  });

  it('tell whose job was taken over, while the ring changes', () => {
    const moving = ring(2, 1, { phase: 'moving' });
    const steps = [
      { ring: moving, claims: claims({ 'mover/n1': 'b' }) },
      { ring: moving, claims: [] },
      { ring: moving, claims: claims({ 'mover/n1': 'a' }) },
      { ring: ring(3, 2), claims: [] },
      { ring: ring(4, 2, { phase: 'moving' }), claims: claims({ 'mover/n1': 'b' }) },
    ];
    expect(told(...steps).flat()).toEqual([
      'fleet:job-lost: proxy b does not have the job mover/n1 any more',
      'fleet:job-taken: proxy a has the job mover/n1, which proxy b had',
      'fleet:job-lost: proxy a does not have the job mover/n1 any more',
      // What was in another change is no news.
      'fleet:job-taken: proxy b has the job mover/n1',
    ]);
  });

  it('tell that etcd is out of reach, what that means, and for how long it was', () => {
    const lost = { isReachable: false } as const;
    expect(told({}, lost, lost, 4200, {}, { ...lost, consistency: 'available' }, 125_000, {}).flat()).toEqual([
      'etcd:lost: etcd is out of reach: clients are served by the connections to nodes that there are, new ones wait; the ring cannot be changed',
      'etcd:back: etcd is back, after 4.2 s',
      'etcd:lost: etcd is out of reach: clients are served as before; the ring cannot be changed',
      'etcd:back: etcd is back, after 125 s',
    ]);
  });

  it('tell of the own lease, once it was held', () => {
    const none = { leaseLeft: 0 } as const;
    expect(told(none, {}, none, none, 1500, {}).flat()).toEqual([
      'fleet:lease-lost: the lease of this proxy (a) has run out: the others may pass it in a fence',
      'fleet:lease-regained: this proxy (a) has a lease again, after 1.5 s',
    ]);
  });

  it('say whether it is the proxy that tells', () => {
    const heard = listen(...CHANNELS);
    const watcher = new FleetWatcher(new ManualTimers());
    watcher.observe(seen({ members: [] }));
    watcher.observe(seen({ members: two, claims: claims({ coordinator: 'a', 'mover/n1': 'b' }) }));
    expect(heard.map(({ event: { proxy, own, members } }) => [proxy, own, members])).toEqual([
      ['a', true, 2],
      ['b', false, 2],
      ['a', true, undefined],
      ['b', false, undefined],
    ]);
  });
});
