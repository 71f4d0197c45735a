/** What a store counts as its memory is nearly what the process takes for it, whatever it holds and whoever has written it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { BatchWriter, readBatch } from '../../../src/fleet/values/batch.js';
import { type KeyState, NEVER } from '../../../src/fleet/values/key-state.js';
import { writeWhole } from '../../../src/fleet/values/outbox.js';
import { ValueStore } from '../../../src/fleet/values/store.js';
import { adding, counting, deletion, setting } from '../../../src/proxy/features/replicated/deltas.js';

type Written = (store: ValueStore, known: KeyState | null, i: number) => KeyState;

const KEYS = 6000;
/** Tables that are there whatever is in them, and do not count. */
const KEYS_BEFORE = 2000;
const BATCH_BYTES = 262_144;
const MOST_WRONG = 0.2;

const text =
  (bytes: number, ends: (i: number) => number = () => NEVER): Written =>
  ({ clock }, _known, i) =>
    setting(clock, Buffer.alloc(bytes, 'x'), ends(i));
const count =
  (actor: string): Written =>
  ({ clock }, known) =>
    counting(clock, actor, known, 1n);
const set =
  (size: number): Written =>
  ({ clock, actor }, known) =>
    adding(
      clock,
      actor,
      known,
      Array.from({ length: size }, (_, i) => `element ${i}`),
    );
const deleted: Written = ({ clock }) => deletion(clock);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Heap and buffers. */
function taken(): number {
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** As it comes from a client, or from another process. */
function fill(store: ValueStore, from: number, keys: number, writes: readonly Written[], isSent: boolean): void {
  let writer = new BatchWriter();
  for (const written of writes) {
    for (let i = from; i < from + keys; i++) {
      const key = Buffer.from(`flag:${String(i).padStart(10, '0')}`).toString('latin1');
      const delta = written(store, store.find(0, key)?.state ?? null, i);
      if (!isSent) store.write(0, key, delta);
      else writeWhole(writer, 0, key, delta);
      if (writer.length < BATCH_BYTES && i < from + keys - 1) continue;
      store.takeOwn(readBatch(writer.take()) ?? [], {});
      writer = new BatchWriter();
    }
  }
}

const later = (i: number): number => Date.now() + 3_600_000 + i * 10;

it.each<[string, number, readonly Written[]]>([
  ['texts of 16 bytes', KEYS, [text(16)]],
  ['texts of 64 bytes', KEYS, [text(64)]],
  ['texts of 1 KB', KEYS, [text(1024)]],
  ['texts of 20 KB', 400, [text(20_480)]],
  ['texts with a time to live', KEYS, [text(64, later)]],
  ['counters', KEYS, [count('a process')]],
  ['counters of two processes', KEYS, [count('a process'), count('another one')]],
  ['sets of one', KEYS, [set(1)]],
  ['sets of twenty', KEYS / 10, [set(20)]],
  ['what was deleted', KEYS, [deleted]],
])('%s take what is counted for them', (_what, keys, writes) => {
  for (const isSent of [false, true]) {
    const store = new ValueStore({ databases: 1, limit: 2 ** 40, actor: 'own', wallNow: Date.now });
    fill(store, 0, KEYS_BEFORE, [deleted], false);
    const before = { taken: taken(), counted: store.bytes };
    fill(store, KEYS_BEFORE, keys, writes, isSent);
    const ratio = (store.bytes - before.counted) / (taken() - before.taken);
    expect(ratio, isSent ? 'of another process' : 'of a client').toBeGreaterThan(1 - MOST_WRONG);
    expect(ratio, isSent ? 'of another process' : 'of a client').toBeLessThan(1 + MOST_WRONG);
  }
});
