/** Which keys `near-auto` chooses, and how seldom it changes its mind. */
import { describe, expect, it } from 'vitest';
import type { KeyPolicies } from '../../../../src/proxy/caching/key-policies.js';
import type { CachePolicy } from '../../../../src/proxy/caching/policy.js';
import { mostKeys, NearAuto } from '../../../../src/proxy/features/hot/near-auto.js';
import type { HottestKey } from '../../../../src/proxy/measure/hot-keys/hottest.js';

const NODES = 2;
const MOST = mostKeys(NODES);

class Stage {
  /** Uses a second, by key. */
  rates: Readonly<Record<string, number>> = {};
  reads = 1;
  bytes: number | null = null;
  allowed = (_key: string): boolean => true;
  /** How often other keys were to be kept. */
  changes = 0;
  kept: KeyPolicies | null = null;
  #now = 0;
  readonly auto = new NearAuto({
    used: () => ({ perSecond: this.#sum, sampled: this.#sum, keys: this.#keys }),
    allows: (key) => this.allowed(key.toString()),
    nodes: () => NODES,
    keep: (policies) => {
      this.changes++;
      this.kept = policies;
    },
  });

  /** So many seconds pass. */
  pass(seconds: number): void {
    for (let tick = 0; tick < seconds * 10; tick++) {
      this.#now += 100;
      this.auto.tick(this.#now);
    }
  }

  policyOf(key: string): CachePolicy | null {
    return this.kept?.of(Buffer.from(key), 0, Buffer.byteLength(key)) ?? null;
  }

  get near(): string[] {
    return Object.keys(this.rates).filter((key) => this.auto.isNear(Buffer.from(key)));
  }

  get #sum(): number {
    return Object.values(this.rates).reduce((sum, rate) => sum + rate, 0);
  }

  get #keys(): HottestKey[] {
    return Object.entries(this.rates)
      .filter(([, rate]) => rate > 0)
      .sort(([, one], [, other]) => other - one)
      .map(([name, rate]) => {
        const key = Buffer.from(name);
        return { key, bytes: this.bytes ?? key.length, database: 0, count: rate, reads: this.reads * rate };
      });
  }
}

describe('near-auto', () => {
  it('sees the writes of a hot key first, and keeps it a second later', () => {
    const stage = new Stage();
    stage.rates = { hot: 1000, cold: 20 };
    stage.pass(1);
    expect(stage.policyOf('hot')).toMatchObject({ cache: 'near', nearTtl: 0 });
    expect(stage.near).toEqual([]);
    stage.pass(1);
    expect(stage.policyOf('hot')).toMatchObject({ cache: 'near', nearTtl: 5000 });
    expect(stage.near).toEqual(['hot']);
    expect(stage.policyOf('cold')).toBeNull();
    expect(stage.changes).toBe(2);
    stage.pass(600);
    expect(stage.changes).toBe(2);
  });

  it('does not change its mind for a key that is hot now and then, and has none left when nothing is', () => {
    const stage = new Stage();
    for (let minute = 0; minute < 20; minute++) {
      stage.rates = { always: 1000, sometimes: 49 - (minute % 2) * 24 };
      stage.pass(5);
      stage.rates = { always: 60, sometimes: 1000 };
      stage.pass(5);
    }
    expect(stage.changes).toBe(4);
    expect(stage.near.sort()).toEqual(['always', 'sometimes']);
    stage.rates = {};
    stage.pass(11);
    expect(stage.changes).toBe(5);
    expect(stage.kept).toBeNull();
  });

  it('keeps so many and no more, and lets cold ones go together, at most once a minute', () => {
    const stage = new Stage();
    const keys = (from: number): Record<string, number> =>
      Object.fromEntries(Array.from({ length: 3 * MOST }, (_, i) => [`key:${from + i}`, 1000 - i]));
    stage.rates = keys(0);
    stage.pass(5);
    expect(stage.near).toHaveLength(MOST);
    expect(stage.near).toContain('key:0');
    // Each ten seconds others are hot.
    const before = stage.changes;
    for (let turn = 1; turn <= 60; turn++) {
      stage.rates = keys(turn * 10_000);
      stage.pass(20);
      expect(stage.near.length).toBeLessThanOrEqual(MOST);
    }
    // Twenty minutes, each with one farewell, and two steps for those that come.
    expect(stage.changes - before).toBeLessThanOrEqual(60);
    expect(stage.changes - before).toBeGreaterThan(20);
  });

  it.each<[string, (stage: Stage) => void]>([
    ['that is mostly written', (stage) => (stage.reads = 0.5)],
    ['that is not known whole', (stage) => (stage.bytes = 1000)],
    ['whose group has a policy of its own', (stage) => (stage.allowed = () => false)],
  ])('leaves a key alone %s', (_what, make) => {
    const stage = new Stage();
    make(stage);
    stage.rates = { hot: 1000 };
    stage.pass(5);
    expect(stage.changes).toBe(0);
  });

  it('gives a key up whose group gets a policy of its own', () => {
    const stage = new Stage();
    stage.rates = { 'page:1': 1000, 'user:1': 1000 };
    stage.pass(2);
    stage.allowed = (key) => !key.startsWith('page:');
    stage.auto.onGroups();
    expect(stage.near).toEqual(['user:1']);
    expect(stage.policyOf('page:1')).toBeNull();
  });

  it('needs 8 n ln n keys for n nodes', () => {
    expect([1, 2, 5, 10, 100].map(mostKeys)).toEqual([16, 18, 72, 128, 128]);
  });
});
