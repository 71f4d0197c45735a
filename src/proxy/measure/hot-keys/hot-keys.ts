/**
 * Which keys are used most, of this process: by a sketch over commands that are drawn by lot. How far apart those are
 * is random (geometrically distributed), since clients come in step: every 16th command of pipelines of 16 would be the
 * same one each time. The busier it is, the further apart: two thousand a second are as good as all of them, and what
 * they cost is bounded.
 */
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { args } from '../../../resp/request-framer.js';
import { murmur3 } from '../../../ring/hashes/murmur.js';
import { HeavyKeeper } from './heavy-keeper.js';
import { Hottest, type HottestKey, KEPT_KEY_BYTES } from './hottest.js';

/** What was counted so long ago counts half. */
const HALF_LIFE_MS = 15_000;
const FADE_PER_MS = Math.LN2 / HALF_LIFE_MS;
/** How often what was counted is made to count less. */
const FADE_EVERY_MS = 1000;

/** Keys that are looked at within a tenth of a second or so: with more draws become rarer at once. */
const BURST_LOOKS = 500;
/** With more they become rarer from the next one on, with fewer more frequent. */
const MOST_LOOKS = 200;
const FEWEST_LOOKS = 75;
/** Commands from one draw to the next, on average, at most. */
const WIDEST_GAP = 1024;
/** Of a command with more keys every so-manieth is looked at. */
const MOST_KEYS = 64;
/** So little is nothing. */
const GONE = 0.01;
/** A key that was drawn once may be any. */
const LEAST_COUNT = 1.5;

export interface HotKeysOptions {
  /** 0 to 1. */
  readonly random: () => number;
  /** Whether clients may not use the key `source[start, end)`. */
  readonly isHidden: (source: Buffer, start: number, end: number) => boolean;
  /** Milliseconds. */
  readonly now: number;
}

/** What is hot now. */
export interface UsedKeys {
  /** Uses of keys a second, of all keys. */
  readonly perSecond: number;
  /** Uses that were looked at to find out; what is long ago counts less. */
  readonly sampled: number;
  /** The hottest first; `count` is of those that were looked at. */
  readonly keys: readonly HottestKey[];
}

export class HotKeys {
  readonly #random: () => number;
  readonly #isHidden: HotKeysOptions['isHidden'];
  readonly #sketch: HeavyKeeper;
  readonly #hottest = new Hottest();
  /** Commands from one draw to the next, on average: a power of two. */
  #gap = 1;
  /** What makes a distance of a logarithm. */
  #scale = 0;
  /** Keys that were looked at in this tenth of a second, or commands without any. */
  #looks = 0;
  /** Keys that were seen, and the same as an estimate for all commands; what is long ago counts less. */
  #seen = 0;
  #used = 0;
  /** For how long they were counted, in milliseconds that count less in the same way. */
  #span = 0;
  #fadedAt: number;

  constructor({ random, isHidden, now }: HotKeysOptions) {
    this.#random = random;
    this.#isHidden = isHidden;
    this.#sketch = new HeavyKeeper(random);
    this.#fadedAt = now;
  }

  /**
   * Looks at the command at hand, which the lot has fallen on. Positions of its keys that were found before are lost.
   * @returns how many commands are to come until the next one that is to be looked at, from 1 on
   */
  draw(container: Command, argc: number, source: Buffer, database: number): number {
    if (++this.#looks > BURST_LOOKS && this.#gap < WIDEST_GAP) {
      this.#useGap(this.#gap * 2);
      // As many as there would have been by now.
      this.#looks /= 2;
    }
    const command = rowOf(container, argc, source);
    if (command !== undefined) this.#look(command, argc, source, database);
    return this.#gap === 1 ? 1 : 1 + Math.floor(Math.log(1 - this.#random()) * this.#scale);
  }

  /** To be called about ten times a second. @param now milliseconds */
  tick(now: number): void {
    if (this.#looks > MOST_LOOKS && this.#gap < WIDEST_GAP) this.#useGap(this.#gap * 2);
    else if (this.#looks < FEWEST_LOOKS && this.#gap > 1) this.#useGap(this.#gap / 2);
    this.#looks = 0;
    if (now - this.#fadedAt >= FADE_EVERY_MS) this.#fade(now);
  }

  /** What is hot now. @param now milliseconds */
  read(now: number): UsedKeys {
    this.#fade(now);
    const seconds = this.#span / 1000;
    const perSecond = seconds === 0 ? 0 : this.#used / seconds;
    return { perSecond, sampled: this.#seen, keys: this.#hottest.list(LEAST_COUNT) };
  }

  #useGap(gap: number): void {
    this.#gap = gap;
    this.#scale = gap === 1 ? 0 : 1 / Math.log(1 - 1 / gap);
  }

  #look(command: Command, argc: number, source: Buffer, database: number): void {
    const at = command.singleKeyAt;
    if (at !== 0 && at < argc) {
      this.#see(source, args.start[at] as number, args.end[at] as number, database, 1, command.readOnly);
      return;
    }
    const count = findKeys(command, args, argc, source);
    const step = count > MOST_KEYS ? count / MOST_KEYS : 1;
    if (count > 1) this.#looks += Math.min(count, MOST_KEYS) - 1;
    for (let i = step > 1 ? this.#random() * step : 0; i < count; i += step) {
      const position = keyPositions.at[Math.trunc(i)] as number;
      this.#see(source, args.start[position] as number, args.end[position] as number, database, step, command.readOnly);
    }
  }

  #see(source: Buffer, start: number, end: number, database: number, weight: number, isRead: boolean): void {
    if (this.#isHidden(source, start, end)) return;
    this.#seen += weight;
    this.#used += weight * this.#gap;
    const fingerprint = fingerprintOf(source, start, end, database);
    const reads = isRead ? weight : 0;
    const count = this.#sketch.add(fingerprint, weight);
    const slot = this.#hottest.slotOf(fingerprint);
    if (slot < 0) {
      this.#hottest.offer(fingerprint, database, source, start, end, count, isRead ? count : 0);
    } else if (this.#hottest.holds(slot, database, source, start, end)) {
      this.#hottest.add(slot, weight, reads);
    }
  }

  #fade(now: number): void {
    const passed = now - this.#fadedAt;
    if (passed <= 0) return;
    const factor = Math.exp(-FADE_PER_MS * passed);
    this.#fadedAt = now;
    // What was counted within this time fades with all of it, and so does the time.
    this.#span = (this.#span + passed) * factor;
    if (this.#seen === 0) return;
    const isGone = this.#seen * factor < GONE;
    this.#seen = isGone ? 0 : this.#seen * factor;
    this.#used = isGone ? 0 : this.#used * factor;
    this.#sketch.fade(factor);
    this.#hottest.fade(factor);
  }
}

/** @returns the subcommand that the frame holds, otherwise the command; undefined: nobody knows that one */
function rowOf(container: Command, argc: number, source: Buffer): Command | undefined {
  if (container.subcommands === null || argc < 2) return container;
  return container.subcommands.lookup(source, args.start[1] as number, args.end[1] as number);
}

/** Of the database, the length and the first bytes: a long key costs no more than a short one. */
function fingerprintOf(source: Buffer, start: number, end: number, database: number): number {
  const hash = murmur3(source, start, Math.min(end, start + KEPT_KEY_BYTES));
  let mixed = hash ^ Math.imul(database + 1, 0x9e3779b1) ^ Math.imul(end - start, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}
