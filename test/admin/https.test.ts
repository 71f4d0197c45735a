import { copyFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { beforeAll, describe, expect, it } from 'vitest';
import { AdminClient } from '../../src/client/admin-client.js';
import { ringproxy as run } from '../cli/run.js';
import { Authority, type Certificate, hasOpenssl } from '../support/certificates.js';
import { startEtcd } from '../support/etcd-process.js';
import { findReferee } from '../support/programs.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

describe.skipIf(!hasOpenssl)('the admin API by HTTPS', () => {
  let authority: Authority;
  let stranger: Authority;
  let server: Certificate;
  let redis: RedisProcess;
  beforeAll(async () => {
    [authority, stranger] = [new Authority('authority'), new Authority('stranger')];
    server = authority.issue('proxy', ['serverAuth']);
    redis = await startRedis();
  });

  function start(args: readonly string[], certificate = server, allowLog: readonly RegExp[] = []) {
    const { certFile, keyFile } = certificate;
    const given = ['--admin-tls', 'on', '--admin-tls-cert', certFile, '--admin-tls-key', keyFile, ...args];
    return startRingproxy({ nodes: [redis], args: given, allowLog });
  }

  const adminPort = ({ admin }: RingproxyProcess): number => Number(new URL(admin).port);

  it('is called by the command line and by programs that know the authority', async () => {
    const proxy = await start([]);
    expect(proxy.admin).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const ask = ['ring', 'show', '--admin', proxy.admin];
    expect((await run([...ask, '--ca', authority.file])).code).toBe(0);
    expect((await run(ask, { RINGPROXY_CA: authority.file })).out).toContain('node1');
    const client = new AdminClient({ admin: proxy.admin, ca: authority.cert });
    expect((await client.ring()).generation).toBe(1);
    const unknown = await run(ask);
    expect(unknown.code).toBe(1);
    expect(unknown.err).toMatch(/shows a certificate that no known authority has signed[\s\S]*--ca or RINGPROXY_CA/);
    const wrong = await run([...ask, '--ca', stranger.file]);
    expect(wrong.err).toMatch(/no known authority has signed/);
    expect((await run([...ask, '--ca', '/nowhere'])).code).toBe(2);
    const port = adminPort(proxy);
    const plain = await new Promise<string>((resolve) => {
      let text = '';
      const socket = net.connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
      socket.on('data', (chunk) => {
        text += String(chunk);
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
    });
    expect(plain).not.toContain('200');
    const byHttp = await startRingproxy({ nodes: [redis] });
    const toPlain = await run(['ring', 'show', '--admin', byHttp.admin.replace('http:', 'https:')]);
    expect(toPlain.err).toMatch(/is served by HTTP, and not by HTTPS/);
  });

  it('that has expired, or has another name, says so, at the start and to who calls it', async () => {
    const other = authority.issue('other', ['serverAuth'], { names: 'DNS:other.test' });
    const named = await start([], other);
    const byName = await run(['ring', 'show', '--admin', named.admin, '--ca', authority.file]);
    expect(byName.err).toMatch(/shows a certificate of another name/);
    const expired = authority.issue('expired', ['serverAuth'], { days: -1 });
    const proxy = await start([], expired, [/admin-tls-cert: .* has expired on/]);
    const { err } = await run(['ring', 'show', '--admin', proxy.admin, '--ca', authority.file]);
    expect(err).toMatch(/shows a certificate that has expired/);
  });

  it('guards against pages of other origins, and other names, as by HTTP', async () => {
    const proxy = await start([]);
    const port = adminPort(proxy);
    const call = async (headers: string): Promise<string> => {
      const client = await RawClient.secure({ port, ca: authority.cert });
      return new Promise((resolve) => {
        client.socket.removeAllListeners('data');
        client.socket.once('data', (chunk) => resolve(String(chunk)));
        client.send(`POST /v1/ring/changes/current/pause HTTP/1.1\r\n${headers}Content-Length: 0\r\n\r\n`);
      });
    };
    expect(await call('Host: evil.test\r\n')).toMatch(/^HTTP\/1\.1 403/);
    const own = `Host: 127.0.0.1:${port}\r\n`;
    expect(await call(`${own}Origin: https://evil.test\r\n`)).toMatch(/^HTTP\/1\.1 403/);
    expect(await call(`${own}Origin: https://127.0.0.1:${port}\r\n`)).toMatch(/NO_CHANGE/);
  });

  it('asks callers for a certificate: the command line and programs show theirs, others are told', async () => {
    const [client, both] = [
      authority.issue('ann', ['clientAuth']),
      authority.issue('both', ['serverAuth', 'clientAuth']),
    ];
    const asks = ['--admin-tls-ca', authority.file, '--admin-tls-client-auth', 'required'];
    const proxy = await start(asks);
    const ask = ['ring', 'status', '--admin', proxy.admin, '--ca', authority.file];
    const with_ = ({ certFile, keyFile }: Certificate): string[] => [...ask, '--cert', certFile, '--key', keyFile];
    expect(await run(with_(client))).toMatchObject({ code: 0 });
    const env = { RINGPROXY_CERT: client.certFile, RINGPROXY_KEY: client.keyFile };
    expect(await run(ask, env)).toMatchObject({ code: 0 });
    const program = new AdminClient({ admin: proxy.admin, ca: authority.cert, cert: client.cert, key: client.key });
    expect((await program.ring()).generation).toBe(1);
    await expect(program.pause()).rejects.toMatchObject({ code: 'NO_CHANGE' });

    const told = await Promise.all(
      [
        ask,
        with_(stranger.issue('ann', ['clientAuth'])),
        with_(authority.issue('late', ['clientAuth'], { days: -1 })),
        with_(server),
      ].map(async (args) => (await run(args)).err),
    );
    expect(told).toEqual([
      expect.stringMatching(/asks for a certificate of whoever calls it[\s\S]*--cert and --key/),
      expect.stringMatching(/the certificate that was shown is not signed by an authority of admin-tls-ca/),
      expect.stringMatching(/the certificate that was shown has expired/),
      expect.stringMatching(/the certificate that was shown is not one for clients \(clientAuth\)/),
    ]);
    expect((await run([...ask, '--cert', client.certFile])).err).toMatch(/has no private key/);
    expect((await run([...ask, '--cert', client.certFile, '--key', both.keyFile])).code).toBe(2);

    // What says nothing is for everybody: the page, which shows why it has nothing to show, and who asks for health.
    const nobody = new Agent({ connect: { ca: authority.cert } });
    const look = async (path: string): Promise<[number, string]> => {
      const answer = await request(proxy.admin + path, { dispatcher: nobody });
      return [answer.statusCode, await answer.body.text()];
    };
    expect([(await look('/'))[0], (await look('/healthz'))[0], (await look('/metrics'))[0]]).toEqual([200, 200, 403]);
    expect((await look('/v1/ring'))[1]).toContain('NO_CERTIFICATE');
    await nobody.close();
    // The names stand where nobody else can write them; who looks without any is not noted.
    const { entries } = await program.audit();
    expect(entries.map(({ who, method, code }) => [who, method, code])).toEqual([
      ['ann', 'POST', 'NO_CHANGE'],
      ...Array.from({ length: 3 }, () => [null, 'GET', 'BAD_CERTIFICATE']),
    ]);
  });

  it('lets callers without a certificate in where it is optional, and none with a wrong one', async () => {
    const proxy = await start(['--admin-tls-ca', authority.file, '--admin-tls-client-auth', 'optional']);
    const ask = ['ring', 'status', '--admin', proxy.admin, '--ca', authority.file];
    expect((await run(ask)).code).toBe(0);
    const { certFile, keyFile } = stranger.issue('eve', ['clientAuth']);
    expect((await run([...ask, '--cert', certFile, '--key', keyFile])).err).toMatch(/admin-tls-ca/);
  });

  it('shows new certificates to who comes then, and nobody meets an error meanwhile', async () => {
    const folder = tempFolder('https');
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const put = (certificate: Certificate): void => {
      copyFileSync(certificate.certFile, certFile);
      copyFileSync(certificate.keyFile, keyFile);
    };
    const both = ['first', 'renewed'].map((name) => authority.issue(name, ['serverAuth', 'clientAuth']));
    const [before, renewed] = both as [Certificate, Certificate];
    put(before);
    const hasEtcd = findReferee('etcd') !== null;
    const fleet = hasEtcd
      ? ['--coordination', 'etcd', '--etcd-endpoints', (await startEtcd()).endpoints.join(',')]
      : [];
    const asks = ['--admin-tls-ca', authority.file, '--admin-tls-client-auth', 'required', '--peer-ca', authority.file];
    const files = { ...server, certFile, keyFile };
    const proxy = await start([...asks, ...fleet], files);
    const other = hasEtcd ? await start([...asks, ...fleet], files, [/the ring that exists wins/]) : proxy;
    const own = { ca: authority.cert, cert: before.cert, key: before.key };
    const programs = [proxy, other].map(({ admin }) => new AdminClient({ admin, ...own }));
    let isOver = false;
    let calls = 0;
    const call = async (program: AdminClient): Promise<void> => {
      for (; !isOver; calls++) expect((await program.hot({ fleet: true })).missing).toEqual([]);
    };
    const seen = new Set<unknown>();
    const come = async (): Promise<void> => {
      while (!isOver) {
        const client = await RawClient.secure({ port: adminPort(proxy), ...own });
        seen.add(client.socket.getPeerCertificate().subject.CN);
        client.close();
      }
    };
    const load = Promise.all([...programs.map(call), come()]);
    for (const certificate of [renewed, before, renewed]) {
      const lines = [proxy, other].map(({ log }) => log.length);
      put(certificate);
      for (const one of [proxy, other]) one.kill('SIGHUP');
      const isTaken = (one: RingproxyProcess, i: number): boolean =>
        one.log.slice(lines[i]).some(({ event }) => event === 'ringproxy:tls:reloaded');
      await expect.poll(() => [proxy, other].every(isTaken), { timeout: 10_000 }).toBe(true);
      const at = calls;
      await expect.poll(() => calls, { timeout: 10_000 }).toBeGreaterThan(at + 10);
    }
    isOver = true;
    await load;
    expect([...seen].sort()).toEqual(['first', 'renewed']);
    const client = await RawClient.secure({ port: adminPort(proxy), ...own });
    expect(client.socket.getPeerCertificate().subject.CN).toBe('renewed');
  });

  it.skipIf(findReferee('etcd') === null)('is where proxies of a ring ask each other', async () => {
    const etcd = await startEtcd();
    const fleet = ['--coordination', 'etcd', '--etcd-endpoints', etcd.endpoints.join(',')];
    const asks = ['--admin-tls-ca', authority.file, '--admin-tls-client-auth', 'required'];
    const both = authority.issue('peer', ['serverAuth', 'clientAuth']);
    const first = await start([...fleet, '--peer-ca', authority.file, ...asks], both);
    const second = await start([...fleet, '--peer-ca', authority.file], both, [/the ring that exists wins/]);
    const own = { ca: authority.cert, cert: both.cert, key: both.key };
    const client = new AdminClient({ admin: first.admin, ...own });
    const proxies = await client.proxies();
    expect(proxies.map(({ admin }) => admin.slice(0, 8))).toEqual(['https://', 'https://']);
    const missing = async (admin: string): Promise<unknown[]> => {
      const told = await new AdminClient({ admin, ...own }).hot({ fleet: true });
      return [...told.missing];
    };
    // The first one asks for a certificate, and is shown that of the other one's admin API.
    expect([await missing(first.admin), await missing(second.admin)]).toEqual([[], []]);
    const third = await start([...fleet, '--peer-ca', stranger.file], server, [/the ring that exists wins/, /unheard/]);
    expect(JSON.stringify(await missing(third.admin))).toMatch(/certificate/);
    // Who has none, or one that is for servers alone, is told so by the first one, and is answered by the second one.
    const known = [/the ring that exists wins/, /unheard/];
    const without = await startRingproxy({ args: [...fleet, '--peer-ca', authority.file], allowLog: known });
    const serving = await start([...fleet, '--peer-ca', authority.file], server, known);
    const [ofNone, ofServer] = [without, serving].map(async ({ admin }) => JSON.stringify(await missing(admin)));
    expect(await ofNone).toMatch(/asks for a certificate of whoever calls it/);
    expect(await ofServer).toMatch(/is not one for clients \(clientAuth\)/);
    for (const said of [ofNone, ofServer]) expect(await said).not.toContain(new URL(second.admin).host);
  });
});
