/** What people read of the proxies of a ring, and how one is forgotten. */
import { describe, expect, it } from 'vitest';
import { describeProxies } from '../../cli/proxies-view.js';
import type { ProxyLoad, ProxyView } from '../../src/admin/api.js';
import { changeView, coordinationView, proxyView, ringView, startAdmin } from './fake-admin.js';
import { ringproxy } from './run.js';

const LOAD: ProxyLoad = {
  ...{ at: '2026-01-01T00:00:00.000Z', clients: 12, commandsPerSecond: 3456.7, errorsPerSecond: 0 },
  ...{ hitsPerSecond: 1, missesPerSecond: 0, p99: 0.001, cores: 0.5, residentMemory: 1024 },
};

const FLEET: ProxyView[] = [
  proxyView({ id: 'a1a1a1a1a1a1', admin: 'http://10.0.0.1:6390', coordinator: true, load: LOAD }),
  proxyView({
    ...{ id: 'b2b2b2b2b2b2', admin: 'http://10.0.0.2:6390', coordinator: false, workers: 2 },
    jobs: ['mover/node-1', 'mover/node-3', 'entropy'],
  }),
  proxyView({ id: 'c3c3c3c3c3c3', admin: '', coordinator: false, alive: false }),
  proxyView({ id: 'd4d4d4d4d4d4', admin: 'http://10.0.0.4:6390', coordinator: false, alive: false, fencedOff: true }),
];

function rows(text: string): string[][] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
}

describe('the proxies of a ring', () => {
  it('are shown with what they do', async () => {
    const admin = await startAdmin((server) => {
      server.get('/v1/proxies', () => FLEET);
    });
    const { code, out } = await ringproxy(['proxies'], { RINGPROXY_ADMIN: admin });
    expect(code).toBe(0);
    expect(rows(out)).toEqual([
      ['PROXY', 'ADMIN', 'ALIVE', 'GENERATION', 'WORKERS', 'VERSION', 'CLIENTS', 'COMMANDS/S', 'JOBS'],
      ['a1a1a1a1a1a1', 'http://10.0.0.1:6390', 'yes', '1', '1', '1.0.0', '12', '3,457', 'coordinator'],
      ['b2b2b2b2b2b2', 'http://10.0.0.2:6390', 'yes', '1', '2', '1.0.0', '-', '-', 'mover: node-1, node-3; entropy'],
      ['c3c3c3c3c3c3', '-', 'no', '1', '1', '1.0.0', '-', '-', '-'],
      ['d4d4d4d4d4d4', 'http://10.0.0.4:6390', 'fenced off', '1', '1', '1.0.0', '-', '-', '-'],
    ]);
    const json = await ringproxy(['proxies', 'ls', '--json'], { RINGPROXY_ADMIN: admin });
    expect(JSON.parse(json.out)).toEqual(FLEET);
  });

  it.each([30, 40, 60, 80, 100, 140])('are no wider than a terminal of %i columns', (width) => {
    const lines = describeProxies(FLEET, width).split('\n');
    expect(lines).toHaveLength(5);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(lines[0]).toMatch(/^PROXY .*ALIVE/);
  });

  it('of an earlier version say less, and are shown all the same', () => {
    const { jobs, coordinator, load, fencedOff, ...old } = proxyView();
    expect([jobs, coordinator, load, fencedOff]).toHaveLength(4);
    expect(describeProxies([old as ProxyView], undefined)).toContain('a1a1a1a1a1a1');
  });

  it('stand under the ring, with who moves what, and where they agree', async () => {
    const source = { done: false, keysMoved: 10, keysScanned: 1000, largeKey: null };
    const change = changeView({
      sources: [
        { ...source, node: 'node-1', owner: 'b2b2b2b2b2b2' },
        { ...source, node: 'node-2', owner: 'a1a1a1a1a1a1', done: true },
      ],
    });
    const coordination = coordinationView({ kind: 'etcd', reachable: false, trouble: 'etcd is out of reach: …' });
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView({ change, proxies: FLEET, coordination }));
    });
    const { out } = await ringproxy(['ring', 'show'], { RINGPROXY_ADMIN: admin });
    expect(out).toMatch(/KEYS OF +MOVED +SCANNED +BY\nnode-1 +10 +1,000 +b2b2b2b2b2b2\nnode-2 +10 +1,000 +done\n/);
    expect(out).toMatch(/JOBS\na1a1a1a1a1a1 .*coordinator\n/);
    expect(out).toContain('agreed in etcd, strict; asked was proxy a1a1a1a1a1a1\netcd is out of reach: …\n');
  });

  it('are not much to say of where there is one', async () => {
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView({ proxies: [proxyView()] }));
    });
    const { out } = await ringproxy(['ring', 'show'], { RINGPROXY_ADMIN: admin });
    expect(out).not.toContain('agreed in');
    expect(out).not.toContain('KEYS OF');
  });
});

describe('a node that is down', () => {
  it('is down for whom, since when and why, where there are several proxies', async () => {
    const since = '2026-11-27T10:00:00.000Z';
    const opinions = [{ proxy: 'b2b2b2b2b2b2', since, why: 'it refused the connection' }];
    const [node] = ringView().nodes;
    if (node === undefined) throw new Error('there is one');
    let proxies = [proxyView(), proxyView({ id: 'b2b2b2b2b2b2' })];
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView({ proxies, nodes: [{ ...node, opinions }] }));
    });
    const { out } = await ringproxy(['ring', 'show'], { RINGPROXY_ADMIN: admin });
    expect(out).toMatch(/DOWN +FOR PROXY +SINCE +WHY\na +b2b2b2b2b2b2 +2026-11-27T10:00:00\.000Z +it refused the conn/);
    proxies = [proxyView()];
    expect((await ringproxy(['ring', 'show'], { RINGPROXY_ADMIN: admin })).out).not.toContain('FOR PROXY');
  });
});

describe('proxies forget', () => {
  it('asks the proxy for it, and says what it refuses', async () => {
    const asked: string[] = [];
    const admin = await startAdmin((server) => {
      server.delete<{ Params: { id: string } }>('/v1/proxies/:id', (request, reply) => {
        asked.push(request.params.id);
        if (request.params.id === 'c3c3c3c3c3c3') return reply.send([proxyView()]);
        const error = { code: 'PROXY_ALIVE', message: 'the proxy a lives', hint: 'end it first' };
        return reply.code(409).send({ error });
      });
    });
    const env = { RINGPROXY_ADMIN: admin };
    expect(await ringproxy(['proxies', 'forget', 'c3c3c3c3c3c3'], env)).toMatchObject({
      code: 0,
      out: 'c3c3c3c3c3c3 is forgotten\n',
    });
    const refused = await ringproxy(['proxies', 'forget', 'a/b'], env);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('the proxy a lives');
    expect(refused.err).toContain('end it first');
    expect(asked).toEqual(['c3c3c3c3c3c3', 'a/b']);
    expect((await ringproxy(['proxies', 'forget'], env)).code).toBe(2);
  });
});

describe('--force', () => {
  it('goes with a change, and only where it is said', async () => {
    const bodies: unknown[] = [];
    const admin = await startAdmin((server) => {
      server.post('/v1/ring/changes', (request) => {
        bodies.push(request.body);
        return { generation: 2, dryRun: true, warnings: [], moves: [], survey: null };
      });
    });
    for (const flags of [['--force'], []]) {
      await ringproxy(['ring', 'remove', 'a', '--dry-run', ...flags], { RINGPROXY_ADMIN: admin });
    }
    expect(bodies).toEqual([
      { kind: 'remove', remove: ['a'], noDrain: false, dryRun: true, force: true },
      { kind: 'remove', remove: ['a'], noDrain: false, dryRun: true },
    ]);
  });
});
