/**
 * The files of the demo with TLS and users on every link, with real servers on loopback instead of containers: a node
 * dies and comes back, and nobody reads what is old.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { Load } from '../../compose/load/load.js';
import { AdminClient } from '../../src/client/admin-client.js';
import { hasOpenssl } from '../support/certificates.js';
import { atEnd } from '../support/cleanup.js';
import { hasEtcd, startEtcd } from '../support/etcd-process.js';
import { freePort } from '../support/free-port.js';
import { COMPOSE } from '../support/prometheus-process.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

interface Service {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const SECURE = join(COMPOSE, 'secure');
const read = (file: string): string => readFileSync(join(SECURE, file), 'utf8');
const { services } = parse(read('compose.yaml'), { merge: true }) as { services: Readonly<Record<string, Service>> };
const { LOAD_USERNAME: username = '', LOAD_PASSWORD: password = '' } = services.load?.environment ?? {};
const token = services['ringproxy-1']?.environment?.RINGPROXY_TOKEN ?? '';

/** By the very words of compose.yaml. */
async function startNode(tls: string, acl: string): Promise<RedisProcess> {
  const port = await freePort();
  const words = (services['redis-1']?.command ?? []).slice(1).map((word) => word.replace('/tls/', `${tls}/`));
  const at = words.indexOf('6379');
  const args = words.map((word, index) => {
    if (index === at) return String(port);
    return word === '/users.acl' ? acl : word === '/tmp' ? tempFolder('node') : word;
  });
  return startRedis({ port, args });
}

/** One address for all proxies. @returns its port */
async function startBalancer(ports: readonly number[]): Promise<number> {
  let next = 0;
  const server = createServer((client) => {
    const proxy = connect(ports[next++ % ports.length] ?? 0, '127.0.0.1');
    for (const socket of [client, proxy]) socket.on('error', () => {}).setNoDelay(true);
    client.pipe(proxy).pipe(client);
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  atEnd(() => void server.close());
  return port;
}

it.skipIf(!hasEtcd || !hasOpenssl)('a node that dies and comes back, with TLS and users on every link', async () => {
  const tls = tempFolder('tls');
  chmodSync(tls, 0o755);
  execFileSync('sh', [join(SECURE, 'make-certificates.sh'), tls], { stdio: 'pipe' });
  const file = (name: string): string => join(tls, name);
  const acl = file('users.acl');
  copyFileSync(join(SECURE, 'users.acl'), acl);
  const [etcd, ...nodes] = await Promise.all([
    startEtcd(1, { tls: { ca: file('ca.crt'), cert: file('etcd.crt'), key: file('etcd.key') } }),
    ...[1, 2, 3].map(() => startNode(tls, acl)),
  ]);
  const endpoint = etcd.endpoints.join();
  const env = { PATH: process.env.PATH, ...services['etcd-users']?.environment, ETCD: endpoint, TLS: tls };
  const giveUsers = (): string =>
    execFileSync(process.execPath, [join(SECURE, 'etcd-users.mjs')], { env, stdio: 'pipe' }).toString();
  expect(giveUsers()).toBe('etcd has its users now\n');
  expect(giveUsers()).toBe('etcd has its users\n');

  let config = read('ringproxy.yaml')
    .replaceAll('/tls/', `${tls}/`)
    .replaceAll('https://etcd:2379', endpoint)
    .replaceAll('0.0.0.0:6380', '127.0.0.1:0')
    .replace('eject-after: 5s', 'eject-after: 700ms\nprobe-interval: 100ms')
    .replace('rejoin-after: 5s', 'rejoin-after: 500ms');
  for (const [index, node] of nodes.entries()) config = config.replace(`redis-${index + 1}:6379`, node.address);
  const startProxy = (): Promise<RingproxyProcess> =>
    startRingproxy({
      args: ['--listen', 'off'],
      config: config.replace('/var/lib/ringproxy', tempFolder('state')),
      allowLog: [/node2/],
    });
  const proxies = await Promise.all([startProxy(), startProxy(), startProxy()]);
  const [first] = proxies;
  const ca = readFileSync(file('ca.crt'), 'utf8');
  const admin = new AdminClient({ admin: first.admin, ca, token });
  expect(first.admin).toMatch(/^https:/);
  const isAlive = async (): Promise<number> => (await admin.ring()).proxies.filter(({ alive }) => alive).length;
  await expect.poll(isAlive).toBe(3);

  const port = await startBalancer(proxies.map(({ tlsPort }) => tlsPort));
  const nobody = await RawClient.secure({ port, ca });
  expect(await nobody.text('GET', 'page:1')).toMatch(/^-NOAUTH/);
  expect(await nobody.text('AUTH', username, password)).toBe('+OK\r\n');
  expect(await nobody.text('GET', 'secret:1')).toMatch(/^-NOPERM/);

  const load = new Load({
    ...{ host: '127.0.0.1', port, connections: 9, rate: 1200, keys: 300, ttl: 600 },
    ...{ versions: 120, ca, username, password },
  });
  load.start();
  atEnd(() => load.stop());
  await expect.poll(() => load.versions.checked, { timeout: 20_000 }).toBeGreaterThan(300);
  expect(load.counts).toMatchObject({ errors: {}, stale: 0, wrong: 0, lost: 0 });

  const stateOf = async (): Promise<string> => {
    const ring = await admin.ring();
    return `${ring.phase} ${ring.nodes.find(({ name }) => name === 'node2')?.state}`;
  };
  const [, second] = nodes;
  second?.kill('SIGKILL');
  await expect.poll(stateOf, { timeout: 20_000 }).toBe('stable ejected');
  const before = load.versions.checked;
  await expect.poll(() => load.versions.checked, { timeout: 20_000 }).toBeGreaterThan(before + 100);
  await second?.restart();
  await expect.poll(stateOf, { timeout: 20_000 }).toBe('stable active');
  const returned = load.versions.checked;
  await expect.poll(() => load.versions.checked, { timeout: 20_000 }).toBeGreaterThan(returned + 200);
  await load.stop();
  expect(load.counts).toMatchObject({ stale: 0, wrong: 0 });
  // Otherwise nothing was taken along, and the zero says little.
  expect(load.versions.missing).toBeGreaterThan(0);
});
