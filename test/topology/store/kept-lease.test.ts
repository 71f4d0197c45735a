import { describe, expect, it } from 'vitest';
import { EtcdError } from '../../../src/etcd/index.js';
import { KeptLease } from '../../../src/topology/store/etcd/kept-lease.js';
import { ManualTimers } from '../../support/manual-timers.js';

const TTL = 10_000;
type Renewal = { readonly ttlMs: number; readonly revision: number } | 'gone' | 'no answer';

interface Stage {
  readonly timers: ManualTimers;
  readonly lease: KeptLease;
  readonly told: string[];
  /** What comes of each renewal; the last one again and again. */
  plan: Renewal[];
  /** When renewals were sent. */
  readonly sent: number[];
  /** How far the clock of the day is ahead. */
  shift: number;
  /** Lets so much time pass, a tenth of a second at once, and everything happen that falls due. */
  pass(milliseconds: number): Promise<void>;
}

/** @param takes how long etcd takes for an answer */
function stage(plan: Renewal[] = [{ ttlMs: TTL, revision: 7 }], takes = 0): Stage {
  const made = { plan, shift: 0 };
  const timers = new ManualTimers();
  const told: string[] = [];
  const sent: number[] = [];
  const clock = { monotonic: () => timers.now(), wall: () => 1_800_000_000_000 + timers.now() + made.shift };
  const client = {
    keepAlive: async (id: string) => {
      const sentAt = timers.now();
      sent.push(sentAt);
      if (takes > 0) await new Promise<void>((resolve) => timers.after(takes, resolve));
      const [next] = made.plan.length > 1 ? made.plan.splice(0, 1) : made.plan;
      if (next === 'no answer' || next === undefined) throw new EtcdError('ETCD_UNREACHABLE', 'away', true);
      return next === 'gone' ? null : { id, sentAt, ...next };
    },
    revoke: async () => {},
  };
  const lease = new KeptLease(
    { client, timers, clock },
    { id: '1', ttlMs: TTL, sentAt: 0 },
    {
      renewed: (revision) => told.push(`renewed ${revision}`),
      ranOut: () => told.push('ran out'),
      lost: () => told.push('lost'),
    },
  );
  const pass = async (milliseconds: number): Promise<void> => {
    for (let left = milliseconds; left > 0; left -= 100) {
      timers.advance(Math.min(100, left));
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  };
  return Object.assign(made, { timers, lease, told, sent, pass });
}

describe('a lease', () => {
  it('is renewed often enough that two renewals may fail, and no more often', async () => {
    const { pass, sent, told, lease } = stage();
    await pass(60_000);
    expect(sent).toEqual(Array.from({ length: 15 }, (_, index) => 4000 * (index + 1)));
    expect(told).not.toContain('ran out');
    expect(lease.isValid).toBe(true);
  });

  it('holds from when its renewal was sent, not from when it was answered', async () => {
    const { pass, lease } = stage(undefined, 3000);
    await pass(4000 + 3000);
    expect(lease.validUntil).toBe(4000 + TTL);
  });

  it('runs out when renewals are not answered, and holds again when one is', async () => {
    const stages = stage(['no answer']);
    const { pass, lease, told } = stages;
    await pass(9900);
    expect([lease.isValid, told]).toEqual([true, []]);
    await pass(100);
    expect([lease.isValid, told]).toEqual([false, ['ran out']]);
    stages.plan = [{ ttlMs: TTL, revision: 9 }];
    await pass(300);
    expect([lease.isValid, told]).toEqual([true, ['ran out', 'renewed 9']]);
  });

  it('is lost when etcd says so, and not renewed any more', async () => {
    const { pass, lease, told, sent } = stage(['gone']);
    await pass(30_000);
    expect([lease.validUntil, told, sent]).toEqual([0, ['lost'], [4000]]);
  });

  it('is as long as etcd says, from one renewal to the next', async () => {
    const { pass, lease, sent } = stage([{ ttlMs: 2000, revision: 1 }]);
    await pass(4000);
    expect(lease.validUntil).toBe(6000);
    await pass(800);
    expect(sent).toEqual([4000, 4800]);
  });

  // A machine that is suspended has its even clock stand still, and etcd does not wait for it.
  it.each([3_600_000, -3_600_000, 1500])(
    'is not certain after the clock of the day has jumped by %i ms',
    async (shift) => {
      const stages = stage();
      const { pass, lease, told, sent } = stages;
      await pass(1000);
      stages.shift = shift;
      expect(lease.validUntil).toBe(0);
      await pass(100);
      // It is asked for at once.
      expect(sent).toEqual([1000]);
      expect([lease.isValid, told]).toEqual([true, ['renewed 7']]);
    },
  );

  it('is certain while the clock of the day is set by small steps', async () => {
    const stages = stage();
    for (let step = 0; step < 100; step++) {
      stages.shift += 100;
      await stages.pass(1000);
      expect(stages.lease.isValid).toBe(true);
    }
  });

  it('that was ended is nothing any more, and leaves no timer', async () => {
    const { timers, lease, pass, told } = stage();
    lease.end();
    await pass(30_000);
    expect([lease.validUntil, told, timers.pending]).toEqual([0, [], 0]);
  });
});
