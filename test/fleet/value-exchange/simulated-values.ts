/** Values of proxies in one process, with clocks and a network that the test decides about. */
import { ValueExchange } from '../../../src/fleet/value-exchange/exchange.js';
import { ValueSnapshot } from '../../../src/fleet/value-snapshot/value-snapshot.js';
import { NEVER } from '../../../src/fleet/values/key-state.js';
import { bulkOf } from '../../../src/fleet/values/read-state.js';
import { ValueStore } from '../../../src/fleet/values/store.js';
import { adding, counting, deletion, setting } from '../../../src/proxy/features/replicated/deltas.js';
import { ManualTimers } from '../../support/manual-timers.js';

export const EPOCH = 1_700_000_000_000;
const STEP_MS = 50;
const LIMIT = 64 * 1024 ** 2;
const JOIN_MS = 5000;

export interface Member {
  readonly id: string;
  readonly store: ValueStore;
  readonly exchange: ValueExchange;
  /** By how much it is wrong: milliseconds. */
  readonly clock: { skew: number };
  /** What it says of its file; null: it has none. */
  readonly file: { readonly snapshot: ValueSnapshot; readonly said: readonly string[] } | null;
}

export class SimulatedValues {
  readonly timers = new ManualTimers();
  readonly members: Member[] = [];
  passes: (from: string, to: string) => boolean = () => true;
  bytes = 0;
  questions = 0;
  largest = 0;
  #made = 0;

  constructor(size: number) {
    for (let i = 0; i < size; i++) this.join();
  }

  at(index: number): Member {
    return this.members[index % this.members.length] as Member;
  }

  join(): Member {
    const member = this.#make(null);
    this.#enter(member);
    return member;
  }

  /** One with a file, that may have been written by one of before. @param ring which one its values are of */
  async start(path: string, ring = 'here'): Promise<Member> {
    const member = this.#make({ path, ring });
    const snapshot = member.file?.snapshot;
    await snapshot?.open(null);
    this.#enter(member);
    await this.#joined(member);
    const { hasCompared } = member.exchange;
    await snapshot?.restore({ isAlone: !hasCompared, belongs: (key) => !key.startsWith('not:') });
    member.exchange.compareNow();
    if (hasCompared) await this.#joined(member);
    snapshot?.start();
    return member;
  }

  /** It leaves, and tells what it has written last. */
  async stop(member: Member): Promise<void> {
    this.members.splice(this.members.indexOf(member), 1);
    await Promise.all([member.file?.snapshot.close(), member.exchange.close(JOIN_MS)]);
    this.tellMembers();
  }

  tellMembers(): void {
    for (const { exchange } of this.members) exchange.setMembers(this.members.map(({ id }) => id));
  }

  async run(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += STEP_MS) {
      this.timers.advance(STEP_MS);
      for (const { store } of this.members) store.tick();
      for (let i = 0; i < 4; i++) await new Promise(setImmediate);
    }
  }

  /** What clients see at each member. */
  seen(): string[] {
    return this.members.map(({ store }) => {
      const all: string[] = [];
      for (let database = 0; database < store.databases; database++) {
        for (const { key } of store.entriesOf(database)) {
          const entry = store.find(database, key);
          if (entry === null) continue;
          const value =
            entry.state.base !== null || entry.state.counts !== null
              ? bulkOf(entry.state).toString()
              : [...entry.state.present()].sort();
          all.push(JSON.stringify([database, key, value, entry.state.expiry?.at ?? null]));
        }
      }
      return all.sort().join('\n');
    });
  }

  async #joined({ exchange }: Member): Promise<void> {
    let isJoined = false;
    void exchange.joined(JOIN_MS).then(() => {
      isJoined = true;
    });
    do await this.run(STEP_MS);
    while (!isJoined);
  }

  #make(file: { readonly path: string; readonly ring: string } | null): Member {
    const id = `member-${++this.#made}`;
    const clock = { skew: 0 };
    const wallNow = (): number => EPOCH + this.timers.now() + clock.skew;
    const store = new ValueStore({ databases: 2, limit: LIMIT, actor: id, wallNow });
    const peers = { ask: (to: string, body: Buffer) => this.#ask(id, to, body) };
    const exchange = new ValueExchange({ own: id, store, peers, timers: this.timers, isWanted: () => true });
    if (file === null) return { id, store, exchange, clock, file };
    const said: string[] = [];
    const say = (message: string): void => {
      said.push(message);
    };
    const ports = { ...file, store, timers: this.timers, knownUpTo: () => exchange.knownUpTo, info: say, warn: say };
    return { id, store, exchange, clock, file: { snapshot: new ValueSnapshot(ports), said } };
  }

  #enter(member: Member): void {
    this.members.push(member);
    this.tellMembers();
    member.exchange.start();
  }

  async #ask(from: string, to: string, body: Buffer): Promise<Buffer | null> {
    const target = this.members.find(({ id }) => id === to);
    await new Promise(setImmediate);
    this.questions++;
    if (target === undefined || !this.passes(from, to)) return null;
    const answer = target.exchange.answer(from, Buffer.from(body));
    this.bytes += body.length + (answer?.length ?? 0);
    this.largest = Math.max(this.largest, body.length, answer?.length ?? 0);
    return this.passes(to, from) ? answer : null;
  }
}

export function set({ store }: Member, key: string, value: string, at = NEVER): void {
  store.findToWrite(0, key);
  store.write(0, key, setting(store.clock, Buffer.from(value), at));
}

export function remove({ store }: Member, key: string): void {
  if (store.findToWrite(0, key) !== null) store.write(0, key, deletion(store.clock));
}

export function count({ store }: Member, key: string, by = 1): void {
  const known = store.findToWrite(0, key)?.state ?? null;
  store.write(0, key, counting(store.clock, store.actor, known, BigInt(by)));
}

export function add({ store }: Member, key: string, element: string): void {
  const known = store.findToWrite(0, key)?.state ?? null;
  store.write(0, key, adding(store.clock, store.actor, known, [element]));
}
