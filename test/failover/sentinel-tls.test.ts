/** Sentinels that speak nothing but TLS, and want to see a certificate. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Authority, type Certificate, hasOpenssl } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { startRedis } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { SentinelProcess, until } from '../support/sentinels.js';
import { tempFolder } from '../support/temp-folder.js';

const EXPECTED = [/ringproxy:node:master/, /ringproxy:upstream/, /node:health/, /node\/pair/, /certificate/];
const ENV = { RINGPROXY_PROBE_INTERVAL: '100ms' };

function tlsLines(port: number, authority: Authority, { certFile, keyFile }: Certificate): string[] {
  return [
    ...['port 0', `tls-port ${port}`, 'tls-auth-clients yes', `tls-ca-cert-file ${authority.file}`],
    ...[`tls-cert-file ${certFile}`, `tls-key-file ${keyFile}`],
  ];
}

async function reasonAt(proxy: RingproxyProcess): Promise<string> {
  const ring = (await (await fetch(`${proxy.admin}/v1/ring`)).json()) as { nodes: [{ reason: string | null }] };
  return ring.nodes[0].reason ?? '';
}

it.skipIf(!hasOpenssl)('Sentinels are spoken to by TLS, and what is wrong with that is told', async () => {
  const authority = new Authority('sentinels');
  const stranger = new Authority('somebody else');
  const own = authority.issue('proxy', ['clientAuth']);
  const master = await startRedis();
  const sentinelBy = async (certificate: Certificate): Promise<string> => {
    const sentinel = new SentinelProcess(await freePort());
    await sentinel.start(master, 1, { lines: tlsLines(sentinel.port, authority, certificate) });
    return `pair=sentinel://${sentinel.address}/cache`;
  };
  const usages = ['serverAuth'] as const;
  const [good, expired, otherName] = await Promise.all([
    sentinelBy(authority.issue('good', usages)),
    sentinelBy(authority.issue('expired', usages, { days: -1 })),
    sentinelBy(authority.issue('other', usages, { names: 'DNS:elsewhere.example' })),
  ]);
  // What the proxy shows lies where it can become another one.
  const folder = tempFolder('shown');
  const show = ({ certFile, keyFile }: Certificate): void => {
    copyFileSync(keyFile, join(folder, 'proxy.key'));
    copyFileSync(certFile, join(folder, 'proxy.crt'));
  };
  show(own);
  const settings = (ca: string, ...more: string[]): string =>
    [
      ...['sentinel-tls: on', `sentinel-tls-ca: ${ca}`],
      ...[`sentinel-tls-cert: ${join(folder, 'proxy.crt')}`, `sentinel-tls-key: ${join(folder, 'proxy.key')}`],
      ...more,
      '',
    ].join('\n');
  const proxyTo = (node: string, config: string): Promise<RingproxyProcess> =>
    startRingproxy({ nodes: [node], config, env: ENV, allowLog: EXPECTED });

  const served = await proxyTo(good, settings(authority.file));
  expect(await served.client().set('key', 'value')).toBe('OK');
  const named = await proxyTo(otherName, settings(authority.file, 'sentinel-tls-server-name: elsewhere.example'));
  expect(await named.client().get('key')).toBe('value');

  const refused: [string, string, RegExp][] = [
    [good, settings(stranger.file), /no authority known here has signed: set sentinel-tls-ca/],
    [expired, settings(authority.file), /not valid now/],
    [otherName, settings(authority.file), /another name: set sentinel-tls-server-name/],
    [good, `sentinel-tls: on\nsentinel-tls-ca: ${authority.file}\n`, /set sentinel-tls-cert and sentinel-tls-key/],
    [good, '', /speaks TLS only: turn sentinel-tls on/],
  ];
  await Promise.all(
    refused.map(async ([node, config, why]) => {
      const proxy = await proxyTo(node, config);
      await until(async () => why.test(await reasonAt(proxy)));
      await expect(proxy.client().get('key')).rejects.toThrow(/NODEDOWN/);
      await proxy.stop();
    }),
  );

  // Another certificate is shown from the next connection on, without a restart.
  show(stranger.issue('proxy', ['clientAuth']));
  const shownFrom = await proxyTo(good, settings(authority.file));
  await until(async () => /set sentinel-tls-cert/.test(await reasonAt(shownFrom)));
  show(own);
  shownFrom.child.signal('SIGHUP');
  await until(
    async () =>
      (await shownFrom
        .client()
        .get('key')
        .catch(() => null)) === 'value',
  );
});
