/**
 * One of three nodes is dead, stalled or loading.
 *
 * Symptom: new clients never got ready, also for keys of healthy nodes, and health checks called the whole proxy down.
 * Cause: whatever asks all nodes failed with one of them, at once (-NODEDOWN, loading:1) or after `request-timeout`.
 */
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { startChild } from '../../support/child.js';
import { atEnd } from '../../support/cleanup.js';
import { freePort } from '../../support/free-port.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../support/redis-process.js';
import { fill, ownersOf } from '../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { tempFolder } from '../../support/temp-folder.js';

const NODE_TROUBLE = [/upstream:(down|impaired)/, /node:health/, /could not be checked/];
/** INFO and its like wait 300 ms for a node; anything near `request-timeout` (5 s) is what must not be. */
const SOON_MS = 3500;

interface Stage {
  readonly nodes: RedisProcess[];
  readonly proxy: RingproxyProcess;
  readonly ill: RedisProcess;
  /** A key of each node, the ill one's first. */
  readonly keys: string[];
}

type Illness = 'dead' | 'stalled' | 'loading';

/** @param at which node falls ill */
async function fallIll(illness: Illness, workers: number, at = 0, requestTimeout = '5s'): Promise<Stage> {
  const nodes = await startRedises(3);
  const args = ['--workers', String(workers)];
  const env = { RINGPROXY_REQUEST_TIMEOUT: requestTimeout };
  const proxy = await startRingproxy({ nodes, args, env, allowLog: NODE_TROUBLE });
  await fill(proxy, 6000);
  const names = Array.from({ length: 200 }, (_, i) => `filler:${i}`);
  const owners = await ownersOf(proxy, names);
  const ill = nodes[at] as RedisProcess;
  const order = [ill, ...nodes.filter((node) => node !== ill)];
  const keys = order.map((node) => names[owners.indexOf(node.address)] ?? '');
  if (illness === 'dead') {
    await ill.stop();
    await proxy.logged(/upstream:down/);
  } else if (illness === 'stalled') {
    ill.kill('SIGSTOP');
    atEnd(() => ill.kill('SIGCONT'));
  } else {
    await ill.restartLoading(4000);
    const client = await RawClient.connect(proxy.port);
    await expect.poll(() => client.text('GET', keys[0] ?? ''), { interval: 20, timeout: 10_000 }).toMatch(/^-LOADING /);
    client.close();
  }
  return { nodes, proxy, ill, keys };
}

async function soon<T>(work: Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work;
  expect(performance.now() - start).toBeLessThan(SOON_MS);
  return result;
}

const ILLNESSES: readonly Illness[] = ['dead', 'stalled', 'loading'];
const SITUATIONS = ILLNESSES.flatMap((illness) => [1, 2].map((workers) => [illness, workers] as const));

describe.each(SITUATIONS)('with a %s node, workers: %s', (illness, workers) => {
  it('new clients get ready and use healthy keys; BullMQ adds a job', { timeout: 40_000 }, async () => {
    const { proxy, keys, nodes } = await fallIll(illness, workers);
    for (let i = 0; i < 3; i++) {
      const client = new Redis({ port: proxy.port, host: '127.0.0.1' });
      atEnd(() => client.disconnect());
      await soon(new Promise<void>((resolve) => client.once('ready', resolve)));
      expect(await client.get(keys[1] ?? '')).toMatch(/^value of/);
      expect(await client.set(keys[2] ?? '', 'new')).toBe('OK');
    }
    const tags = Array.from({ length: 50 }, (_, i) => `{t${i}}`);
    const owners = await ownersOf(proxy, tags);
    const prefix = tags[owners.indexOf(nodes[1]?.address ?? '')] ?? '';
    const queue = new Queue('jobs', { connection: { port: proxy.port, host: '127.0.0.1' }, prefix });
    atEnd(() => queue.close().catch(() => {}));
    const job = await soon(queue.add('one', { number: 1 }));
    expect(await queue.getJob(job.id ?? '')).toMatchObject({ name: 'one' });
  });

  it("HAProxy's and redis_exporter's questions are answered soon", { timeout: 40_000 }, async () => {
    const { proxy, ill } = await fallIll(illness, workers);
    const client = await RawClient.connect(proxy.port);
    const ask = (command: string): Promise<string> => soon(client.text(...command.split(' ')));
    // In the order of redis_exporter, first those of which one node's answer is as good as another's.
    expect(await ask('CONFIG GET *')).toContain('maxmemory-policy');
    expect(await ask('CLIENT SETNAME redis_exporter')).toBe('+OK\r\n');
    const info = await ask('INFO ALL');
    expect(info).toContain('\r\nrole:master\r\n');
    expect(info).toContain('\r\nloading:0\r\n');
    expect(info).toContain('\r\nredis_version:');
    expect(info).not.toContain('loading_eta_seconds');
    if (illness !== 'loading') {
      expect(info).toContain('\r\nringproxy_nodes_missing:1\r\n');
      expect(info).toMatch(
        new RegExp(`\\r\\nringproxy_missing0:name=node1,address=${ill.address},reason=[^,=\\r]+\\r\\n`),
      );
      expect(await ask('INFO keyspace')).toContain('ringproxy_missing0:name=node1,');
    }
    expect(await ask('LATENCY LATEST')).toBe('*0\r\n');
    expect(await ask('LATENCY HISTOGRAM')).toMatch(/^\*/);
    expect(await ask('SLOWLOG LEN')).toMatch(/^:\d+\r\n$/);
    expect(await ask('SLOWLOG GET 1')).toMatch(/^\*/);
    expect(await ask('CLIENT LIST')).toContain('name=redis_exporter');
    expect(await ask('MODULE LIST')).toMatch(/^\*/);
    for (const command of ['RANDOMKEY', 'TIME', 'COMMAND COUNT', 'FUNCTION LIST', 'PUBSUB CHANNELS', 'MEMORY DOCTOR']) {
      expect(await ask(command), command).not.toMatch(/^-/);
    }
    expect(await ask('PING')).toBe('+PONG\r\n');
    expect(await ask('INFO replication')).toContain('role:master');
    expect(await ask('QUIT')).toBe('+OK\r\n');
  });

  it('what would be wrong without that node fails, and names it', { timeout: 60_000 }, async () => {
    // Until then what is asked of a stalled node may still be answered.
    const { proxy } = await fallIll(illness, workers, 0, '1s');
    const incomplete = ['KEYS *', 'DBSIZE', 'FLUSHALL', 'SCRIPT FLUSH', 'FUNCTION FLUSH', 'MEMORY STATS', 'WAIT 0 0'];
    const answers = incomplete.map(async (command) => {
      const client = await RawClient.connect(proxy.port);
      expect(await client.text(...command.split(' ')), command).toMatch(
        illness === 'loading' ? /^-LOADING .*\(node node1\)\r\n$/ : /^-NODEDOWN node node1 /,
      );
    });
    await Promise.all(answers);
  });
});

it('a node that stalls is asked no more while it is silent, and again when it is not', async () => {
  const { proxy, ill, keys } = await fallIll('stalled', 1);
  const [first, second] = await Promise.all([RawClient.connect(proxy.port), RawClient.connect(proxy.port)]);
  const waits = first.text('GET', keys[0] ?? '');
  await expect
    .poll(async () => {
      const start = performance.now();
      expect(await second.text('INFO')).toContain('name=node1,');
      return performance.now() - start;
    })
    .toBeLessThan(100);
  ill.kill('SIGCONT');
  expect(await waits).toMatch(/value of/);
  await expect.poll(() => second.text('INFO')).not.toContain('nodes_missing');
  // Late answers were dropped, and nothing is out of step.
  expect(await second.text('GET', keys[0] ?? '')).toMatch(/value of/);
  expect(await second.text('DBSIZE')).toBe(':6000\r\n');
});

it.each([3, 2])('any node but the last being ill, INFO comes from the rest, in RESP%s', async (protocol) => {
  const { proxy, nodes, keys } = await fallIll('stalled', 1, 2);
  await nodes[1]?.stop();
  await proxy.logged(/upstream:down/);
  const client = await RawClient.connect(proxy.port);
  await client.command('HELLO', String(protocol));
  const info = await soon(client.text('INFO'));
  expect(info).toContain('ringproxy_nodes_missing:2\r\n');
  expect(info).toMatch(/ringproxy_missing0:name=node2,.*reason=.*connection\r\nringproxy_missing1:name=node3,.*ms\r\n/);
  expect(await client.text('GET', keys[1] ?? '')).toMatch(/value of/);
});

it('a cache whose remaining nodes are empty does not say of itself that it is', async () => {
  const nodes = await startRedises(2);
  const proxy = await startRingproxy({ nodes, allowLog: NODE_TROUBLE });
  const client = await RawClient.connect(proxy.port);
  expect(await client.text('RANDOMKEY')).toBe('$-1\r\n');
  await nodes[1]?.stop();
  await proxy.logged(/upstream:down/);
  expect(await client.text('RANDOMKEY')).toMatch(/^-NODEDOWN node node2 /);
});

it('with all nodes gone INFO says so', async () => {
  const nodes = await startRedises(2);
  const proxy = await startRingproxy({ nodes, allowLog: NODE_TROUBLE });
  await Promise.all(nodes.map((node) => node.stop()));
  const client = await RawClient.connect(proxy.port);
  for (const command of [['INFO'], ['TIME'], ['CONFIG', 'GET', 'port']]) {
    await expect.poll(() => client.text(...command)).toMatch(/^-NODEDOWN node node\d /);
  }
});

it("HAProxy's check calls the proxy up", async () => {
  const { proxy } = await fallIll('dead', 1);
  const port = await freePort();
  const folder = tempFolder('haproxy');
  const file = join(folder, 'haproxy.cfg');
  const steps = [
    ...['send PING\\r\\n', 'expect string +PONG', 'send info\\ replication\\r\\n', 'expect string role:master'],
    ...['send INFO\\r\\n', 'expect string loading:0', 'send QUIT\\r\\n', 'expect string +OK'],
  ];
  writeFileSync(
    file,
    [
      ...['global', `  stats socket ${join(folder, 'stats.sock')}`, 'defaults', '  mode tcp', '  timeout connect 2s'],
      ...[
        '  timeout client 5s',
        '  timeout server 5s',
        'listen cache',
        `  bind 127.0.0.1:${port}`,
        '  option tcp-check',
      ],
      ...steps.map((step) => `  tcp-check ${step}`),
      `  server proxy 127.0.0.1:${proxy.port} check inter 200ms fall 1 rise 1`,
      '',
    ].join('\n'),
  );
  const child = await startChild('haproxy', ['-f', file, '-db'], { cwd: folder });
  atEnd(() => child.kill());
  const stat = async (): Promise<string> => {
    let text = '';
    const socket = net.connect(join(folder, 'stats.sock'));
    socket.on('data', (data) => {
      text += String(data);
    });
    socket.write('show stat\n');
    await new Promise<void>((resolve) => socket.on('error', () => resolve()).on('end', () => resolve()));
    return `${text}\n${child.stderr.join('\n')}`;
  };
  await expect.poll(stat, { timeout: 10_000 }).toMatch(/cache,proxy,.*,UP,.*L7OK/);
});
