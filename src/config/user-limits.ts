/** The setting `user-limits`: what single users may do, in the place of what is said for all users. */
import { z } from 'zod';
import { isUserName } from '../commands/rights/user.js';
import type { UserLimit } from '../proxy/settings/form.js';
import { suggestion } from './suggestion.js';
import { parseSize } from './units.js';
import { type PathMistake, type UsersOfConfig, unknownUsers } from './unknown-users.js';

type Word = Exclude<keyof UserLimit, 'name'>;

const MOST_CLIENTS = 1_000_000;
const MOST_COMMANDS = 100_000_000;
const MOST_BYTES = 16 * 1024 ** 3;
const EXPECTED = "expected users with their limits, such as shop: { max-clients: 100, commands: 5000, bytes: '10mb' }";

const WORDS: Readonly<Record<string, { readonly name: Word; readonly kind: string; read(value: unknown): number }>> = {
  'max-clients': {
    name: 'clients',
    kind: `a whole number from 0 to ${MOST_CLIENTS}`,
    read: (value) => count(value, MOST_CLIENTS),
  },
  commands: {
    name: 'commands',
    kind: `a whole number from 0 to ${MOST_COMMANDS}`,
    read: (value) => count(value, MOST_COMMANDS),
  },
  bytes: {
    name: 'bytes',
    kind: 'a size from 0 to 16gb, such as 10mb',
    read: (value) => {
      const bytes = parseSize(value);
      return bytes !== null && bytes <= MOST_BYTES ? bytes : Number.NaN;
    },
  },
};

const shape = z.record(z.string(), z.record(z.string(), z.unknown()));

interface Mistake {
  readonly path: string[];
  readonly message: string;
}

/** In the file, by user: an object with those of its limits that are not those of all users; 0: any number. As text: the same in JSON. */
export const userLimits: z.ZodType<readonly UserLimit[]> = z
  .unknown()
  .transform((value, context) => {
    const isText = typeof value === 'string';
    const { success, data } = shape.safeParse(isText ? parsed(value) : value);
    const mistakes: Mistake[] = [];
    if (!success) mistakes.push({ path: [], message: EXPECTED });
    const limits = Object.entries(data ?? {}).map(([name, words]) => readLimit(name, words, mistakes));
    // What is given as text has no lines.
    for (const { path, message } of mistakes) {
      context.addIssue({
        code: 'custom',
        message: isText ? [...path, message].join(': ') : message,
        path: isText ? [] : path,
      });
    }
    return mistakes.length === 0 ? limits : z.NEVER;
  })
  .prefault({});

function readLimit(name: string, words: Readonly<Record<string, unknown>>, mistakes: Mistake[]): UserLimit {
  if (!isUserName(name)) mistakes.push({ path: [name], message: 'a name has no blanks and no control characters' });
  const read = new Map<Word, number>();
  for (const [word, given] of Object.entries(words)) {
    const row = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    const value = row?.read(given) ?? Number.NaN;
    if (row !== undefined && !Number.isNaN(value)) read.set(row.name, value);
    else if (row !== undefined) mistakes.push({ path: [name, word], message: `expected ${row.kind}` });
    else {
      const known = Object.keys(WORDS);
      mistakes.push({ path: [name, word], message: `is none of ${known.join(', ')}${suggestion(word, known)}` });
    }
  }
  return { name, ...Object.fromEntries(read) };
}

/** Limits of users that there are not, such as by a slip. */
export function limitMistakes(config: UsersOfConfig & { readonly userLimits: readonly UserLimit[] }): PathMistake[] {
  return unknownUsers(
    'user-limits',
    config.userLimits.map(({ name }) => name),
    config,
  );
}

function count(value: unknown, most: number): number {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= most ? number : Number.NaN;
}

function parsed(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
