/**
 * A proxy that reaches its etcd by TLS, while all certificates are changed for those of another authority, also in the
 * middle of ring changes under load: it stays the member that it is, and no request to etcd fails. And a certificate for
 * etcd that cannot be used holds up nothing else.
 */
import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Authority, hasOpenssl } from '../support/certificates.js';
import { hasEtcd, startEtcd } from '../support/etcd-process.js';
import { startRedises } from '../support/redis-process.js';
import { add, fill, fillers, post, ringOf, settled, until } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { scrape } from '../support/series.js';
import { tempFolder } from '../support/temp-folder.js';

const KEYS = 2000;

it.skipIf(!hasEtcd || !hasOpenssl)(
  'certificates for etcd change, and the proxy stays a member',
  { timeout: 60_000 },
  async () => {
    const [before, after] = [new Authority('before'), new Authority('after')];
    const folder = tempFolder('etcd-tls');
    const at = (name: string): string => join(folder, name);
    const names = { names: 'IP:127.0.0.1' };
    /** What both sides know each other by, and what each shows. */
    const put = (authority: Authority, trusted: readonly Authority[], side: 'etcd' | 'proxy'): void => {
      const usages = side === 'etcd' ? (['serverAuth', 'clientAuth'] as const) : (['clientAuth'] as const);
      const { cert, key, certFile, keyFile } = authority.issue(side, usages, names);
      writeFileSync(at(`${side}-ca.pem`), trusted.map((one) => one.cert).join(''));
      if (side === 'etcd') {
        // Which reads its certificate anew for each connection: it is to find a whole one.
        writeFileSync(at('etcd.new'), cert + key);
        renameSync(at('etcd.new'), at('etcd.pem'));
        return;
      }
      copyFileSync(certFile, at(`${side}.pem`));
      copyFileSync(keyFile, at(`${side}-key.pem`));
    };
    put(before, [before, after], 'etcd');
    put(before, [before, after], 'proxy');
    const tls = { ca: at('etcd-ca.pem'), cert: at('etcd.pem'), key: at('etcd.pem') };
    const etcd = await startEtcd(1, { tls });
    const settings = at('ringproxy.yaml');
    const write = (more: string): void => {
      const lines = [
        ...[
          'coordination: etcd',
          `etcd-endpoints: ${etcd.endpoints[0]}`,
          'member-ttl: 5s',
          `etcd-ca: ${at('proxy-ca.pem')}`,
        ],
        ...[`etcd-cert: ${at('proxy.pem')}`, `etcd-key: ${at('proxy-key.pem')}`, more],
      ];
      writeFileSync(settings, lines.join('\n'));
    };
    write('');
    const [first, second] = await startRedises(2);
    const proxy = await startRingproxy({
      nodes: [`first=${first?.address}`],
      args: ['-c', settings],
      allowLog: [/etcd/i, /certificates that cannot be used/, /member/i, /lease/i],
    });
    const client = proxy.client();
    /** Requests to etcd that have failed, or whose outcome is not known. */
    const failures = async (): Promise<number> => {
      const series = await scrape(proxy.admin);
      const failed = [...series].filter(
        ([name]) => /^ringproxy_etcd_requests_total\{/.test(name) && !/outcome="ok"/.test(name),
      );
      return failed.reduce((sum, [, value]) => sum + value, 0);
    };
    const figure = async (outcome: string): Promise<number | undefined> =>
      (await scrape(proxy.admin)).get(`ringproxy_tls_reloads_total{use="etcd",outcome="${outcome}"}`);
    const isSame = async (): Promise<boolean> => {
      const { coordination, proxies } = await ringOf(proxy);
      return coordination.proxy === proxy.id && coordination.reachable && proxies.every(({ alive }) => alive);
    };
    expect(await isSame()).toBe(true);

    // What cannot be used is told of, and all else of the SIGHUP is in force.
    const stranger = after.issue('other', ['clientAuth']);
    for (const [index, harm] of [
      () => rmSync(at('proxy.pem')),
      () => writeFileSync(at('proxy.pem'), 'rubbish'),
      () => copyFileSync(stranger.certFile, at('proxy.pem')),
    ].entries()) {
      harm();
      write(`max-clients: ${100 + index}`);
      proxy.kill('SIGHUP');
      await expect.poll(() => client.info('clients')).toContain(`maxclients:${100 + index}`);
      await expect.poll(() => figure('failed')).toBe(index + 1);
    }
    const told = proxy.log.filter(({ msg }) => /certificates that cannot be used, all else is taken: etcd-/.test(msg));
    expect(told.map(({ msg }) => msg.replaceAll(`${folder}/`, '').replace(/^.*: (etcd-\w+: )/, '$1'))).toEqual([
      expect.stringMatching(/^etcd-cert: proxy.pem cannot be read: ENOENT/),
      expect.stringMatching(/^etcd-cert: proxy.pem holds no certificate/),
      expect.stringMatching(/^etcd-key: proxy-key.pem holds another private key/),
    ]);
    expect(await isSame()).toBe(true);

    // Under load, while keys move: of another authority, then a new one of that. The proxy takes none of the former then.
    await fill(proxy, KEYS);
    const load = { over: false };
    const traffic = (async () => {
      for (let i = 0; !load.over; i++) {
        const key = `load:${i % 100}`;
        await client.set(key, i);
        expect(await client.get(key)).toBe(String(i));
      }
    })();
    const reloaded = async (change: () => void): Promise<void> => {
      const times = (await figure('ok')) ?? 0;
      change();
      proxy.kill('SIGHUP');
      await expect.poll(() => figure('ok')).toBeGreaterThan(times);
    };
    const failed = await failures();
    const added = { ...add('second', second), throttle: 100 };
    const removed = { kind: 'remove', remove: ['second'], throttle: 100 };
    let shown = before;
    for (const [next, change] of [
      [after, added],
      [after, removed],
    ] as const) {
      await post(proxy, 'changes', change);
      await until(proxy, (view) => view.change !== null && view.change.keysMoved > 0);
      await reloaded(() => put(shown, [before, after], 'proxy'));
      put(next, [before, after], 'etcd');
      await reloaded(() => put(next, [next], 'proxy'));
      expect((await ringOf(proxy)).change).not.toBeNull();
      await post(proxy, 'changes/current/throttle', { keysPerSecond: 0 });
      await settled(proxy);
      shown = next;
    }
    load.over = true;
    await traffic;
    expect(await client.exists(...fillers(KEYS))).toBe(KEYS);
    expect(await failures()).toBe(failed);
    expect(await isSame()).toBe(true);

    // From its next start on etcd takes none of the former authority.
    put(after, [after], 'etcd');
    await etcd.restart();
    // New connections are taken with what is new, and the lease is kept by them.
    await expect.poll(isSame).toBe(true);
    const kept =
      (await scrape(proxy.admin)).get('ringproxy_etcd_requests_total{operation="keepalive",outcome="ok"}') ?? 0;
    await expect
      .poll(
        async () =>
          (await scrape(proxy.admin)).get('ringproxy_etcd_requests_total{operation="keepalive",outcome="ok"}'),
        {
          timeout: 10_000,
        },
      )
      .toBeGreaterThan(kept + 1);
    expect(await isSame()).toBe(true);
    expect(await client.set('key', 'value')).toBe('OK');
  },
);
