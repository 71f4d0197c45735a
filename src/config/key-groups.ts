/** The setting `key-groups`: uses of the cache that are told apart by what their keys begin with, and how each is cached. */
import { z } from 'zod';
import type { KeyGroup } from '../proxy/caching/policy.js';
import { readPolicy, writePolicy } from './cache-policy.js';

/** Each group costs some thirty series at each proxy. */
const MOST_GROUPS = 32;
const MOST_PREFIXES = 128;
const MOST_PREFIX_BYTES = 128;
const GROUP_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** Keys of no group. */
const OTHER = 'other';

const prefixes = z.union([z.string(), z.array(z.string()).min(1)]);
const detailed = z.object({ prefixes }).loose();
const shape = z.union([z.string(), z.record(z.string(), z.union([prefixes, detailed]))]);
const EXPECTED =
  'expected groups with their prefixes, such as sessions: "session:", or pages: { prefixes: ["page:", "html:"], cache: near }';

type Written =
  | string
  | readonly string[]
  | { readonly prefixes: string | readonly string[]; readonly [word: string]: unknown };

/**
 * In the file, by group: a prefix, a list of them, or an object with them and the words of a policy. As text `GROUP=PREFIX[,PREFIX…]`, with blanks between groups.
 */
export const keyGroups: z.ZodType<readonly KeyGroup[]> = z
  .unknown()
  .transform((value, context) => {
    const read = readKeyGroups(value);
    if ('groups' in read) return read.groups;
    for (const message of read.mistakes) context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .prefault({});

/** The groups, or everything that is wrong with what is written. */
export type ReadGroups = { readonly groups: readonly KeyGroup[] } | { readonly mistakes: readonly string[] };

/** @param value as it stands in the file, or in text */
export function readKeyGroups(value: unknown): ReadGroups {
  const mistakes: string[] = [];
  const fail = (message: string): void => void mistakes.push(message);
  const { success, data } = shape.safeParse(value);
  if (!success) fail(EXPECTED);
  const groups = typeof data === 'string' ? parseText(data, fail) : fromMap(data ?? {}, fail);
  mistakes.push(...mistakesOf(groups));
  return mistakes.length > 0 ? { mistakes } : { groups };
}

/** A group in words, as it is recorded and shown. */
export interface WrittenGroup {
  readonly group: string;
  readonly prefixes: readonly string[];
  /** By its words, such as `near-ttl`; none: sharded, and nothing else. */
  readonly policy: Readonly<Record<string, string>>;
}

/** In their order, which a map of them would not keep where a group's name is a number. */
export function toWritten(groups: readonly KeyGroup[]): WrittenGroup[] {
  return groups.map(({ group, prefixes, policy }) => ({ group, prefixes, policy: writePolicy(policy) }));
}

/** @returns what `toWritten` has written, or everything that is wrong with it */
export function fromWritten(written: readonly WrittenGroup[]): ReadGroups {
  const mistakes: string[] = [];
  const groups = written.map(({ group, prefixes, policy }): KeyGroup => {
    const read = readPolicy(policy);
    if ('mistakes' in read) for (const mistake of read.mistakes) mistakes.push(`group ${group}: ${mistake}`);
    return { group, prefixes, policy: 'policy' in read ? read.policy : null };
  });
  mistakes.push(...mistakesOf(groups));
  return mistakes.length > 0 ? { mistakes } : { groups };
}

/** Groups as they would be written in the file: what `keyGroups` reads as the same. */
export function writeKeyGroups(
  groups: readonly KeyGroup[],
): Record<string, Record<string, string | readonly string[]>> {
  return Object.fromEntries(groups.map(({ group, prefixes, policy }) => [group, { prefixes, ...writePolicy(policy) }]));
}

function fromMap(map: Readonly<Record<string, Written>>, fail: (message: string) => void): KeyGroup[] {
  return Object.entries(map).map(([group, given]) => {
    if (typeof given === 'string') return { group, prefixes: [given], policy: null };
    if (!('prefixes' in given)) return { group, prefixes: given, policy: null };
    const { prefixes, ...words } = given;
    const read = readPolicy(words);
    if ('mistakes' in read) for (const mistake of read.mistakes) fail(`group ${group}: ${mistake}`);
    return {
      group,
      prefixes: typeof prefixes === 'string' ? [prefixes] : prefixes,
      policy: 'policy' in read ? read.policy : null,
    };
  });
}

function parseText(text: string, fail: (message: string) => void): KeyGroup[] {
  return text
    .split(/\s+/)
    .filter((part) => part !== '')
    .flatMap((part) => {
      const at = part.indexOf('=');
      if (at > 0) return [{ group: part.slice(0, at), prefixes: part.slice(at + 1).split(','), policy: null }];
      fail(`'${part}' is not GROUP=PREFIX[,PREFIX…]`);
      return [];
    });
}

function mistakesOf(groups: readonly KeyGroup[]): string[] {
  const mistakes: string[] = [];
  const owners = new Map<string, string>();
  if (groups.length > MOST_GROUPS) mistakes.push(`${groups.length} groups: at most ${MOST_GROUPS} are counted`);
  for (const [index, { group, prefixes }] of groups.entries()) {
    if (group === OTHER) mistakes.push(`'${OTHER}' is the group of keys that no prefix fits: choose another name`);
    else if (!GROUP_NAME.test(group)) {
      mistakes.push(
        `'${group}' is not a group: 1 to 64 letters, digits, '_', '.' and '-', the first a letter or digit`,
      );
    } else if (groups.findIndex((other) => other.group === group) < index) {
      mistakes.push(`group ${group} is named twice: give it all its prefixes at once`);
    }
    if (prefixes.length === 0) mistakes.push(`group ${group} has no prefix`);
    for (const prefix of prefixes) {
      const bytes = Buffer.byteLength(prefix);
      if (bytes === 0 || bytes > MOST_PREFIX_BYTES) {
        mistakes.push(`a prefix of group ${group} has ${bytes} bytes: expected 1 to ${MOST_PREFIX_BYTES}`);
      }
      const owner = owners.get(prefix);
      if (owner !== undefined) mistakes.push(`prefix '${prefix}' of group ${group} is one of group ${owner} already`);
      owners.set(prefix, group);
    }
  }
  if (owners.size > MOST_PREFIXES) mistakes.push(`${owners.size} prefixes: at most ${MOST_PREFIXES} in all`);
  return mistakes;
}
