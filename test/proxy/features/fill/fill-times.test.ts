import { describe, expect, it } from 'vitest';
import { FillTimes } from '../../../../src/proxy/features/fill/fill-times.js';
import { LastValues } from '../../../../src/proxy/features/fill/last-values.js';
import type { ClientConnection } from '../../../../src/proxy/session/client-connection.js';

const KEY = Buffer.from('key');

/** Of 10,000 reads with so much time left, the share for which the key is due. */
function share(times: FillTimes, left: number): number {
  let due = 0;
  for (let i = 0; i < 10_000; i++) if (times.isDue(KEY, 0, KEY.length, left)) due++;
  return due / 10_000;
}

describe('when a key is filled before it expires', () => {
  it('is a matter of chance, which grows as its end comes near: e to the minus left / time', () => {
    let at = 0;
    // Each of the numbers from 0 to 1 once.
    const times = new FillTimes(() => (at++ % 10_000) / 10_000);
    expect(share(times, 0)).toBe(0);
    times.note(KEY, 100);
    for (const left of [0, 50, 100, 300]) expect(share(times, left)).toBeCloseTo(Math.exp(-left / 100), 3);
    expect(share(times, 1_200)).toBe(0);
    expect(share(times, Number.POSITIVE_INFINITY)).toBe(0);
    times.note(KEY, 200);
    expect(share(times, 100)).toBeCloseTo(Math.exp(-0.5), 3);
    expect(times.isDue(Buffer.from('other'), 0, 5, 0)).toBe(false);
  });
});

describe('last values', () => {
  const client = (id: number): ClientConnection => Object.assign(Object.create(null), { id });
  const value = Buffer.from('$1\r\nv\r\n');

  it('are not shown to who removed them, nor when they are old, or of another database', () => {
    const last = new LastValues(10_000);
    const [remover, other] = [client(1), client(2)] as const;
    last.keep(KEY, 0, value, 0, value.length, 100);
    last.onRemoved(remover, KEY, 0);
    expect(last.find(remover, KEY, 0, 0)).toBeNull();
    expect(last.find(other, KEY, 0, 0)).toEqual(value);
    expect(last.find(other, KEY, 0, 101)).toBeNull();
    expect(last.find(other, KEY, 1, 0)).toBeNull();
    last.onUnknown(other, 200);
    expect(last.find(other, KEY, 0, 0)).toBeNull();
    last.keep(KEY, 0, value, 0, value.length, 300);
    for (const one of [remover, other]) expect(last.find(one, KEY, 0, 0)).toEqual(value);
    last.drop(KEY, 0);
    expect(last.find(other, KEY, 0, 0)).toBeNull();
  });

  it('take no more bytes than they may', () => {
    const last = new LastValues(10_000);
    const large = Buffer.alloc(1_000);
    for (let i = 0; i < 100; i++) last.keep(Buffer.from(`key${i}`), 0, large, 0, large.length, i);
    expect(last.size).toBe(8);
    for (let i = 0; i < 100; i++) last.keep(KEY, 0, large, 0, large.length, i);
    expect(last.size).toBe(8);
    expect(last.find(client(1), Buffer.from('key98'), 0, 0)).toEqual(large);
  });
});
