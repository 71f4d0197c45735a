/** Settings of several proxies on one ring: what contradicts itself is told before anything is started. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { advertisedAdmin, etcdAccess, fleetWarnings, peerToken } from '../../src/config/fleet.js';
import { fleetChecks } from '../../src/config/fleet-checks.js';
import { ConfigError, loadConfig } from '../../src/config/load.js';
import type { Config, SettingName } from '../../src/config/settings.js';
import { tempFolder } from '../support/temp-folder.js';

type Flags = Partial<Record<SettingName, unknown>>;

const FLEET: Flags = { coordination: 'etcd', etcdEndpoints: 'http://127.0.0.1:2379' };

function mistakes(flags: Flags): string[] {
  try {
    loadConfig({ flags });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes.map(({ where, message }) => `${where}: ${message}`);
    throw error;
  }
}

function load(flags: Flags = {}): Config {
  return loadConfig({ flags: { ...FLEET, ...flags } });
}

function file(name: string, text: string): string {
  const path = join(tempFolder('fleet-config'), name);
  writeFileSync(path, text);
  return path;
}

/** @returns the paths of a certificate and its key */
function certificate(): { cert: string; key: string } {
  const folder = tempFolder('certificate');
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=test', '-days', '1'];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', '-nodes', ...made, ...subject], { stdio: 'ignore' });
  return { cert, key };
}

describe('a lone proxy', () => {
  it('needs nothing of it', () => {
    expect(etcdAccess(loadConfig({}))).toBeNull();
    expect(fleetWarnings(loadConfig({}))).toEqual([]);
    expect(fleetWarnings(loadConfig({ flags: { limitScope: 'fleet' } }))).toEqual([
      expect.stringMatching(/^limit-scope: .* this one counts for itself$/),
    ]);
  });

  // It would go on alone, beside the others on the same nodes.
  it('is not what is meant where endpoints of etcd are given', () => {
    expect(mistakes({ etcdEndpoints: 'http://127.0.0.1:2379' })).toEqual([
      '--etcd-endpoints: are given, and coordination is none: with several proxies that would lose writes; set coordination: etcd',
    ]);
  });
});

describe('etcd', () => {
  it('is reached at several endpoints, as a list or between commas', () => {
    const list = file(
      'ringproxy.yaml',
      'coordination: etcd\netcd-endpoints:\n  - http://a:2379\n  - HTTPS://b:2379/\n',
    );
    expect(etcdAccess(loadConfig({ file: list }))?.endpoints).toEqual(['http://a:2379', 'https://b:2379']);
    expect(etcdAccess(load({ etcdEndpoints: 'http://a:1, http://[::1]:2,' }))).toEqual({
      endpoints: ['http://a:1', 'http://[::1]:2'],
      prefix: '/ringproxy/',
      ringName: 'default',
      login: null,
      memberTtl: 10_000,
    });
  });

  it.each([
    ['10.0.0.1:2379', "'10.0.0.1:2379' is not the URL of an etcd: expected http://HOST:PORT or https://HOST:PORT"],
    ['etcd://a:1', "'etcd://a:1' is not the URL"],
    ['http://', "'http://' is not the URL"],
    ['http://a:99999', "'http://a:99999' is not the URL"],
    ['http://a:1/v3', "'http://a:1/v3' has a path: expected http://a:1"],
    ['http://a:1,http://a:1/', 'http://a:1 is given twice'],
    ['', 'coordination etcd needs one, such as http://10.0.0.1:2379'],
    [[1], 'expected URLs, such as http://10.0.0.1:2379'],
  ])('%j is refused', (etcdEndpoints, message) => {
    expect(mistakes({ ...FLEET, etcdEndpoints }).join()).toContain(message);
  });

  it('a login in a URL is refused without showing it', () => {
    const [said] = mistakes({ ...FLEET, etcdEndpoints: 'http://root:geheim@a:1' });
    expect(said).toBe('--etcd-endpoints: the URL of a:1 has a login: set etcd-user and etcd-password instead');
  });

  it('keys have a prefix that ends in a slash, and the name of the ring has none', () => {
    expect(etcdAccess(load({ etcdPrefix: '/cache/eu', ringName: 'main-2' }))).toMatchObject({
      prefix: '/cache/eu/',
      ringName: 'main-2',
    });
    for (const ringName of ['', 'a/b', '.', 'ä', 'a b', 'x'.repeat(65)]) {
      expect(mistakes({ ...FLEET, ringName })).toEqual([
        '--ring-name: expected 1 to 64 letters, digits or any of . _ -, a letter or digit first',
      ]);
    }
    for (const etcdPrefix of ['', 'a b', '/ä/', 'a\0']) {
      expect(mistakes({ ...FLEET, etcdPrefix }).join()).toContain('--etcd-prefix: expected 1 to 200 letters');
    }
  });

  it('a user has a password, from one place', () => {
    const etcdPasswordFile = file('password', 'geheim\n');
    expect(etcdAccess(load({ etcdUser: 'ring', etcdPasswordFile }))?.login).toEqual({
      user: 'ring',
      password: 'geheim',
    });
    expect(etcdAccess(load({ etcdUser: 'ring', etcdPassword: 'x' }))?.login).toEqual({ user: 'ring', password: 'x' });
    expect(mistakes({ ...FLEET, etcdUser: 'ring' })).toEqual([
      '--etcd-user: ring has no password: set etcd-password-file',
    ]);
    expect(mistakes({ ...FLEET, etcdPassword: 'x' })).toEqual(['etcd-user: there is a password for etcd, and no user']);
    expect(mistakes({ ...FLEET, etcdUser: 'ring', etcdPassword: 'x', etcdPasswordFile })).toEqual([
      '--etcd-password: stands in etcd-password-file, too: give one of the two',
    ]);
    expect(mistakes({ ...FLEET, etcdUser: 'ring', etcdPasswordFile: file('blank', '\nx') })).toEqual([
      '--etcd-password-file: its first line is empty: it is to be the password',
    ]);
  });

  it('a file that cannot be used is named', () => {
    expect(mistakes({ ...FLEET, etcdPasswordFile: '/does/not/exist', etcdUser: 'ring', etcdPassword: 'x' })).toEqual([
      expect.stringContaining('--etcd-password-file: /does/not/exist cannot be read: ENOENT'),
    ]);
    expect(mistakes({ ...FLEET, peerTokenFile: '/etc' })).toEqual(['--peer-token-file: /etc is not a regular file']);
    const empty = file('empty', '');
    expect(mistakes({ ...FLEET, peerTokenFile: empty })).toEqual([`--peer-token-file: ${empty} is empty`]);
  });

  it('certificates are looked at before anything is started', () => {
    const tls: Flags = { ...FLEET, etcdEndpoints: 'https://a:1' };
    const [mine, other] = [certificate(), certificate()];
    expect(mistakes({ ...tls, etcdCa: other.cert, etcdCert: mine.cert, etcdKey: mine.key })).toEqual([]);
    expect(mistakes({ ...tls, etcdCert: mine.cert, etcdKey: other.key })).toEqual([
      expect.stringMatching(/^--etcd-key: .* holds another private key than that of the certificate \(CN=test\)$/),
    ]);
    expect(mistakes({ ...tls, etcdCert: mine.cert })).toEqual(['etcd-key: etcd-cert needs its private key, too']);
    expect(mistakes({ ...tls, etcdKey: mine.key })).toEqual(['etcd-cert: etcd-key needs its certificate, too']);
    expect(mistakes({ ...tls, etcdCa: mine.key })).toEqual([
      expect.stringMatching(/^--etcd-ca: .* holds a private key and no certificate in PEM/),
    ]);
    expect(mistakes({ ...FLEET, etcdCa: mine.cert })).toEqual([
      '--etcd-ca: is for TLS, and none of etcd-endpoints begins with https://',
    ]);
  });
});

describe('how other proxies reach this one', () => {
  const served = 'http://127.0.0.1:7777';

  it('is where the admin API is served', () => {
    expect(advertisedAdmin(load(), served)).toBe('http://127.0.0.1:7777');
    expect(advertisedAdmin(load({ admin: '[::1]:0' }), 'http://[::1]:81')).toBe('http://[::1]:81');
  });

  it("is the machine's one address where it is served at all", () => {
    // The machine that tests run on may have several.
    const flags: Flags = { admin: '0.0.0.0:6390', adminToken: 't', advertiseAdmin: 'http://10.0.0.5:6390' };
    const config = { ...load(flags), advertiseAdmin: '' };
    expect(advertisedAdmin(config, served, ['10.0.0.5'])).toBe('http://10.0.0.5:7777');
    expect(advertisedAdmin(config, served, [])).toBe('http://127.0.0.1:7777');
    expect(fleetChecks(config, () => ['10.0.0.5'])).toEqual([]);
  });

  it('has to be said where the machine has several', () => {
    const flags: Flags = { admin: '0.0.0.0:6390', adminToken: 't', advertiseAdmin: 'http://10.0.0.5:6390' };
    const config = load(flags);
    expect(fleetChecks(config, () => ['10.0.0.5', '172.17.0.1'])).toEqual([]);
    expect(advertisedAdmin(config, served)).toBe('http://10.0.0.5:6390');
    expect(fleetChecks({ ...config, advertiseAdmin: '' }, () => ['10.0.0.5', '172.17.0.1'])).toEqual([
      {
        path: 'admin',
        message:
          '0.0.0.0:6390 stands for several addresses (10.0.0.5, 172.17.0.1): say by which one other proxies reach it, such as advertise-admin http://10.0.0.5:6390',
      },
    ]);
  });

  it('cannot be nowhere', () => {
    expect(mistakes({ ...FLEET, admin: 'off' })).toEqual([
      '--admin: is off: the proxies of a fleet reach each other by it; give it an address',
    ]);
    expect(mistakes({ ...FLEET, admin: 'unix:/run/ringproxy.sock' })).toEqual([
      '--admin: is a Unix socket, which other proxies cannot reach: set advertise-admin',
    ]);
    expect(mistakes({ ...FLEET, advertiseAdmin: 'proxy-1:6390' })).toEqual([
      "--advertise-admin: 'proxy-1:6390' is not such a URL: expected http://HOST:PORT",
    ]);
  });

  it('beyond loopback it needs a token', () => {
    const advertiseAdmin = 'https://proxy-1.example:6390';
    expect(mistakes({ ...FLEET, advertiseAdmin })).toEqual([
      '--advertise-admin: https://proxy-1.example:6390 can be reached from other machines: set peer-token, the same at all proxies of the ring',
    ]);
    expect(mistakes({ ...FLEET, advertiseAdmin, peerToken: 'ö' }).join()).toContain(
      '--peer-token: expected visible ASCII',
    );
    expect(peerToken(load({ advertiseAdmin, peerTokenFile: file('token', 'abc\n') }))).toBe('abc');
    expect(peerToken(load({ advertiseAdmin, peerToken: 'abc', adminToken: 'def' }))).toBe('abc');
    expect(peerToken(load({ advertiseAdmin, adminToken: 'def' }))).toBe('def');
    expect(peerToken(load())).toBe('');
  });

  it('is warned of where it is this machine alone, and etcd is on another', () => {
    expect(fleetWarnings(load())).toEqual([]);
    expect(fleetWarnings(load({ etcdEndpoints: 'http://10.0.0.1:2379' }))).toEqual([
      'other proxies reach the admin API at 127.0.0.1:6390 only from this machine: where they run on others, serve it at an address of this machine (admin, admin-token), or set advertise-admin',
    ]);
    expect(
      fleetWarnings(load({ etcdEndpoints: 'http://10.0.0.1:2379', advertiseAdmin: 'http://127.0.0.1:1' })),
    ).toEqual([]);
  });
});
