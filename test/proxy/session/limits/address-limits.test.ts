/** Limits of an address, by a clock of the test's own. */
import { describe, expect, it } from 'vitest';
import { addressKey } from '../../../../src/proxy/session/limits/address-key.js';
import { type Address, AddressLimits } from '../../../../src/proxy/session/limits/address-limits.js';

const client = () => ({ closed: false, resumeSoon: () => {} });

function stage(rates: { maxClientsPerAddress?: number; commandsPerAddress?: number; bytesPerAddress?: number }) {
  const clock = { now: 0 };
  const counts = { connections: 0, commands: 0, bytes: 0 };
  const all = { maxClientsPerAddress: 0, commandsPerAddress: 0, bytesPerAddress: 0, ...rates };
  const limits = new AddressLimits(all, counts, () => clock.now);
  const enter = (address: string): Address => {
    const entered = limits.enter(address);
    if (entered === null || entered === 'full') throw new Error(`${address} was not let in: ${entered}`);
    return entered;
  };
  return { clock, counts, limits, enter };
}

it('one address is an IPv4 address, or a /64 of IPv6', () => {
  const keys = [
    '10.0.0.1',
    '::ffff:10.0.0.1',
    '2001:db8::1',
    '2001:db8:0:0:ffff::1',
    '2001:db8:0:1::1',
    '::1',
    'fe80::1%eth0',
  ];
  expect(keys.map((key) => addressKey(key))).toEqual([
    '10.0.0.1',
    '10.0.0.1',
    '2001:db8:0:0::/64',
    '2001:db8:0:0::/64',
    '2001:db8:0:1::/64',
    '0:0:0:0::/64',
    'fe80:0:0:0::/64',
  ]);
});

describe('an address', () => {
  it('is of no account where nothing is limited', () => {
    const { limits } = stage({});
    expect(limits.enter('10.0.0.1')).toBeNull();
    expect(stage({ maxClientsPerAddress: 1 }).limits.enter(undefined)).toBeNull();
    expect(limits.size).toBe(0);
  });

  it('has so many clients, and is forgotten with the last one', () => {
    const { limits, enter, counts } = stage({ maxClientsPerAddress: 2 });
    const first = enter('10.0.0.1');
    enter('10.0.0.1');
    enter('10.0.0.2');
    expect(limits.enter('10.0.0.1')).toBe('full');
    expect(counts.connections).toBe(1);
    limits.leave(first, client());
    limits.leave(enter('10.0.0.1'), client());
    limits.leave(first, client());
    expect(limits.size).toBe(1);
  });

  it('does so much a second on average, whatever comes at once', () => {
    const { clock, limits, enter, counts } = stage({ commandsPerAddress: 1000 });
    const address = enter('10.0.0.1');
    const one = client();
    let done = 0;
    for (clock.now = 0; clock.now < 60_000; clock.now += 10) {
      if (limits.holds(address, one)) continue;
      limits.charge(address, 4000, 0);
      done += 4000;
    }
    // A second's worth is there at the start, and the last chunk is handled whole.
    expect(done).toBeGreaterThanOrEqual(60_000);
    expect(done).toBeLessThanOrEqual(61_000 + 4000);
    expect(counts.commands).toBeGreaterThan(0);
    limits.close();
  });

  it('finds its debts when it comes back at once, and not when it has waited', () => {
    const { clock, limits, enter } = stage({ bytesPerAddress: 100 });
    const address = enter('10.0.0.1');
    limits.leave(address, client());
    // What was handled in the chunk that ended it.
    limits.charge(address, 1, 1000);
    expect(limits.holds(enter('10.0.0.1'), client())).toBe(true);
    limits.leave(address, client());
    clock.now = 5000;
    limits.tick();
    expect(limits.size).toBe(1);
    clock.now = 11_000;
    limits.tick();
    expect(limits.size).toBe(0);
    limits.close();
  });

  it('takes memory while it has clients, and a little longer, and bounded', () => {
    const { clock, limits, enter } = stage({ commandsPerAddress: 1 });
    for (let i = 0; i < 200_000; i++) limits.leave(enter(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`), client());
    expect(limits.size).toBe(65_536);
    clock.now = 1000;
    limits.tick();
    expect(limits.size).toBe(0);
  });
});
