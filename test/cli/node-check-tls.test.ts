/** `ringproxy node check` of servers that speak TLS, as managed Redis does. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { NodeVerdict } from '../../src/health/verdict.js';
import { Authority, type Certificate, hasOpenssl } from '../support/certificates.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { tempFolder } from '../support/temp-folder.js';
import { type Outcome, ringproxy } from './run.js';

describe.skipIf(!hasOpenssl)('a server that speaks nothing but TLS', () => {
  let authority: Authority;
  let stranger: Authority;
  let own: Certificate;
  let node: RedisProcess;

  beforeAll(async () => {
    [authority, stranger] = [new Authority('authority'), new Authority('stranger')];
    own = authority.issue('proxy', ['clientAuth']);
    const certificate = authority.issue('node', ['serverAuth', 'clientAuth'], { names: 'DNS:redis.internal' });
    node = await startRedis({ tls: { authority, certificate, authClients: 'yes' } });
  });

  const check = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
    ringproxy(['node', 'check', ...args], env);
  const all = (): string[] => ['--tls-ca', authority.file, '--tls-cert', own.certFile, '--tls-key', own.keyFile];
  const NAME = ['--tls-server-name', 'redis.internal'];

  it('is looked at by --tls, by rediss://, and by what serve has in its environment', async () => {
    const env = {
      RINGPROXY_NODE_TLS: 'on',
      RINGPROXY_NODE_TLS_CA: authority.file,
      RINGPROXY_NODE_TLS_CERT: own.certFile,
      RINGPROXY_NODE_TLS_KEY: own.keyFile,
      RINGPROXY_NODE_TLS_SERVER_NAME: 'redis.internal',
    };
    const calls = [
      check([node.address, '--tls', ...all(), ...NAME, '--json']),
      check([`rediss://${node.address}`, ...all(), ...NAME, '--json']),
      check([node.address, '--json'], env),
    ];
    for (const { code, out, err } of await Promise.all(calls)) {
      expect(err).toBe('');
      expect(code).toBe(0);
      const verdict = JSON.parse(out) as NodeVerdict;
      expect(verdict).toMatchObject({ address: node.address, fit: true, lacking: [] });
    }
  });

  it('cannot be looked at otherwise, and the hint says what to give', async () => {
    const trusts = ['--tls-ca', authority.file];
    const shows = ['--tls-cert', own.certFile, '--tls-key', own.keyFile];
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[node.address], /speaks TLS.*\n {2}.*--tls/],
      [[`redis://${node.address}`], /speaks TLS.*\n {2}.*--tls/],
      [['--tls', node.address, ...shows, ...NAME], /\n {2}.*--tls-ca\n$/],
      [['--tls', node.address, '--tls-ca', stranger.file, ...shows, ...NAME], /\n {2}.*--tls-ca\n$/],
      [['--tls', node.address, ...trusts, ...shows], /a certificate of another name.*\n {2}.*--tls-server-name\n$/],
      [['--tls', node.address, ...trusts, ...NAME], /without a certificate.*\n {2}.*--tls-cert and --tls-key\n$/],
    ];
    await Promise.all(
      cases.map(async ([args, message]) => {
        const { code, err } = await check(args);
        expect(err).toMatch(message);
        expect(code).toBe(1);
      }),
    );
  });

  it('files that cannot be used, and files without TLS, are wrong calls', async () => {
    const rubbish = join(tempFolder('node-check-tls'), 'rubbish.pem');
    writeFileSync(rubbish, 'rubbish');
    const cases: readonly (readonly [readonly string[], Readonly<Record<string, string>>, RegExp])[] = [
      [['--tls', 'h:1', '--tls-ca', '/nowhere'], {}, /^ringproxy: --tls-ca: \/nowhere cannot be read: ENOENT/],
      [['--tls', 'h:1', '--tls-ca', rubbish], {}, /--tls-ca: .*rubbish\.pem/],
      [['--tls', 'h:1', '--tls-cert', own.certFile], {}, /--tls-key: /],
      [['h:1', '--tls-ca', authority.file], {}, /nothing says that TLS is to be spoken\n {2}add --tls/],
      [['h:1'], { RINGPROXY_NODE_TLS: 'perhaps' }, /RINGPROXY_NODE_TLS is 'perhaps'\n {2}expected on or off/],
    ];
    await Promise.all(
      cases.map(async ([args, env, message]) => {
        const { code, err } = await check(args, env);
        expect(err).toMatch(message);
        expect(code).toBe(2);
      }),
    );
  });
});
