/** As `ring-changes.test.ts`, with TLS on every link: clients, nodes, and nodes with each other; certificates change meanwhile. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Authority, type Certificate, hasOpenssl } from '../support/certificates.js';
import { RawClient } from '../support/raw-client.js';
import { startRedis } from '../support/redis-process.js';
import { add, fill, ownersOf, post, settled } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';
import { Checker, verifyPlacement } from './checker.js';

const SEED = Number(process.env.CHECK_SEED ?? 11);
const KEYS = 3000;
/** Of them so many come while each certificate takes the place of another one. */
const VISITORS = 150;

describe.skipIf(!hasOpenssl)('with TLS on every link', () => {
  it('keys move by MIGRATE and by plain commands, and certificates change', { timeout: 60_000 }, async () => {
    const authority = new Authority('all');
    const node = authority.issue('node', ['serverAuth', 'clientAuth']);
    const shown = [
      authority.issue('old', ['serverAuth', 'clientAuth']),
      authority.issue('new', ['serverAuth', 'clientAuth']),
    ];
    const folder = tempFolder('tls');
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const put = (certificate: Certificate | undefined): void => {
      copyFileSync(certificate?.certFile ?? '', cert);
      copyFileSync(certificate?.keyFile ?? '', key);
    };
    put(shown[0]);
    const tls = { authority, certificate: node, authClients: 'yes' } as const;
    // The first one cannot reach others by TLS: its keys are moved by plain commands.
    const clusters = [false, true, true, true];
    const nodes = await Promise.all(clusters.map((cluster) => startRedis({ tls: { ...tls, cluster } })));
    const files = [`tls-cert: ${cert}`, `tls-key: ${key}`, `node-tls-cert: ${cert}`, `node-tls-key: ${key}`];
    const proxy = await startRingproxy({
      nodes: nodes.slice(0, 3),
      config: ['tls-listen: 127.0.0.1:0', 'node-tls: on', `node-tls-ca: ${authority.file}`, ...files, ''].join('\n'),
      args: ['--workers', '2'],
    });
    await fill(proxy, KEYS);
    const target = { host: '127.0.0.1', port: proxy.tlsPort, tls: { ca: authority.cert } };
    const checker = new Checker({
      ...{ proxies: () => [target], clients: 8, keysPerClient: 100, seed: SEED, toleratesCuts: false },
    });
    checker.start();

    const visitors: RawClient[] = [];
    const seen = new Map<string, number>();
    const visit = async (): Promise<void> => {
      const client = await RawClient.secure({ port: proxy.tlsPort, ca: authority.cert });
      const number = visitors.push(client);
      const name = String(client.socket.getPeerCertificate().subject.CN);
      seen.set(name, (seen.get(name) ?? 0) + 1);
      expect(await client.text('GET', `filler:${number}`)).toBe(bulk(`value of ${number}`));
    };
    const comeDuring = async (certificate: Certificate | undefined): Promise<void> => {
      const before = proxy.log.length;
      // The first ones are shown the one of before, the last ones that which follows.
      const early = Promise.all(Array.from({ length: VISITORS / 2 }, visit));
      put(certificate);
      proxy.kill('SIGHUP');
      const late = Promise.all(Array.from({ length: VISITORS / 2 }, visit));
      await Promise.all([early, late]);
      const inForce = (): number =>
        proxy.log.slice(before).filter(({ event }) => event === 'ringproxy:tls:reloaded').length;
      await expect.poll(inForce, { timeout: 10_000 }).toBe(2);
    };
    await post(proxy, 'changes', add('node4', nodes[3]));
    await comeDuring(shown[1]);
    await settled(proxy);
    await post(proxy, 'changes', { kind: 'remove', remove: ['node1'] });
    await comeDuring(shown[0]);
    await settled(proxy);
    // Those of whichever certificate are served to the end.
    expect(await Promise.all(visitors.map((client) => client.text('GET', 'filler:1')))).toEqual(
      visitors.map(() => bulk('value of 1')),
    );
    expect([...seen.keys()].sort()).toEqual(['new', 'old']);
    expect(visitors).toHaveLength(2 * VISITORS);
    await checker.stop();
    expect(checker.violations).toEqual([]);
    expect(checker.commands).toBeGreaterThan(200);
    expect(await checker.verifyAll()).toEqual([]);
    expect(await verifyPlacement(nodes, (keys) => ownersOf(proxy, keys))).toEqual([]);
    expect(await nodes[0]?.client().dbsize()).toBe(0);
  });
});

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}
