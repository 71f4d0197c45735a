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
import { type KeyNames, keysOf, valuesOf, WAYS, wordsOf } from './ways.js';

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

function namesOf(index: number): KeyNames {
  return keysOf(index, a, b);
}

/** @returns the reply to the last one */
async function run(own: RawClient, command: string, keys: KeyNames): Promise<string> {
  const replies = await own.pipeline(command.split('|').map((line) => wordsOf(line, keys)));
  return String(replies.at(-1));
}

async function expectNothingLent(): Promise<void> {
  for (const node of nodes) expect(await node.client().keys('__ringproxy__*')).toEqual([]);
}

/** Errors say which node it was, also within EXEC's reply. */
function expectNamed(reply: string): void {
  if (/(^|\n)-/.test(reply)) expect(reply).toMatch(/ node[ :]*node[12]/);
}

const FAULTS = ['cutBefore', 'cutAfter', 'strand'] as const;

describe('a connection that is cut at any step', () => {
  it.each(WAYS.map((way, i) => ({ ...way, i })))('of $title', async ({ command, before, allowed, i }) => {
    const keys = namesOf(i);
    let hits = 0;
    for (const relay of relays) {
      for (const fault of FAULTS) {
        for (let step = 0, isHit = true; isHit; step++) {
          await emptied();
          for (const line of before) await client.command(...wordsOf(line, keys));
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
          expect(allowed, `${fault} ${step}: ${reply}`).toContain(await valuesOf(keys, nodes));
          if (isHit) hits++;
          else if (/-NODEDOWN/.test(reply)) {
            // Of the end of a connection in the step before the proxy has heard only now.
            isHit = true;
            step--;
          } else expect(await valuesOf(keys, nodes), `${fault} ${step}: ${reply}`).toBe(allowed.at(-1));
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
    for (const line of before) await client.command(...wordsOf(line, namesOf(i)));
  }
  await meanwhile();
  const replies = await Promise.all(WAYS.map(({ command }, i) => run(clients[i] as RawClient, command, namesOf(i))));
  for (const own of clients) own.close();
  return replies;
}

async function expectAllowed(replies: readonly string[]): Promise<void> {
  for (const [i, { title, allowed }] of WAYS.entries()) {
    expectNamed(replies[i] as string);
    expect(allowed, `${title}: ${replies[i]}`).toContain(await valuesOf(namesOf(i), nodes));
  }
  await expectNothingLent();
  await emptied();
  const again = await runAll(async () => {});
  for (const [i, { title, allowed }] of WAYS.entries()) {
    expect(await valuesOf(namesOf(i), nodes), `${title}: ${again[i]}`).toBe(allowed.at(-1));
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

interface Trouble {
  readonly title: string;
  readonly begin: readonly string[];
  readonly end: readonly string[];
  /** What the client reads of it: the code, and what to do. */
  readonly says: RegExp;
}

const TROUBLES: readonly Trouble[] = [
  {
    title: 'is out of memory',
    begin: ['CONFIG SET maxmemory 1'],
    end: ['CONFIG SET maxmemory 0'],
    says: /^-OOM node node[12] .*, which has key:\d+( and 1 more)?, refuses its part of [A-Z_]+: .* maxmemory, or/,
  },
  {
    title: 'is a replica',
    begin: ['REPLICAOF 127.0.0.1 1'],
    end: ['REPLICAOF NO ONE'],
    says: /^-READONLY node node[12] .*, which has key:\d+( and 1 more)?, .*: the ring needs its primary/,
  },
  {
    title: 'lets its user only read',
    begin: ['ACL SETUSER default -@write'],
    end: ['ACL SETUSER default +@all'],
    says: /^-NOPERM node node[12] .*, which has key:\d+( and 1 more)?, .* lacks a right: ringproxy node check/,
  },
];

/** The transaction is no command of one way: its errors are those of `EXEC`. */
const IN_STEPS = WAYS.map(({ title }, i) => (title === 'a transaction' ? -1 : i)).filter((i) => i >= 0);

describe.each(TROUBLES)('a node that $title', ({ begin, end, says }) => {
  it.each([0, 1])('(%s)', async (at) => {
    const direct = (nodes[at] as RedisProcess).client();
    const tell = async (lines: readonly string[]): Promise<void> => {
      for (const line of lines) await direct.call(...(line.split(' ') as [string]));
    };
    const replies = await runAll(() => tell(begin));
    await tell(end);
    const errors = IN_STEPS.map((i) => replies[i] as string).filter((reply) => reply.startsWith('-'));
    expect(errors.length).toBeGreaterThan(2);
    for (const error of errors) expect(error).toMatch(says);
    await expectAllowed(replies);
  });
});
