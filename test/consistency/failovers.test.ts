/**
 * Nodes fail over by real Sentinels while clients write. Every acknowledged write is known: what is missing afterwards
 * was acknowledged by a former master around its failover, and is no more than the proxy has told.
 */
import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { ringOf } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { startWatched, until, type Watched } from '../support/sentinels.js';

const WRITERS = 4;
/** A replica is late by no more, on one machine. Milliseconds. */
const LAG_MS = 1000;
const EXPECTED = [/ringproxy:node:failover/, /ringproxy:node:master/, /upstream:(?:down|up|impaired)/, /node:health/];

interface Write {
  readonly key: string;
  readonly acknowledgedAt: number;
}

/** Writes new keys one after the other, and notes those that are acknowledged. */
async function write(proxy: RingproxyProcess, writer: number, done: () => boolean): Promise<Write[]> {
  const client = await RawClient.connect(proxy.port);
  const writes: Write[] = [];
  for (let n = 0; !done(); n++) {
    const key = `${writer}:${n}`;
    const reply = await client.text('SET', key, key);
    if (reply === '+OK\r\n') writes.push({ key, acknowledgedAt: performance.now() });
    else expect(reply).toMatch(/^-NODEDOWN /);
  }
  return writes;
}

/** Bytes that a write takes in the stream of writes. */
function bytesOf({ key }: Write): number {
  return `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${key.length}\r\n${key}\r\n`.length;
}

async function toldOf(proxy: RingproxyProcess): Promise<{ failovers: number; lostBytes: number }> {
  const { nodes } = await ringOf(proxy);
  return nodes[0]?.master ?? { failovers: 0, lostBytes: 0 };
}

async function missing(watched: Watched, writes: readonly Write[]): Promise<Write[]> {
  const values = await (await watched.master()).client().mget(writes.map(({ key }) => key));
  return writes.filter(({ key }, at) => values[at] !== key);
}

it('loses no acknowledged write but what a former master had not replicated, and tells how much that is', async () => {
  const watched = await startWatched({ replicas: 2 });
  const proxy = await startRingproxy({
    nodes: [`a=${watched.address}`],
    allowLog: EXPECTED,
    config: 'probe-interval: 100ms\n',
  });
  const windows: { from: number; to: number }[] = [];
  let isDone = false;
  const writing = Promise.all(Array.from({ length: WRITERS }, (_, n) => write(proxy, n, () => isDone)));
  const failOver = async (begin: () => Promise<void>): Promise<void> => {
    const { failovers } = await toldOf(proxy);
    const from = performance.now() - LAG_MS;
    await begin();
    await until(async () => (await toldOf(proxy)).failovers > failovers, 30_000);
    windows.push({ from, to: performance.now() });
    const client = await RawClient.connect(proxy.port);
    await until(async () => (await client.text('SET', `after:${failovers}`, 'v')) === '+OK\r\n');
  };

  // One that is asked for: the former master answers to the end, so what is lost is told exactly.
  await failOver(() => watched.failOver());
  const { lostBytes } = await toldOf(proxy);
  // One whose master is gone: what is lost is told as at least so much.
  const master = await watched.master();
  await failOver(async () => master.kill('SIGKILL'));
  isDone = true;
  const writes = (await writing).flat();

  const lost = await missing(watched, writes);
  const outside = lost.filter(
    ({ acknowledgedAt }) => !windows.some(({ from, to }) => acknowledgedAt >= from && acknowledgedAt <= to),
  );
  expect(outside).toEqual([]);
  const first = lost.filter(({ acknowledgedAt }) => acknowledgedAt <= (windows[0]?.to ?? 0));
  expect(first.reduce((sum, one) => sum + bytesOf(one), 0)).toBeLessThanOrEqual(lostBytes);
  expect(writes.length).toBeGreaterThan(500);
});
