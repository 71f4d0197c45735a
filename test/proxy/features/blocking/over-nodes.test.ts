/** Commands that wait for keys which are on several nodes: what a single Redis answers, who is served, and that nothing is lost. */
import type { Redis } from 'ioredis';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { add, ownersOf, post, settled } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

let bare: RedisProcess;
let nodes: RedisProcess[];
let proxy: RingproxyProcess;
/** Each of them on another node. */
let a: string;
let b: string;
let c: string;

beforeAll(async () => {
  [bare, nodes] = await Promise.all([startRedis(), startRedises(3)]);
  proxy = await startRingproxy({ nodes });
  for (const port of [proxy.port, bare.port]) watchers.set(port, await RawClient.connect(port));
  const names = Array.from({ length: 60 }, (_, i) => `key:${i}`);
  const owners = await ownersOf(proxy, names);
  [a = '', b = '', c = ''] = nodes.map((node) => names[owners.indexOf(node.address)]);
});

const watchers = new Map<number, RawClient>();

/** Waits until so many clients of the server wait, as it says itself. */
async function waitingAt(port: number, count: number): Promise<void> {
  const watcher = watchers.get(port) ?? (await RawClient.connect(port));
  for (;;) {
    const list = await watcher.text('CLIENT', 'LIST');
    if ((list.match(/ flags=[^ ]*b/g) ?? []).length === count) return;
  }
}

beforeEach(async () => {
  await Promise.all([proxy.client().flushall(), bare.client().flushall()]);
});

interface Case {
  readonly title: string;
  /** Keys are A, B and C. */
  readonly before?: string;
  readonly command: string;
  /** What another client does while the command waits; without it the command does not wait, or its time is over. */
  readonly meanwhile?: string;
  readonly after?: string;
}

const CASES: readonly Case[] = [
  {
    title: 'BLPOP',
    command: 'BLPOP A B C 0',
    meanwhile: 'RPUSH B x y',
    after: 'LRANGE B 0 -1',
  },
  { title: 'BLPOP of what is there', before: 'RPUSH B x|RPUSH C y', command: 'BLPOP A B C 0', after: 'LLEN C' },
  { title: 'BLPOP whose time is over', command: 'BLPOP A B C 0.05' },
  { title: 'BLPOP whose time is written unusually', command: 'BLPOP A B 5e-2' },
  { title: 'BLPOP of one key twice', command: 'BLPOP A B A 0', meanwhile: 'RPUSH A x' },
  { title: 'BRPOP', command: 'BRPOP A B C 10', meanwhile: 'RPUSH C x y', after: 'LRANGE C 0 -1' },
  { title: 'another type', before: 'SET B x', command: 'BRPOP A B C 0' },
  { title: 'another type behind what is there', before: 'RPUSH A x|SET B x', command: 'BRPOP A B C 0' },
  { title: 'another type that comes later', command: 'BLPOP A B 0', meanwhile: 'SET A x|RPUSH B y' },
  { title: 'BLMPOP', command: 'BLMPOP 0 3 A B C LEFT COUNT 2', meanwhile: 'RPUSH B x y z', after: 'LRANGE B 0 -1' },
  { title: 'BLMPOP from the right', before: 'RPUSH C x y', command: 'BLMPOP 1 3 A B C right' },
  { title: 'BLMPOP whose time is over', command: 'BLMPOP 0.05 3 A B C LEFT' },
  { title: 'BZPOPMIN', command: 'BZPOPMIN A B C 0', meanwhile: 'ZADD C 2.5 two 1 one', after: 'ZRANGE C 0 -1' },
  { title: 'BZPOPMAX', command: 'BZPOPMAX A B C 0', meanwhile: 'ZADD A 2.5 two 1 one' },
  { title: 'BZPOPMIN whose time is over', command: 'BZPOPMIN A B C 0.05' },
  { title: 'BZMPOP', command: 'BZMPOP 0 3 A B C MIN COUNT 2', meanwhile: 'ZADD B 2 two 1 one 3 three' },
  { title: 'a list that is renamed to the key', command: 'BLPOP A B C 0', meanwhile: 'RPUSH {A}x e|RENAME {A}x A' },
  { title: 'what comes in a transaction', command: 'BLPOP A B C 0', meanwhile: 'MULTI|RPUSH B 1|RPUSH B 2|EXEC' },
  { title: 'a timeout that is none', command: 'BLPOP A B soon' },
  { title: 'a negative timeout', command: 'BLPOP A B -1' },
  { title: 'a timeout beyond any', command: 'BLPOP A B 1e300' },
  { title: 'a syntax error', command: 'BLMPOP 0 2 A B MIN' },
  { title: 'another syntax error', command: 'BZMPOP 0 2 A B MIN COUNT 0' },
];

/** @returns the words of a line, with the keys put in */
function words(line: string): string[] {
  const names: Record<string, string> = { A: a, B: b, C: c, '{A}x': `{${a}}x` };
  return line.split(' ').map((word) => names[word] ?? word);
}

function lines(text: string | undefined): string[][] {
  return text === undefined ? [] : text.split('|').map(words);
}

/** @returns what each of the two has told */
async function both(tell: (port: number) => Promise<unknown>): Promise<[unknown, unknown]> {
  const [ours, theirs] = await Promise.all([proxy.port, bare.port].map(tell));
  return [ours, theirs];
}

describe.each(['2', '3'])('RESP%s', (protocol) => {
  it.each(CASES)('$title', async ({ before, command, meanwhile, after }) => {
    const [ours, theirs] = await both(async (port) => {
      const client = await RawClient.connect(port);
      const other = await RawClient.connect(port);
      await client.command('HELLO', protocol);
      for (const line of lines(before)) await client.command(...line);
      const reply = client.text(...words(command));
      if (meanwhile !== undefined) {
        await waitingAt(port, 1);
        for (const line of lines(meanwhile)) await other.command(...line);
      }
      const replies = [await reply];
      for (const line of lines(after)) replies.push(await other.text(...line));
      replies.push(await client.text('PING'));
      return replies;
    });
    expect(ours).toEqual(theirs);
    await waitingAt(proxy.port, 0);
  });

  it.each(['TIMEOUT', 'ERROR'])('CLIENT UNBLOCK with %s', async (mode) => {
    const [ours, theirs] = await both(async (port) => {
      const client = await RawClient.connect(port);
      const other = await RawClient.connect(port);
      await client.command('HELLO', protocol);
      const id = (await client.text('CLIENT', 'ID')).slice(1, -2);
      const reply = client.text('BLPOP', a, b, c, '0');
      await waitingAt(port, 1);
      const answer = await other.text('CLIENT', 'UNBLOCK', id, mode);
      return [answer, await reply, await other.text('CLIENT', 'UNBLOCK', id), await client.text('PING')];
    });
    expect(ours).toEqual(theirs);
  });
});
