/** Rights are those of a Redis: rules and commands by lot, and its ACL DRYRUN as the referee. */
import type { Redis } from 'ioredis';
import { beforeAll, expect, it } from 'vitest';
import { buildCommandTable } from '../../../src/commands/build.js';
import type { Command } from '../../../src/commands/command.js';
import { ALLOWED, DENIED_CHANNEL, DENIED_COMMAND, decide, denied } from '../../../src/commands/rights/check.js';
import { describeUser } from '../../../src/commands/rights/describe.js';
import type { Words } from '../../../src/commands/rights/find-access.js';
import { makeUser, type User } from '../../../src/commands/rights/user.js';
import { AclFuzz, seeded } from '../../support/acl-fuzz.js';
import { startRedis } from '../../support/redis-process.js';

/** `RINGPROXY_ACL_PAIRS=100000` for a long run by hand. */
const PAIRS = Number(process.env.RINGPROXY_ACL_PAIRS ?? 6000);
const SEED = Number(process.env.RINGPROXY_ACL_SEED ?? 1);
const COMMANDS_PER_USER = 40;
/**
 * MIGRATE the proxy refuses. Of PFMERGE with a target alone Redis looks at no key, and the proxy at the target. WAIT is
 * in the category `blocking` in newer versions.
 */
const APART: readonly string[] = ['migrate', 'pfmerge', 'wait'];

const table = buildCommandTable();
let redis: Redis;
let known: Set<string>;

beforeAll(async () => {
  redis = (await startRedis()).client();
  known = new Set(((await redis.call('COMMAND', 'LIST')) as string[]).map((name) => name.toLowerCase()));
});

function wordsOf(texts: readonly string[]): Words {
  const parts = texts.map((text) => Buffer.from(text));
  const ends: number[] = [];
  for (const part of parts) ends.push((ends.at(-1) ?? 0) + part.length);
  return {
    source: Buffer.concat(parts),
    start: Int32Array.from([0, ...ends.slice(0, -1)]),
    end: Int32Array.from(ends),
    from: 0,
    argc: texts.length,
  };
}

/** As ACL DRYRUN says it. */
function dryRun(user: User, command: Command, texts: readonly string[]): string {
  const decision = decide(user, command, wordsOf(texts));
  if (decision === ALLOWED) return 'OK';
  if (decision === DENIED_COMMAND) return `This user has no permissions to run the '${command.name}' command`;
  const kind = decision === DENIED_CHANNEL ? 'channel' : 'key';
  return `This user has no permissions to access the '${texts[denied.at]}' ${kind}`;
}

it('allows and denies what a Redis with the same rules does, and says the same', async () => {
  const fuzz = new AclFuzz(seeded(SEED), table, known);
  const others: string[] = [];
  const counts = { allowed: 0, denied: 0, users: 0, refused: 0 };
  while (counts.allowed + counts.denied < PAIRS) {
    const rules = fuzz.rules();
    const there = await redis.call('ACL', 'SETUSER', 'u', 'reset', ...rules).catch((error: unknown) => error);
    const user = makeUser({ name: 'u', rules: ['reset', ...rules] }, table);
    if ('mistakes' in user) {
      const [first] = user.mistakes;
      expect(String(there), rules.join(' ')).toBe(
        `ReplyError: ERR Error in ACL SETUSER modifier '${first?.rule}': ${first?.message}`,
      );
      counts.refused++;
      continue;
    }
    expect(there, rules.join(' ')).toBe('OK');
    counts.users++;
    const calls = fuzz
      .many(COMMANDS_PER_USER, () => fuzz.command())
      .filter(({ command }) => !APART.includes(command.name));
    const pipeline = redis.pipeline();
    for (const { words } of calls) pipeline.call('ACL', 'DRYRUN', 'u', ...words);
    const replies = (await pipeline.exec()) ?? [];
    calls.forEach(({ command, words }, index) => {
      const [error, reply] = replies[index] ?? [];
      // Newer versions have more arguments for some.
      if (String(error).includes('wrong number of arguments')) return;
      expect(error ?? null, words.join(' ')).toBeNull();
      const here = dryRun(user, command, words);
      if (here !== reply) others.push(`${rules.join(' ')} | ${JSON.stringify(words)}: ${here}, not ${String(reply)}`);
      if (here === 'OK') counts.allowed++;
      else counts.denied++;
    });
  }
  expect(others.slice(0, 20)).toEqual([]);
  // Both come often enough for a difference to show.
  expect(Math.min(counts.allowed, counts.denied)).toBeGreaterThan(PAIRS / 5);
  if (PAIRS > 6000) console.log(counts);
}, 120_000);

it('describes a user by rules that make the same user', async () => {
  const fuzz = new AclFuzz(seeded(SEED + 1), table, known);
  for (let i = 0; i < 300; i++) {
    const rules = fuzz.rules();
    const user = makeUser({ name: 'u', rules }, table);
    // A Redis, too, shows `%RW~*` as `~*`: that one matches the key without a name as well, and this one does not.
    if ('mistakes' in user || /%(?:rw|wr)~\*/i.test(rules.join(' '))) continue;
    const text = describeUser(user, table);
    const again = makeUser({ name: 'u', rules: splitLine(text) }, table);
    if ('mistakes' in again) throw new Error(`${text}: ${again.mistakes[0]?.message}`);
    for (const { command, words } of fuzz.many(30, () => fuzz.command())) {
      expect(dryRun(again, command, words), text).toBe(dryRun(user, command, words));
    }
  }
});

/** Rules have no blanks but in selectors. */
function splitLine(text: string): string[] {
  return text.match(/\([^)]*\)|\S+/g) ?? [];
}

it('has the categories and the keys of every command as a Redis has them', async () => {
  const replies = (await redis.call('COMMAND')) as unknown[][];
  const mine = [...table.rows()].flatMap((row) => [row, ...(row.subcommands?.rows() ?? [])]);
  const theirs = replies.flatMap((entry) => [entry, ...((entry[9] ?? []) as unknown[][])]);
  const others = theirs.flatMap((entry) => {
    const row = mine.find(({ name }) => name === entry[0]);
    if (row === undefined) throw new Error(`${String(entry[0])} is not known here`);
    const told = (entry[6] as string[]).map((name) => name.slice(1));
    const here = [...row.categories].sort().join(' ');
    return here === told.sort().join(' ') ? [] : [`${row.name}: ${here}, not ${told.join(' ')}`];
  });
  expect(others).toEqual(['wait: blocking connection slow, not connection slow']);
});
