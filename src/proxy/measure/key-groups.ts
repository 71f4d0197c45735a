/**
 * What is counted for each group of keys (`key-groups`): uses of the cache that are told apart by what their keys
 * begin with. A command counts for the group of its first key, a read of several keys for each key's own group.
 */
import type { Command } from '../../commands/command.js';
import { findKeys, keyPositions } from '../../commands/keys.js';
import { args } from '../../resp/request-framer.js';
import { Histogram } from './histogram.js';
import { NO_MATCH, PrefixMatcher } from './prefix-matcher.js';

/** A group as it is configured. */
export interface KeyGroup {
  readonly group: string;
  /** What its keys begin with. */
  readonly prefixes: readonly string[];
}

/** The group of keys that no prefix fits. */
const OTHER_GROUP = 'other';
/** A command without keys belongs to no group. */
export const NO_GROUP = -1;

export class GroupCounters {
  readonly group: string;
  errors = 0;
  hits = 0;
  misses = 0;
  /** Of how many commands, too. */
  readonly time = new Histogram();

  constructor(group: string) {
    this.group = group;
  }
}

export class KeyGroups {
  /** In the order of the configuration; `other` is the last. */
  readonly counters: readonly GroupCounters[];
  /** The group of the command that is being dispatched, or NO_GROUP. */
  atHand = NO_GROUP;
  readonly #matcher: PrefixMatcher;
  readonly #other: number;

  constructor(groups: readonly KeyGroup[]) {
    this.counters = [...groups.map(({ group }) => new GroupCounters(group)), new GroupCounters(OTHER_GROUP)];
    this.#other = groups.length;
    this.#matcher = new PrefixMatcher(
      groups.flatMap(({ prefixes }, value) => prefixes.map((prefix) => ({ bytes: Buffer.from(prefix), value }))),
    );
  }

  /** The group's index among `counters`. */
  groupOf(source: Uint8Array, start: number, end: number): number {
    const found = this.#matcher.find(source, start, end);
    return found === NO_MATCH ? this.#other : found;
  }

  /** Notes the group of the frame at hand. @param command undefined: nobody knows where its keys are */
  note(command: Command | undefined, argc: number, source: Uint8Array): void {
    const at = command === undefined ? 0 : command.singleKeyAt;
    if (at !== 0 && at < argc) {
      this.atHand = this.groupOf(source, args.start[at] as number, args.end[at] as number);
    } else {
      this.atHand = command === undefined ? NO_GROUP : this.#groupOfFirstKey(command, argc, source);
    }
  }

  /** Notes the group of a command of which only the beginning is here. */
  noteKey(source: Uint8Array, start: number, end: number): void {
    this.atHand = this.groupOf(source, start, end);
  }

  answered(group: number, milliseconds: number, failed: boolean): void {
    const counters = this.counters[group];
    if (counters === undefined) return;
    if (failed) counters.errors++;
    counters.time.record(milliseconds);
  }

  /** A key was read that was there (`hit`), or was not. */
  read(group: number, hit: boolean): void {
    const counters = this.counters[group];
    if (counters === undefined) return;
    if (hit) counters.hits++;
    else counters.misses++;
  }

  /** The groups of the keys of the split command at hand, in their order. @param step arguments from key to key */
  ofKeys(source: Uint8Array, keys: number, step: number): Uint8Array {
    const groups = new Uint8Array(keys);
    for (let i = 0; i < keys; i++) {
      const at = 1 + i * step;
      groups[i] = this.groupOf(source, args.start[at] as number, args.end[at] as number);
    }
    return groups;
  }

  #groupOfFirstKey(container: Command, argc: number, source: Uint8Array): number {
    let command: Command | undefined = container;
    if (container.subcommands !== null && argc > 1) {
      command = container.subcommands.lookup(source, args.start[1] as number, args.end[1] as number);
    }
    if (command === undefined) return NO_GROUP;
    let at = 0;
    // Where it is known without looking at all of them.
    if (command.keys.kind === 'range') at = command.keys.first;
    else if (findKeys(command, args, argc, source) > 0) at = keyPositions.at[0] as number;
    if (at <= 0 || at >= argc) return NO_GROUP;
    return this.groupOf(source, args.start[at] as number, args.end[at] as number);
  }
}
