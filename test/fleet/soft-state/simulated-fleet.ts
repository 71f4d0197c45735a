/** Members of a fleet in one process, with a clock and a network that the test decides about. */
import { type LwwMap, liveEntries, lwwMap, removeEntry, setEntry } from '../../../src/fleet/crdt/lww-map.js';
import { addTo, type ObservedSet, observedSet, removeFrom } from '../../../src/fleet/crdt/observed-set.js';
import type { SoftDocument } from '../../../src/fleet/soft-state/document.js';
import { EXCHANGE_DEFAULTS, type ExchangeOptions } from '../../../src/fleet/soft-state/exchange.js';
import { SoftState } from '../../../src/fleet/soft-state/soft-state.js';
import { ManualTimers } from '../../support/manual-timers.js';

const STEP_MS = 20;
const LATENCY_MS = 2;
const EPOCH = 1_700_000_000_000;

/** Numbers from 0 up to 1 that are the same in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface Member {
  readonly id: string;
  readonly state: SoftState;
  readonly map: SoftDocument<LwwMap<number>>;
  readonly set: SoftDocument<ObservedSet>;
  /** Milliseconds by which its wall clock is wrong. */
  skew: number;
}

export interface SimulatedOptions {
  readonly seed?: number;
  readonly exchange?: Partial<ExchangeOptions>;
}

export class SimulatedFleet {
  readonly timers = new ManualTimers();
  readonly members: Member[] = [];
  /** Whether what one says reaches the other, asked for every question and for every answer. */
  passes: (from: string, to: string) => boolean = () => true;
  questions = 0;
  bytes = 0;
  /** Of the largest question or answer. */
  largest = 0;
  readonly random: () => number;
  readonly #exchange: ExchangeOptions;
  #made = 0;

  constructor(size: number, { seed = 1, exchange = {} }: SimulatedOptions = {}) {
    this.random = seededRandom(seed);
    this.#exchange = { ...EXCHANGE_DEFAULTS, ...exchange };
    for (let i = 0; i < size; i++) this.join();
  }

  join(): Member {
    const id = `member-${++this.#made}`;
    const member = this.#create(id);
    this.members.push(member);
    this.tellMembers();
    member.state.start();
    return member;
  }

  leave(member: Member): void {
    member.state.stop();
    this.members.splice(this.members.indexOf(member), 1);
    this.tellMembers();
  }

  tellMembers(): void {
    const ids = this.members.map(({ id }) => id);
    for (const { state } of this.members) state.setMembers(ids);
  }

  async run(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += STEP_MS) {
      this.timers.advance(STEP_MS);
      await settled();
    }
  }

  /** @returns milliseconds that passed @throws Error when it does not come true within so many */
  async until(isTrue: () => boolean, milliseconds: number, what: string): Promise<number> {
    const start = this.timers.now();
    while (!isTrue()) {
      if (this.timers.now() - start >= milliseconds) throw new Error(`not within ${milliseconds} ms: ${what}`);
      await this.run(STEP_MS);
    }
    return this.timers.now() - start;
  }

  /** Whether all members have the same state. */
  isEqual(members: readonly Member[] = this.members): boolean {
    return new Set(members.map((member) => this.textOf(member))).size === 1;
  }

  /** Up to which of another one's changes a member says that it knows all. */
  changeOf({ state }: Member, of: Member): number {
    const answer = state.answer(Buffer.from('{"v":1,"from":"test","known":{}}'));
    const { known }: { known: Record<string, number> } = JSON.parse(String(answer));
    return known[of.id] ?? 0;
  }

  /** All that a member knows, of whomever. */
  textOf({ map, set }: Member): string {
    return [...this.members]
      .map(({ id }) => id)
      .sort()
      .map((id) => {
        const entries = [...map.readAll(id)].flatMap((part) => [...liveEntries(part)]);
        const elements = [...set.readAll(id)].flatMap((part) => [...part.dots.keys()]);
        return `${id}: ${entries.map(([key, value]) => `${key}=${value}`).sort()} ${elements.sort()}`;
      })
      .join('\n');
  }

  #create(id: string): Member {
    const member = { skew: 0 };
    const state = new SoftState({
      own: id,
      timers: this.timers,
      random: this.random,
      wallNow: () => EPOCH + this.timers.now() + member.skew,
      exchange: this.#exchange,
      peers: { ask: (to, body) => this.#carry(id, to, body) },
    });
    const map = state.add({ name: 'map', lattice: lwwMap({ decode: decodeNumber }), parts: 4, mostEntries: 1000 });
    const set = state.add({ name: 'set', lattice: observedSet, parts: 2, mostEntries: 1000 });
    return Object.assign(member, { id, state, map, set });
  }

  async #carry(from: string, to: string, body: Buffer): Promise<Buffer | null> {
    this.questions++;
    this.#count(body);
    await this.#wait();
    const target = this.members.find(({ id }) => id === to);
    if (target === undefined || !this.passes(from, to)) return this.#late();
    const answer = target.state.answer(body);
    if (answer === null) return null;
    this.#count(answer);
    await this.#wait();
    return this.passes(to, from) ? answer : this.#late();
  }

  #count({ length }: Buffer): void {
    this.bytes += length;
    this.largest = Math.max(this.largest, length);
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.timers.after(LATENCY_MS, resolve);
    });
  }

  #late(): Promise<null> {
    return new Promise((resolve) => {
      this.timers.after(2000, () => resolve(null));
    });
  }
}

/** What a member writes, at random. */
export function writeSomething({ map, set, state }: Member, random: () => number): void {
  const key = `k${Math.floor(random() * 30)}`;
  const part = map.partOf(key);
  const what = random();
  if (what < 0.5) map.write(part, setEntry(key, Math.floor(random() * 1000), state.clock.next()));
  else if (what < 0.6) map.write(part, removeEntry(key, state.clock.next()));
  else {
    const at = set.partOf(key);
    const own = set.read(state.own, at);
    set.write(at, what < 0.85 ? addTo(own, key, state.own) : removeFrom(own, key));
  }
}

function decodeNumber(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
