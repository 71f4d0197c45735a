/** The setting `key-groups`: uses of the cache that are told apart by what their keys begin with, and how each is cached. */
import { z } from 'zod';
import type { KeyGroup } from '../proxy/caching/policy.js';
import { readPolicy, writePolicy } from './cache-policy.js';
import { suggestion } from './suggestion.js';

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
    const { groups, mistakes } = read(value);
    // What is given as text has no lines.
    const isText = typeof value === 'string';
    for (const { path, message } of mistakes) {
      context.addIssue({ code: 'custom', message, path: isText ? [] : [...path] });
    }
    return mistakes.length === 0 ? groups : z.NEVER;
  })
  .prefault({});

/** The groups, or everything that is wrong with what is written. */
export type ReadGroups = { readonly groups: readonly KeyGroup[] } | { readonly mistakes: readonly string[] };

/** @param value as it stands in the file, or in text */
export function readKeyGroups(value: unknown): ReadGroups {
  return refusedOr(read(value));
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
  const mistakes: Mistake[] = [];
  const groups = written.map(({ group, prefixes, policy }) => groupOf(group, prefixes, policy, mistakes));
  mistakes.push(...mistakesOf(groups));
  return refusedOr({ groups, mistakes });
}

/** Groups as they would be written in the file: what `keyGroups` reads as the same. */
export function writeKeyGroups(
  groups: readonly KeyGroup[],
): Record<string, Record<string, string | readonly string[]>> {
  return Object.fromEntries(groups.map(({ group, prefixes, policy }) => [group, { prefixes, ...writePolicy(policy) }]));
}

interface Mistake {
  /** Where it is inside of the setting: the group, and the word. */
  readonly path: readonly string[];
  readonly message: string;
}

interface Read {
  readonly groups: readonly KeyGroup[];
  readonly mistakes: readonly Mistake[];
}

function read(value: unknown): Read {
  const { success, data } = shape.safeParse(value);
  if (!success) {
    const without = groupsWithoutPrefixes(value);
    return { groups: [], mistakes: without.length > 0 ? without : [{ path: [], message: EXPECTED }] };
  }
  const mistakes: Mistake[] = [];
  const groups = typeof data === 'string' ? parseText(data, mistakes) : fromMap(data, mistakes);
  mistakes.push(...mistakesOf(groups));
  return { groups, mistakes };
}

/** Objects that lack the one word that a group must have. */
function groupsWithoutPrefixes(value: unknown): Mistake[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([group, words]): Mistake[] => {
    if (typeof words !== 'object' || words === null || Array.isArray(words) || 'prefixes' in words) return [];
    const near = Object.keys(words).find((word) => suggestion(word, ['prefixes']) !== '');
    const hint = near === undefined ? `: ${EXPECTED}` : `, but '${near}': did you mean prefixes?`;
    return [{ path: near === undefined ? [group] : [group, near], message: `group ${group} has no prefixes${hint}` }];
  });
}

function refusedOr({ groups, mistakes }: Read): ReadGroups {
  return mistakes.length === 0 ? { groups } : { mistakes: mistakes.map(({ message }) => message) };
}

function groupOf(
  group: string,
  prefixes: readonly string[],
  words: Readonly<Record<string, unknown>>,
  mistakes: Mistake[],
): KeyGroup {
  const read = readPolicy(words);
  if ('policy' in read) return { group, prefixes, policy: read.policy };
  for (const { word, message } of read.mistakes) {
    mistakes.push({ path: [group, word], message: `group ${group}: ${message}` });
  }
  return { group, prefixes, policy: null };
}

function fromMap(map: Readonly<Record<string, Written>>, mistakes: Mistake[]): KeyGroup[] {
  return Object.entries(map).map(([group, given]) => {
    if (typeof given === 'string') return { group, prefixes: [given], policy: null };
    if (!('prefixes' in given)) return { group, prefixes: given, policy: null };
    const { prefixes, ...words } = given;
    return groupOf(group, typeof prefixes === 'string' ? [prefixes] : prefixes, words, mistakes);
  });
}

function parseText(text: string, mistakes: Mistake[]): KeyGroup[] {
  return text
    .split(/\s+/)
    .filter((part) => part !== '')
    .flatMap((part) => {
      const at = part.indexOf('=');
      if (at > 0) return [{ group: part.slice(0, at), prefixes: part.slice(at + 1).split(','), policy: null }];
      mistakes.push({ path: [], message: `'${part}' is not GROUP=PREFIX[,PREFIX…]` });
      return [];
    });
}

function mistakesOf(groups: readonly KeyGroup[]): Mistake[] {
  const mistakes: Mistake[] = [];
  const owners = new Map<string, string>();
  const fail = (message: string, ...path: readonly string[]): void => void mistakes.push({ path, message });
  if (groups.length > MOST_GROUPS) fail(`${groups.length} groups: at most ${MOST_GROUPS} are counted`);
  for (const [index, { group, prefixes }] of groups.entries()) {
    if (group === OTHER) fail(`'${OTHER}' is the group of keys that no prefix fits: choose another name`, group);
    else if (!GROUP_NAME.test(group)) {
      fail(`'${group}' is not a group: 1 to 64 letters, digits, '_', '.' and '-', the first a letter or digit`, group);
    } else if (groups.findIndex((other) => other.group === group) < index) {
      fail(`group ${group} is named twice: give it all its prefixes at once`, group);
    }
    if (prefixes.length === 0) fail(`group ${group} has no prefix`, group);
    for (const prefix of prefixes) {
      const bytes = Buffer.byteLength(prefix);
      if (bytes === 0 || bytes > MOST_PREFIX_BYTES) {
        fail(`a prefix of group ${group} has ${bytes} bytes: expected 1 to ${MOST_PREFIX_BYTES}`, group);
      }
      const owner = owners.get(prefix);
      if (owner !== undefined) fail(`prefix '${prefix}' of group ${group} is one of group ${owner} already`, group);
      owners.set(prefix, group);
    }
  }
  if (owners.size > MOST_PREFIXES) fail(`${owners.size} prefixes: at most ${MOST_PREFIXES} in all`);
  return mistakes;
}
