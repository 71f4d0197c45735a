/** The file of a proxy's replicated values: what it keeps, and what is done with one that cannot be used. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpenSnapshot, writeSnapshot } from '../../../src/fleet/value-snapshot/snapshot-file.js';
import { emptied, saidOnceMore } from '../../../src/fleet/value-snapshot/superseding.js';
import { ValueSnapshot } from '../../../src/fleet/value-snapshot/value-snapshot.js';
import { readBatch } from '../../../src/fleet/values/batch.js';
import { bucketDigests, rootDigest } from '../../../src/fleet/values/digests.js';
import { type KeyState, NEVER } from '../../../src/fleet/values/key-state.js';
import { ValueStore } from '../../../src/fleet/values/store.js';
import { batchesOf } from '../../../src/fleet/values/whole-store.js';
import { adding, counting, deletion, setting } from '../../../src/proxy/features/replicated/deltas.js';
import { ManualTimers } from '../../support/manual-timers.js';
import { tempFolder } from '../../support/temp-folder.js';
import { change, valueSubject } from '../values/subject.js';

const NOW = 1_700_000_000_000;
const WRITTEN_MS = 5000;

class Kept {
  readonly store: ValueStore;
  readonly timers = new ManualTimers();
  readonly said: string[] = [];
  readonly snapshot: ValueSnapshot;
  wall = NOW;

  constructor(path: string, { ring = '', actor = 'a' } = {}) {
    const say = (message: string): void => {
      this.said.push(message);
    };
    const { timers } = this;
    this.store = new ValueStore({ databases: 2, limit: 2 ** 26, actor, wallNow: () => this.wall });
    const knownUpTo = (): number => this.wall;
    this.snapshot = new ValueSnapshot({ path, ring, store: this.store, timers, knownUpTo, info: say, warn: say });
  }

  async begin(former: string | null = null): Promise<this> {
    await this.snapshot.open(former);
    await this.snapshot.restore({ isAlone: true, belongs: (key) => !key.startsWith('not:') });
    this.snapshot.start();
    return this;
  }

  set(key: string, value = 'x', at = NEVER): void {
    this.store.write(0, key, setting(this.store.clock, Buffer.from(value), at));
  }

  get digest(): number {
    return rootDigest(this.store, bucketDigests(this.store));
  }
}

const filePath = (): string => join(tempFolder('values'), 'values.bin');

/** @returns a file with a few values */
async function writtenFile(ring = ''): Promise<{ path: string; digest: number }> {
  const path = filePath();
  const kept = await new Kept(path, { ring }).begin();
  const { store } = kept;
  kept.set('text', 'hello');
  kept.set('binary', '\r\n\0\xff');
  kept.set('ends', 'x', NOW + 60_000);
  kept.set('not:wanted');
  kept.set('deleted');
  store.write(0, 'deleted', deletion(store.clock));
  store.write(1, 'n', counting(store.clock, 'a', null, -7n));
  // More elements than go into one record.
  store.write(
    1,
    's',
    adding(
      store.clock,
      'a',
      null,
      Array.from({ length: 3000 }, (_, i) => `e${i}`),
    ),
  );
  await kept.snapshot.close();
  const { digest } = kept;
  expect(kept.said).toEqual([]);
  return { path, digest };
}

async function waitForFile(path: string): Promise<void> {
  await expect.poll(() => existsSync(path)).toBe(true);
}

describe('a file of values', () => {
  it('gives back all that was kept, but for keys that are not wanted any more, and only to its owner', async () => {
    const { path, digest } = await writtenFile();
    const kept = await new Kept(path, { actor: 'b' }).begin();
    expect(kept.store.find(0, 'not:wanted')).toBeNull();
    expect(kept.said.join()).toMatch(
      /^1 keys in .* are of groups that are not replicated now.*5 replicated keys are as/,
    );
    kept.store.take([{ kind: 'key', database: 0, key: 'not:wanted', state: await stateOf(path, 'not:wanted') }], {});
    expect(kept.digest).toBe(digest);
    expect(kept.store.find(1, 's')?.state.members).toBe(3000);
    // What the one before has counted stays as it was.
    kept.store.write(1, 'n', counting(kept.store.clock, 'b', kept.store.find(1, 'n')?.state ?? null, 8n));
    expect([...(kept.store.find(1, 'n')?.state.counts?.keys() ?? [])]).toEqual(['a', 'b']);
    await kept.snapshot.close();
    expect(readdirSync(dirname(path))).toEqual(['values.bin']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('keeps deletions, and what ended meanwhile does not come back', async () => {
    const { path } = await writtenFile();
    const kept = new Kept(path);
    kept.wall = NOW + 61_000;
    await kept.begin();
    expect(kept.store.find(0, 'ends')).toBeNull();
    expect(kept.store.find(0, 'deleted')).toBeNull();
    expect(kept.store.sizeOf(0)).toBe(2);
    expect(kept.store.size).toBe(4);
  });

  it.each([
    ['is empty', () => Buffer.alloc(0), /does not hold values/],
    ['holds something else', () => Buffer.from('{"format":1,"moves":[]}\n'.repeat(20)), /does not hold values/],
    ['is of a later version', (all: Buffer) => replaced(all, 'values 1', 'values 2'), /another version of ringproxy/],
    ['has no end', (all: Buffer) => all.subarray(0, all.length - 1), /was cut or changed/],
    ['has a beginning alone', (all: Buffer) => all.subarray(0, 30), /was cut/],
    ['was changed by a bit', (all: Buffer) => replaced(all, 'hello', 'hellp'), /was cut or changed/],
  ])('that %s is set aside with a message, and a new one takes its place', async (_what, spoil, why) => {
    const { path } = await writtenFile();
    const spoilt = spoil(readFileSync(path));
    writeFileSync(path, spoilt);
    const kept = await new Kept(path).begin();
    expect(kept.store.size).toBe(0);
    expect(kept.said).toHaveLength(1);
    expect(kept.said[0]).toMatch(why);
    expect(kept.said[0]).toContain(`set aside as ${path}.aside`);
    expect(readFileSync(`${path}.aside`)).toEqual(spoilt);
    kept.set('new');
    await kept.snapshot.close();
    expect((await new Kept(path).begin()).store.size).toBe(1);
  });

  it('with a part that cannot be read is set aside, and what was read before is used', async () => {
    const path = filePath();
    const good = await batchesIn((await writtenFile()).path);
    await writeSnapshot(path, [...good, Buffer.from('garbage')], () => ({ ring: '', until: NOW, forgotten: 0 }));
    const kept = await new Kept(path).begin();
    expect(kept.said.join()).toMatch(/has a part that cannot be read; it was set aside/);
    expect(kept.store.size).toBe(5);
  });

  it('of another ring is set aside, that of the ring this one was made of is used', async () => {
    const { path } = await writtenFile('/ringproxy/one');
    const ring = '/ringproxy/other';
    const bytes = readFileSync(path);
    const kept = await new Kept(path, { ring }).begin();
    expect(kept.store.size).toBe(0);
    expect(kept.said.join()).toMatch(
      /is of the ring at \/ringproxy\/one, not of the ring at \/ringproxy\/other; it was set/,
    );
    writeFileSync(path, bytes);
    expect((await new Kept(path, { ring }).begin('/ringproxy/one')).store.size).toBe(5);
  });

  it('from the future of a clock that was turned back is used, by one of a fleet as if it was written now', async () => {
    const alone = new Kept((await writtenFile()).path);
    alone.wall = NOW - 3_600_000;
    await alone.begin();
    expect(alone.store.size).toBe(5);
    alone.set('text', 'later');
    expect(alone.store.find(0, 'text')?.state.base?.toString()).toContain('later');

    const { path } = await writtenFile('/ringproxy/one');
    const kept = new Kept(path, { ring: '/ringproxy/one', actor: 'b' });
    kept.wall = NOW - 3_600_000;
    await kept.begin();
    expect(kept.store.size).toBe(5);
    expect(kept.store.find(1, 's')?.state.members).toBe(3000);
    expect(kept.said.join()).toMatch(/were written later than this machine's clock says: they count as written now/);
    kept.set('text', 'later');
    expect(kept.store.find(0, 'text')?.state.base?.toString()).toContain('later');
    // Others, whose clocks say the same, follow it.
    const other = new ValueStore({ databases: 2, limit: 2 ** 26, actor: 'c', wallNow: () => kept.wall });
    for (const batch of batchesOf(kept.store, 2 ** 20)) other.take(readBatch(batch) ?? [], {});
    expect([other.size, other.refused]).toEqual([5, 0]);
  });

  it('is written when something has changed, and once more at the end, which says up to when nothing has', async () => {
    const path = filePath();
    const kept = await new Kept(path).begin();
    kept.timers.advance(WRITTEN_MS);
    kept.set('k');
    expect(existsSync(path)).toBe(false);
    kept.timers.advance(WRITTEN_MS);
    await waitForFile(path);
    rmSync(path);
    kept.timers.advance(10 * WRITTEN_MS);
    await new Promise(setImmediate);
    expect(readdirSync(dirname(path))).toEqual([]);
    await kept.snapshot.close();
    expect(existsSync(path)).toBe(true);
  });

  it('that takes long to be written is written less often', async () => {
    const path = filePath();
    const kept = await new Kept(path).begin();
    kept.set('k');
    kept.timers.advance(WRITTEN_MS);
    // It takes so long.
    kept.timers.advance(2 * WRITTEN_MS);
    await waitForFile(path);
    // Only now it is over.
    await new Promise((resolve) => setTimeout(resolve, 50));
    rmSync(path);
    kept.set('k');
    kept.timers.advance(20 * WRITTEN_MS);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readdirSync(dirname(path))).toEqual([]);
    // Where a busy machine has ended the first one only by now, that took longer still.
    const isWritten = (): boolean => {
      kept.timers.advance(20 * WRITTEN_MS);
      return existsSync(path);
    };
    await expect.poll(isWritten).toBe(true);
  });

  it('that cannot be written is told of once, until it can again', async () => {
    const path = join(tempFolder('values'), 'not/there/values.bin');
    const kept = await new Kept(path).begin();
    const written = async (key: string): Promise<void> => {
      kept.set(key);
      kept.timers.advance(WRITTEN_MS);
      await kept.snapshot.close();
      kept.snapshot.start();
    };
    await written('a');
    await written('b');
    expect(kept.said).toHaveLength(1);
    expect(kept.said[0]).toMatch(/cannot be kept in .*ENOENT/);
    mkdirSync(dirname(path), { recursive: true });
    await written('c');
    expect((await new Kept(path).begin()).store.size).toBe(3);
    rmSync(dirname(path), { recursive: true });
    await written('d');
    expect(kept.said).toHaveLength(2);
  });
});

it('what is said once more has the same value, and outlives the flush that it is said behind', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(change, fc.constantFrom('a', 'b')), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 25 }),
      (changes, upTo) => {
        const { lattice, delta, value } = valueSubject;
        let state = lattice.bottom;
        for (const [i, [made, actor]] of changes.entries()) {
          state = lattice.join(state, delta(state, actor, made, [i + 1, 0, actor]));
        }
        const said = saidOnceMore({ kind: 'key', database: 0, key: 'k', state }, upTo);
        const store = new ValueStore({ databases: 1, limit: 2 ** 20, actor: 'c', wallNow: () => 1 });
        store.take([emptied(0, upTo), ...(said === null ? [] : [said])], {});
        const [entry] = store.entriesOf(0);
        const before = value(state);
        if (before === null) expect(entry === undefined || !entry.state.isLive).toBe(true);
        else expect(entry && value(entry.state)).toEqual(before);
      },
    ),
    { numRuns: 500 },
  );
});

function replaced(all: Buffer, from: string, to: string): Buffer {
  const at = all.indexOf(from);
  expect(at).toBeGreaterThan(-1);
  return Buffer.concat([all.subarray(0, at), Buffer.from(to), all.subarray(at + from.length)]);
}

async function batchesIn(path: string): Promise<Buffer[]> {
  const file = await OpenSnapshot.open(path);
  if (file === null) throw new Error('there is no file');
  const batches: Buffer[] = [];
  for await (const batch of file.batches()) batches.push(batch);
  await file.close();
  return batches;
}

async function stateOf(path: string, key: string): Promise<KeyState> {
  const found = (await batchesIn(path)).flatMap((batch) => readBatch(batch) ?? []);
  for (const record of found) if (record.kind === 'key' && record.key === key) return record.state;
  throw new Error(`${key} is not there`);
}
