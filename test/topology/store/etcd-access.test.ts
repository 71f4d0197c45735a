/** Who may use etcd, and what it says to those who may not; and an etcd that is full. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { RingproxyError } from '../../../src/errors.js';
import { monotonicNow } from '../../../src/time/monotonic.js';
import { Authority, type Certificate, hasOpenssl } from '../../support/certificates.js';
import { type EtcdCluster, type EtcdTlsFiles, hasEtcd, startEtcd } from '../../support/etcd-process.js';
import { requireProgram } from '../../support/programs.js';
import { storeAt } from './etcd-place.js';
import { found, generation, hear, record, take } from './etcd-stage.js';

function etcdctl(etcd: EtcdCluster, ...args: readonly string[]): void {
  const env = { ...process.env, ETCDCTL_API: '3' };
  execFileSync(requireProgram('etcdctl'), ['--endpoints', etcd.endpoints.join(','), ...args], { env, stdio: 'pipe' });
}

describe.skipIf(!hasEtcd)('an etcd that demands a login', () => {
  let etcd: EtcdCluster;
  const login = { user: 'ringproxy', password: 'secret' };

  beforeAll(async () => {
    // Tokens end after a second.
    etcd = await startEtcd(1, { args: ['--auth-token-ttl', '1'] });
    etcdctl(etcd, 'user', 'add', 'root:root');
    etcdctl(etcd, 'user', 'grant-role', 'root', 'root');
    etcdctl(etcd, 'role', 'add', 'rings');
    etcdctl(etcd, 'role', 'grant-permission', '--prefix', 'rings', 'readwrite', '/test/');
    etcdctl(etcd, 'user', 'add', 'ringproxy:secret');
    etcdctl(etcd, 'user', 'grant-role', 'ringproxy', 'rings');
    etcdctl(etcd, 'auth', 'enable');
  });

  it('is used with a right for the prefix and nothing more, whatever becomes of tokens', async () => {
    const store = storeAt(etcd.endpoints, { login, memberTtl: 3000 });
    await store.open();
    await found(store);
    const { generations } = hear(store);
    for (let number = 2; number <= 4; number++) {
      // Longer than a token lasts.
      await new Promise((resolve) => setTimeout(resolve, 2200));
      await record(store, generation(number), await take(store));
    }
    await expect.poll(generations).toEqual([2, 3, 4]);
    expect(store.validUntil).toBeGreaterThan(monotonicNow());
    expect(await store.isKnownMember('p1')).toBe(true);
  });

  it('goes on when it was restarted, and has forgotten all tokens', async () => {
    const store = storeAt(etcd.endpoints, { login });
    await store.open();
    await found(store);
    const { generations } = hear(store);
    await etcd.restart();
    await record(store, generation(2), await take(store));
    await expect.poll(generations).toEqual([2]);
  });

  it.each([
    [{ user: 'ringproxy', password: 'wrong' }, 'ETCD_AUTH', 'authentication failed'],
    [null, 'ETCD_AUTH', 'user name is empty'],
  ])('says so to %j, and what to do', async (wrong, code, said) => {
    const store = storeAt(etcd.endpoints, { login: wrong });
    const failure = await store.open().catch((error) => error);
    expect(failure).toMatchObject({ code, hint: 'check etcd-user and etcd-password' });
    expect(failure.message).toContain(said);
    expect(failure.message).toContain(etcd.endpoints[0]);
    expect(failure.message).not.toContain('wrong');
    expect(store.isReachable).toBe(false);
    expect(await store.isKnownMember('p1')).toBeNull();
  });

  it('says so to a user without a right for the prefix, and what to do', async () => {
    const store = storeAt(etcd.endpoints, { login, prefix: '/elsewhere/' });
    await expect(store.open()).rejects.toMatchObject({
      code: 'ETCD_PERMISSION',
      message: expect.stringContaining('permission denied'),
      hint: expect.stringContaining('grant-permission'),
    });
  });
});

it.skipIf(!hasEtcd)('an etcd without logins takes a proxy that has one', async () => {
  const etcd = await startEtcd();
  const store = storeAt(etcd.endpoints, { login: { user: 'ringproxy', password: 'secret' } });
  await store.open();
  await found(store);
  expect(await store.isKnownMember('p1')).toBe(true);
});

/** A server of TLS 1.3 says so when the handshake is over for the client, and its reason may be lost with the connection. */
const ITS_CERTIFICATE =
  /: (?:it asks for a certificate of this proxy|it does not take the certificate of this proxy|it ends the connection and has never answered, as where it does not take the certificate of this proxy)/;

function filesOf(authority: Authority, { certFile, keyFile }: Certificate): EtcdTlsFiles {
  return { ca: authority.file, cert: certFile, key: keyFile };
}

function ofOther(own: object, { cert, key }: Certificate): object {
  return { ...own, cert, key };
}

describe.skipIf(!hasEtcd || !hasOpenssl)('an etcd that is reached by TLS', () => {
  it('is used with a certificate of the proxy, and each side says what it does not take of the other', async () => {
    const authority = new Authority('ours');
    const server = authority.issue('server', ['serverAuth', 'clientAuth'], { names: 'IP:127.0.0.1' });
    const client = authority.issue('client', ['clientAuth']);
    const tls = { ca: authority.file, cert: server.certFile, key: server.keyFile };
    const etcd = await startEtcd(1, { tls });
    const own = { ca: authority.cert, cert: client.cert, key: client.key };
    const ringName = randomUUID();
    const store = storeAt(etcd.endpoints, { tls: () => own, ringName });
    await expect.poll(() => store.open().then(() => 'open', String)).toBe('open');
    await found(store);
    const { generations } = hear(store);
    await record(store, generation(2), await take(store));
    await expect.poll(generations).toEqual([2]);

    const stranger = new Authority('theirs');
    // A name that the certificate does not bear: it is the same process.
    const byName = etcd.endpoints.map((url) => url.replace('127.0.0.1', 'localhost'));
    const late = await startEtcd(1, { tls: filesOf(authority, authority.issue('late', ['serverAuth'], { days: -1 })) });
    const wrong = [
      [{ ca: authority.cert }, late.endpoints, /: its certificate has expired: CERT_HAS_EXPIRED$/],
      [own, byName, /: its certificate is one for another name: .*altnames: Host: localhost/],
      [{ cert: client.cert, key: client.key }, etcd.endpoints, /signed by no authority that is known \(etcd-ca\)/],
      [{ ...own, ca: stranger.cert }, etcd.endpoints, /signed by no authority that is known \(etcd-ca\)/],
      [{ ca: authority.cert }, etcd.endpoints, ITS_CERTIFICATE],
      [ofOther(own, stranger.issue('client', ['clientAuth'])), etcd.endpoints, ITS_CERTIFICATE],
      [ofOther(own, authority.issue('past', ['clientAuth'], { days: -1 })), etcd.endpoints, ITS_CERTIFICATE],
      [ofOther(own, authority.issue('wrong', ['serverAuth'])), etcd.endpoints, ITS_CERTIFICATE],
      [own, etcd.endpoints.map((url) => url.replace(/\d+$/, String(etcd.members[0]?.peerPort))), /does not speak TLS/],
    ] as const;
    const said = await Promise.all(
      wrong.map(async ([tls, endpoints]) => {
        const refused = storeAt(endpoints, { tls: () => tls, ringName });
        const failure = await refused.open().then(
          () => new RingproxyError('INTERNAL', 'it was let in'),
          (error: RingproxyError) => error,
        );
        await refused.close();
        return failure;
      }),
    );
    expect(said.map(({ message }) => message)).toEqual(wrong.map(([, , text]) => expect.stringMatching(text)));
    expect(new Set(said.map(({ code }) => code))).toEqual(new Set(['ETCD_TLS']));
    for (const { hint } of said) expect(hint).toContain('check etcd-ca, etcd-cert and etcd-key');
  });

  // Its gateway shows etcd the certificate of the server, as a client.
  it('says what is wrong where the certificate of the server is none for clients', async () => {
    const authority = new Authority('ours');
    const server = authority.issue('server', ['serverAuth']);
    const client = authority.issue('client', ['clientAuth']);
    const etcd = await startEtcd(1, { tls: { ca: authority.file, cert: server.certFile, key: server.keyFile } });
    const tls = { ca: authority.cert, cert: client.cert, key: client.key };
    const store = storeAt(etcd.endpoints, { tls: () => tls });
    await expect(store.open()).rejects.toMatchObject({
      code: 'ETCD_TLS',
      hint: expect.stringContaining('its own must be one as well (clientAuth)'),
    });
  });
});

describe.skipIf(!hasEtcd)('an etcd that is full', () => {
  it('is read and watched, and says what to do about writes', async () => {
    const etcd = await startEtcd(1, { args: ['--quota-backend-bytes', String(2 * 1024 * 1024)] });
    const store = storeAt(etcd.endpoints);
    await store.open();
    await found(store);
    const claim = await take(store);
    const seen = await record(store, generation(2), claim);
    const value = Buffer.alloc(500_000, 1).toString('base64');
    await expect(async () => {
      for (let index = 0; index < 20; index++) {
        await etcd.call('/v3/kv/put', { key: Buffer.from(`x${index}`).toString('base64'), value });
      }
    }).rejects.toThrow('database space exceeded');
    await expect(store.rehearse(generation(3))).rejects.toMatchObject({ code: 'ETCD_FULL' });
    await expect(store.compareAndSave(seen, generation(3), claim)).rejects.toMatchObject({
      code: 'ETCD_FULL',
      mayHaveHappened: false,
      hint: expect.stringContaining('etcdctl alarm disarm'),
    });
    expect((await store.load())?.state.generation).toBe(2);
    expect(store.isReachable).toBe(true);
    expect(await store.isKnownMember('p1')).toBe(true);
  });

  it('takes no record that is larger than it takes requests', async () => {
    const etcd = await startEtcd(1, { args: ['--max-request-bytes', '10000'] });
    const store = storeAt(etcd.endpoints);
    await store.open();
    const claim = await take(store);
    const seen = await record(store, generation(1), claim);
    const members = Array.from({ length: 200 }, (_, id) => ({
      name: `node-${id}`,
      address: `10.0.0.${id}:6379`,
      weight: 1,
      id,
      access: {},
    }));
    await expect(store.rehearse({ ...generation(2), members })).rejects.toMatchObject({ code: 'ETCD_TOO_LARGE' });
    await expect(store.compareAndSave(seen, { ...generation(2), members }, claim)).rejects.toMatchObject({
      code: 'ETCD_TOO_LARGE',
      mayHaveHappened: false,
    });
  });
});
