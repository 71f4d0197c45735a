/**
 * What is kept near of a node whose master changes: real Sentinels, two workers, and beside it a group that is read from
 * replicas and one that is filled once.
 */
import { expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';
import { startWatched, until } from '../../../support/sentinels.js';
import { scrape } from '../../../support/series.js';

const CONFIG = `
key-groups:
  pages: { prefixes: ["page:"], cache: near, near-ttl: 1h }
  lists: { prefixes: ["list:"], read-from: replica, max-lag: 1s }
  filled: { prefixes: ["fill:"], fill-wait: 10s }
probe-interval: 100ms
`;
const EXPECTED = [/ringproxy:node:failover/, /ringproxy:node:master/, /upstream:(?:down|up|impaired)/, /node:health/];
const KEYS = Array.from({ length: 20 }, (_, i) => `page:${i}`);
const CLIENTS = 6;

async function hits(proxy: RingproxyProcess): Promise<number> {
  return (await scrape(proxy.admin)).get('ringproxy_near_requests_total{group="pages",result="hit"}') ?? 0;
}

it('ends with its master, and is heard of from the next one', { timeout: 60_000 }, async () => {
  const watched = await startWatched({ replicas: 2 });
  const args = ['--workers', '2'];
  const proxy = await startRingproxy({ nodes: [`a=${watched.address}`], allowLog: EXPECTED, config: CONFIG, args });
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => RawClient.connect(proxy.port)));
  const [first] = clients as [RawClient];
  const readAll = async (): Promise<Set<string>> => {
    const replies = await Promise.all(clients.map((client) => client.pipeline(KEYS.map((key) => ['GET', key]))));
    return new Set(replies.flat().map((reply) => String(reply).split('\r\n')[1] ?? ''));
  };
  /** Until all workers answer all of them from what is kept. */
  const keepAll = async (): Promise<void> => {
    for (;;) {
      const before = await hits(proxy);
      await readAll();
      if ((await hits(proxy)) - before === KEYS.length * CLIENTS) return;
    }
  };
  const write = async (value: string): Promise<void> => {
    await until(async () => (await first.text('MSET', ...KEYS.flatMap((key) => [key, value]))) === '+OK\r\n', 30_000);
  };
  await write('one');
  await first.command('SET', 'list:1', 'one');
  await keepAll();
  const failed = async (): Promise<number> => {
    const view = await (await fetch(`${proxy.admin}/v1/ring`)).json();
    return (view as { nodes: { master: { failovers: number } | null }[] }).nodes[0]?.master?.failovers ?? 0;
  };
  // The last one dies, and says nothing of it.
  for (const [round, begin] of [
    () => watched.failOver(),
    async () => (await watched.master()).kill('SIGKILL'),
  ].entries()) {
    const before = await failed();
    const former = await watched.master();
    // Somebody fills a key meanwhile, and somebody waits for that.
    const [filler, waiter] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
    expect(await filler.text('GET', `fill:${round}`)).toBe('$-1\r\n');
    const waits = waiter.text('GET', `fill:${round}`);
    await begin();
    // While the proxy listens to the former one, or to none, somebody writes at the next one.
    await until(async () => (await watched.master()).port !== former.port, 30_000);
    const [unheard = ''] = KEYS;
    const next = (await watched.master()).client();
    await until(
      () =>
        next.set(unheard, `unheard ${round}`).then(
          () => true,
          () => false,
        ),
      30_000,
    );
    await until(async () => (await failed()) > before, 30_000);
    const seenByAll = (): Promise<string[]> => Promise.all(clients.map((client) => client.text('GET', unheard)));
    await until(async () => (await seenByAll()).every((reply) => reply.endsWith(`\r\nunheard ${round}\r\n`)));
    await until(async () => (await filler.text('SET', `fill:${round}`, 'x')) === '+OK\r\n', 30_000);
    expect(['$1\r\nx\r\n', '$-1\r\n']).toContain(await waits);
    const master = await watched.master();
    expect(master.port).not.toBe(former.port);
    await write(`through ${round}`);
    await until(async () => [...(await readAll())].join() === `through ${round}`);
    await keepAll();
    // Past the proxy, at the one that is the master now.
    const value = `past ${round}`;
    for (const key of KEYS) await master.client().set(key, value);
    await until(async () => [...(await readAll())].join() === value);
    await keepAll();
    await until(async () => (await first.text('SET', 'list:1', value)) === '+OK\r\n');
    expect((await first.text('GET', 'list:1')).split('\r\n')[1]).toBe(value);
    for (const client of [filler, waiter]) client.close();
  }
});
