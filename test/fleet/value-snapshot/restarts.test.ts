/** A real fleet with replicated keys that is stopped whole, and one of whose proxies was away while keys were deleted. */
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { type FleetProxy, startFleet, TROUBLE } from '../../support/fleet.js';
import { canJump } from '../../support/jumping-clock.js';

const CONFIG = 'key-groups: { flags: { prefixes: ["r:"], cache: replicated } }\n';

const client = (proxy: FleetProxy): Redis => proxy.process.client();

const seenAt = async (proxy: FleetProxy): Promise<unknown> => [
  await client(proxy).mget('r:text', 'r:n', 'r:gone'),
  (await client(proxy).smembers('r:set')).sort(),
  (await client(proxy).keys('*')).sort(),
];

async function bytesAt(proxy: FleetProxy): Promise<number> {
  const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
  return Number(/^ringproxy_replicated_bytes (\d+)$/m.exec(metrics)?.[1]);
}

describe.skipIf(!canJump)('replicated keys of a fleet', () => {
  it('are back when it was stopped whole, and what was deleted stays away when one was away for long', async () => {
    const fleet = await startFleet({
      ...{ proxies: 2, nodes: 1, config: CONFIG, clocks: true },
      allowLog: [...TROUBLE],
    });
    const [one, two] = fleet.proxies as [FleetProxy, FleetProxy];
    await client(one).mset('r:text', 'hello', 'r:gone', 'x', 'r:other', 'x');
    await client(one).incrby('r:n', 5);
    await client(two).incrby('r:n', 7);
    await client(two).sadd('r:set', 'a', 'b');
    await expect.poll(() => client(one).get('r:n')).toBe('12');
    await expect.poll(() => client(two).get('r:other')).toBe('x');
    await client(two).del('r:other');
    const before = [
      ['hello', '12', 'x'],
      ['a', 'b'],
      ['r:gone', 'r:n', 'r:set', 'r:text'],
    ];
    for (const proxy of [one, two]) await expect.poll(() => seenAt(proxy)).toEqual(before);

    await Promise.all([one.stop(), two.stop()]);
    await Promise.all([one.start(), two.start()]);
    for (const proxy of [one, two]) expect(await seenAt(proxy)).toEqual(before);
    // Counted by others than before.
    await client(one).incr('r:n');
    await client(two).incr('r:n');
    for (const proxy of [one, two]) await expect.poll(() => client(proxy).get('r:n')).toBe('14');

    await one.stop();
    await client(two).del('r:gone');
    await client(two).srem('r:set', 'b');
    const holding = await bytesAt(two);
    // It is later than anybody remembers deletions for.
    two.clock?.jump(50);
    await expect.poll(() => bytesAt(two)).toBeLessThan(holding);
    await one.start();
    const after = [['hello', '14', null], ['a'], ['r:n', 'r:set', 'r:text']];
    for (const proxy of [one, two]) expect(await seenAt(proxy)).toEqual(after);
    await client(one).incr('r:n');
    await expect.poll(() => client(two).get('r:n')).toBe('15');
    for (const proxy of [one, two]) expect(await client(proxy).get('r:gone')).toBeNull();
  });
});
