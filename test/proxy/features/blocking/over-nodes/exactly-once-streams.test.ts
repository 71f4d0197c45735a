/**
 * Two proxies, several producers, readers of streams over several nodes: each entry goes to one consumer of a group, and to
 * every reader without one, whatever happens meanwhile.
 */
import type { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { decodeReply, type ReplyValue } from '../../../../../src/resp/decode.js';
import { startFleet, TROUBLE } from '../../../../support/fleet.js';
import { RawClient } from '../../../../support/raw-client.js';
import { add, ownersOf, post, settled } from '../../../../support/ring-api.js';

const ENTRIES = 800;
const CONSUMERS = 16;
const READERS = 6;
const PRODUCERS = 4;
const STREAMS = Array.from({ length: 6 }, (_, i) => `stream:${i}`);
const END = 'end';

it('no entry is missed, nor delivered twice, while feeds are killed and a node joins', {
  timeout: 120_000,
}, async () => {
  const fleet = await startFleet({ proxies: 2, nodes: 3, spares: 1, allowLog: TROUBLE });
  const [first, second] = fleet.proxies;
  if (first === undefined || second === undefined) throw new Error('two proxies');
  expect(new Set(await ownersOf(first, STREAMS)).size).toBeGreaterThan(1);
  const setup = first.process.client();
  for (const stream of STREAMS) await setup.xgroup('CREATE', stream, 'group', '$', 'MKSTREAM');
  const connect = (at: number): Promise<RawClient> => RawClient.connect(at % 2 === 0 ? first.port : second.port);

  const delivered: string[] = [];
  const consume = async (at: number): Promise<void> => {
    const client = await connect(at);
    const streams = STREAMS.filter((_, i) => (i + at) % 3 !== 0);
    const command = ['XREADGROUP', 'GROUP', 'group', `consumer ${at}`, 'COUNT', '2', 'BLOCK', '0', 'STREAMS'];
    for (;;) {
      const values = entriesIn(await client.command(...command, ...streams, ...streams.map(() => '>')));
      for (const { value } of values) if (value !== END) delivered.push(value);
      if (values.some(({ value }) => value === END)) return;
    }
  };
  const seen: string[][] = [];
  const read = async (at: number): Promise<void> => {
    const client = await connect(at);
    const last = new Map(STREAMS.map((stream) => [stream, '0']));
    const values: string[] = [];
    seen.push(values);
    for (let ends = 0; ends < STREAMS.length; ) {
      for (const entry of entriesIn(
        await client.command('XREAD', 'BLOCK', '0', 'STREAMS', ...last.keys(), ...last.values()),
      )) {
        last.set(entry.stream, entry.id);
        if (entry.value !== END) values.push(entry.value);
        else if (entry.isLast) ends++;
      }
    }
  };
  const consumers = Array.from({ length: CONSUMERS }, (_, i) => consume(i));
  const readers = Array.from({ length: READERS }, (_, i) => read(i));
  const killers = fleet.nodes.map((node) => node.client());
  let change: Promise<unknown> = Promise.resolve();
  const produce = async (at: number): Promise<void> => {
    const client = await connect(at);
    for (let i = at; i < ENTRIES; i += PRODUCERS) {
      const reply = await client.text('XADD', STREAMS[i % STREAMS.length] as string, '*', 'f', `e${i}`);
      if (!reply.startsWith('$')) throw new Error(reply);
      if (i === ENTRIES / 4) change = post(first, 'changes', add('node4', fleet.spares[0])).then(() => settled(first));
      if (i % 200 === 150) await Promise.all(killers.map(killFeeds));
    }
  };
  await Promise.all(Array.from({ length: PRODUCERS }, (_, i) => produce(i)));
  await change;
  while (delivered.length < ENTRIES) await new Promise((resolve) => setTimeout(resolve, 5));
  // Whoever gets one of these leaves: two entries at most at a time, so each consumer is reached.
  let left = CONSUMERS;
  for (const consumer of consumers) void consumer.then(() => left--);
  while (left > 0) for (const stream of STREAMS) await setup.xadd(stream, '*', 'f', END);
  for (const stream of STREAMS) await setup.xadd(stream, '*', 'f', END, 'last', '1');
  await Promise.all([...consumers, ...readers]);
  expect(delivered).toHaveLength(ENTRIES);
  expect(new Set(delivered).size).toBe(ENTRIES);
  const all = Array.from({ length: ENTRIES }, (_, i) => `e${i}`).sort();
  for (const values of seen) expect(values.sort()).toEqual(all);
});

interface Entry {
  readonly stream: string;
  readonly id: string;
  readonly value: string;
  /** It has a second field. */
  readonly isLast: boolean;
}

function entriesIn(reply: Buffer): Entry[] {
  const value = decodeReply(reply)?.value;
  if (!Array.isArray(value)) throw new Error(reply.toString());
  return value.flatMap((one) => {
    const [stream, entries] = listOf(one);
    return listOf(entries).map((entry) => {
      const [id, fields] = listOf(entry);
      const words = listOf(fields).map(String);
      return { stream: String(stream), id: String(id), value: words[1] ?? '', isLast: words.length > 2 };
    });
  });
}

function listOf(value: ReplyValue | undefined): readonly ReplyValue[] {
  return Array.isArray(value) ? value : [];
}

async function killFeeds(node: Redis): Promise<void> {
  const list = String(await node.client('LIST'));
  const feeds = [...list.matchAll(/^id=(\d+) .*flags=[^ ]*B/gm)].map((match) => match[1] as string);
  for (const feed of feeds) await node.client('KILL', 'ID', feed);
}
