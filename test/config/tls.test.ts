/** Settings of TLS: what their files are warned of, and mistakes that are told in words of ours. */
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.js';
import { tlsWarnings } from '../../src/config/tls-warnings.js';
import { Authority, type Certificate, hasOpenssl } from '../support/certificates.js';

/** What is wrong, or warned of, without the paths of files. */
function said(settings: object, now?: number): string[] {
  const short = (text: string): string => text.replace(/\/\S*\//g, '');
  try {
    return tlsWarnings(loadConfig({ settings }), now).map(short);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes.map(({ where, message }) => short(`${where}: ${message}`));
    throw error;
  }
}

describe('mistakes in settings of TLS', () => {
  it('are told in words of ours, and not of those who found them', () => {
    const settings = { 'tls-listen': '127.0.0.1:0', 'tls-cert': 'a', 'tls-key': 'b' };
    const wrong = [{}, { cert: 1, key: '' }, { cert: 'a', key: 'b', name: 'c' }];
    const told = wrong.map((entry) => said({ ...settings, 'tls-certificates': [entry] }));
    expect(told.map((lines) => lines.filter((line) => line.startsWith('tls-certificates')))).toEqual([
      ['tls-certificates[0].cert: expected a path', 'tls-certificates[0].key: expected a path'],
      ['tls-certificates[0].cert: expected a path', 'tls-certificates[0].key: expected a path'],
      ['tls-certificates[0]: expected cert and key'],
    ]);
    const admin = { 'admin-tls': 'on', 'tls-listen': '127.0.0.1:0', 'tls-cert': '/none/a', 'tls-key': '/none/b' };
    const ofAdmin = (more: object): string[] => said({ ...admin, ...more }).filter((line) => line.startsWith('admin-'));
    expect(ofAdmin({ 'admin-tls-client-auth': 'required' })).toEqual([
      'admin-tls-ca: admin-tls-client-auth required needs the authorities of callers',
    ]);
    expect(ofAdmin({ 'admin-tls-ca': '/none/c' })).toEqual([
      'admin-tls-ca: is given, and nobody is asked for a certificate: set admin-tls-client-auth',
    ]);
    expect(ofAdmin({ 'admin-tls-ca': '/none/c', 'admin-tls-client-auth': 'required', 'admin-tls': 'off' })).toEqual([
      'admin-tls-ca: is given, and the admin API is not served by HTTPS: set admin-tls: on',
      'admin-tls-client-auth: is given, and the admin API is not served by HTTPS: set admin-tls: on',
    ]);
    expect(said({ 'tls-ciphers': 'NONSENSE' })).toEqual([
      'tls-ciphers: is no list of ciphers that OpenSSL takes: expected names between colons, such as TLS_AES_256_GCM_SHA384:ECDHE+AESGCM',
    ]);
  });
});

describe.skipIf(!hasOpenssl)('certificates that work, and may not be what was meant', () => {
  const authority = hasOpenssl ? new Authority('authority') : null;
  const issue: Authority['issue'] = (...args) => {
    if (authority === null) throw new Error('no openssl');
    return authority.issue(...args);
  };
  const atClients = ({ certFile, keyFile }: Certificate, now?: number): string[] =>
    said({ 'tls-listen': '127.0.0.1:0', 'tls-cert': certFile, 'tls-key': keyFile }, now);
  const atNodes = ({ certFile, keyFile }: Certificate, now?: number): string[] =>
    said({ 'node-tls-cert': certFile, 'node-tls-key': keyFile }, now);

  it('are warned of by what they are for', () => {
    const [server, client] = [issue('server', ['serverAuth']), issue('client', ['clientAuth'])];
    expect([atClients(server), atNodes(client), atNodes(issue('both', ['clientAuth', 'serverAuth']))]).toEqual([
      [],
      [],
      [],
    ]);
    expect(atClients(client)).toEqual([
      'tls-cert: client.pem holds a certificate (CN=client) that is not one for servers (serverAuth): clients that check it refuse it',
    ]);
    expect(atNodes(server)).toEqual([
      'node-tls-cert: server.pem holds a certificate (CN=server) that is not one for clients (clientAuth): servers that ask for it refuse it',
    ]);
    const etcd = { coordination: 'etcd', 'etcd-endpoints': 'https://127.0.0.1:1' };
    const files = { 'etcd-ca': authority?.file, 'etcd-cert': server.certFile, 'etcd-key': server.keyFile };
    expect(said({ ...etcd, ...files })).toEqual([expect.stringMatching(/^etcd-cert: .* is not one for clients/)]);
  });

  it('are warned of before they expire, and of several authorities the last one', () => {
    const [soon, authorities] = [issue('soon', ['serverAuth'], { days: 10 }), authority?.file];
    expect(atClients(soon)).toEqual([
      expect.stringMatching(
        /^tls-cert: soon.pem holds a certificate \(CN=soon\) that expires soon, on \d{4}-\d\d-\d\d: /,
      ),
    ]);
    expect(atClients(soon, Date.now() + 11 * 86_400_000)).toEqual([expect.stringMatching(/that has expired on/)]);
    const in50Days = Date.now() + 50 * 86_400_000;
    expect(said({ 'node-tls-ca': authorities }, in50Days)).toEqual([
      expect.stringMatching(/^node-tls-ca: .*expires soon/),
    ]);
    expect(said({ 'node-tls-ca': authorities })).toEqual([]);
  });

  // From Node.js 24 on OpenSSL takes none of these.
  it('are warned of, or not taken, with an RSA key that is too short', () => {
    expect(atClients(issue('short', ['serverAuth'], { rsaBits: 1024 }))).toEqual([
      expect.stringMatching(/^tls-cert: short.pem (?:holds .* an RSA key of 1024 bits|has a key that is too short)/),
    ]);
    expect(atClients(issue('long', ['serverAuth'], { rsaBits: 2048 }))).toEqual([]);
  });
});
