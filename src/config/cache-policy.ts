/** What a group of `key-groups` may say of how its keys are cached: one row for each word, with what it may be. */
import { CACHE_TYPES, type CachePolicy, READ_FROM, SHARDED } from '../proxy/caching/policy.js';
import { formatDuration, formatSize, parseDuration, parseSize } from './units.js';

/** One word of a policy: how it is read, and how it is written again. */
interface Word<Value> {
  readonly help: string;
  /** What may be written, for people. */
  readonly kind: string;
  /** @returns null: it cannot be read */
  read(value: unknown): Value | null;
  write(value: Value): string;
}

const WEEK_MS = 7 * 86_400_000;
/** Longer ones are slips, and nothing in Redis lives longer either. */
const MOST_TTL_MS = 520 * WEEK_MS;

/** Replicas are asked ten times a second how far they are. */
const LEAST_LAG_MS = 250;

const WORDS: { readonly [Name in keyof CachePolicy]: Word<CachePolicy[Name]> } = {
  cache: {
    help: 'where values are: sharded over the nodes, also near (in the proxy), or replicated (in all proxies, on no node)',
    kind: CACHE_TYPES.join(', '),
    read: (value) => CACHE_TYPES.find((type) => type === value) ?? null,
    write: (value) => value,
  },
  nearTtl: duration('near: the greatest age of a value that is kept', 1, 3_600_000),
  fillWait: duration(
    'how long a client has to fill a key that it misses; others wait for it, for two of them at most',
    0,
    60_000,
  ),
  stale: duration('near: how long others get the last value while the key is filled anew', 0, 86_400_000),
  earlyRefresh: {
    help: 'near: one client sees a miss shortly before the key expires',
    kind: 'on, off',
    read: (value) => (value === true || value === 'on' ? true : value === false || value === 'off' ? false : null),
    write: (value) => (value ? 'on' : 'off'),
  },
  defaultTtl: duration('time to live of a key that is made without one', 0, MOST_TTL_MS),
  ttlJitter: {
    help: 'times to live are shortened by a random share of themselves, up to this one',
    kind: 'a share, such as 10%, up to 90%',
    read: readShare,
    write: (value) => `${Math.round(value * 10_000) / 100}%`,
  },
  maxTtl: duration('longest time to live', 0, MOST_TTL_MS),
  maxValueBytes: {
    help: 'longest value; a larger one is refused',
    kind: 'size, up to 512mb',
    read: (value) => {
      const bytes = parseSize(value);
      return bytes !== null && bytes <= 512 * 1024 ** 2 ? bytes : null;
    },
    write: formatSize,
  },
  readFrom: {
    help: 'sharded: who answers reads of one key, the master of its node or a replica of it that is late by no more than max-lag',
    kind: READ_FROM.join(', '),
    read: (value) => READ_FROM.find((role) => role === value) ?? null,
    write: (value) => value,
  },
  maxLag: duration('read-from: replica: by how much what is read may be late', LEAST_LAG_MS, 60_000),
};

/** By the word as it is written, such as `near-ttl`. */
const NAMES = new Map(
  (Object.keys(WORDS) as (keyof CachePolicy)[]).map((name) => [
    name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    name,
  ]),
);

/** What may stand beside a group's prefixes, with what it may be and what it does, for people. */
export const policyWords: readonly { readonly word: string; readonly kind: string; readonly help: string }[] = [
  ...NAMES,
].map(([word, name]) => ({ word, kind: WORDS[name].kind, help: WORDS[name].help }));

export interface PolicyMistake {
  /** Which one is wrong. */
  readonly word: string;
  readonly message: string;
}

/** @param what as it is written, by its words; @returns the policy (null: sharded, and nothing else), or what is wrong */
export function readPolicy(
  what: Readonly<Record<string, unknown>>,
): { readonly policy: CachePolicy | null } | { readonly mistakes: readonly PolicyMistake[] } {
  const mistakes: PolicyMistake[] = [];
  let policy: CachePolicy = SHARDED;
  for (const [word, value] of Object.entries(what)) {
    const name = NAMES.get(word);
    if (name === undefined) {
      mistakes.push({ word, message: `'${word}' is none of prefixes, ${[...NAMES.keys()].join(', ')}` });
      continue;
    }
    const read = WORDS[name].read(value);
    if (read === null) {
      mistakes.push({ word, message: `${word} is '${String(value)}': expected ${WORDS[name].kind}` });
    } else policy = { ...policy, [name]: read };
  }
  // What fits a type, nobody knows who cannot read which one it is.
  if (!mistakes.some(({ word }) => word === 'cache')) mistakes.push(...contradictionsIn(policy, Object.keys(what)));
  if (mistakes.length > 0) return { mistakes };
  return { policy: samePolicy(policy, SHARDED) ? null : policy };
}

/** @returns the words that say what `readPolicy` reads as this policy; none for null */
export function writePolicy(policy: CachePolicy | null): Record<string, string> {
  const words: Record<string, string> = {};
  if (policy === null) return words;
  for (const [word, name] of NAMES) if (policy[name] !== SHARDED[name]) words[word] = writeWord(policy, name);
  return words;
}

/** The words of a policy with what they mean, in Markdown. */
export function policyReference(): string {
  const rows = [...NAMES].map(([word, name]) => {
    const { help, kind } = WORDS[name];
    return `| \`${word}\` | ${kind} | \`${writeWord(SHARDED, name)}\` | ${help} |`;
  });
  return ['| word | value | default | what it does |', '|---|---|---|---|', ...rows].join('\n');
}

function writeWord<Name extends keyof CachePolicy>(policy: CachePolicy, name: Name): string {
  return WORDS[name].write(policy[name]);
}

function samePolicy(one: CachePolicy, other: CachePolicy): boolean {
  return [...NAMES.values()].every((name) => one[name] === other[name]);
}

/** @param said the words that are written */
function contradictionsIn(policy: CachePolicy, said: readonly string[]): PolicyMistake[] {
  const found: PolicyMistake[] = [];
  const refuse = (words: readonly string[], why: string): void => {
    for (const word of words) if (said.includes(word)) found.push({ word, message: `${word} ${why}` });
  };
  if (policy.cache !== 'near') refuse(['near-ttl', 'stale', 'early-refresh'], 'is only for cache: near');
  if (policy.cache === 'replicated') {
    refuse(['fill-wait', 'default-ttl', 'ttl-jitter', 'max-ttl'], 'is not for cache: replicated');
  }
  if (policy.cache !== 'sharded' && policy.readFrom !== 'master') refuse(['read-from'], 'is only for cache: sharded');
  // A miss at a replica that is late would have a key filled that is there.
  if (policy.fillWait > 0 && policy.readFrom !== 'master') refuse(['read-from'], 'is not for groups with fill-wait');
  if (policy.readFrom !== 'replica') refuse(['max-lag'], 'is only for read-from: replica');
  if (policy.maxTtl > 0 && policy.defaultTtl > policy.maxTtl) refuse(['default-ttl'], 'is longer than max-ttl');
  return found;
}

/** @param least milliseconds, as is `most` */
function duration(help: string, least: number, most: number): Word<number> {
  return {
    help,
    kind: `duration from ${formatDuration(least)} to ${formatDuration(most)}`,
    read: (value) => {
      const milliseconds = parseDuration(value);
      return milliseconds !== null && milliseconds >= least && milliseconds <= most ? milliseconds : null;
    },
    write: formatDuration,
  };
}

/** @returns of `10%` or `0.1`; null beyond 0.9: a time to live is not to become nothing */
function readShare(value: unknown): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(String(value).trim());
  if (match === null) return null;
  const share = Number(match[1]) / (match[2] === '%' ? 100 : 1);
  return share <= 0.9 ? share : null;
}
