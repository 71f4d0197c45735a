/** Ends of keys where clocks disagree, or go back: processes in one test, which are told of changes when the test says so. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ValueSnapshot } from '../../../src/fleet/value-snapshot/value-snapshot.js';
import { NEVER } from '../../../src/fleet/values/key-state.js';
import { Link, type SentBatch } from '../../../src/fleet/values/link.js';
import { bulkOf } from '../../../src/fleet/values/read-state.js';
import { ValueStore } from '../../../src/fleet/values/store.js';
import { adding, counting, expiring, setting } from '../../../src/proxy/features/replicated/deltas.js';
import { ManualTimers } from '../../support/manual-timers.js';
import { tempFolder } from '../../support/temp-folder.js';

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;

class Process {
  readonly store: ValueStore;
  wall = NOW;

  constructor(actor: string) {
    this.store = new ValueStore({ databases: 1, limit: 2 ** 26, actor, wallNow: () => this.wall });
  }

  get(key: string): string | null {
    const entry = this.store.find(0, key);
    return entry === null ? null : (bulkOf(entry.state).toString().split('\r\n')[1] ?? null);
  }

  set(key: string, value: string, ms = NEVER): void {
    this.store.findToWrite(0, key);
    this.store.write(0, key, setting(this.store.clock, Buffer.from(value), this.wall + ms));
  }

  expire(key: string, ms: number): void {
    this.store.write(0, key, expiring(this.store.clock, this.wall + ms));
  }

  incr(key: string): void {
    const known = this.store.findToWrite(0, key)?.state ?? null;
    this.store.write(0, key, counting(this.store.clock, this.store.actor, known, 1n));
  }

  add(key: string, element: string): void {
    const known = this.store.findToWrite(0, key)?.state ?? null;
    this.store.write(0, key, adding(this.store.clock, this.store.actor, known, [element]));
  }

  elements(key: string): string[] {
    return [...(this.store.find(0, key)?.state.present() ?? [])].sort();
  }

  snapshot(path: string, ring = ''): ValueSnapshot {
    const { store } = this;
    const knownUpTo = (): number => this.wall;
    return new ValueSnapshot({ path, ring, store, timers: new ManualTimers(), knownUpTo, info() {}, warn() {} });
  }

  async restarted(actor: string, ring = ''): Promise<Process> {
    const path = join(tempFolder('values'), 'values.bin');
    const before = this.snapshot(path, ring);
    before.start();
    await before.close();
    const again = new Process(actor);
    again.wall = this.wall;
    const file = again.snapshot(path, ring);
    await file.open(null);
    await file.restore({ isAlone: true, belongs: () => true });
    return again;
  }
}

/** Two processes of one machine. @returns tells each what the other one has changed */
function linked(a: Process, b: Process): () => void {
  const waiting = new Set<() => void>();
  const link = (own: Process, other: () => Link): Link =>
    new Link({
      store: own.store,
      send: (batch: SentBatch) => other().onBatch(batch),
      taken: (number) => other().onTaken(number),
      restamp: (how) => other().onRestamp(how),
      later: (run) => {
        waiting.add(run);
        return () => waiting.delete(run);
      },
    });
  const there: Link = link(a, () => back);
  const back: Link = link(b, () => there);
  return () => {
    while (waiting.size > 0) {
      const runs = [...waiting];
      waiting.clear();
      for (const run of runs) run();
    }
  };
}

function jump(ms: number, ...processes: readonly Process[]): void {
  for (const process of processes) process.wall += ms;
}

describe('a clock that goes back', () => {
  it('does not bring back a key whose end a client has seen, in no process and from no file', async () => {
    const a = new Process('a');
    const b = new Process('b');
    const tell = linked(a, b);
    a.set('k', 'x', 100_000);
    tell();
    jump(200_000, a, b);
    // Nobody has looked at the other one meanwhile.
    expect(a.get('k')).toBeNull();
    jump(-200_000, a, b);
    expect(a.get('k')).toBeNull();
    a.store.tick();
    tell();
    expect(b.get('k')).toBeNull();
    expect((await b.restarted('c')).get('k')).toBeNull();
    expect((await b.restarted('c', '/ring')).get('k')).toBeNull();
  });

  it('does not take away what was written since, where another process has seen the end', async () => {
    const a = new Process('a');
    const b = new Process('b');
    const tell = linked(a, b);
    for (const key of ['set', 'expired']) a.set(key, 'x', 100_000);
    tell();
    jump(200_000, a, b);
    a.store.tick();
    expect([a.get('set'), a.get('expired')]).toEqual([null, null]);
    jump(-200_000, a, b);
    b.set('set', 'anew');
    b.expire('expired', 10 * MINUTE);
    a.store.tick();
    tell();
    for (const process of [a, b, await a.restarted('c'), await b.restarted('c', '/ring')]) {
      expect([process.get('set'), process.get('expired')]).toEqual(['anew', 'x']);
    }
  });

  it('does not make a counter go on, or a set, that has ended', () => {
    const a = new Process('a');
    const b = new Process('b');
    const tell = linked(a, b);
    for (const process of [a, b]) {
      for (let i = 0; i < 3; i++) process.incr('n');
      process.add('s', `of ${process.store.actor}`);
    }
    tell();
    for (const key of ['n', 's']) a.expire(key, 100_000);
    tell();
    jump(200_000, a, b);
    expect([a.get('n'), a.elements('s')]).toEqual([null, []]);
    jump(-200_000, a, b);
    a.incr('n');
    a.add('s', 'new');
    expect([a.get('n'), a.elements('s')]).toEqual(['1', ['new']]);
    tell();
    expect([b.get('n'), b.elements('s')]).toEqual(['1', ['new']]);
    b.incr('n');
    tell();
    expect([a.get('n'), b.get('n')]).toEqual(['2', '2']);
  });

  it('keeps what a proxy of a fleet wrote while it was ahead', async () => {
    const a = new Process('a');
    jump(10 * MINUTE, a);
    a.set('ahead', 'x');
    a.incr('n');
    for (const element of ['a', 'b']) a.add('s', element);
    a.set('ended', 'x', 1000);
    jump(2000, a);
    expect(a.get('ended')).toBeNull();
    jump(-10 * MINUTE - 2000, a);
    a.set('since', 'x');
    const again = await a.restarted('b', '/ring');
    expect([again.get('ahead'), again.get('since'), again.get('n'), again.get('ended')]).toEqual(['x', 'x', '1', null]);
    expect(again.elements('s')).toEqual(['a', 'b']);
    // What is written from now on counts, here and where clocks are right.
    again.set('ahead', 'later');
    again.incr('n');
    const other = new Process('c');
    const tell = linked(again, other);
    again.set('since', 'later');
    tell();
    expect([again.get('ahead'), again.get('n'), other.get('since')]).toEqual(['later', '2', 'later']);
    expect(again.store.clock.accepts(again.store.clock.next())).toBe(true);
  });
});

it('a proxy whose clock is ahead does not end what was written anew before', () => {
  const right = new Process('right');
  const ahead = new Process('ahead');
  const tell = linked(right, ahead);
  for (const key of ['set', 'persisted', 'gone']) right.set(key, 'x', 10_000);
  tell();
  jump(5000, right, ahead);
  jump(20_000, ahead);
  ahead.store.tick();
  expect(ahead.get('set')).toBeNull();
  right.set('set', 'anew');
  right.expire('persisted', NEVER);
  tell();
  for (const process of [right, ahead]) {
    expect([process.get('set'), process.get('persisted')]).toEqual(['anew', 'x']);
  }
  jump(10_000, right, ahead);
  expect([right.get('gone'), right.get('set')]).toEqual([null, 'anew']);
});
