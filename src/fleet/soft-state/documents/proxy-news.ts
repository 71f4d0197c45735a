/** What each proxy tells of itself: by which ring it routes, and its load. */
import type { ProxyLoad, RingPhase } from '../../../admin/api.js';
import type { Timers } from '../../../time/timers.js';
import { isCount, isRecord, type Json } from '../../crdt/lattice.js';
import { type LwwMap, lwwMap, setEntry } from '../../crdt/lww-map.js';
import type { SoftDocument } from '../document.js';
import type { SoftState } from '../soft-state.js';

export interface ProxyNews {
  readonly generation: number;
  readonly phase: RingPhase;
  readonly load: ProxyLoad | null;
}

/** How often a proxy tells of itself, and how often one that does nothing does. */
const TELL_MS = 2000;
const TELL_ANYWAY_MS = 10_000;
const KEY = '';
const LONGEST_DATE = 40;

const PHASES: Readonly<Record<RingPhase, true>> = { stable: true, preparing: true, moving: true };

export class ProxyNewsBoard {
  readonly #state: SoftState;
  readonly #document: SoftDocument<LwwMap<Json>>;
  readonly #timers: Timers;
  readonly #read: () => ProxyNews;
  #told = '';
  #toldAt = Number.NEGATIVE_INFINITY;
  #stop: (() => void) | null = null;

  /** @param read what there is to tell of this proxy */
  constructor(state: SoftState, timers: Timers, read: () => ProxyNews) {
    this.#state = state;
    this.#timers = timers;
    this.#read = read;
    const lattice = lwwMap<Json>({ decode: (value) => encodeNews(decodeNews(value)), longestKey: 0 });
    this.#document = state.add({ name: 'news', lattice, parts: 1, mostEntries: 1 });
  }

  start(): void {
    this.#tell();
    this.#stop ??= this.#timers.every(TELL_MS, () => this.#tell());
  }

  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }

  /** @returns what a proxy has told of itself; null: nothing yet */
  of(proxy: string): ProxyNews | null {
    return decodeNews(this.#document.read(proxy, 0).get(KEY)?.value);
  }

  #tell(): void {
    const news = this.#read();
    const now = this.#timers.now();
    // The time alone is no news, but for a sign of life now and then.
    const text = JSON.stringify(news.load === null ? news : { ...news, load: { ...news.load, at: '' } });
    if (text === this.#told && now - this.#toldAt < TELL_ANYWAY_MS) return;
    const encoded = encodeNews(news);
    if (encoded === null) return;
    this.#told = text;
    this.#toldAt = now;
    this.#document.write(0, setEntry(KEY, encoded, this.#state.clock.next()));
  }
}

function encodeNews(news: ProxyNews | null): Json | null {
  if (news === null) return null;
  const { generation, phase, load } = news;
  return { generation, phase, load: load === null ? null : { ...load } };
}

/** @param value from a peer; fields that a newer version has are left out */
function decodeNews(value: unknown): ProxyNews | null {
  if (!isRecord(value)) return null;
  const { generation, phase } = value;
  const load = value.load === null ? null : decodeLoad(value.load);
  if (!isCount(generation) || !isPhase(phase) || load === undefined) return null;
  return { generation, phase, load };
}

function decodeLoad(value: unknown): ProxyLoad | undefined {
  if (!isRecord(value)) return undefined;
  const { at, clients, commandsPerSecond, errorsPerSecond, hitsPerSecond, missesPerSecond } = value;
  const { p99, cores, residentMemory } = value;
  if (typeof at !== 'string' || at.length > LONGEST_DATE || !(p99 === null || isFigure(p99))) return undefined;
  if (!isFigure(clients) || !isFigure(commandsPerSecond) || !isFigure(errorsPerSecond)) return undefined;
  if (!isFigure(hitsPerSecond) || !isFigure(missesPerSecond) || !isFigure(cores) || !isFigure(residentMemory)) {
    return undefined;
  }
  return {
    ...{ at, clients, commandsPerSecond, errorsPerSecond, hitsPerSecond, missesPerSecond },
    ...{ p99, cores, residentMemory },
  };
}

function isFigure(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

function isPhase(value: unknown): value is RingPhase {
  return typeof value === 'string' && Object.hasOwn(PHASES, value);
}
