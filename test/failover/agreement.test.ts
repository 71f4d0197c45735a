import { describe, expect, it } from 'vitest';
import { BEFORE, Records } from './agreement-stage.js';

describe('a new master serves', () => {
  it('when every proxy has left the former one, at all of them', async () => {
    const records = new Records();
    const first = records.settle('p1');
    await records.pass(1000);
    expect(first).toEqual({ agreed: undefined, waits: [['p2']] });
    expect(records.stored?.record).toMatchObject({ former: 'old:1', serial: 5, left: ['p1'], settled: false });
    const second = records.settle('p2');
    await records.pass(100);
    for (const { agreed } of [first, second]) expect(agreed).toMatchObject({ address: 'new:1', settled: true });
    // Who comes later waits for nobody.
    records.proxies.push({ id: 'p3', alive: true, agrees: true }, { id: 'p4', alive: true, agrees: true });
    const third = records.settle('p3');
    await records.pass(0);
    expect(third.agreed).toMatchObject({ address: 'new:1', serial: 5 });
  });

  it('when a proxy whose lease has run out has left it by itself', async () => {
    const records = new Records();
    records.proxies = records.proxies.map((proxy) => ({ ...proxy, alive: proxy.id === 'p1' }));
    const first = records.settle('p1');
    await records.pass(3000);
    expect(first.agreed).toBeUndefined();
    await records.pass(1000);
    expect(first.agreed).toMatchObject({ address: 'new:1' });
  });

  it('not before it is recorded; where the ring is available, without that', async () => {
    const records = new Records();
    records.isThere = false;
    const first = records.settle('p1');
    await records.pass(5000);
    expect(first).toEqual({ agreed: undefined, waits: [null] });
    records.isStrict = false;
    await records.pass(100);
    expect(first.agreed).toBeNull();
  });

  it('without the word of a proxy of an older version', async () => {
    const records = new Records();
    records.proxies = records.proxies.map((proxy) => ({ ...proxy, agrees: proxy.id === 'p1' }));
    const first = records.settle('p1');
    await records.pass(0);
    expect(first.agreed).toMatchObject({ address: 'new:1' });
  });

  it('unless others have agreed on a later one', async () => {
    const records = new Records();
    records.stored = { revision: 2, record: { ...BEFORE, address: 'newest:1', serial: 5 } };
    const first = records.settle('p1');
    await records.pass(0);
    expect(first.agreed).toMatchObject({ address: 'newest:1' });
    expect(records.stored.revision).toBe(2);
  });
});
