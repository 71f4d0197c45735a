/** A ring of three nodes answers every command that nodes answer as a single Redis does, byte for byte. */
import { beforeAll, describe, expect, it } from 'vitest';
import { buildCommandTable, parseCommandReply } from '../../src/commands/build.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { SAMPLES } from './samples.js';

let single: RedisProcess;
let proxy: RingproxyProcess;

beforeAll(async () => {
  single = await startRedis();
  proxy = await startRingproxy({ nodes: await startRedises(3), args: ['--cross-node', 'refuse'] });
});

const table = buildCommandTable();

describe.each([2, 3])('in RESP%i', (protocol) => {
  it.each(Object.entries(SAMPLES))('%s are answered as by a single Redis', async (_name, samples) => {
    const clients = [await RawClient.connect(single.port), await RawClient.connect(proxy.port)] as const;
    for (const client of clients) {
      await client.command('HELLO', String(protocol));
      await client.command('FLUSHALL');
    }
    const differences: object[] = [];
    for (const sample of samples) {
      const words = 'varies' in sample ? sample.varies : sample;
      const [expected, found] = await Promise.all(clients.map((client) => client.text(...words)));
      const same = 'varies' in sample ? expected?.[0] === found?.[0] : expected === found;
      if (!same) differences.push({ words: words.map(String).join(' '), expected, found });
    }
    expect(differences).toEqual([]);
  });
});

it('there is a sample of every command that nodes answer', async () => {
  const reply = await single.client().call('COMMAND');
  const names = parseCommandReply(reply).flatMap((info) =>
    info.subcommands.length === 0 ? [info.name] : info.subcommands.map((sub) => `${info.name}|${sub.name}`),
  );
  const sampled = new Set(
    Object.values(SAMPLES).flatMap((samples) =>
      samples.flatMap((sample) => {
        const words = 'varies' in sample ? sample.varies : sample;
        const first = String(words[0]).toLowerCase();
        return [first, `${first}|${String(words[1]).toLowerCase()}`];
      }),
    ),
  );
  const byNodes = names.filter((name) => {
    const [container = ''] = name.split('|');
    const row = name === container ? table.get(name) : table.get(container)?.subcommands?.get(name);
    return row !== undefined && !['proxy', 'refused', 'admin'].includes(row.route);
  });
  expect(byNodes.length).toBeGreaterThan(200);
  expect(byNodes.filter((name) => !sampled.has(name))).toEqual([]);
});

describe('what a single Redis does with keys that are together', () => {
  it.each([
    ['SORT', '{t}l', 'BY', 'weight_*'],
    ['SORT', '{t}l', 'GET', '*'],
    ['SORT', '{t}l', 'BY', 'nosort', 'GET', 'object_*->{t}'],
    ['SORT', '{t}l', 'BY', 'w_{*}'],
    ['SORT', '{t}l', 'BY', 'w_*_{t}'],
    ['SORT_RO', '{t}l', 'GET', '#', 'GET', 'o_*'],
  ])('%s %s %s %s is refused where the patterns could name keys of other nodes', async (...words) => {
    const client = await RawClient.connect(proxy.port);
    expect(await client.text(...words)).toMatch(/^-CROSSSLOT BY and GET patterns/);
    const queued = await client.pipeline([['MULTI'], words, ['EXEC']]);
    expect(queued[1]?.toString()).toMatch(/^-CROSSSLOT BY and GET patterns/);
    expect(queued[2]?.toString()).toMatch(/^-EXECABORT/);
  });

  it.each([
    ['RENAME', 'a', 'b'],
    ['COPY', 'a', 'b'],
    ['SMOVE', 'a', 'b', 'm'],
    ['LMOVE', 'a', 'b', 'LEFT', 'LEFT'],
    ['SORT', 'a', 'STORE', 'b'],
    ['ZUNIONSTORE', 'a', '1', 'b'],
    ['GEORADIUS', 'a', '1', '1', '1', 'm', 'STORE', 'b'],
    ['PFCOUNT', 'a', 'b'],
    ['BITOP', 'NOT', 'a', 'b'],
    ['XREAD', 'STREAMS', 'a', 'b', '0', '0'],
    ['MSETNX', 'a', '1', 'b', '2'],
    ['LCS', 'a', 'b'],
  ])('%s %s %s is refused where they are not', async (...words) => {
    const client = await RawClient.connect(proxy.port);
    // Some of so many pairs have two owners.
    const replies = await client.pipeline(
      Array.from({ length: 30 }, (_, i) => words.map((word) => (word === 'a' || word === 'b' ? `${word}${i}` : word))),
    );
    expect(replies.map(String)).toContainEqual(expect.stringMatching(/^-CROSSSLOT Keys in request/));
  });
});
