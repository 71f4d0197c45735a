import { rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AdminClient } from '../../src/library/admin.js';
import {
  type ProxyEvent,
  type ProxySettings,
  RingproxyError,
  type RunningProxy,
  type StartOptions,
  startProxy,
} from '../../src/library/proxy.js';
import { freePort } from '../support/free-port.js';
import { startRedises } from '../support/redis-process.js';
import { tempFolder } from '../support/temp-folder.js';

const FREE = { listen: '127.0.0.1:0', admin: '127.0.0.1:0' };

async function start(settings: ProxySettings, options?: StartOptions): Promise<RunningProxy> {
  const proxy = await startProxy({ ...FREE, ...settings }, options);
  onTestFinished(() => proxy.close());
  return proxy;
}

function connect(port: number): Redis {
  const client = new Redis(port, '127.0.0.1', { retryStrategy: null });
  client.on('error', () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

describe('a proxy within a program', () => {
  it('shares the process with another one, whose keys, names and end are its own', async () => {
    const [a, b] = await startRedises(2);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit', 'uncaughtException'];
    const listeners = (): number[] => signals.map((name) => process.listenerCount(name));
    const before = listeners();
    const one = await start({ nodes: [`n=${a?.address}`] });
    const other = await start({ nodes: [`n=${b?.address}`], workers: 1 });
    expect(listeners()).toEqual(before);
    expect(one.id).not.toBe(other.id);

    const [atOne, atOther] = [connect(one.port), connect(other.port)];
    await atOne.set('k', 'one');
    expect(await atOther.get('k')).toBeNull();
    expect((await new AdminClient({ admin: String(other.admin) }).stats()).clients).toBe(1);
    await one.close();
    await one.close();
    expect(await one.ended).toBeNull();
    expect(await one.health()).toEqual({ ready: false, reason: 'clients are not let in yet' });
    expect(await atOther.set('k', 'other')).toBe('OK');
    expect(await other.health()).toEqual({ ready: true, reason: '' });
  });

  it('tells its events and its log to who asks', async () => {
    const [a, b] = await startRedises(2);
    const lines: string[] = [];
    const proxy = await start({ nodes: [`a=${a?.address}`] }, { log: (line) => lines.push(line) });
    expect(lines.map((line): unknown => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ msg: `serving clients on ${proxy.listen}`, listen: proxy.listen }),
    );
    const seen: ProxyEvent[] = [];
    const stop = proxy.onEvent((event) => seen.push(event), ['ringproxy:ring:finished']);
    expect(() => proxy.onEvent(() => {}, ['ringproxy:nothing'])).toThrow(RingproxyError);
    const admin = new AdminClient({ admin: String(proxy.admin) });
    const add = [{ name: 'b', address: String(b?.address) }];
    await admin.follow(await admin.change({ kind: 'add', add }));
    await expect.poll(() => seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ event: 'ringproxy:ring:finished', at: expect.stringMatching(/^\d{4}-/) });
    stop();
    await admin.follow(await admin.change({ kind: 'remove', remove: ['b'] }));
    expect(seen).toHaveLength(1);
  });

  it('answers what is in flight before it ends', async () => {
    const [a] = await startRedises(1);
    const proxy = await start({ nodes: [`a=${a?.address}`], 'request-timeout': '1m' });
    const client = connect(proxy.port);
    await client.set('k', 'v');
    const admin = new AdminClient({ admin: String(proxy.admin) });
    a?.kill('SIGSTOP');
    onTestFinished(() => a?.kill('SIGCONT'));
    const reply = client.get('k');
    await expect.poll(async () => (await admin.stats()).nodeStats[0]?.inflight).toBe(1);
    const closed = proxy.close();
    a?.kill('SIGCONT');
    expect(await reply).toBe('v');
    await closed;
  });

  it('is refused with all that is wrong with its settings', async () => {
    const settings = { nodes: ['a=x'], ring: { vnodes: 0, wnodes: 1 }, lisen: '127.0.0.1:0' };
    const error = await failure(startProxy(settings as ProxySettings));
    expect(error).toBeInstanceOf(RingproxyError);
    expect(error).toMatchObject({ code: 'CONFIG' });
    expect(error).toMatchObject({
      mistakes: [
        { where: 'ring.wnodes', message: 'is not a setting: did you mean ring.vnodes?' },
        { where: 'lisen', message: 'is not a setting: did you mean listen?' },
        { where: 'nodes[0]' },
        { where: 'ring.vnodes' },
      ],
    });
  });

  it('is refused where another one listens, and leaves nothing behind', async () => {
    const [a] = await startRedises(1);
    const taken = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as net.AddressInfo;
    const admin = `127.0.0.1:${await freePort()}`;
    const settings = { listen: `127.0.0.1:${port}`, admin, nodes: [`a=${a?.address}`] };
    expect(await failure(startProxy(settings))).toMatchObject({ code: 'LISTEN' });
    // Its admin API is free again.
    expect((await start({ admin, nodes: settings.nodes })).admin).toBe(`http://${admin}`);
  });

  it('gives up a start that waits', async () => {
    const reason = new Error('not any more');
    const etcd = { coordination: 'etcd', 'etcd-endpoints': `http://127.0.0.1:${await freePort()}` } as const;
    const ending = new AbortController();
    const starting = failure(startProxy({ ...FREE, ...etcd }, { signal: ending.signal }));
    ending.abort(reason);
    expect(await starting).toBe(reason);
  });

  it('ends by itself, and does not end the process, when its state directory is taken', async () => {
    const [a] = await startRedises(1);
    const folder = tempFolder('state');
    const proxy = await start({ nodes: [`a=${a?.address}`], 'state-dir': folder });
    const again = startProxy({ ...FREE, 'state-dir': folder });
    expect(await failure(again)).toMatchObject({ code: 'STATE_LOCKED' });
    const client = connect(proxy.port);
    await client.ping();
    const lock = join(folder, 'lock');
    await rm(lock);
    await writeFile(lock, '{"pid":1}');
    expect(await proxy.ended).toMatchObject({ code: 'STATE_LOCKED' });
    await expect.poll(() => client.status).toBe('end');
  });
});
