/** Sentinels that speak nothing but TLS, and want to see a certificate. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { Authority, type Certificate, hasOpenssl } from '../support/certificates.js';
import { atEnd } from '../support/cleanup.js';
import { freePort } from '../support/free-port.js';
import { startRedis } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { SentinelProcess, startReplicas, until } from '../support/sentinels.js';
import { scrape } from '../support/series.js';
import { tempFolder } from '../support/temp-folder.js';

const EXPECTED = [/ringproxy:node:master/, /ringproxy:upstream/, /node:health/, /node\/pair/, /certificate/];
const ENV = { RINGPROXY_PROBE_INTERVAL: '100ms' };

function tlsLines(port: number, authority: Pick<Authority, 'file'>, { certFile, keyFile }: Certificate): string[] {
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

it.skipIf(!hasOpenssl)(
  'certificates are exchanged under load, and a failover meanwhile is followed',
  { timeout: 60_000 },
  async () => {
    const [before, after] = [new Authority('before'), new Authority('after')];
    const folder = tempFolder('exchanged');
    const at = (name: string): string => join(folder, name);
    const trust = (file: string, ...authorities: Authority[]): string => {
      writeFileSync(at(file), authorities.map(({ cert }) => cert).join(''));
      return at(file);
    };
    const show = (authority: Authority): void => {
      const { certFile, keyFile } = authority.issue('proxy', ['clientAuth']);
      copyFileSync(keyFile, at('proxy.key'));
      copyFileSync(certFile, at('proxy.crt'));
    };
    trust('proxy-ca.pem', before);
    show(before);
    const master = await startRedis();
    const [replica] = await startReplicas(master, 1);
    const own = await freePort();
    const sentinel = new SentinelProcess(own);
    const usages = ['serverAuth', 'clientAuth'] as const;
    const both = { file: trust('both.pem', before, after) };
    const lines = tlsLines(own, both, before.issue('sentinel', usages));
    await sentinel.start(master, 1, { lines });
    const asked = new Redis({ port: own, tls: { ...after.issue('test', ['clientAuth']), ca: before.cert } });
    atEnd(() => asked.disconnect());
    const proxy = await startRingproxy({
      nodes: [`pair=sentinel://${sentinel.address}/cache`],
      config: [
        ...['sentinel-tls: on', `sentinel-tls-ca: ${at('proxy-ca.pem')}`],
        ...[`sentinel-tls-cert: ${at('proxy.crt')}`, `sentinel-tls-key: ${at('proxy.key')}`, ''],
      ].join('\n'),
      ...{ env: ENV, allowLog: [/ringproxy:node:master/, /ringproxy:node:failover/, /ringproxy:upstream/] },
    });
    const reloads = async (outcome: string): Promise<number> =>
      (await scrape(proxy.admin)).get(`ringproxy_tls_reloads_total{use="sentinels",outcome="${outcome}"}`) ?? 0;
    const reloaded = async (change: () => void): Promise<void> => {
      const times = await reloads('ok');
      change();
      proxy.kill('SIGHUP');
      await until(async () => (await reloads('ok')) > times);
    };
    const client = proxy.client();
    const load = { over: false, written: 0, errors: [] as string[] };
    const traffic = (async () => {
      // A client that has ended answers at once.
      for (; !load.over && client.status !== 'end'; load.written++) {
        await client.set('key', load.written).catch(({ message }: Error) => load.errors.push(message));
      }
    })();
    atEnd(() => {
      load.over = true;
    });
    // Without a failover it costs nothing.
    for (const authority of [after, before, after]) await reloaded(() => show(authority));
    expect(load.errors).toEqual([]);
    await until(async () => {
      const fields = (await asked.call('SENTINEL', 'MASTER', 'cache')) as string[];
      return fields[fields.indexOf('num-slaves') + 1] === '1';
    });
    await asked.call('SENTINEL', 'FAILOVER', 'cache');
    await reloaded(() => show(before));
    await proxy.logged(/"ringproxy:node:failover"/);
    await reloaded(() => show(after));
    await until(async () => (await replica?.client().info('replication'))?.includes('role:master') === true);
    const { written } = load;
    await until(() => Promise.resolve(load.written > written + 100));
    load.over = true;
    await traffic;
    // What a failover costs, and nothing that a certificate does.
    expect(load.errors.filter((error) => !/^(?:TRYAGAIN|NODEDOWN|READONLY)/.test(error))).toEqual([]);
    expect(load.errors.filter((error) => /certificate|TLS/.test(error))).toEqual([]);
    expect([await client.set('key', 'last'), await replica?.client().get('key')]).toEqual(['OK', 'last']);
    expect([await reloads('failed'), await reasonAt(proxy)]).toEqual([0, '']);
  },
);
