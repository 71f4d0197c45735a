/** Keys move between nodes that speak TLS, and what one of them shows, or wants to see, turns wrong meanwhile. */
import net from 'node:net';
import tls, { type TlsOptions } from 'node:tls';
import { expect, it } from 'vitest';
import { Authority, type Certificate, hasOpenssl } from '../support/certificates.js';
import { atEnd } from '../support/cleanup.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { fill, fillers, post, settled, until } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';

const KEYS = 1000;
/** What a large value takes at least when nodes hand it on. */
const COMPRESSED = 10_000;

it.skipIf(!hasOpenssl)(
  'a node that shows, or wants, another certificate meanwhile gets no key, which is told; and the change goes on',
  { timeout: 60_000 },
  async () => {
    const [authority, stranger] = [new Authority('nodes'), new Authority('strangers')];
    const right = authority.issue('right', ['serverAuth', 'clientAuth']);
    const wrong: readonly [RegExp, Certificate, 'yes' | 'no'][] = [
      [/no authority known here has signed/, stranger.issue('unknown', ['serverAuth']), 'no'],
      [/not valid now/, authority.issue('expired', ['serverAuth'], { days: -1 }), 'no'],
      [/of another name/, authority.issue('other', ['serverAuth'], { names: 'DNS:other.test' }), 'no'],
      [/without a certificate that it trusts/, right, 'yes'],
    ];
    const [plain, secure] = await Promise.all([
      startRedis(),
      startRedis({ tls: { authority, certificate: right, authClients: 'no' } }),
    ]);
    const operator = secure.client();
    const show = async ({ certFile, keyFile }: Certificate, asks: 'yes' | 'no'): Promise<void> => {
      const files = ['tls-cert-file', certFile, 'tls-key-file', keyFile];
      await operator.call('CONFIG', 'SET', ...files, 'tls-auth-clients', asks);
    };
    const proxy = await startRingproxy({
      nodes: [plain],
      config: `node-tls-ca: ${authority.file}\n`,
      allowLog: [/upstream:down/, /node:health/, /paused/, /cannot be/, /stands? still/],
    });
    await fill(proxy, KEYS);
    const node = { name: 'secure', address: `rediss://${secure.address}` };
    // Each certificate is refused to who would join, too.
    for (const [words, certificate, asks] of wrong) {
      await show(certificate, asks);
      await expect(post(proxy, 'changes', { kind: 'add', add: [node] })).rejects.toThrow(words);
    }
    await show(right, 'no');
    await post(proxy, 'changes', { kind: 'add', add: [node], throttle: 100 });
    for (const [words, certificate, asks] of wrong) {
      await until(proxy, ({ change }) => change !== null && change.keysMoved > 0);
      await show(certificate, asks);
      await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      const { change } = await until(proxy, ({ change: one }) => one === null || (one.paused && one.error !== null));
      expect(change?.error).toMatch(words);
      await until(proxy, ({ nodes }) => words.test(nodes.find(({ name }) => name === 'secure')?.reason ?? ''));
      await show(right, 'no');
      await until(proxy, ({ nodes }) => nodes.every(({ reason }) => reason === null));
      await post(proxy, 'changes/current/resume');
    }
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 0 });
    await settled(proxy);
    const values = await proxy.client().mget(fillers(KEYS));
    expect(values).toEqual(Array.from({ length: KEYS }, (_, i) => `value of ${i}`));
    expect((await plain.client().dbsize()) + (await operator.dbsize())).toBe(KEYS);
  },
);

/** Speaks TLS in front of a node. @returns its port, and who has come */
async function relay(node: RedisProcess, options: TlsOptions) {
  const seen = { connections: 0, secured: 0, bytes: 0 };
  const server = tls.createServer(options, (socket) => {
    seen.secured++;
    const onward = net.connect(node.port, '127.0.0.1');
    socket.pipe(onward).pipe(socket);
    socket.on('data', ({ length }) => (seen.bytes += length));
    for (const one of [socket, onward]) one.on('error', () => {});
  });
  server.on('connection', () => seen.connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => void server.close());
  return { port: (server.address() as net.AddressInfo).port, seen };
}

it.skipIf(!hasOpenssl)(
  'nodes that do not take each other’s certificate at a peer-address have their keys go through the proxy',
  { timeout: 60_000 },
  async () => {
    const [authority, stranger, movers] = [new Authority('nodes'), new Authority('strangers'), new Authority('movers')];
    const right = authority.issue('right', ['serverAuth', 'clientAuth']);
    const mover = movers.issue('mover', ['clientAuth']);
    // Values that cannot go in pieces: whole ones go by MIGRATE, or through the proxy.
    const source = await startRedis({
      args: ['--rename-command', 'GETRANGE', ''],
      tls: { authority, certificate: right, authClients: 'no', cluster: true },
    });
    const proxy = await startRingproxy({
      nodes: [`source=rediss://${source.address}`],
      config: `node-tls-ca: ${authority.file}\n`,
      allowLog: [/node:health/, /upstream:down/],
    });
    const client = proxy.client();
    const large = Buffer.alloc(1_500_000, 'x');
    for (let i = 0; i < 6; i++) await client.set(`large:${i}`, large);
    const trusts = { requestCert: true, rejectUnauthorized: true };
    const show = (...files: string[]) => source.client().call('CONFIG', 'SET', ...files);
    const asMover = ['tls-client-key-file', mover.keyFile, 'tls-client-cert-file', mover.certFile];
    const asItself = ['tls-client-key-file', '', 'tls-client-cert-file', ''];
    const cases: readonly [Certificate, TlsOptions, boolean, readonly string[]][] = [
      [stranger.issue('unknown', ['serverAuth']), {}, false, asItself],
      [authority.issue('expired', ['serverAuth'], { days: -1 }), {}, false, asItself],
      [right, { ...trusts, ca: authority.cert }, true, asItself],
      // Whoever moves keys is to show another certificate than a node's own.
      [right, { ...trusts, ca: movers.cert }, true, asMover],
    ];
    for (const [{ cert, key }, more, isGood, files] of cases) {
      await show(...files);
      const target = await startRedis();
      const { port, seen } = await relay(target, { cert, key, ...more });
      const node = { name: 'target', address: `redis://${target.address}`, peerAddress: `rediss://127.0.0.1:${port}` };
      await post(proxy, 'changes', { kind: 'add', add: [node] });
      await settled(proxy);
      expect([seen.connections > 0, seen.secured > 0, seen.bytes > COMPRESSED]).toEqual([true, isGood, isGood]);
      expect(await target.client().dbsize()).toBeGreaterThan(0);
      for (let i = 0; i < 6; i++) expect((await client.getBuffer(`large:${i}`))?.equals(large)).toBe(true);
      await post(proxy, 'changes', { kind: 'remove', remove: ['target'] });
      await settled(proxy);
      await target.stop();
    }
  },
);
