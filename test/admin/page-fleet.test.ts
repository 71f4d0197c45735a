/** The web page where several proxies serve the ring, in a real browser. What the API says of them is made up. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { CoordinationView, NodeView, ProxyLoad, ProxyView, RingView } from '../../src/admin/api.js';
import { coordinationView, proxyView } from '../cli/fake-admin.js';
import { BrowserProcess, hasBrowser, type WatchedPage } from '../support/browser.js';
import { atEnd } from '../support/cleanup.js';
import { startRedises } from '../support/redis-process.js';
import { ringOf } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

const IDS = ['a1a1a1a1a1a1', 'b2b2b2b2b2b2', 'c3c3c3c3c3c3'] as const;
const [OWN, SECOND, THIRD] = IDS;

function load(fields: Partial<ProxyLoad> = {}): ProxyLoad {
  return {
    ...{ at: new Date().toISOString(), clients: 12, commandsPerSecond: 3450, errorsPerSecond: 0 },
    ...{ hitsPerSecond: 900, missesPerSecond: 100, p99: 0.0012, cores: 0.34, residentMemory: 90 * 2 ** 20 },
    ...fields,
  };
}

interface Fleet {
  proxies: ProxyView[];
  coordination: CoordinationView;
  /** By a node's name: for which proxies it is down. */
  downFor: Readonly<Record<string, string[]>>;
  change: RingView['change'];
}

function threeProxies(): Fleet {
  return {
    proxies: [
      proxyView({ id: OWN, admin: 'http://127.0.0.1:1', coordinator: false, jobs: ['mover/node1'], load: load() }),
      proxyView({
        id: SECOND,
        admin: 'http://127.0.0.1:2',
        jobs: ['mover/node2', 'mover/node3'],
        workers: 2,
        load: load({ clients: 7 }),
      }),
      proxyView({ id: THIRD, admin: 'javascript:alert(1)', alive: false, coordinator: false }),
    ],
    coordination: coordinationView({ kind: 'etcd', proxy: OWN, leaseSeconds: 8 }),
    downFor: {},
    change: null,
  };
}

/** Opens the page of a real proxy, whose answers on the ring say that it is one of this fleet. */
async function open(fleet: Fleet, proxy: RingproxyProcess): Promise<WatchedPage> {
  const watched = await (await BrowserProcess.start()).open(proxy.admin);
  // An answer may be on its way when the test ends.
  atEnd(() => watched.page.unrouteAll({ behavior: 'ignoreErrors' }));
  await watched.page.route('**/v1/ring', async (route) => {
    const view = (await (await route.fetch()).json()) as RingView;
    const nodes = view.nodes.map((node): NodeView => ({ ...node, downFor: fleet.downFor[node.name] ?? [] }));
    await route.fulfill({ json: { ...view, ...fleet, nodes } });
  });
  await expect.poll(() => watched.page.locator('#proxies tr').count()).toBe(fleet.proxies.length);
  return watched;
}

async function rowOf(page: Page, proxy: string): Promise<Record<string, string>> {
  const cells = page.locator(`tr[data-proxy="${proxy}"] td[data-label]`);
  return Object.fromEntries(
    await cells.evaluateAll((all) =>
      all.map((cell) => [cell.getAttribute('data-label') ?? '', cell.textContent ?? '']),
    ),
  ) as Record<string, string>;
}

describe.runIf(hasBrowser)('the page of a fleet', () => {
  it('shows each proxy with its load and what it does for all; a proxy that is alone shows none', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(3) });
    const alone = await (await BrowserProcess.start()).open(proxy.admin);
    await expect.poll(() => alone.page.locator('#connection').textContent()).toBe('live');
    expect(await alone.page.locator('#proxies-card').isVisible()).toBe(false);
    const { page, complaints } = await open(threeProxies(), proxy);
    expect(await rowOf(page, SECOND)).toEqual({
      ...{ State: '● alive', Does: 'coordinates; moves keys of node2, node3', 'Commands/s': '3,450' },
      ...{
        'Hit ratio': '90.0 %',
        p99: '1.20 ms',
        Clients: '7',
        Processor: '34.0 %',
        Memory: '90.0 MiB',
        Generation: '1',
      },
    });
    expect(await rowOf(page, OWN)).toMatchObject({ Does: 'moves keys of node1', Clients: '12' });
    expect(await rowOf(page, THIRD)).toMatchObject({
      State: '✕ no sign of it: changes of the ring wait for it',
      ...{ Does: '', Clients: '–', Processor: '–' },
    });
    expect(await page.locator(`tr[data-proxy="${OWN}"] .address`).textContent()).toBe('this proxy, version 1.0.0');
    // What a proxy says of itself is a link only where it is an address of the web.
    expect(await page.locator('#proxies a').evaluateAll((all) => all.map((link) => link.getAttribute('href')))).toEqual(
      ['http://127.0.0.1:2'],
    );
    expect(await page.locator('#proxies-agree').textContent()).toBe('agree in etcd, strict');
    expect(complaints).toEqual([]);
  });

  it('keeps the table within the screen, narrow and wide', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(1) });
    const fleet = threeProxies();
    const { page } = await open(fleet, proxy);
    for (const width of [360, 980, 1280, 3840]) {
      await page.setViewportSize({ width, height: 900 });
      await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      const overflow = `(() => { const card = document.querySelector('#proxies-card'); return card.scrollWidth - card.clientWidth; })()`;
      await expect.poll(() => page.evaluate(overflow)).toBe(0);
    }
    const roles = await page.locator('#proxies-card').getByRole('row').count();
    expect(roles).toBe(4);
  });

  it('says for whom a node is down, where it is not so for all', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(3) });
    const fleet = threeProxies();
    fleet.downFor = { node1: [SECOND, THIRD], node2: [OWN, SECOND], node3: [THIRD] };
    const { page } = await open(fleet, proxy);
    const said = (node: string) => page.locator(`tr[data-node="${node}"] .elsewhere`);
    // One that is away is not asked any more.
    await expect.poll(() => said('node1').textContent()).toBe(`down for 1 of 2 proxies: ${SECOND}`);
    expect(await said('node2').textContent()).toBe('down for all 2 proxies');
    expect(await said('node3').isVisible()).toBe(false);
  });

  it('says plainly that etcd is out of reach, since when, and what that means', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(1) });
    const fleet = threeProxies();
    const { page } = await open(fleet, proxy);
    const trouble = page.locator('#trouble');
    expect(await trouble.isVisible()).toBe(false);
    fleet.coordination = coordinationView({
      ...{ kind: 'etcd', proxy: OWN, reachable: false, unreachableSince: new Date().toISOString() },
      trouble: 'etcd is out of reach: clients are served as before',
    });
    await expect.poll(() => trouble.textContent()).toMatch(/^Since \d\d:\d\d:\d\d: etcd is out of reach: clients are/);
    expect(await trouble.getAttribute('role')).toBe('alert');
    fleet.coordination = coordinationView({ kind: 'etcd', proxy: OWN });
    await expect.poll(() => trouble.isVisible()).toBe(false);
  });

  it('shows who moves which source of a change, and who lags', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(3) });
    const fleet = threeProxies();
    const source = { done: false, keysMoved: 5, keysScanned: 10, largeKey: null };
    fleet.change = {
      ...{
        id: 'c1',
        kind: 'add',
        summary: 'add node4',
        phase: 'moving',
        paused: false,
        startedAt: new Date().toISOString(),
      },
      ...{ keysMoved: 10, keysScanned: 20, keysEstimated: 40, bytesMoved: 1000, keysDropped: 0, percent: 50 },
      ...{ etaSeconds: 3, keysPerSecond: 2, throttle: 0, error: null },
      sources: [
        { node: 'node1', owner: OWN, ...source },
        { node: 'node2', owner: SECOND, ...source },
        { node: 'node3', owner: '', ...source },
      ],
    };
    const [first, second] = fleet.proxies;
    if (first === undefined || second === undefined) throw new Error('there are three');
    fleet.proxies = [
      { ...first, generation: 2 },
      { ...second, generation: 1 },
    ];
    const { page } = await open(fleet, proxy);
    await expect
      .poll(() => page.locator('#change-sources li').allTextContents())
      .toEqual([
        'node1: 5 keys moved, 10 looked at, by this proxy',
        `node2: 5 keys moved, 10 looked at, by proxy ${SECOND}`,
        'node3: 5 keys moved, 10 looked at, waits for a proxy to move them',
      ]);
    expect((await rowOf(page, SECOND)).State).toBe('◐ behind');
  });

  it('lets a dead proxy be forgotten, by whoever vouches for it', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(1) });
    const fleet = threeProxies();
    const { page } = await open(fleet, proxy);
    let forgotten = '';
    await page.route('**/v1/proxies/*', async (route) => {
      forgotten = `${route.request().method()} ${new URL(route.request().url()).pathname}`;
      fleet.proxies = fleet.proxies.slice(0, 2);
      await route.fulfill({ json: fleet.proxies });
    });
    expect(await page.getByRole('button', { name: /^Forget/ }).count()).toBe(1);
    await page.getByRole('button', { name: `Forget ${THIRD} …` }).click();
    const dialog = page.getByRole('dialog', { name: `Forget ${THIRD}` });
    expect(await dialog.textContent()).toContain('You vouch that it is dead');
    await dialog.getByRole('button', { name: `Forget ${THIRD}` }).click();
    await expect.poll(() => page.locator('#proxies tr').count()).toBe(2);
    expect(forgotten).toBe(`DELETE /v1/proxies/${THIRD}`);
    expect((await ringOf(proxy)).coordination.kind).toBe('none');
  });
});
