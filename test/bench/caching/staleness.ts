/** How long others still read what was there before a write that is answered: a reader and a writer of one key. */
import { setTimeout as pause } from 'node:timers/promises';
import type { StatsView } from '../../../src/admin/api.js';
import { RawClient } from '../../support/raw-client.js';
import type { RingproxyProcess } from '../../support/ringproxy-process.js';

const KEY = 'key:stale';
/** Reads before a write, so that what is kept near is. */
const READS = 6;
/** Between these. */
const READ_PAUSE_MS = 1;
const GIVE_UP_MS = 10_000;

/** Milliseconds. */
export interface Staleness {
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
}

/**
 * @param proxy with two workers: the reader is a client of one, the writer of the other
 * @returns of so many writes: from the answer to the last read that was sent later and got an older value; 0: none did
 */
export async function measureStaleness(proxy: RingproxyProcess, writes: number): Promise<Staleness> {
  const [reader, writer] = await onTwoWorkers(proxy);
  const times: number[] = [];
  for (let version = 1; version <= writes; version++) {
    for (let i = 0; i < READS; i++) {
      await reader.command('GET', KEY);
      await pause(READ_PAUSE_MS);
    }
    await writer.command('SET', KEY, String(version));
    times.push(await readUntil(reader, version));
  }
  reader.close();
  writer.close();
  times.sort((one, other) => one - other);
  const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  return { median: at(0.5), p99: at(0.99), longest: at(1) };
}

/** @returns milliseconds after which the last read was sent that did not have this version; 0: the first one had it */
async function readUntil(reader: RawClient, version: number): Promise<number> {
  const answered = performance.now();
  let stale = 0;
  for (;;) {
    const sent = performance.now() - answered;
    const [, text = ''] = (await reader.text('GET', KEY)).split('\r\n');
    if (Number(text) >= version) return stale;
    stale = sent;
    if (sent > GIVE_UP_MS) throw new Error('a write is not seen any more');
  }
}

/** New clients go where there are fewer. */
async function onTwoWorkers(proxy: RingproxyProcess): Promise<[RawClient, RawClient]> {
  const before = await clientsOf(proxy);
  for (;;) {
    const pair: [RawClient, RawClient] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
    for (const client of pair) await client.command('PING');
    const after = await clientsOf(proxy);
    if (after.every((clients, worker) => clients > (before[worker] ?? 0))) return pair;
    for (const client of pair) client.close();
    await pause(100);
  }
}

async function clientsOf({ admin }: RingproxyProcess): Promise<number[]> {
  // What the primary knows of its workers is up to 50 ms old.
  await pause(100);
  const stats = (await (await fetch(`${admin}/v1/stats`)).json()) as StatsView;
  return stats.workers.map(({ clients }) => clients);
}
