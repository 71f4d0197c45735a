/** Proxies that are stopped and started again, each with a file: what was deleted does not come back, whoever is first. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bulkOf } from '../../../src/fleet/values/read-state.js';
import { deletion, removing } from '../../../src/proxy/features/replicated/deltas.js';
import { atEnd } from '../../support/cleanup.js';
import { tempFolder } from '../../support/temp-folder.js';
import { add, count, type Member, remove, SimulatedValues, set } from '../value-exchange/simulated-values.js';

/** For so long nobody remembers what was deleted before. */
const FORGOTTEN_MS = 50_000;

const textOf = ({ store }: Member, key: string): string | null => {
  const entry = store.find(0, key);
  return entry === null ? null : (bulkOf(entry.state).toString().split('\r\n')[1] ?? null);
};

function removeElement({ store }: Member, key: string, element: string): void {
  const entry = store.findToWrite(0, key);
  if (entry !== null) store.write(0, key, removing(entry.state, [element]));
}

class Stage {
  readonly fleet = new SimulatedValues(0);
  readonly #folder = tempFolder('values');

  constructor() {
    atEnd(async () => {
      for (const member of [...this.fleet.members]) await this.fleet.stop(member);
    });
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  start(name: string): Promise<Member> {
    return this.fleet.start(this.path(name));
  }

  expectSame(): string {
    const [first, ...others] = this.fleet.seen();
    for (const other of others) expect(other).toBe(first);
    return first ?? '';
  }
}

/** Two proxies that were stopped one after the other: `b` has gone on alone for long, and deleted and written meanwhile. */
async function stoppedApart(): Promise<{ stage: Stage; truth: string }> {
  const stage = new Stage();
  const { fleet } = stage;
  const [a, b] = [await stage.start('a'), await stage.start('b')];
  set(a, 'stays', 'as it was');
  set(a, 'changed', 'before');
  set(a, 'gone', 'x');
  set(a, 'number', '10');
  await fleet.run(1000);
  count(b, 'number', 5);
  count(a, 'counted', 3);
  count(b, 'counted', 4);
  for (const element of ['kept', 'removed']) add(a, 'set', element);
  set(b, 'short', 'x', b.store.clock.wall() + 10_000_000);
  await fleet.run(1000);
  stage.expectSame();
  await fleet.stop(a);
  remove(b, 'gone');
  set(b, 'changed', 'after');
  count(b, 'counted', 100);
  removeElement(b, 'set', 'removed');
  add(b, 'set', 'later');
  await fleet.run(FORGOTTEN_MS);
  expect(b.store.tombstones).toBe(0);
  set(b, 'latest', 'x');
  const truth = stage.expectSame();
  await fleet.stop(b);
  return { stage, truth };
}

describe('values of a fleet that was stopped whole', () => {
  it('are back when it was stopped at once', async () => {
    const stage = new Stage();
    const { fleet } = stage;
    const [a, b] = [await stage.start('a'), await stage.start('b')];
    set(a, 'gone', 'x');
    for (let i = 0; i < 50; i++) {
      set(a, `of-a-${i}`, 'x');
      count(b, 'counted', 2);
      add(i % 2 === 0 ? a : b, 'set', `${i}`);
    }
    await fleet.run(500);
    remove(b, 'gone');
    await fleet.run(500);
    const truth = stage.expectSame();
    await fleet.stop(a);
    await fleet.run(2000);
    await fleet.stop(b);
    await fleet.run(3_600_000);
    const again = await stage.start('b');
    expect(fleet.seen()).toEqual([truth]);
    await stage.start('a');
    await fleet.run(1000);
    expect(stage.expectSame()).toBe(truth);
    count(again, 'counted', 1);
    await fleet.run(1000);
    for (const member of fleet.members) expect(textOf(member, 'counted')).toBe('101');
  });

  it.each([['a'], ['b']])('are those of who was stopped last, when %s is started first', async (first) => {
    const { stage, truth } = await stoppedApart();
    const { fleet } = stage;
    await stage.start(first);
    await fleet.run(20_000);
    await stage.start(first === 'a' ? 'b' : 'a');
    await fleet.run(40_000);
    expect(stage.expectSame()).toBe(truth);
    expect(fleet.members.map((member) => textOf(member, 'gone'))).toEqual([null, null]);
  });

  it('are those of who was stopped last, when all start at the same time', async () => {
    const { stage, truth } = await stoppedApart();
    await Promise.all([stage.start('a'), stage.start('b')]);
    await stage.fleet.run(40_000);
    expect(stage.expectSame()).toBe(truth);
  });

  it('have what was written since the start of who was first with an older file', async () => {
    const { stage } = await stoppedApart();
    const { fleet } = stage;
    const a = await stage.start('a');
    expect(textOf(a, 'gone')).toBe('x');
    set(a, 'new', 'x');
    set(a, 'stays', 'written since');
    count(a, 'counted', 1000);
    add(a, 'set', 'newest');
    await fleet.run(10_000);
    const b = await stage.start('b');
    await fleet.run(2000);
    stage.expectSame();
    expect(textOf(b, 'gone')).toBeNull();
    expect(textOf(b, 'new')).toBe('x');
    expect(textOf(b, 'stays')).toBe('written since');
    expect(textOf(b, 'changed')).toBe('after');
    expect(textOf(b, 'number')).toBe('15');
    expect(textOf(b, 'counted')).toBe('1107');
    expect([...(b.store.find(0, 'set')?.state.present() ?? [])].sort()).toEqual(['kept', 'later', 'newest']);
  });

  it('have what was written at one while it was cut off from the other, which has gone on meanwhile', async () => {
    const stage = new Stage();
    const { fleet } = stage;
    const [a, b] = [await stage.start('a'), await stage.start('b')];
    set(a, 'old', 'x');
    set(a, 'gone', 'x');
    await fleet.run(1000);
    await fleet.stop(a);
    fleet.passes = () => false;
    // It hears of nobody, and begins with what it had.
    const again = await stage.start('a');
    set(again, 'meanwhile', 'x');
    await fleet.run(1000);
    remove(b, 'gone');
    fleet.members.splice(fleet.members.indexOf(again), 1);
    fleet.tellMembers();
    await fleet.run(FORGOTTEN_MS);
    await fleet.stop(b);
    fleet.members.push(again);
    fleet.passes = () => true;
    await stage.start('b');
    await fleet.run(40_000);
    stage.expectSame();
    for (const member of fleet.members) expect(textOf(member, 'meanwhile')).toBe('x');
  });

  it('do not lose what was written since to a file that is older than that', async () => {
    const { stage } = await stoppedApart();
    const { fleet } = stage;
    const a = await stage.start('a');
    // It lives long enough to have forgotten something itself.
    remove(a, 'changed');
    await fleet.run(FORGOTTEN_MS);
    const before = stage.expectSame();
    const b = await stage.start('b');
    await fleet.run(40_000);
    expect(stage.expectSame()).toBe(before);
    expect(b.file?.said.join()).toMatch(/is older than what the other proxies/);
  });
});

describe('a proxy that comes back to a fleet that went on', () => {
  it('brings back nothing that was deleted', async () => {
    const stage = new Stage();
    const { fleet } = stage;
    const [a, b] = [await stage.start('a'), await stage.start('b')];
    set(a, 'gone', 'x');
    set(a, 'stays', 'x');
    count(a, 'counted', 7);
    for (const element of ['kept', 'removed']) add(a, 'set', element);
    await fleet.run(1000);
    await fleet.stop(a);
    remove(b, 'gone');
    removeElement(b, 'set', 'removed');
    count(b, 'counted', 1);
    await fleet.run(FORGOTTEN_MS);
    const truth = stage.expectSame();
    await stage.start('a');
    await fleet.run(40_000);
    expect(stage.expectSame()).toBe(truth);
    expect(textOf(b, 'counted')).toBe('8');
  });

  it('brings back nothing where all was deleted, one by one, and nothing is left of it', async () => {
    const stage = new Stage();
    const { fleet } = stage;
    const [a, b] = [await stage.start('a'), await stage.start('b')];
    set(a, 'gone', 'x');
    set(b, 'short', 'x', b.store.clock.wall() + 2000);
    await fleet.run(1000);
    await fleet.stop(a);
    remove(b, 'gone');
    await fleet.run(FORGOTTEN_MS);
    expect(b.store.bytes).toBe(0);
    await stage.start('a');
    await fleet.run(40_000);
    expect(stage.expectSame()).toBe('');
  });

  it('brings back nothing by way of one that has joined meanwhile, and has deleted nothing itself', async () => {
    const stage = new Stage();
    const { fleet } = stage;
    const [a, b] = [await stage.start('a'), await stage.start('b')];
    set(a, 'gone', 'x');
    await fleet.run(1000);
    await fleet.stop(a);
    remove(b, 'gone');
    await fleet.run(FORGOTTEN_MS);
    await stage.start('c');
    await fleet.stop(b);
    await stage.start('a');
    await fleet.run(40_000);
    expect(stage.expectSame()).toBe('');
  });

  it('adds what others lack when they have forgotten nothing since', async () => {
    const stage = new Stage();
    const { fleet } = stage;
    const [a, b] = [await stage.start('a'), await stage.start('b')];
    set(a, 'old', 'x');
    count(b, 'counted', 3);
    await fleet.run(20_000);
    // Of its last moments nobody else hears.
    fleet.passes = (from) => from !== a.id;
    count(a, 'counted', 2);
    await fleet.stop(a);
    count(b, 'counted', 4);
    await fleet.run(10_000);
    await stage.start('a');
    await fleet.run(2000);
    stage.expectSame();
    expect(textOf(b, 'counted')).toBe('9');
    expect(textOf(b, 'old')).toBe('x');
  });
});

it('a flush is remembered by the file', async () => {
  const stage = new Stage();
  const { fleet } = stage;
  const [a, b] = [await stage.start('a'), await stage.start('b')];
  set(a, 'gone', 'x');
  await fleet.run(1000);
  await fleet.stop(a);
  b.store.flushAll();
  set(b, 'new', 'x');
  await fleet.stop(b);
  await stage.start('a');
  await stage.start('b');
  await fleet.run(2000);
  stage.expectSame();
  expect(fleet.members.map((member) => [textOf(member, 'gone'), textOf(member, 'new')])).toEqual([
    [null, 'x'],
    [null, 'x'],
  ]);
});

it('a key that is deleted where the older file is, is deleted everywhere', async () => {
  const { stage } = await stoppedApart();
  const { fleet } = stage;
  const a = await stage.start('a');
  const known = a.store.findToWrite(0, 'stays');
  expect(known).not.toBeNull();
  a.store.write(0, 'stays', deletion(a.store.clock));
  await fleet.run(5000);
  await stage.start('b');
  await fleet.run(5000);
  stage.expectSame();
  expect(fleet.members.map((member) => textOf(member, 'stays'))).toEqual([null, null]);
});
