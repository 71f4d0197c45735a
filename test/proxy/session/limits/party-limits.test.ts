/** Limits of clients that are counted together, by a clock of the test's own. */
import { describe, expect, it } from 'vitest';
import { addressKey, peerKey } from '../../../../src/proxy/session/limits/address-key.js';
import type { LimitMode } from '../../../../src/proxy/session/limits/party.js';
import { PartyLimits } from '../../../../src/proxy/session/limits/party-limits.js';
import type { Quota } from '../../../../src/proxy/users/quotas.js';

const client = () => ({ closed: false, resumeSoon: () => {} });

function stage(quota: Partial<Quota>, mode: LimitMode = 'slow') {
  const clock = { now: 0 };
  const counts = { connections: 0, commands: 0, bytes: 0 };
  const rules = { quotaOf: () => ({ clients: 0, commands: 0, bytes: 0, ...quota }), mode };
  const limits = new PartyLimits(rules, counts, () => clock.now);
  return { clock, counts, limits };
}

it('one address is an IPv4 address, or a /64 of IPv6; a Unix socket has none', () => {
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
  expect([peerKey('10.0.0.1:6379'), peerKey('2001:db8::1:6379'), peerKey('unix')]).toEqual([
    '10.0.0.1',
    '2001:db8:0:0::/64',
    null,
  ]);
});

describe('clients that are counted together', () => {
  it('are so many, and are forgotten with the last one', () => {
    const { limits, counts } = stage({ clients: 2 });
    const first = limits.enter('a');
    expect(limits.isFull('a')).toBe(false);
    limits.enter('a');
    limits.enter('b');
    expect(limits.isFull('a')).toBe(true);
    expect(counts.connections).toBe(1);
    limits.leave(first, client());
    limits.leave(limits.enter('a'), client());
    limits.leave(first, client());
    expect(limits.size).toBe(1);
  });

  it('do so much a second on average, whatever comes at once', () => {
    const { clock, limits, counts } = stage({ commands: 1000 });
    const party = limits.enter('a');
    const one = client();
    let done = 0;
    for (clock.now = 0; clock.now < 60_000; clock.now += 10) {
      if (limits.holds(party, one)) continue;
      limits.charge(party, 4000, 0);
      done += 4000;
    }
    // A second's worth is there at the start, and the last chunk is handled whole.
    expect(done).toBeGreaterThanOrEqual(60_000);
    expect(done).toBeLessThanOrEqual(61_000 + 4000);
    expect(counts.commands).toBeGreaterThan(0);
    limits.close();
  });

  it('have the share of a rate that this process has of the clients, which is told later', () => {
    const { clock, limits } = stage({ commands: 1000 });
    limits.setElsewhere('a', 3);
    const party = limits.enter('a');
    let done = 0;
    const run = (until: number): number => {
      const before = done;
      for (; clock.now < until; clock.now += 10) {
        if (limits.holds(party, client())) continue;
        limits.charge(party, 10, 0);
        done += 10;
      }
      return done - before;
    };
    expect(run(20_000) / 20).toBeCloseTo(260, -2);
    limits.setElsewhere('a', 0);
    expect(run(40_000) / 20).toBeCloseTo(1000, -2);
    limits.close();
  });

  it('go on by the rates of now when these become others', () => {
    const { limits } = stage({});
    const quota = { clients: 0, commands: 10, bytes: 0 };
    const rules = { quotaOf: () => quota, mode: 'slow' } as const;
    const changing = new PartyLimits(rules, { connections: 0, commands: 0, bytes: 0 }, () => 0);
    const party = changing.enter('a');
    changing.charge(party, 100, 0);
    expect(changing.holds(party, client())).toBe(true);
    quota.commands = 0;
    changing.refresh();
    expect(changing.holds(party, client())).toBe(false);
    changing.close();
    expect(limits.size).toBe(0);
  });

  it('find their debts when they come back at once, and not when they have waited', () => {
    const { clock, limits } = stage({ bytes: 100 });
    const party = limits.enter('a');
    limits.leave(party, client());
    // What was handled in the chunk that ended it.
    limits.charge(party, 1, 1000);
    expect(limits.holds(limits.enter('a'), client())).toBe(true);
    limits.leave(party, client());
    clock.now = 5000;
    limits.tick();
    expect(limits.size).toBe(1);
    clock.now = 11_000;
    limits.tick();
    expect(limits.size).toBe(0);
    limits.close();
  });

  it('take memory while there are some, and a little longer, and bounded', () => {
    const { clock, limits } = stage({ commands: 1 });
    for (let i = 0; i < 200_000; i++) limits.leave(limits.enter(String(i)), client());
    expect(limits.size).toBeLessThanOrEqual(65_536);
    expect(limits.size).toBeGreaterThan(60_000);
    clock.now = 1000;
    limits.tick();
    expect(limits.size).toBe(0);
  });
});

describe('where commands are refused', () => {
  it('as many are carried out as may be, and a refusal costs nothing of the rate', () => {
    const { clock, limits, counts } = stage({ commands: 100 }, 'refuse');
    const party = limits.enter('a');
    let done = 0;
    for (clock.now = 0; clock.now < 10_000; clock.now += 1) {
      const over = limits.over(party);
      if (over === null) {
        limits.charge(party, 1, 10);
        done++;
      } else limits.chargeRefusal(party, over);
      expect(limits.holds(party, client())).toBe(false);
    }
    expect(done).toBeGreaterThanOrEqual(1000);
    expect(done).toBeLessThanOrEqual(1102);
    expect(counts.commands).toBe(10_000 - done);
    limits.close();
  });

  it('a share of less than one a second is a share still', () => {
    const { clock, limits } = stage({ commands: 1 }, 'refuse');
    limits.setElsewhere('a', 3);
    const party = limits.enter('a');
    let done = 0;
    for (clock.now = 0; clock.now < 40_000; clock.now += 100) {
      if (limits.over(party) !== null) continue;
      limits.charge(party, 1, 10);
      done++;
    }
    expect(done).toBeGreaterThanOrEqual(9);
    expect(done).toBeLessThanOrEqual(12);
    limits.close();
  });

  it('who does not heed refusals is not read, nor who owes more than a second', () => {
    const { clock, limits } = stage({ commands: 1, bytes: 1000 }, 'refuse');
    const party = limits.enter('a');
    limits.charge(party, 1, 3000);
    expect(limits.holds(party, client())).toBe(true);
    clock.now = 1001;
    expect(limits.holds(party, client())).toBe(false);
    expect(limits.over(party)).toBe('bytes');
    for (let i = 0; i < 10_001; i++) limits.chargeRefusal(party, 'bytes');
    expect(limits.holds(party, client())).toBe(true);
    limits.close();
  });
});
