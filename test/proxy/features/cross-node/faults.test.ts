/**
 * Each way of a command over several nodes, with a fault at each of its steps: every key has its old value or its new one
 * afterwards, nothing that was lent is left, the client is told of the node, and what follows works.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FaultRelay } from '../../../support/fault-relay.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { ownersOf } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

interface WayCase {
  readonly title: string;
  /** A and C are keys of the first node, B is one of the second. Several commands: the last one's reply counts. */
  readonly command: string;
  readonly before: readonly string[];
  /** What A, B and C may have afterwards: at first what they had, at last what the command makes of them. */
  readonly allowed: readonly string[];
}

const WAYS: readonly WayCase[] = [
  { title: 'lend', before: ['SADD A 1', 'SADD B 2'], command: 'SUNION A B', allowed: ['1 2 -'] },
  {
    title: 'lend, STORE',
    before: ['SADD A 1', 'SADD C 2', 'SADD B old'],
    command: 'SUNIONSTORE B A C',
    allowed: ['1 old 2', '1 1,2 2'],
  },
  { title: 'lend, COPY', before: ['SET A v', 'SET B old'], command: 'COPY A B REPLACE', allowed: ['v old -', 'v v -'] },
  {
    title: 'rename',
    before: ['SET A v', 'SET B old'],
    command: 'RENAME A B',
    allowed: ['v old -', 'v v -', '- v -'],
  },
  { title: 'rename, NX', before: ['SET A v'], command: 'RENAMENX A B', allowed: ['v - -', 'v v -', '- v -'] },
  {
    title: 'move, of a list',
    before: ['RPUSH A 1 2'],
    command: 'LMOVE A B LEFT RIGHT',
    allowed: ['1,2 - -', '1,2 1 -', '2 1 -'],
  },
  {
    title: 'move, of a set',
    before: ['SADD A 1 2'],
    command: 'SMOVE A B 1',
    allowed: ['1,2 - -', '1,2 1 -', '2 1 -'],
  },
  { title: 'all or none', before: [], command: 'MSETNX A 1 B 2', allowed: ['- - -', '1 - -', '- 2 -', '1 2 -'] },
  // It may have been taken, and the reply was lost.
  { title: 'first of', before: ['RPUSH B 1'], command: 'LMPOP 2 A B LEFT', allowed: ['- 1 -', '- - -'] },
  {
    title: 'code',
    before: ['SET A 1', 'SET B 2'],
    command: "EVAL_RO return{redis.call('GET',KEYS[1]),redis.call('GET',KEYS[2])} 2 A B",
    allowed: ['1 2 -'],
  },
  {
    title: 'patterns, STORE',
    before: ['RPUSH A 1 2', 'SET {B}1 9', 'SET {B}2 3'],
    command: 'SORT A BY {B}* STORE C',
    allowed: ['1,2 - -', '1,2 - 2,1'],
  },
  {
    title: 'a transaction',
    before: [],
    command: 'MULTI|SET A 1|SET B 2|EXEC',
    allowed: ['- - -', '1 - -', '- 2 -', '1 2 -'],
  },
  { title: 'waiting', before: ['RPUSH B 1'], command: 'BLPOP A B 1', allowed: ['- 1 -', '- - -'] },
];

let nodes: RedisProcess[];
let relays: FaultRelay[];
let proxy: RingproxyProcess;
let client: RawClient;
let a: string[];
let b: string[];

beforeAll(async () => {
  nodes = await startRedises(2);
  relays = await Promise.all(nodes.map(({ port }) => FaultRelay.start(port)));
  proxy = await startRingproxy({
    nodes: relays,
    config: 'request-timeout: 1s\n',
    // What is connected while a node stalls waits for so long.
    env: { RINGPROXY_CONNECT_TIMEOUT: '2s' },
    allowLog: [/upstream:/, /node:health/, /down/],
  });
  client = await RawClient.connect(proxy.port);
  const names = Array.from({ length: 150 }, (_, i) => `key:${i}`);
  const owners = await ownersOf(proxy, names);
  [a, b] = relays.map(({ address }) => names.filter((_, i) => owners[i] === address)) as [string[], string[]];
});

beforeEach(emptied);
afterEach(() => {
  for (const node of nodes) node.kill('SIGCONT');
});

/** Every node is up, and has nothing. */
async function emptied(): Promise<void> {
  for (const relay of relays) relay.heal();
  await expect.poll(() => client.text('FLUSHALL'), { interval: 2, timeout: 10_000 }).toBe('+OK\r\n');
}

/** The keys of one case. */
function keysOf(index: number): Record<string, string> {
  const at = (of: readonly string[], i: number): string => of[i] as string;
  return { A: at(a, 2 * index), B: at(b, index), C: at(a, 2 * index + 1) };
}

function words(line: string, keys: Record<string, string>): string[] {
  return line.split(' ').map((word) => keys[word] ?? word.replace('{B}', `{${keys.B}}:`));
}

/** @returns the reply to the last one */
async function run(own: RawClient, command: string, keys: Record<string, string>): Promise<string> {
  const replies = await own.pipeline(command.split('|').map((line) => words(line, keys)));
  return String(replies.at(-1));
}

/** What A, B and C have, as the nodes themselves say. */
async function found(keys: Record<string, string>): Promise<string> {
  const values = [];
  for (const name of ['A', 'B', 'C']) {
    const direct = (nodes[name === 'B' ? 1 : 0] as RedisProcess).client();
    const key = keys[name] as string;
    const type = await direct.type(key);
    if (type === 'list') values.push((await direct.lrange(key, 0, -1)).join());
    else if (type === 'set') values.push((await direct.smembers(key)).sort().join());
    else values.push((await direct.get(key)) ?? '-');
  }
  return values.join(' ');
}

async function expectNothingLent(): Promise<void> {
  for (const node of nodes) expect(await node.client().keys('__ringproxy__*')).toEqual([]);
}

/** Errors say which node it was, also within EXEC's reply; but for what the node itself answers. */
function expectNamed(reply: string): void {
  if (/(^|\n)-(?!OOM)/.test(reply)) expect(reply).toMatch(/ node[ :]*node[12]/);
}

const FAULTS = ['cutBefore', 'cutAfter', 'strand'] as const;

describe('a connection that is cut at any step', () => {
  it.each(WAYS.map((way, i) => ({ ...way, i })))('of $title', async ({ command, before, allowed, i }) => {
    const keys = keysOf(i);
    let hits = 0;
    for (const relay of relays) {
      for (const fault of FAULTS) {
        for (let step = 0, isHit = true; isHit; step++) {
          await emptied();
          for (const line of before) await client.command(...words(line, keys));
          isHit = false;
          let seen = 0;
          const picks = (): boolean => seen++ === step;
          const kept = fault === 'strand' ? relay.strand(picks) : null;
          void (kept?.reached ?? relay[fault as 'cutBefore'](picks)).then(() => (isHit = true));
          const reply = await run(client, command, keys);
          // What was late runs behind the answer, if its node still listens.
          if (kept !== null && isHit) await kept.deliver();
          relay.heal();
          expectNamed(reply);
          expect(allowed, `${fault} ${step}: ${reply}`).toContain(await found(keys));
          if (isHit) hits++;
          else if (/-NODEDOWN/.test(reply)) {
            // Of the end of a connection in the step before the proxy has heard only now.
            isHit = true;
            step--;
          } else expect(await found(keys), `${fault} ${step}: ${reply}`).toBe(allowed.at(-1));
          await expectNothingLent();
        }
      }
    }
    expect(hits).toBeGreaterThan(FAULTS.length);
  });
});

/** All ways at the same time, each by a client of its own. @returns the replies */
async function runAll(meanwhile: () => Promise<void>): Promise<string[]> {
  const clients = await Promise.all(WAYS.map(() => RawClient.connect(proxy.port)));
  for (const [i, { before }] of WAYS.entries()) {
    for (const line of before) await client.command(...words(line, keysOf(i)));
  }
  await meanwhile();
  const replies = await Promise.all(WAYS.map(({ command }, i) => run(clients[i] as RawClient, command, keysOf(i))));
  for (const own of clients) own.close();
  return replies;
}

async function expectAllowed(replies: readonly string[]): Promise<void> {
  for (const [i, { title, allowed }] of WAYS.entries()) {
    expectNamed(replies[i] as string);
    expect(allowed, `${title}: ${replies[i]}`).toContain(await found(keysOf(i)));
  }
  await expectNothingLent();
  await emptied();
  const again = await runAll(async () => {});
  for (const [i, { title, allowed }] of WAYS.entries()) {
    expect(await found(keysOf(i)), `${title}: ${again[i]}`).toBe(allowed.at(-1));
  }
}

it.each([0, 1])('a node that stalls (%s)', async (at) => {
  const node = nodes[at] as RedisProcess;
  const replies = await runAll(async () => node.kill('SIGSTOP'));
  node.kill('SIGCONT');
  await expect.poll(() => client.text('DBSIZE')).toMatch(/^:/);
  expect(replies.filter((reply) => reply.startsWith('-')).length).toBeGreaterThan(WAYS.length / 2);
  await expectAllowed(replies);
});

it.each([0, 1])('a node that is out of memory (%s)', async (at) => {
  const direct = (nodes[at] as RedisProcess).client();
  const replies = await runAll(async () => {
    await direct.config('SET', 'maxmemory', '1');
  });
  await direct.config('SET', 'maxmemory', '0');
  await expectAllowed(replies);
});
