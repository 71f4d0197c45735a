/** `fill-wait` over the processes of one proxy: one of all their clients fills a key. */
import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

const NIL = '$-1\r\n';
const VALUE = '$1\r\nv\r\n';
let proxy: RingproxyProcess;
let next = 0;

beforeAll(async () => {
  const config = 'key-groups: { pages: { prefixes: ["page:"], fill-wait: 20s } }';
  proxy = await startRingproxy({ nodes: await startRedises(2), config, args: ['--workers', '3'] });
});

function connect(count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => RawClient.connect(proxy.port)));
}

/** All of them read the key at once. @returns their answers, and which of them sees the miss */
async function missAtOnce(clients: readonly RawClient[], key: string): Promise<[Promise<string>[], number]> {
  const answers = clients.map((client) => client.text('GET', key));
  for (const answer of answers) answer.catch(() => {});
  return [answers, await firstOf(answers)];
}

function firstOf(answers: readonly Promise<string>[]): Promise<number> {
  return Promise.race(answers.map(async (answer, i) => ((await answer) === NIL ? i : new Promise<number>(() => {}))));
}

describe('clients of three workers that miss one key', () => {
  it('have one filler, round after round', async () => {
    const clients = await connect(60);
    let fillers = 0;
    for (let round = 0; round < 20; round++) {
      const key = `page:${next++}`;
      const [answers, filler] = await missAtOnce(clients, key);
      await clients[filler]?.command('SET', key, 'v');
      const all = await Promise.all(answers);
      const misses = all.filter((answer) => answer === NIL).length;
      expect(all.filter((answer) => answer === VALUE)).toHaveLength(60 - misses);
      // A process that does not answer in time is not waited for: on a busy machine it may have a filler of its own.
      expect(misses).toBeLessThanOrEqual(3);
      fillers += misses;
      await clients[0]?.command('DEL', key);
    }
    expect(fillers).toBeLessThan(30);
  });

  it('have another one when it leaves', async () => {
    const clients = await connect(30);
    const key = `page:${next++}`;
    const [answers, filler] = await missAtOnce(clients, key);
    clients[filler]?.close();
    const rest = answers.filter((_, i) => i !== filler);
    const others = clients.filter((_, i) => i !== filler);
    const second = await firstOf(rest);
    await others[second]?.command('SET', key, 'v');
    const all = await Promise.all(rest);
    // Each process with clients that wait has its own next one.
    expect(all.filter((answer) => answer === NIL).length).toBeLessThanOrEqual(3);
    expect(all.filter((answer) => answer === VALUE).length).toBeGreaterThanOrEqual(26);
  });

  it('have their keys filled, many at a time', async () => {
    const [one, ...others] = (await connect(7)) as [RawClient, ...RawClient[]];
    const keys = Array.from({ length: 500 }, () => `page:${next++}`);
    const reads = keys.map((key) => ['GET', key]);
    expect((await one.pipeline(reads)).map(String)).toEqual(keys.map(() => NIL));
    const waiting = others.map((client) => client.pipeline(reads));
    await one.pipeline(keys.map((key) => ['SET', key, 'v']));
    const all = (await Promise.all(waiting)).map((answers) => answers.map(String));
    // As above: the two other processes may each have a filler of their own, which sees all keys missing.
    for (const i of keys.keys()) {
      const values = all.filter((answers) => answers[i] === VALUE).length;
      expect(values).toBeGreaterThanOrEqual(all.length - 2);
      expect(all.filter((answers) => answers[i] === NIL)).toHaveLength(all.length - values);
    }
  });
});
