import { describe, expect, it } from 'vitest';
import { keyHashOf, kindOf, NearStore, readHashOf } from '../../../../../src/proxy/features/near/store/near-store.js';
import { NONE } from '../../../../../src/proxy/features/near/store/record.js';

const KIND = kindOf(7, 2, 0);

function restOf(key: string): Buffer {
  return Buffer.from(`$${key.length}\r\n${key}\r\n`);
}

function add(store: NearStore, key: string, reply: string, kind = KIND, group = 0): number {
  const rest = restOf(key);
  const hash = readHashOf(kind, rest, 0, rest.length);
  const bytes = Buffer.from(key);
  const keyHash = keyHashOf(bytes, 0, bytes.length);
  return store.add({ hash, kind, keyHash, group, rest, restLength: rest.length }, Buffer.from(reply), 0, reply.length);
}

function find(store: NearStore, key: string, kind = KIND): string | null {
  const rest = restOf(key);
  const record = store.find(readHashOf(kind, rest, 0, rest.length), kind, rest, 0, rest.length);
  if (record === NONE) return null;
  store.touch(record);
  return store.bytes.toString('latin1', store.replyStart(record), store.replyEnd(record));
}

function endKey(store: NearStore, key: string): number {
  const bytes = Buffer.from(key);
  return store.endKey(keyHashOf(bytes, 0, bytes.length));
}

describe('what is kept', () => {
  it('is found by the frame, the command, the protocol and the database, and by nothing else', () => {
    const store = new NearStore(1_048_576);
    add(store, 'a', 'one');
    add(store, 'a', 'three', kindOf(7, 3, 0));
    add(store, 'a', 'second', kindOf(7, 2, 1));
    add(store, 'a', 'other', kindOf(8, 2, 0));
    expect(find(store, 'a')).toBe('one');
    expect(find(store, 'a', kindOf(7, 3, 0))).toBe('three');
    expect(find(store, 'a', kindOf(7, 2, 1))).toBe('second');
    expect(find(store, 'a', kindOf(8, 2, 0))).toBe('other');
    expect(find(store, 'b')).toBeNull();
    expect(find(store, 'a', kindOf(9, 2, 0))).toBeNull();
  });

  it('ends with its key, whatever was read of it, and nothing else does', () => {
    const store = new NearStore(1_048_576);
    add(store, 'a', 'one');
    add(store, 'a', 'two', kindOf(8, 3, 5));
    add(store, 'b', 'three');
    expect(endKey(store, 'a')).toBe(2);
    expect(find(store, 'a')).toBeNull();
    expect(find(store, 'a', kindOf(8, 3, 5))).toBeNull();
    expect(find(store, 'b')).toBe('three');
    expect(endKey(store, 'a')).toBe(0);
  });

  it('is replaced by what is read later', () => {
    const store = new NearStore(1_048_576);
    add(store, 'a', 'one');
    add(store, 'a', 'two');
    expect(find(store, 'a')).toBe('two');
    expect(store.entries).toBe(1);
  });

  it('is counted by groups', () => {
    const store = new NearStore(1_048_576);
    add(store, 'a', 'one', KIND, 1);
    add(store, 'b', 'two', KIND, 2);
    add(store, 'c', 'three', KIND, 2);
    expect([store.entriesOf(1), store.entriesOf(2), store.entries]).toEqual([1, 2, 3]);
    expect(store.bytesOf(1) + store.bytesOf(2)).toBe(store.usedBytes);
    endKey(store, 'b');
    endKey(store, 'c');
    expect([store.entriesOf(2), store.bytesOf(2)]).toEqual([0, 0]);
    store.clear();
    expect([store.entries, store.usedBytes, find(store, 'a')]).toEqual([0, 0, null]);
  });
});

it('what is over is found and ended in some steps', () => {
  const store = new NearStore(1_048_576);
  const over = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const record = add(store, `k${i}`, 'x');
    if (i % 2 === 0) over.add(record);
  }
  for (let steps = 0; steps < 64; steps++) store.sweep(64, (record) => over.has(record));
  expect(store.entries).toBe(50);
  expect([find(store, 'k0'), find(store, 'k1')]).toEqual([null, 'x']);
});

describe('when memory is short', () => {
  it('what is read again stays, and what is not makes room, however much comes', () => {
    const store = new NearStore(65_536);
    const hot = Array.from({ length: 20 }, (_, i) => `hot:${i}`);
    for (const key of hot) add(store, key, `value of ${key}`);
    for (let i = 0; i < 20_000; i++) {
      add(store, `cold:${i}`, 'x'.repeat(i % 200));
      if (i % 10 === 0) for (const key of hot) find(store, key);
    }
    for (const key of hot) expect(find(store, key)).toBe(`value of ${key}`);
    expect(store.evictions).toBeGreaterThan(10_000);
    expect(store.usedBytes).toBeLessThanOrEqual(65_536);
  });

  it('what is found is always what was kept last, and as many are counted as can be found', () => {
    const store = new NearStore(65_536);
    const model = new Map<string, string>();
    let seed = 42;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let i = 0; i < 100_000; i++) {
      const key = `k${random(400)}`;
      const action = random(10);
      if (action < 3) {
        const reply = `${i}:${'y'.repeat(random(random(2) === 0 ? 40 : 900))}`;
        if (add(store, key, reply) !== NONE) model.set(key, reply);
      } else if (action === 3) {
        endKey(store, key);
        model.delete(key);
      } else {
        const found = find(store, key);
        if (found !== null) expect(found).toBe(model.get(key));
      }
    }
    const found = [...model.keys()].filter((key) => find(store, key) !== null);
    expect(store.entries).toBe(found.length);
    expect(found.length).toBeGreaterThan(50);
    for (const key of model.keys()) endKey(store, key);
    expect([store.entries, store.usedBytes]).toEqual([0, 0]);
  });

  it('what is too large is not kept', () => {
    const store = new NearStore(65_536);
    expect(add(store, 'a', 'x'.repeat(30_000))).toBe(NONE);
    expect(find(store, 'a')).toBeNull();
    expect(new NearStore(67_108_864).takes(10, 300_000)).toBe(false);
  });
});
