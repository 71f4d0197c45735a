/** Watches that break, are silent, or come too late: what was written meanwhile is told none the less. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EtcdStore } from '../../../src/topology/store/etcd-store.js';
import { CutRelay } from '../../support/cut-relay.js';
import { EtcdGateway } from '../../support/etcd-gateway.js';
import { type EtcdCluster, hasEtcd, startEtcd } from '../../support/etcd-process.js';
import { storeAt } from './etcd-place.js';
import { found, generation, type Heard, hear, join, record, take } from './etcd-stage.js';

describe.skipIf(!hasEtcd)('a watch', () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd();
  });

  interface Stage {
    readonly store: EtcdStore;
    readonly other: EtcdStore;
    readonly relay: CutRelay;
    readonly heard: Heard;
    /** Records these generations, past the relay. */
    write(...generations: readonly number[]): Promise<void>;
  }

  async function stage(memberTtl = 10_000): Promise<Stage> {
    const ringName = randomUUID();
    const relay = await CutRelay.start(etcd.members[0]?.clientPort ?? 0);
    const store = storeAt([relay.url], { ringName, memberTtl });
    const other = storeAt(etcd.endpoints, { ringName });
    await store.open();
    await other.open();
    await found(store);
    const claim = await take(other, 'coordinator', 'p2');
    const write = async (...generations: readonly number[]): Promise<void> => {
      for (const number of generations) await record(other, generation(number), claim);
    };
    return { store, other, relay, heard: hear(store), write };
  }

  it('that is cut goes on where it was, without a gap and without telling anything twice', async () => {
    const { relay, heard, write } = await stage();
    const wanted: number[] = [];
    for (let round = 0; round < 10; round++) {
      const numbers = [2, 3, 4].map((number) => round * 3 + number);
      wanted.push(...numbers);
      const writing = write(...numbers);
      relay.cut();
      await writing;
    }
    await expect.poll(heard.generations).toEqual(wanted);
  });

  it('that is cut for so long that what it missed is not kept any more reads what stands there', async () => {
    const { store, other, relay, heard, write } = await stage();
    relay.refuse();
    await write(2, 3, 4);
    await join(other, 'p2');
    const revision = (await other.load())?.revision;
    await other.addHistory(entry(1));
    await other.addHistory(entry(2));
    await etcd.call('/v3/kv/compaction', { revision: String((revision ?? 0) + 2) });
    relay.heal();
    await expect.poll(heard.generations).toEqual([4]);
    expect((await store.members()).map(({ id }) => id)).toEqual(['p1', 'p2']);
    await write(5);
    await expect.poll(heard.generations).toEqual([4, 5]);
  });

  // The network has forgotten the connection, and nobody tells: no packet comes on it ever again.
  it('whose connection is dead is found out by what etcd answers elsewhere, and begun anew', async () => {
    const { relay, heard, write } = await stage(2000);
    relay.silence('these');
    await write(2, 3);
    await expect.poll(heard.generations, { timeout: 20_000 }).toEqual([3]);
    await write(4);
    await expect.poll(heard.generations).toEqual([3, 4]);
  });

  it('is not begun anew because others write into the same etcd', async () => {
    const { relay, heard, write } = await stage(2000);
    await write(2);
    await expect.poll(heard.generations).toEqual([2]);
    const before = relay.count;
    const body = { key: 'Zm9v', value: 'YmFy' };
    for (const end = Date.now() + 3000; Date.now() < end; ) await etcd.call('/v3/kv/put', body);
    await write(3);
    await expect.poll(heard.generations).toEqual([2, 3]);
    // For requests that meet; the watch would be one more.
    expect(relay.count).toBeLessThanOrEqual(before + 2);
  });

  it.each([
    ['a page', { kind: 'answer', status: 200, body: '<html>Welcome to nginx</html>\n' }],
    ['half a line', { kind: 'stream', chunks: ['{"result":{"header":{"revi'], end: true }],
    ['an error', { kind: 'stream', chunks: [`${JSON.stringify({ error: { grpc_code: 14, message: 'no' } })}\n`] }],
    ['a cancellation', { kind: 'stream', chunks: [`${JSON.stringify({ result: { canceled: true } })}\n`] }],
    ['a status', { kind: 'answer', status: 503, body: '' }],
    ['nothing', { kind: 'hang' }],
    ['an end', { kind: 'close' }],
  ] as const)('that is answered with %s is begun anew', async (_what, fate) => {
    const ringName = randomUUID();
    const gateway = await EtcdGateway.start(etcd.endpoints[0] ?? '');
    gateway.next('/v3/watch', fate, 2);
    const store = storeAt([gateway.url], { ringName });
    await store.open();
    const { generations } = hear(store);
    await record(store, generation(1), await take(store));
    await expect.poll(generations).toEqual([1]);
  });

  // Rule 6 of the protocol: everybody counts. Who records a fence and then asks for the members must miss nobody.
  it('that is late hides no member from who has recorded a fence, and no job from who has taken it', async () => {
    const ringName = randomUUID();
    const gateway = await EtcdGateway.start(etcd.endpoints[0] ?? '');
    gateway.next('/v3/watch', { kind: 'hang' }, 1000);
    const store = storeAt([gateway.url], { ringName });
    const other = storeAt(etcd.endpoints, { ringName });
    await store.open();
    await other.open();
    await found(store);
    await join(other, 'p2');
    const claim = await take(store);
    await record(store, generation(2), claim);
    expect((await store.members()).map(({ id }) => id)).toEqual(['p1', 'p2']);
    const job = await take(store, 'job');
    expect(await store.claims()).toEqual([claim, job]);
  });

  it('that cannot begin is not tried all the time', async () => {
    const gateway = await EtcdGateway.start(etcd.endpoints[0] ?? '');
    const line = `${JSON.stringify({ result: { created: true, header: { revision: '999999999' } } })}\n`;
    gateway.next('/v3/watch', { kind: 'stream', chunks: [line], end: true }, 1000);
    const store = storeAt([gateway.url]);
    await store.open();
    await gateway.called('/v3/watch', 4);
    const before = gateway.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(gateway.calls.length - before).toBeLessThan(5);
  });

  /*
   * Its revisions begin anew, and what is written from then on looks as if it had been known for long. Whoever was a
   * member is none any more: it must not speak to nodes as if nothing had happened.
   */
  it('finds out that etcd was emptied, and tells what is written there from then on', async () => {
    const single = await startEtcd();
    const ringName = randomUUID();
    const store = storeAt(single.endpoints, { ringName });
    await store.open();
    await found(store);
    for (let number = 2; number <= 9; number++) await record(store, generation(number), await take(store));
    const { generations } = hear(store);
    await single.members[0]?.empty();
    await expect.poll(() => store.validUntil).toBe(0);
    expect(await store.load()).toBeNull();
    expect(await store.members()).toEqual([]);
    await record(store, generation(1), await take(store));
    await expect.poll(generations).toEqual([1]);
    await join(store, 'p2');
    expect((await store.members()).map(({ id }) => id)).toEqual(['p2']);
  });

  it('goes on when etcd was restarted with its data', async () => {
    const single = await startEtcd();
    const ringName = randomUUID();
    const store = storeAt(single.endpoints, { ringName });
    await store.open();
    const claim = await take(store);
    for (let number = 1; number <= 5; number++) await record(store, generation(number), claim);
    const { generations } = hear(store);
    const member = single.members[0];
    if (member === undefined) throw new Error('there is none');
    await member.restart();
    await single.decides();
    const again = await take(store);
    await record(store, generation(6), again);
    await expect.poll(generations).toEqual([6]);
  });
});

function entry(number: number) {
  const [startedAt, finishedAt] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z'];
  const counted = { keysMoved: 1, bytesMoved: 2, keysDropped: 0, durationSeconds: 3 };
  const named = { id: `h${number}`, kind: 'add', by: 'p1', who: null, summary: 's' } as const;
  return { ...named, generation: number, startedAt, finishedAt, ...counted };
}
