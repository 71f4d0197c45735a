import { execFileSync } from 'node:child_process';
import { constants } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import tls, { type ConnectionOptions } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { Authority, type Certificate, hasOpenssl } from '../../support/certificates.js';
import { requireProgram } from '../../support/programs.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedis } from '../../support/redis-process.js';
import { type RingproxyOptions, type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { scrape } from '../../support/series.js';
import { tempFolder } from '../../support/temp-folder.js';

interface Papers {
  readonly authority: Authority;
  readonly stranger: Authority;
  readonly server: Certificate;
  readonly renewed: Certificate;
  readonly named: Certificate;
  readonly client: Certificate;
  readonly expired: Certificate;
  readonly unknown: Certificate;
}

function papers(): Papers {
  const [authority, stranger] = [new Authority('authority'), new Authority('stranger')];
  return {
    authority,
    stranger,
    server: authority.issue('proxy', ['serverAuth']),
    renewed: authority.issue('renewed', ['serverAuth']),
    named: authority.issue('named', ['serverAuth'], { names: 'DNS:*.cache.test' }),
    client: authority.issue('app-1', ['clientAuth']),
    expired: authority.issue('late', ['clientAuth'], { days: -1 }),
    unknown: stranger.issue('nobody', ['clientAuth']),
  };
}

describe.skipIf(!hasOpenssl)('clients by TLS', () => {
  let all: Papers;
  let redis: RedisProcess;
  beforeAll(async () => {
    all = papers();
    redis = await startRedis();
  });

  const folder = tempFolder('tls-door');
  let proxies = 0;

  /** Its certificate's files may be written to. */
  async function start(args: readonly string[] = [], options: RingproxyOptions = {}) {
    const files = { cert: join(folder, `cert${++proxies}.pem`), key: join(folder, `key${proxies}.pem`) };
    copyFileSync(all.server.certFile, files.cert);
    copyFileSync(all.server.keyFile, files.key);
    const given = ['--tls-listen', '127.0.0.1:0', '--tls-cert', files.cert, '--tls-key', files.key, ...args];
    return { proxy: await startRingproxy({ nodes: [redis], ...options, args: given }), files };
  }

  const connect = (proxy: RingproxyProcess, options: ConnectionOptions = {}) =>
    RawClient.secure({ port: proxy.tlsPort, ca: all.authority.cert, ...options });

  /** What a client reads until the other side ends the connection. */
  function readAll(options: ConnectionOptions): Promise<string> {
    return new Promise((resolve) => {
      const socket = tls.connect({ host: '127.0.0.1', ca: all.authority.cert, ...options });
      let text = '';
      socket.on('data', (chunk) => {
        text += String(chunk);
      });
      socket.on('error', (error) => {
        text += `error: ${String(Reflect.get(error, 'code'))}`;
      });
      socket.on('close', () => resolve(text));
    });
  }

  const handshakes = async (proxy: RingproxyProcess, outcome: string): Promise<number> => {
    const series = await scrape(proxy.admin);
    return series.get(`ringproxy_tls_handshakes_total{outcome="${outcome}"}`) ?? 0;
  };

  for (const workers of [1, 2]) {
    describe(`served by ${workers === 1 ? 'one process' : `${workers} workers`}`, () => {
      const mode = ['--workers', String(workers)];

      it('are answered as by a plain connection: pipelines, large values, the end of what they send', async () => {
        const { proxy } = await start(mode);
        expect(proxy.port).toBeGreaterThan(0);
        const client = await connect(proxy);
        expect(client.socket.getProtocol()).toBe('TLSv1.3');
        const plain = await RawClient.connect(proxy.port);
        expect(await client.text('SET', 'k', 'v')).toBe('+OK\r\n');
        expect(await plain.text('GET', 'k')).toBe('$1\r\nv\r\n');
        const replies = await client.pipeline(Array.from({ length: 5000 }, (_, i) => ['SET', `p:${i}`, `value ${i}`]));
        expect(replies.every((reply) => reply.toString() === '+OK\r\n')).toBe(true);
        const read = await client.pipeline(Array.from({ length: 5000 }, (_, i) => ['GET', `p:${i}`]));
        expect(read.map(String)).toEqual(replies.map((_, i) => `$${`value ${i}`.length}\r\nvalue ${i}\r\n`));
        const large = Buffer.alloc(20_000_000, 'large value ');
        expect(await client.text('SET', 'large', large)).toBe('+OK\r\n');
        const reply = await client.command('GET', 'large');
        expect(reply.subarray(reply.indexOf('\n') + 1, -2).equals(large)).toBe(true);
        // Whoever sends its end reads the replies to what it sent before, and then that the other side ends as well.
        const text = await new Promise<string>((resolve, reject) => {
          const options = { port: proxy.tlsPort, host: '127.0.0.1', ca: all.authority.cert, allowHalfOpen: true };
          const half = tls.connect(options);
          let heard = '';
          half.on('secureConnect', () => half.end('PING\r\nGET k\r\n'));
          half.on('data', (chunk) => {
            heard += String(chunk);
          });
          half.on('error', reject);
          half.on('end', () => resolve(heard));
        });
        expect(text).toBe('+PONG\r\n$1\r\nv\r\n');
        expect(await handshakes(proxy, 'ok')).toBe(2);
      });

      it('are shown the certificate of the name that they ask for', async () => {
        const config = `tls-certificates:\n  - cert: ${all.named.certFile}\n    key: ${all.named.keyFile}\n`;
        const { proxy } = await start(mode, { config });
        const shown = async (servername: string): Promise<unknown> => {
          const client = await connect(proxy, { servername, checkServerIdentity: () => undefined });
          return client.socket.getPeerCertificate().subject.CN;
        };
        expect(await shown('a.cache.test')).toBe('named');
        expect(await shown('localhost')).toBe('proxy');
        expect(await shown('elsewhere.test')).toBe('proxy');
        await expect(connect(proxy, { servername: 'elsewhere.test' })).rejects.toThrow(/does not match/);
      });

      it('must show a certificate that the authority has signed where one is required, and are told why not', async () => {
        const { proxy } = await start([...mode, '--tls-ca', all.authority.file, '--tls-client-auth', 'required'], {
          allowLog: [/no TLS with client/],
        });
        const { cert, key } = all.client;
        expect(await (await connect(proxy, { cert, key })).text('PING')).toBe('+PONG\r\n');
        const port = proxy.tlsPort;
        expect(await readAll({ port })).toMatch(/^-DENIED the proxy lets in only clients that show a certificate/);
        const of = ({ cert, key }: Certificate): ConnectionOptions => ({ port, cert, key });
        expect(await readAll(of(all.expired))).toBe('-DENIED the certificate that this client shows has expired\r\n');
        expect(await readAll(of(all.unknown))).toMatch(/is not signed by an authority of tls-ca\r\n$/);
        expect(await readAll(of(all.server))).toMatch(/is not one for clients \(clientAuth\)\r\n$/);
        expect(await handshakes(proxy, 'no-certificate')).toBe(1);
        expect(await handshakes(proxy, 'bad-certificate')).toBe(3);
        expect((await proxy.logged(/"outcome":"bad-certificate"/)).msg).toMatch(
          /showed a certificate that has expired/,
        );
      });

      it('are the user whom their certificate names, where that is wanted, for as long as there is one', async () => {
        const file = join(folder, `users${workers}.yaml`);
        const write = (rules: string): void =>
          writeFileSync(file, `tls-client-user: cn\nusers:\n  default: "off"\n  ${rules}\n`);
        write('app-1: "on ~app:* +@all -@admin"');
        const asks = ['-c', file, '--tls-ca', all.authority.file, '--tls-client-auth', 'optional'];
        const { proxy } = await start([...mode, ...asks]);
        const { cert, key } = all.client;
        const [known, stranger] = [await connect(proxy, { cert, key }), await connect(proxy)];
        expect(await known.text('ACL', 'WHOAMI')).toBe('$5\r\napp-1\r\n');
        expect(await known.text('SET', 'app:k', 'v')).toBe('+OK\r\n');
        expect(await known.text('SET', 'other', 'v')).toMatch(/^-NOPERM /);
        expect(await stranger.text('GET', 'app:k')).toMatch(/^-NOAUTH /);
        expect(await known.text('RESET')).toBe('+RESET\r\n');
        expect(await known.text('GET', 'app:k')).toMatch(/^-NOAUTH /);
        const again = await connect(proxy, { cert, key });
        expect(await again.text('GET', 'app:k')).toBe('$1\r\nv\r\n');
        write('app-1: "on ~b:* +@all"');
        proxy.kill('SIGHUP');
        await expect.poll(() => again.text('GET', 'app:k')).toMatch(/^-NOPERM /);
        write('somebody: "on nopass"');
        proxy.kill('SIGHUP');
        await again.closed;
        expect(await (await connect(proxy, { cert, key })).text('GET', 'app:k')).toMatch(/^-NOAUTH /);
      });

      it('may leave it where it is optional, and then must not show a wrong one; no session saves them from it', async () => {
        const { proxy } = await start([...mode, '--tls-ca', all.authority.file, '--tls-client-auth', 'optional'], {
          allowLog: [/no TLS with client/],
        });
        for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
          const without = await connect(proxy, { maxVersion });
          expect(await without.text('PING')).toBe('+PONG\r\n');
          const session = without.socket.getSession();
          const again = await connect(proxy, { maxVersion, ...(session === undefined ? {} : { session }) });
          expect(again.socket.isSessionReused()).toBe(false);
        }
        const { cert, key } = all.unknown;
        expect(await readAll({ port: proxy.tlsPort, cert, key })).toMatch(/^-DENIED/);
      });

      it('of whom there are too many are turned away, with those whose handshake is under way', async () => {
        const { proxy } = await start([...mode], {
          env: { RINGPROXY_MAX_CLIENTS: '2' },
          allowLog: [/was turned away: max-clients/],
        });
        const first = await connect(proxy);
        expect(await first.text('PING')).toBe('+PONG\r\n');
        const silent = net.connect(proxy.tlsPort, '127.0.0.1');
        silent.on('error', () => {});
        await expect.poll(async () => (await scrape(proxy.admin)).get('ringproxy_tls_handshakes_pending')).toBe(1);
        await expect(connect(proxy)).rejects.toThrow();
        silent.destroy();
        await expect.poll(() => handshakes(proxy, 'left')).toBe(1);
        await expect.poll(() => connect(proxy).then((client) => client.text('PING'), String)).toBe('+PONG\r\n');
      });

      it('are shown new certificates without an error while they come, go and work', { timeout: 30_000 }, async () => {
        const { proxy, files } = await start(mode);
        const kept = await connect(proxy);
        const seen = new Set<unknown>();
        let connections = 0;
        let isOver = false;
        const come = async (): Promise<void> => {
          while (!isOver) {
            const client = await connect(proxy);
            seen.add(client.socket.getPeerCertificate().subject.CN);
            expect(await client.text('SET', 'k', 'v')).toBe('+OK\r\n');
            client.socket.destroy();
            connections++;
          }
        };
        const work = async (): Promise<void> => {
          while (!isOver) expect(await kept.text('PING')).toBe('+PONG\r\n');
        };
        const load = Promise.all([...Array.from({ length: 4 }, come), work()]);
        for (const { cert, key } of [all.renewed, all.server, all.renewed]) {
          writeFileSync(files.cert, cert.slice(0, 100));
          writeFileSync(files.cert, cert);
          writeFileSync(files.key, key);
          const before = proxy.log.length;
          proxy.kill('SIGHUP');
          await expect
            .poll(() => proxy.log.slice(before).some(({ event }) => event === 'ringproxy:tls:reloaded'), {
              timeout: 5000,
            })
            .toBe(true);
        }
        const at = connections;
        await expect.poll(() => connections, { timeout: 10_000 }).toBeGreaterThan(at + 100);
        isOver = true;
        await load;
        expect([...seen].sort()).toEqual(['proxy', 'renewed']);
        expect((await connect(proxy)).socket.getPeerCertificate().subject.CN).toBe('renewed');
        const series = await scrape(proxy.admin);
        expect(series.get('ringproxy_tls_reloads_total{use="clients",outcome="ok"}')).toBe(3);
        const expiry = `ringproxy_tls_certificate_expiry_timestamp_seconds{use="clients",file="${files.cert}",subject="CN=renewed"}`;
        const left = Number(series.get(expiry)) - Date.now() / 1000;
        expect(left).toBeGreaterThan(59 * 86_400);
        expect(left).toBeLessThan(60 * 86_400 + 60);
      });
    });
  }

  it('that speak something else are closed, counted and told of once; and TLS where it is not spoken is', async () => {
    const { proxy } = await start(['--tls-ca', all.authority.file], {
      env: { RINGPROXY_TLS_HANDSHAKE_TIMEOUT: '300ms' },
      allowLog: [/no TLS with client/],
    });
    const closes = (port: number, bytes: string): Promise<void> =>
      new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
        socket.on('error', () => {});
        socket.resume();
        socket.on('close', () => resolve());
      });
    await closes(proxy.tlsPort, '*1\r\n$4\r\nPING\r\n');
    await closes(proxy.tlsPort, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await handshakes(proxy, 'not-tls')).toBe(2);
    await closes(proxy.tlsPort, '');
    expect(await handshakes(proxy, 'timeout')).toBe(1);
    for (let i = 0; i < 3; i++) await expect(RawClient.secure({ port: proxy.port })).rejects.toThrow();
    expect(await handshakes(proxy, 'wrong-port')).toBe(3);
    await expect(connect(proxy, { ca: all.stranger.cert })).rejects.toThrow(/certificate/);
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;
    await expect(connect(proxy, old)).rejects.toThrow(/protocol version/);
    await expect.poll(() => handshakes(proxy, 'mismatch')).toBe(1);
    const told = proxy.log.filter(({ event }) => event === 'ringproxy:tls:handshake-failed');
    expect(told.filter(({ outcome }) => outcome === 'wrong-port')).toHaveLength(1);
    expect(told.find(({ outcome }) => outcome === 'wrong-port')?.msg).toMatch(/TLS is served at tls-listen$/);
    expect(told.filter(({ outcome }) => outcome === 'not-tls')).toHaveLength(1);
    // One that negotiates anew is not let, and closed.
    const client = await connect(proxy, { maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET });
    const failed = new Promise<unknown>((resolve) => client.socket.once('error', resolve));
    client.socket.renegotiate({}, () => {});
    expect(await failed).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' });
    await client.closed;
  });

  it('need no plain address, and no password where their certificates are checked', async () => {
    const { proxy } = await start(['--listen', 'off', '--tls-ca', all.authority.file, '--tls-client-auth', 'required']);
    expect(proxy.listen).toBe('');
    const client = proxy.client({
      port: proxy.tlsPort,
      host: '127.0.0.1',
      tls: { ca: all.authority.cert, cert: all.client.cert, key: all.client.key },
    });
    expect(await client.set('k', 'by ioredis')).toBe('OK');
    const said = execFileSync(
      requireProgram('redis-cli'),
      [
        ...['-p', String(proxy.tlsPort), '--tls', '--cacert', all.authority.file],
        ...['--cert', all.client.certFile, '--key', all.client.keyFile, 'GET', 'k'],
      ],
      { encoding: 'utf8' },
    );
    expect(said).toBe('by ioredis\n');
  });

  it('cannot be served by what cannot be used: each mistake is told with its setting', async () => {
    const { certFile, keyFile } = all.server;
    const args = ['--tls-listen', '127.0.0.1:0', '--tls-client-auth', 'required', '--tls-cert', certFile];
    const failed = startRingproxy({ nodes: [redis], args: [...args, '--tls-key', all.renewed.keyFile] });
    await expect(failed).rejects.toThrow(/--tls-client-auth|tls-ca: tls-client-auth required needs the authorities/);
    await expect(
      startRingproxy({ nodes: [redis], args: [...args, '--tls-key', all.renewed.keyFile, '--tls-ca', keyFile] }),
    ).rejects.toThrow(/--tls-key: .*holds another private key[\s\S]*|--tls-ca: .*no certificate/);
    await expect(startRingproxy({ nodes: [redis], args: ['--tls-cert', certFile] })).rejects.toThrow(
      /--tls-cert: is given, and TLS is not spoken with clients/,
    );
  });
});
