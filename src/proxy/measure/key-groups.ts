/**
 * The groups of keys (`key-groups`): uses of the cache that are told apart by what their keys begin with, how each is
 * cached, and what is counted of each. A command counts for the group of its first key, a read of several keys for each
 * key's own group.
 */
import type { Command } from '../../commands/command.js';
import { findKeys, keyPositions } from '../../commands/keys.js';
import { args } from '../../resp/request-framer.js';
import type { KeyPolicies } from '../caching/key-policies.js';
import type { CachePolicy, KeyGroup } from '../caching/policy.js';
import type { Companion } from '../request/companion.js';
import { type FillOutcome, noFills } from './fill-counts.js';
import { Histogram } from './histogram.js';
import { NO_GROUP } from './marks.js';
import { NO_MATCH, PrefixMatcher } from './prefix-matcher.js';
import { noReplicaReads, type ReplicaReadOutcome } from './replica-read-counts.js';

/** The group of keys that no prefix fits. */
export const OTHER_GROUP = 'other';
/** The name of the command stands there. */
const NO_KEY = 0;

export { NO_GROUP };

export class GroupCounters {
  readonly group: string;
  /** By which records of its keys know it. */
  readonly number: number;
  errors = 0;
  hits = 0;
  misses = 0;
  /** Reads that may be answered from what is kept near: those that were, and were not. */
  nearHits = 0;
  nearMisses = 0;
  /** What became of misses that others may wait for. */
  readonly fills = noFills();
  /** Who has answered reads that a replica may. */
  readonly replicaReads = noReplicaReads();
  /** Of how many commands, too. */
  readonly time = new Histogram();

  constructor(group: string, number: number) {
    this.group = group;
    this.number = number;
  }
}

/** Numbers of groups are kept in bytes, for each key of a read of several. */
const MOST_NUMBERS = 256;
const OTHER = 0;

export class KeyGroups {
  /** There are groups, or keys with a policy of their own: what is at hand is kept up to date. */
  active = false;
  /** There are keys that are not just sharded. */
  hasPolicies = false;
  /** In the order of the configuration, `other` last; none when no groups are configured. */
  counters: readonly GroupCounters[] = [];
  /** The group of the command that is being dispatched, by its number, or NO_GROUP. */
  atHand = NO_GROUP;
  /** How the first key of the command that is being dispatched is cached; null: sharded. */
  policyAtHand: CachePolicy | null = null;
  /** A key of the command that is being dispatched is, or may be, of a group with a policy. */
  isManaged = false;
  /** Goes with the request that the command at hand becomes, if it becomes one; null: nobody does. */
  companion: Companion | null = null;
  #groups: readonly KeyGroup[] = [];
  /** Keys of groups without a policy that have one all the same; null: there are none. */
  #ofKeys: KeyPolicies | null = null;
  #matcher = new PrefixMatcher([]);
  /** By the group's number. Groups that are gone keep theirs, since commands in flight have it and the group may come back. */
  readonly #numbered: GroupCounters[] = [new GroupCounters(OTHER_GROUP, OTHER)];
  /** By the group's number. */
  #policies: readonly (CachePolicy | null)[] = [null];

  constructor(groups: readonly KeyGroup[]) {
    this.use(groups);
  }

  /** From now on these are the groups. Who was counted goes on counting. */
  use(groups: readonly KeyGroup[]): void {
    const numbers = groups.map(({ group }) => this.#numberOf(group, groups));
    const policies = this.#numbered.map((): CachePolicy | null => null);
    for (const [index, number] of numbers.entries()) policies[number] = groups[index]?.policy ?? null;
    this.#groups = groups;
    this.#policies = policies;
    this.#matcher = new PrefixMatcher(
      groups.flatMap(({ prefixes }, index) =>
        prefixes.map((prefix) => ({ bytes: Buffer.from(prefix), value: numbers[index] as number })),
      ),
    );
    const listed = groups.length === 0 ? [] : [...numbers, OTHER];
    this.counters = listed.map((number) => this.#numbered[number] as GroupCounters);
    this.#reset();
  }

  /** From now on these keys are cached so, where their groups say nothing. @param policies null: none are */
  useKeys(policies: KeyPolicies | null): void {
    this.#ofKeys = policies;
    this.#reset();
  }

  /** Keys that have a policy of their own. */
  get keysWithPolicies(): readonly Buffer[] {
    return this.#ofKeys?.keys ?? [];
  }

  /** As they were configured. */
  get groups(): readonly KeyGroup[] {
    return this.#groups;
  }

  /** The group's number. */
  groupOf(source: Uint8Array, start: number, end: number): number {
    const found = this.#matcher.find(source, start, end);
    return found === NO_MATCH ? OTHER : found;
  }

  /** How the key is cached; null: sharded. */
  policyOf(source: Uint8Array, start: number, end: number): CachePolicy | null {
    return this.#policyOf(this.groupOf(source, start, end), source, start, end);
  }

  /** How the key's group has it cached, whatever the key's own policy is; null: the group says nothing. */
  policyOfGroup(source: Uint8Array, start: number, end: number): CachePolicy | null {
    return this.#policies[this.groupOf(source, start, end)] ?? null;
  }

  /** How the group with this number has its keys cached; null: it says nothing. */
  policyOfNumber(number: number): CachePolicy | null {
    return this.#policies[number] ?? null;
  }

  /** The name of the group with this number. */
  nameOf(number: number): string {
    return this.#numbered[number]?.group ?? OTHER_GROUP;
  }

  /** Notes the group of the frame at hand. @param command undefined: nobody knows where its keys are */
  note(command: Command | undefined, argc: number, source: Uint8Array): void {
    const at = command === undefined ? 0 : command.singleKeyAt;
    if (at !== 0 && at < argc) {
      this.noteKey(source, args.start[at] as number, args.end[at] as number);
      return;
    }
    const key = command === undefined ? NO_KEY : firstKey(command, argc, source);
    if (key === NO_KEY) {
      this.atHand = NO_GROUP;
      this.companion = null;
      this.policyAtHand = null;
    } else this.noteKey(source, args.start[key] as number, args.end[key] as number);
    // Which of several keys have a policy, whoever handles them finds out: unless none of them has.
    this.isManaged = this.hasPolicies && (command === undefined || this.#mayHavePolicies(command, argc, source));
  }

  /** Whether a command of several keys, or of none, may concern a key that has a policy. */
  #mayHavePolicies({ splitStep }: Command, argc: number, source: Uint8Array): boolean {
    // Only of those that are split by their keys is it certain that they touch no others.
    if (splitStep === 0 || argc < 2) return true;
    for (let i = 1; i < argc; i += splitStep) {
      if (this.policyOf(source, args.start[i] as number, args.end[i] as number) !== null) return true;
    }
    return false;
  }

  /** Notes the group of this key, also where only the beginning of its command is here. */
  noteKey(source: Uint8Array, start: number, end: number): void {
    const number = this.groupOf(source, start, end);
    const policy = this.#policyOf(number, source, start, end);
    this.atHand = number;
    this.companion = null;
    this.policyAtHand = policy;
    this.isManaged = policy !== null;
  }

  answered(group: number, milliseconds: number, failed: boolean): void {
    const counters = this.#numbered[group];
    if (counters === undefined) return;
    if (failed) counters.errors++;
    counters.time.record(milliseconds);
  }

  /** So many commands were answered as soon as they came. */
  answeredAtOnce(group: number, count: number): void {
    this.#numbered[group]?.time.recordMany(0, count);
  }

  /** So many keys were read that were there, and that were not. */
  readMany(group: number, hits: number, misses: number): void {
    const counters = this.#numbered[group];
    if (counters === undefined) return;
    counters.hits += hits;
    counters.misses += misses;
  }

  /** So many keys were read that were kept near. */
  nearHits(group: number, count: number): void {
    const counters = this.#numbered[group];
    if (counters !== undefined) counters.nearHits += count;
  }

  /** A key was read that was there (`hit`), or was not. */
  read(group: number, hit: boolean): void {
    const counters = this.#numbered[group];
    if (counters === undefined) return;
    if (hit) counters.hits++;
    else counters.misses++;
  }

  /** A key was read that was kept near (`hit`), or was not and may be. */
  nearRead(group: number, hit: boolean): void {
    const counters = this.#numbered[group];
    if (counters === undefined) return;
    if (hit) counters.nearHits++;
    else counters.nearMisses++;
  }

  /** What became of a miss in a group with `fill-wait`. */
  filled(group: number, outcome: FillOutcome): void {
    const counters = this.#numbered[group];
    if (counters !== undefined) counters.fills[outcome]++;
  }

  /** Who has answered a read in a group with `read-from: replica`, or why it is to be the master. */
  replicaRead(group: number, outcome: ReplicaReadOutcome): void {
    const counters = this.#numbered[group];
    if (counters !== undefined) counters.replicaReads[outcome]++;
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

  #policyOf(number: number, source: Uint8Array, start: number, end: number): CachePolicy | null {
    const policy = this.#policies[number] ?? null;
    return policy === null && this.#ofKeys !== null ? this.#ofKeys.of(source, start, end) : policy;
  }

  /** Groups or policies have changed. */
  #reset(): void {
    this.active = this.#groups.length > 0 || this.#ofKeys !== null;
    this.hasPolicies = this.#groups.some(({ policy }) => policy !== null) || this.#ofKeys !== null;
    this.atHand = NO_GROUP;
    this.policyAtHand = null;
    this.isManaged = false;
    this.companion = null;
  }

  /** @param wanted groups whose numbers are not given to another one */
  #numberOf(group: string, wanted: readonly KeyGroup[]): number {
    const known = this.#numbered.findIndex((counters, number) => number !== OTHER && counters.group === group);
    if (known !== -1) return known;
    const number = this.#numbered.length;
    if (number < MOST_NUMBERS) return this.#numbered.push(new GroupCounters(group, number)) - 1;
    // There are fewer groups at a time than numbers, so one of them is of a group that is gone: the one for longest.
    const free = this.#numbered.findIndex(
      (old, number) => number !== OTHER && !wanted.some((one) => one.group === old.group),
    );
    this.#numbered.splice(free, 1, new GroupCounters(group, free));
    return free;
  }
}

/** Of the first key of the frame at hand: its position among the arguments, or NO_KEY. */
function firstKey(container: Command, argc: number, source: Uint8Array): number {
  let command: Command | undefined = container;
  if (container.subcommands !== null && argc > 1) {
    command = container.subcommands.lookup(source, args.start[1] as number, args.end[1] as number);
  }
  if (command === undefined) return NO_KEY;
  let at = NO_KEY;
  // Where it is known without looking at all of them.
  if (command.keys.kind === 'range') at = command.keys.first;
  else if (findKeys(command, args, argc, source) > 0) at = keyPositions.at[0] as number;
  return at > 0 && at < argc ? at : NO_KEY;
}
