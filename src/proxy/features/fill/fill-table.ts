import { Fill } from './fill.js';

/** Beyond these bounds reads miss as they do without `fill-wait`. */
const MOST_FILLS = 65_536;
const LONGEST_KEY = 1024;
/** How many at a time are looked at for those that are over. */
const SWEPT_AT_ONCE = 1000;
const SWEEP_MS = 1000;

/** Fills by key, and of each key by database: the names of changed keys come without one. */
export class FillTable {
  readonly #byKey = new Map<string, Fill[]>();
  #size = 0;
  #sweep: NodeJS.Timeout | null = null;
  readonly #isOver: (fill: Fill) => boolean;

  /** @param isOver whether nobody needs the fill any more */
  constructor(isOver: (fill: Fill) => boolean) {
    this.#isOver = isOver;
  }

  get size(): number {
    return this.#size;
  }

  /** Of this key in all databases. */
  of(key: Buffer, start: number, end: number): readonly Fill[] {
    if (this.#size === 0 || end - start > LONGEST_KEY) return NONE;
    return this.#byKey.get(key.toString('latin1', start, end)) ?? NONE;
  }

  find(key: Buffer, start: number, end: number, database: number): Fill | null {
    for (const fill of this.of(key, start, end)) if (fill.database === database) return fill;
    return null;
  }

  /** @param key belongs to the fill from now on @returns null: there are as many as may be, or the key is too long */
  add(key: Buffer, database: number): Fill | null {
    if (this.#size >= MOST_FILLS || key.length > LONGEST_KEY) return null;
    const name = key.toString('latin1');
    const fill = new Fill(key, database);
    const others = this.#byKey.get(name);
    if (others === undefined) this.#byKey.set(name, [fill]);
    else others.push(fill);
    this.#size++;
    if (this.#sweep === null) {
      this.#sweep = setTimeout(() => this.#sweepOnce(), SWEEP_MS);
      this.#sweep.unref();
    }
    return fill;
  }

  *[Symbol.iterator](): Generator<Fill> {
    for (const fills of this.#byKey.values()) yield* fills;
  }

  close(): void {
    if (this.#sweep !== null) clearTimeout(this.#sweep);
    this.#sweep = null;
  }

  /** Those that came first are mostly over first. */
  #sweepOnce(): void {
    this.#sweep = null;
    let left = SWEPT_AT_ONCE;
    let found = 0;
    for (const [name, fills] of this.#byKey) {
      if (left-- === 0) break;
      const rest = fills.filter((fill) => !this.#isOver(fill));
      if (rest.length === fills.length) continue;
      found += fills.length - rest.length;
      if (rest.length === 0) this.#byKey.delete(name);
      else this.#byKey.set(name, rest);
    }
    this.#size -= found;
    if (this.#size === 0) return;
    // Many are over: the others are looked at soon.
    this.#sweep = setTimeout(() => this.#sweepOnce(), found > SWEPT_AT_ONCE / 2 ? 10 : SWEEP_MS);
    this.#sweep.unref();
  }
}

const NONE: readonly Fill[] = [];
