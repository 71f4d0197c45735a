/** Which proxies are told to be out of each other's reach. */
import { expect, it } from 'vitest';
import { PeerWatcher } from '../../../src/topology/views/peer-watcher.js';
import { listen, member, seen } from './seen-fleet.js';

it('a proxy that is alive and not heard of is told of once, and when it is heard of again', () => {
  const heard = listen('fleet:unheard', 'fleet:heard');
  const watcher = new PeerWatcher();
  const fleet = seen({
    members: [member('a'), member('b'), member('c', { alive: false }), member('d', { fencedOff: true })],
  });
  const lags = (b: number): Map<string, number> =>
    new Map([
      ['a', 99],
      ['b', b],
      ['c', 99],
      ['d', 99],
      ['x', 99],
    ]);
  watcher.observe(fleet, new Map());
  for (const seconds of [1, 20, 21, 40, 3, 2]) watcher.observe(fleet, lags(seconds));
  expect(heard.map(({ channel, event }) => [channel, event.proxy, event.seconds])).toEqual([
    ['fleet:unheard', 'b', 21],
    ['fleet:heard', 'b', 3],
  ]);
  expect(heard[0]?.event.summary).toMatch(/^nothing was heard of proxy b \(http:\/\/h:b\) for 21 s: .*peer-token/);
});

it('a proxy that was away meanwhile is told of anew', () => {
  const heard = listen('fleet:unheard', 'fleet:heard');
  const watcher = new PeerWatcher();
  const lags = new Map([['b', 30]]);
  watcher.observe(seen({ members: [member('a'), member('b')] }), lags);
  watcher.observe(seen({ members: [member('a'), member('b', { alive: false })] }), lags);
  watcher.observe(seen({ members: [member('a'), member('b')] }), lags);
  expect(heard.map(({ channel }) => channel)).toEqual(['fleet:unheard', 'fleet:unheard']);
});
