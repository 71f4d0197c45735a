/** The pool with workers that are none: they start late, stall, die at every step, and are replaced. */

import { channel } from 'node:diagnostics_channel';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../../src/config/load.js';
import { WorkerPool, type WorkerPoolOptions } from '../../../../src/plane/workers/primary/worker-pool.js';
import { emptyPlaneStats } from '../../../../src/proxy/measure/plane-stats.js';
import { pickDataPlaneSettings } from '../../../../src/proxy/settings.js';
import { atEnd } from '../../../support/cleanup.js';
import { FakeStanding } from '../../../support/fake-standing.js';
import { type FakeWorker, FakeWorkers } from '../../../support/fake-workers.js';
import { ManualTimers } from '../../../support/manual-timers.js';
import { FakeMoves, snapshotWith } from '../fake-moves.js';

const NODE = { name: 'a', address: '127.0.0.1:1', username: '', password: '' };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Stage {
  readonly pool: WorkerPool;
  readonly workers: FakeWorkers;
  readonly timers: ManualTimers;
  readonly warnings: string[];
  /** What nodes were asked to drop: connections by their number, and whether one of this name would be. */
  readonly killed: { late: number[]; named: ((name: string) => boolean)[] };
}

function stage(options: Partial<WorkerPoolOptions> = {}, settings: { maxClients?: number } = {}): Stage {
  const workers = new FakeWorkers();
  const timers = new ManualTimers();
  const warnings: string[] = [];
  const killed: Stage['killed'] = { late: [], named: [] };
  const plane = pickDataPlaneSettings(loadConfig({ flags: { nodes: ['a=127.0.0.1:1'] } }));
  const listen = { host: '127.0.0.1', port: 0 };
  const pool = new WorkerPool({
    workers: 2,
    plane: { ...plane, ...settings, listen, tls: null, proxyId: 'p', version: '1' },
    standing: new FakeStanding('p'),
    fleet: null,
    killLate: async (_nodes, late, onDropped) => {
      for (const connection of late) {
        killed.late.push(connection.id);
        onDropped(connection);
      }
    },
    killNamed: async (_nodes, isGone) => void killed.named.push(isGone),
    warn: (message) => warnings.push(message),
    beforeReturn: async () => {},
    open: workers.open,
    timers,
    ...options,
  });
  atEnd(async () => {
    const closed = pool.close(0);
    for (const worker of workers.all) worker.exit('SIGTERM');
    await closed;
  });
  return { pool, workers, timers, warnings, killed };
}

/** Two workers that serve. */
async function serving(options: Partial<WorkerPoolOptions> = {}, settings: { maxClients?: number } = {}) {
  const all = stage(options, settings);
  const listening = all.pool.listen();
  const [first, second] = [all.workers.at(0), all.workers.at(1)];
  for (const worker of [first, second]) worker.say({ type: 'started' });
  return { ...all, first, second, address: String(await listening) };
}

/** A worker takes the place of one that died. */
function replaced({ timers, workers }: Pick<Stage, 'timers' | 'workers'>): FakeWorker {
  const before = workers.all.length;
  timers.advance(199);
  expect(workers.all).toHaveLength(before);
  timers.advance(1);
  expect(workers.all).toHaveLength(before + 1);
  return workers.at(before);
}

describe('a start', () => {
  it('listens when all workers serve, and not before', async () => {
    const { pool, workers } = stage();
    let address: string | null = null;
    const listening = pool.listen().then((text) => {
      address = text;
    });
    workers.at(0).say({ type: 'started' });
    await turn();
    expect(address).toBeNull();
    workers.at(1).say({ type: 'started' });
    await listening;
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('goes on with another worker when one dies before it serves', async () => {
    const all = stage();
    const listening = all.pool.listen();
    all.workers.at(0).exit('exit code 1');
    all.workers.at(1).say({ type: 'started' });
    expect(all.warnings).toEqual([expect.stringContaining('worker 1 (process 1000) ended with exit code 1')]);
    replaced(all).say({ type: 'started' });
    expect(await listening).toMatch(/^127/);
    expect(all.pool.workers).toMatchObject([
      { number: 2, slot: 2 },
      { number: 3, slot: 1 },
    ]);
  });

  /*
   * Symptom: INFO at a worker said that there are no nodes, until the first report a second later.
   */
  it('tells workers what the proxy is as soon as they have told what they know, without waiting for that', async () => {
    const { pool, first, second } = await serving();
    pool.describeBy(({ hits }) => ({ redisVersion: '7.2.4', lines: [`hits:${hits}`], clients: 0 }));
    for (const worker of [first, second]) {
      const stats = { ...emptyPlaneStats(), hits: 4 };
      worker.say({ type: 'stats', request: worker.last('stats').request, stats });
    }
    await expect.poll(() => second.last('info').lines).toEqual(['hits:8']);
  });

  /*
   * Symptom: `listen` of a pool that was closed meanwhile never came to an end.
   */
  it('that is stopped in the middle ends, starts nobody any more, and does not listen', async () => {
    const all = stage();
    const listening = all.pool.listen();
    all.workers.at(0).say({ type: 'started' });
    all.workers.at(1).exit('exit code 1');
    const closed = all.pool.close(1000);
    expect(all.workers.at(0).last('close')).toEqual({ type: 'close', timeout: 1000 });
    all.workers.at(0).exit('exit code 0');
    await closed;
    await expect(listening).rejects.toThrow('stopped while it was starting');
    all.timers.advance(10_000);
    expect(all.workers.all).toHaveLength(2);
    expect(all.timers.pending).toBe(0);
  });
});

describe('a worker that dies', () => {
  it('is replaced in its slot under a new name, with the snapshot, commands and texts of now', async () => {
    const all = await serving();
    all.pool.describeBy(() => ({ redisVersion: '7.2.4', lines: ['x:1'], clients: 3 }));
    all.first.exit();
    const moves = new FakeMoves();
    moves.sweptSources.push(1);
    all.pool.publish(snapshotWith(moves, 9));
    all.pool.useCommands([]);
    const fresh = replaced(all);
    expect(fresh.received).toMatchObject([
      { type: 'start', slot: 1, options: { proxyId: 'p.3' }, snapshot: { generation: 9, moves: 1, swept: [1] } },
      { type: 'info', redisVersion: '7.2.4', lines: ['x:1'], clients: 3 },
    ]);
    expect(all.first.last('start').options.proxyId).toBe('p.1');
    // What is published before it serves reaches it in order.
    all.pool.publish(snapshotWith(null, 10));
    expect(fresh.last('publish').snapshot).toMatchObject({ generation: 10, moves: 0 });
  });

  it('leaves nobody waiting who had asked it, and what it had asked is for nobody', async () => {
    const all = await serving();
    const third = { type: 'peer-question', question: 4, body: { type: 'count' } } as const;
    all.first.say(third);
    const asked = all.second.last('peer-asked');
    all.second.say({ ...third, question: 5 });
    all.second.exit();
    // It can still not be told apart from one that is stalled.
    await turn();
    expect(all.first.got('peer-answers')).toEqual([]);
    all.timers.advance(2000);
    await turn();
    expect(all.first.got('peer-answers')).toEqual([{ type: 'peer-answers', question: 4, answers: [null] }]);
    all.first.say({ type: 'peer-answer', question: all.first.last('peer-asked').question, answer: 1 });
    await turn();
    expect(asked.body).toEqual({ type: 'count' });
    expect(all.first.got('peer-news')).toMatchObject([
      { news: { type: 'joined' } },
      { news: { type: 'left', from: 'p.2' } },
    ]);
  });

  it('takes no counter with it, and figures of what lives are gone', async () => {
    const all = await serving();
    const stats = { ...emptyPlaneStats(), clients: 4, hits: 10 };
    const reading = all.pool.stats();
    all.first.say({ type: 'stats', request: all.first.last('stats').request, stats });
    all.second.say({ type: 'stats', request: all.second.last('stats').request, stats: { ...stats, hits: 1 } });
    expect(await reading).toMatchObject({ clients: 8, hits: 11 });
    const again = all.pool.stats();
    all.first.exit();
    all.timers.advance(1000);
    // The other one does not answer: it is as it was.
    expect(await again).toMatchObject({ clients: 4, hits: 11 });
    expect(await within(all, all.pool.stats())).toMatchObject({ clients: 4, hits: 11 });
  });

  it('ends what it alone had found of a node', async () => {
    const all = await serving();
    const told: unknown[] = [];
    const up = channel('ringproxy:upstream:up');
    const note = (event: unknown): void => void told.push(event);
    up.subscribe(note);
    atEnd(() => void up.unsubscribe(note));
    const event = { node: 'a', address: 'h:1', error: 'refused' };
    all.first.say({ type: 'event', channel: 'ringproxy:upstream:down', event });
    all.first.exit();
    expect(told).toEqual([{ ...event, error: '', reason: '' }]);
  });

  it('lets moves go on that held still for it', async () => {
    const all = await serving();
    const moves = new FakeMoves();
    all.pool.publish(snapshotWith(moves));
    all.first.say({ type: 'hold', moves: 1 });
    expect(moves.holders).toBe(1);
    all.first.exit();
    expect(moves.holders).toBe(0);
  });
});

async function within<T>({ timers }: Pick<Stage, 'timers'>, work: Promise<T>): Promise<T> {
  timers.advance(1000);
  return work;
}

describe('the fence', () => {
  const late = { node: 'a', address: '127.0.0.1:1', id: 7, peer: '' };
  const fenced = (worker: FakeWorker, slow: string[] = []): void =>
    worker.say({ type: 'fenced', request: worker.last('fence').request, slow, late: [late] });

  it('is passed when all have acknowledged, and then nodes drop what is late', async () => {
    const { pool, first, second, killed } = await serving();
    const fence = pool.fence(2000);
    fenced(second);
    fenced(first);
    expect(await fence).toEqual([
      { acknowledged: true, why: '' },
      { acknowledged: true, why: '' },
    ]);
    await pool.killLateConnections([NODE]);
    expect(killed).toEqual({ late: [7], named: [] });
    for (const worker of [first, second]) expect(worker.last('dropped')).toEqual({ type: 'dropped', late: [late] });
    await pool.killLateConnections([NODE]);
    expect(killed.late).toEqual([7]);
  });

  it('is passed by one that dies meanwhile, before or after its answer, once nodes have dropped all that it had', async () => {
    for (const answersFirst of [false, true]) {
      const { pool, first, second, killed } = await serving();
      const fence = pool.fence(2000);
      if (answersFirst) fenced(first, ['1 command at a']);
      first.exit();
      fenced(second);
      expect((await fence).map(({ acknowledged }) => acknowledged)).toEqual([true, true]);
      await pool.killLateConnections([NODE]);
      expect(killed.named).toHaveLength(1);
      expect(['ringproxy:p.1', 'ringproxy:p.2', 'ringproxy:p.3'].map((name) => killed.named[0]?.(name))).toEqual([
        true,
        false,
        false,
      ]);
      // Each node is asked once for each that died.
      await pool.killLateConnections([NODE]);
      expect(killed.named).toHaveLength(1);
      await pool.killLateConnections([{ ...NODE, address: '127.0.0.1:2' }]);
      expect(killed.named).toHaveLength(2);
    }
  });

  it('is not passed by one that does not answer, which is named, or by one with commands in flight', async () => {
    const { pool, first, second, timers } = await serving();
    const fence = pool.fence(2000);
    fenced(second, ['1 command at a']);
    await turn();
    timers.advance(2500);
    const [stalled, slow] = await fence;
    expect(stalled).toMatchObject({
      acknowledged: false,
      why: expect.stringMatching(/worker 1 \(process 1000\) does not/),
    });
    expect(slow).toEqual({
      acknowledged: false,
      why: 'commands on keys that move are still in flight at 1 command at a',
    });
    // An answer that comes yet is not one to the next fence.
    const next = pool.fence(2000);
    first.say({ type: 'fenced', request: 1, slow: [], late: [] });
    fenced(second);
    await turn();
    timers.advance(2500);
    expect((await next).map(({ acknowledged }) => acknowledged)).toEqual([false, true]);
  });

  it('asks again for what a node could not drop', async () => {
    let fails = true;
    const { pool, first, killed } = await serving({
      killNamed: async () => {
        if (fails) throw new Error('a cannot be asked');
        killed.named.push(() => true);
      },
    });
    first.exit();
    await expect(pool.killLateConnections([NODE])).rejects.toThrow('a cannot be asked');
    fails = false;
    await pool.killLateConnections([NODE]);
    expect(killed.named).toHaveLength(1);
  });
});

describe('clients', () => {
  async function client(address: string): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port: Number(address.split(':')[1]) });
    socket.on('error', () => {});
    atEnd(() => void socket.destroy());
    await new Promise((resolve) => socket.once('connect', resolve));
    return socket;
  }
  const counts = (...workers: FakeWorker[]): number[] => workers.map(({ clients }) => clients.length);

  it('go to the worker with the fewest, and not to one that does not take them', async () => {
    const { first, second, timers, address } = await serving();
    for (let i = 0; i < 4; i++) await client(address);
    await expect.poll(() => counts(first, second)).toEqual([2, 2]);
    second.say({ type: 'clients', accepted: 2, open: 2, commands: 0 });
    timers.advance(2001);
    for (let i = 0; i < 3; i++) await client(address);
    await expect.poll(() => counts(first, second)).toEqual([2, 5]);
  });

  /** What a worker has passed to nodes is less when one leaves: it had negative commands, and nobody was the idlest. */
  it('are taken when a node has left the ring', async () => {
    const { first, second, timers, address } = await serving();
    for (const commands of [1000, 10]) {
      for (const worker of [first, second]) worker.say({ type: 'clients', accepted: 0, open: 0, commands });
      // What was passed before that is long ago.
      if (commands === 1000) timers.advance(60_000);
    }
    for (let i = 0; i < 2; i++) await client(address);
    await expect.poll(() => counts(first, second)).toEqual([1, 1]);
  });

  it('that a dead worker had not taken yet are cut, those that it had taken are its own', async () => {
    const { first, second, address } = await serving();
    const sockets = [await client(address), await client(address)];
    await expect.poll(() => counts(first, second)).toEqual([1, 1]);
    const given = [first, second].map(({ clients }) => clients[0]?.socket);
    second.say({ type: 'clients', accepted: 1, open: 1, commands: 0 });
    expect(given.map((socket) => socket?.destroyed)).toEqual([false, true]);
    first.exit();
    expect(given.map((socket) => socket?.destroyed)).toEqual([true, true]);
    expect(sockets).toHaveLength(2);
  });

  it('beyond max-clients of all together are told so', async () => {
    const { pool, first, second, timers, address } = await serving({}, { maxClients: 2 });
    await client(address);
    await client(address);
    await expect.poll(() => counts(first, second)).toEqual([1, 1]);
    const socket = await client(address);
    const text = await new Promise((resolve) => socket.once('data', (chunk) => resolve(String(chunk))));
    expect(text).toBe('-ERR max number of clients reached\r\n');
    const stats = pool.stats();
    timers.advance(1000);
    expect(await stats).toMatchObject({ clientsRejected: 1 });
  });

  it('that come when no worker lives are cut', async () => {
    const { first, second, address } = await serving();
    first.exit();
    second.exit();
    const socket = await client(address);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(counts(first, second)).toEqual([0, 0]);
  });
});

describe('a stop', () => {
  it('waits for workers, insists a second after their time, and replaces nobody', async () => {
    const { pool, workers, first, second, timers, warnings } = await serving();
    const closed = pool.close(3000);
    first.exit('exit code 0');
    timers.advance(3999);
    expect(second.signals).toEqual([]);
    timers.advance(1);
    expect(second.signals).toEqual(['SIGKILL']);
    await closed;
    timers.advance(10_000);
    expect(workers.all).toHaveLength(2);
    expect(warnings).toEqual([]);
  });

  it('between a death and its replacement starts nobody', async () => {
    const all = await serving();
    all.first.exit();
    const closed = all.pool.close(1000);
    all.second.exit('exit code 0');
    await closed;
    expect(all.timers.pending).toBe(0);
    expect(all.workers.all).toHaveLength(2);
  });
});

it('a node that is back is waited for by its worker, unless it has left the ring', async () => {
  const asked: string[] = [];
  const { pool, first } = await serving({
    beforeReturn: async ({ name, address }) => void asked.push(`${name} ${address}`),
  });
  pool.publish(snapshotWith(null));
  first.say({ type: 'returned', question: 1, node: { name: 'a', address: '127.0.0.1:1' } });
  first.say({ type: 'returned', question: 2, node: { name: 'a', address: 'elsewhere:1' } });
  await turn();
  expect(asked).toEqual(['a 127.0.0.1:1']);
  expect(
    first
      .got('serves')
      .map(({ question }) => question)
      .sort(),
  ).toEqual([1, 2]);
});
