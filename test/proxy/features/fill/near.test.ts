/** `fill-wait`, `stale` and `early-refresh` of groups that are kept near. */
import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

const CONFIG = `
key-groups:
  waits: { prefixes: ["wait:"], cache: near, near-ttl: 1m, fill-wait: 20s }
  stale: { prefixes: ["stale:"], cache: near, near-ttl: 1m, stale: 1m, fill-wait: 20s }
  early: { prefixes: ["early:"], cache: near, near-ttl: 1m, early-refresh: on }
`;
const NIL = '$-1\r\n';

let nodes: RedisProcess[];
let proxy: RingproxyProcess;

beforeAll(async () => {
  nodes = await startRedises(2);
  proxy = await startRingproxy({ nodes, config: CONFIG });
});

function connect(count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => RawClient.connect(proxy.port)));
}

function bulk(value: string): string {
  return `$${value.length}\r\n${value}\r\n`;
}

function firstOf(answers: readonly Promise<string>[]): Promise<number> {
  return Promise.race(answers.map(async (answer, i) => ((await answer) === NIL ? i : new Promise<number>(() => {}))));
}

async function metric(pattern: RegExp): Promise<number> {
  const text = await (await fetch(`${proxy.admin}/metrics`)).text();
  return Number(pattern.exec(text)?.[1] ?? 0);
}

describe('a key that is kept near', () => {
  it('has one filler, each time that it is gone', async () => {
    const clients = await connect(50);
    const hits = (): Promise<number> => metric(/near_requests_total\{.*group="waits".*result="hit".*\} (\d+)/);
    for (let round = 0; round < 5; round++) {
      const answers = clients.map((client) => client.text('GET', 'wait:a'));
      const filler = await firstOf(answers);
      await clients[filler]?.command('SET', 'wait:a', 'v');
      const all = await Promise.all(answers);
      expect(all.filter((answer) => answer === NIL)).toHaveLength(1);
      const before = await hits();
      while ((await hits()) === before) {
        for (const client of clients.slice(0, 3)) expect(await client.text('GET', 'wait:a')).toBe(bulk('v'));
      }
      await clients[0]?.command('DEL', 'wait:a');
    }
  });
});

describe('stale', () => {
  it('shows others the last value while one fills the key anew', async () => {
    const [filler, remover, ...others] = (await connect(10)) as [RawClient, RawClient, ...RawClient[]];
    await filler.command('SET', 'stale:a', 'old');
    for (const client of others) expect(await client.text('GET', 'stale:a')).toBe(bulk('old'));
    await remover.command('DEL', 'stale:a');
    expect(await filler.text('GET', 'stale:a')).toBe(NIL);
    for (const client of others) expect(await client.text('GET', 'stale:a')).toBe(bulk('old'));
    // Who has removed it waits, as without.
    const removed = remover.text('GET', 'stale:a');
    await filler.command('SET', 'stale:a', 'new');
    expect(await removed).toBe(bulk('new'));
    for (const client of others) expect(await client.text('GET', 'stale:a')).toBe(bulk('new'));
  });

  it('shows no value that another one has taken the place of, nor one that was flushed', async () => {
    const [filler, other] = (await connect(2)) as [RawClient, RawClient];
    await filler.command('SET', 'stale:b', 'one');
    expect(await other.text('GET', 'stale:b')).toBe(bulk('one'));
    await filler.pipeline([
      ['SET', 'stale:b', 'two'],
      ['DEL', 'stale:b'],
    ]);
    expect(await filler.text('GET', 'stale:b')).toBe(NIL);
    const replaced = other.text('GET', 'stale:b');
    await filler.command('SET', 'stale:b', 'three');
    expect(await replaced).toBe(bulk('three'));
    await filler.command('FLUSHALL');
    expect(await filler.text('GET', 'stale:b')).toBe(NIL);
    const flushed = other.text('GET', 'stale:b');
    await filler.command('SET', 'stale:b', 'four');
    expect(await flushed).toBe(bulk('four'));
  });
});

describe('early-refresh', () => {
  it('lets one client see a miss before the key expires, and the others the value', async () => {
    const [one, two] = (await connect(2)) as [RawClient, RawClient];
    expect(await one.text('GET', 'early:a')).toBe(NIL);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await one.command('SET', 'early:a', 'v', 'PX', '3000');
    const ends = performance.now() + 3000;
    let answer = '';
    do answer = await two.text('GET', 'early:a');
    while (answer !== NIL);
    expect(performance.now()).toBeLessThan(ends);
    expect(await metric(/^ringproxy_fill_waits_total\{.*group="early".*outcome="early".*\} (\d+)/m)).toBe(1);
    // While the second one fills it, the first one sees what is there.
    const left = await Promise.all(nodes.map((node) => node.client().pttl('early:a')));
    if (Math.max(...left) > 100) expect(await one.text('GET', 'early:a')).toBe(bulk('v'));
    await two.command('SET', 'early:a', 'w', 'PX', '60000');
    expect(await one.text('GET', 'early:a')).toBe(bulk('w'));
  });
});
