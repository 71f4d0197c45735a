/** The web page in a real browser, on a real proxy with real nodes. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { StatsView, WhichView } from '../../src/admin/api.js';
import { BrowserProcess, hasBrowser, type WatchedPage } from '../support/browser.js';
import { atEnd } from '../support/cleanup.js';
import { type RedisProcess, startRedis, startRedises } from '../support/redis-process.js';
import { add, fill, post, ringOf, settled, until } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

const SIZES = [
  [360, 740],
  [980, 700],
  [1280, 800],
  [3840, 2160],
  [360, 740],
] as const;

interface Scene {
  readonly nodes: RedisProcess[];
  /** One that may join; it outlives the proxy. */
  readonly spare: RedisProcess;
  readonly proxy: RingproxyProcess;
  readonly watched: WatchedPage;
  readonly page: Page;
}

/** Three nodes with keys, a proxy, and its page. Whatever the page complains of, or asks elsewhere, fails the test. */
async function open(keys: number, colorScheme: 'light' | 'dark' = 'light'): Promise<Scene> {
  const nodes = await startRedises(3);
  const spare = await startRedis();
  const proxy = await startRingproxy({ nodes });
  await fill(proxy, keys);
  const browser = await BrowserProcess.start();
  const watched = await browser.open(proxy.admin, { colorScheme });
  await expect.poll(() => watched.page.locator('#connection').textContent()).toBe('live');
  atEnd(() => {
    expect(watched.complaints).toEqual([]);
    expect(watched.requests.filter((url) => !url.startsWith(`${proxy.admin}/`))).toEqual([]);
  });
  return { nodes, spare, proxy, watched, page: watched.page };
}

/** Takes an action from the menu of a node's row. */
async function choose(page: Page, node: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `Actions on ${node}`, exact: true }).click();
  await page.getByRole('button', { name: action }).click();
}

async function figure(page: Page, name: string): Promise<string> {
  return (await page.locator(`[data-figure="${name}"]`).textContent()) ?? '';
}

async function number(page: Page, name: string): Promise<number> {
  return Number((await figure(page, name)).replaceAll(',', '').replace(/ .*/, ''));
}

async function statsOf(proxy: RingproxyProcess): Promise<StatsView> {
  return (await (await fetch(`${proxy.admin}/v1/stats`)).json()) as StatsView;
}

/** Waits for a figure that the page has from an answer which the proxy gives from now on. */
async function nextFigures(page: Page): Promise<void> {
  await page.waitForResponse((response) => response.url().endsWith('/v1/stats'));
  // That answer may have been on its way already.
  await page.waitForResponse((response) => response.url().endsWith('/v1/stats'));
}

/** Sends GETs of keys that are there, and of some that are not, until the test ends. */
function traffic(proxy: RingproxyProcess): void {
  const client = proxy.client();
  let on = true;
  const done = (async () => {
    for (let i = 0; on; i += 20) {
      const pipeline = client.pipeline();
      for (let k = i; k < i + 20; k++) pipeline.get(`filler:${k % 2500}`);
      await pipeline.exec();
    }
  })();
  atEnd(async () => {
    on = false;
    await done;
  });
}

describe.runIf(hasBrowser)('the page', () => {
  it('shows what the API says, under load', async () => {
    const { proxy, page } = await open(2000);
    traffic(proxy);
    await nextFigures(page);
    const before = await statsOf(proxy);
    await nextFigures(page);
    await expect.poll(() => number(page, 'commands')).toBeGreaterThanOrEqual(before.commands);
    const shown = await number(page, 'commands');
    const after = await statsOf(proxy);
    expect(shown).toBeLessThanOrEqual(after.commands);
    await expect.poll(() => number(page, 'rate')).toBeGreaterThan(100);
    expect(await figure(page, 'errors')).toBe('0');
    // 2,000 of 2,500 keys are there.
    await expect.poll(async () => Math.abs((await number(page, 'hit-ratio')) - 80)).toBeLessThan(8);
    const ring = await ringOf(proxy);
    for (const node of ring.nodes) {
      const row = page.locator(`tr[data-node="${node.name}"]`);
      await expect.poll(() => row.textContent()).toContain(`${(node.share * 100).toFixed(1)} % of the ring`);
      expect(await row.textContent()).toContain(node.address);
      await expect.poll(() => row.locator('[data-label="Keys"]').textContent()).toBe(String(node.keys));
      expect(await row.locator('.state').textContent()).toBe('● active');
    }
    const loads = await page.locator('.load .bar').allTextContents();
    const parts = loads.map((text) => Number.parseFloat(text));
    expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(100, 0);
    expect(await page.locator('#throughput-text').textContent()).toMatch(/^Now [\d,]+\/s; highest/);
    expect(await page.locator('.uplot canvas').count()).toBe(4);
    // Text of clients stays text.
    const hot = proxy.client();
    const pipeline = hot.pipeline();
    for (let i = 0; i < 20_000; i++) pipeline.get('<b>hot</b>');
    await pipeline.exec();
    const [{ node }] = (await (await fetch(`${proxy.admin}/v1/ring/which?key=<b>hot</b>`)).json()) as [WhichView];
    const hottest = page.locator('#hot tr').first();
    await expect.poll(() => hottest.locator('th').textContent()).toBe('<b>hot</b>');
    expect(await hottest.locator('[data-label="Node"]').textContent()).toBe(node);
    expect(await hottest.locator('[data-label="Reads"]').textContent()).toBe('100.0 %');
    // Groups of keys are there as soon as somebody makes them.
    expect(await page.locator('#groups-card').isHidden()).toBe(true);
    const body = JSON.stringify({ '<i>': 'x', fillers: { prefixes: 'filler:', 'max-ttl': '1h' }, empty: 'e:' });
    const headers = { 'content-type': 'application/json' };
    const refused = await fetch(`${proxy.admin}/v1/groups`, { method: 'PUT', body, headers });
    expect(refused.status).toBe(400);
    await fetch(`${proxy.admin}/v1/groups`, { method: 'PUT', body: body.replace('"<i>":"x",', ''), headers });
    const group = page.locator('#groups tr').first();
    await expect.poll(() => group.locator('th').textContent()).toBe('fillers');
    expect(await group.locator('[data-label="Policy"]').textContent()).toBe('max-ttl 1h');
    await expect.poll(() => group.locator('[data-label="Hit ratio"]').textContent()).toMatch(/^[78]\d\.\d %$/);
    await expect
      .poll(async () => Number.parseFloat((await group.locator('[data-label="Commands/s"]').textContent()) ?? ''))
      .toBeGreaterThan(0);
    expect(await page.locator('#groups th').allTextContents()).toEqual(['fillers', 'empty', 'other']);
    // What became of misses, as soon as there are some.
    const waiting = page.locator('#groups tr').nth(1);
    expect(await waiting.locator('[data-label="Fill"]').textContent()).toBe('–');
    await fetch(`${proxy.admin}/v1/groups/empty`, { method: 'PATCH', body: '{"fill-wait":"1m"}', headers });
    await expect.poll(() => waiting.locator('[data-label="Policy"]').textContent()).toBe('fill-wait 1m');
    const [fills, waits] = [proxy.client(), proxy.client()];
    expect(await fills.get('e:1')).toBeNull();
    const waited = waits.get('e:1');
    await fills.set('e:1', 'made');
    expect(await waited).toBe('made');
    await expect
      .poll(() => waiting.locator('[data-label="Fill"]').textContent())
      .toMatch(/^\d+\.\d % spared: first 1\b/);
    expect(await page.locator('#groups-command').textContent()).toContain(`set fillers --cache near`);
    // The arcs of a node have the colour of its row.
    const colors = await page.evaluate(`[...document.querySelectorAll('#ring .arcs [data-node="node2"]')]
      .map((path) => path.style.fill)`);
    expect(colors).toEqual(['var(--node-1)']);
  });

  it('finds a key where the proxy finds it, and when it moves', async () => {
    const { proxy, page, spare } = await open(0);
    const ask = async (key: string): Promise<string> => {
      await page.getByLabel('Where is this key?').fill(key);
      await page.getByRole('button', { name: 'Find' }).click();
      const result = page.locator('#which-result');
      await expect.poll(() => result.textContent()).toContain(`${key}: hash`);
      return (await result.textContent()) ?? '';
    };
    for (const key of ['user:1', '{tag}x', 'ü & <b>', 'a+b?c=%41']) {
      const answer = await fetch(`${proxy.admin}/v1/ring/which?key=${encodeURIComponent(key)}`);
      const [where] = (await answer.json()) as [WhichView];
      expect(await ask(key)).toBe(`${key}: hash ${where.hash}, on ${where.node} (${where.address})`);
      expect(await page.locator('#ring .mark').getAttribute('visibility')).toBe('visible');
    }
    // A key of the part that the new node gets.
    await fill(proxy, 20_000);
    await post(proxy, 'changes', add('node4', spare));
    await post(proxy, 'changes/current/pause');
    const keys = Array.from({ length: 100 }, (_, index) => `filler:${index}`);
    const query = keys.map((key) => `key=${key}`).join('&');
    const rows = (await (await fetch(`${proxy.admin}/v1/ring/which?${query}`)).json()) as WhichView[];
    const moving = rows.find((row) => row.nextNode !== null);
    expect(await ask(moving?.key ?? '')).toMatch(/, and will be on node4$/);
    await post(proxy, 'changes/current/resume');
    await settled(proxy);
    await expect.poll(() => page.locator('#which-result').textContent()).toMatch(/on node4 \([^)]*\)$/);
  });

  it('adds a node, after it has shown what would move; pauses, resumes, and turns the change round', async () => {
    const { proxy, page, spare } = await open(30_000);
    await page.getByLabel('Name').fill('node4');
    await page.getByLabel('Address').fill(spare.address);
    await page.getByRole('button', { name: 'Add node …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add node4' });
    await dialog.waitFor();
    expect((await ringOf(proxy)).change).toBeNull();
    await expect.poll(() => dialog.locator('tbody tr').count()).toBe(3);
    const rows = await dialog.locator('tbody tr').allTextContents();
    for (const row of rows) expect(row).toMatch(/^node[123]node4[678]\.\d %|^node[123]node49\.\d %/);
    await dialog.getByRole('button', { name: 'Back' }).click();
    expect((await ringOf(proxy)).change).toBeNull();

    await page.getByRole('button', { name: 'Add node …' }).click();
    await dialog.getByRole('button', { name: 'Add node4' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 500 });
    await page.getByRole('button', { name: 'Pause' }).click();
    await until(proxy, (view) => view.change?.paused === true);
    // What was on its way when it was paused has arrived, and the figures stand still.
    await expect
      .poll(async () => {
        const { change } = await ringOf(proxy);
        return (
          (await figure(page, 'keys-moved')) === change?.keysMoved.toLocaleString('en-US') &&
          (await page.locator('#change-headline').textContent()) ===
            `add node4: paused, ${change.percent.toFixed(1)} %` &&
          (await figure(page, 'keys-scanned')).startsWith(`${change.keysScanned.toLocaleString('en-US')} of `)
        );
      })
      .toBe(true);
    expect(await page.locator('tr[data-node="node4"] .state').textContent()).toBe('◐ joining');
    expect(await page.locator('#ring .moving path[data-node="node4"]').getAttribute('d')).not.toBe('');
    expect(await page.locator('[aria-label="Remove node1 …"]').isDisabled()).toBe(true);

    await page.getByRole('button', { name: 'Resume' }).click();
    await until(proxy, (view) => view.change?.paused === false);
    await page.getByRole('button', { name: 'Cancel …' }).click();
    await page.getByRole('button', { name: 'Move everything back' }).click();
    await until(proxy, (view) => view.change === null || view.change.kind === 'cancel');
    await settled(proxy);
    expect((await ringOf(proxy)).nodes.map((node) => node.name)).toEqual(['node1', 'node2', 'node3']);
    await expect.poll(() => page.locator('#change').isVisible()).toBe(false);
    await expect.poll(() => page.locator('#change-last').textContent()).toContain('cancelled: add node4');
    await expect.poll(() => page.locator('tr[data-node]').count()).toBe(3);
    const events = await page.locator('#events li').allTextContents();
    // A line for each change, which says where it stands.
    expect(events.filter((event) => /begins|is paused|goes on/.test(event))).toEqual([]);
    for (const text of ['add node4 is turned round', 'cancelled: add node4 is done']) {
      expect(events.some((event) => event.includes(text))).toBe(true);
    }
  });

  it('removes a node, and says why it cannot', async () => {
    const { proxy, page, watched, spare } = await open(1000);
    await spare.client().set('stale', 'x');
    await page.getByLabel('Name').fill('node4');
    await page.getByLabel('Address').fill(spare.address);
    await page.getByRole('button', { name: 'Add node …' }).click();
    const refused = page.getByRole('dialog', { name: 'Add node4' });
    await expect.poll(() => refused.locator('#confirm-error').textContent()).toContain('holds 1 key');
    expect(await refused.getByRole('button', { name: 'Add node4' }).isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
    // Browsers report every refusal by themselves.
    expect(watched.complaints.splice(0)).toEqual([expect.stringContaining('409 (Conflict)')]);
    await choose(page, 'node2', 'Remove node2 …');
    const dialog = page.getByRole('dialog', { name: 'Remove node2' });
    await dialog.getByLabel('The node is gone').check();
    await expect.poll(() => dialog.locator('#confirm-warnings').textContent()).toContain('keys of node2 are given up');
    await dialog.getByLabel('The node is gone').uncheck();
    await expect.poll(() => dialog.locator('#confirm-warnings').textContent()).toBe('');
    await dialog.getByRole('button', { name: 'Remove node2' }).click();
    await until(proxy, (view) => view.generation === 2 && view.change === null);
    await expect.poll(() => page.locator('tr[data-node]').count()).toBe(2);
    expect(await proxy.client().dbsize()).toBe(1000);
  });

  it('sets a weight, after it has shown what would move for it', async () => {
    const { proxy, page, watched } = await open(20_000);
    await choose(page, 'node2', 'Weight of node2 …');
    const dialog = page.getByRole('dialog', { name: 'Weight of node2' });
    const yes = dialog.getByRole('button', { name: 'Set the weight' });
    const weight = dialog.getByLabel('Weight, 1 to 1000');
    expect(await weight.inputValue()).toBe('1');
    expect(await yes.isDisabled()).toBe(true);
    // With the keyboard: what is there is selected, and Enter looks.
    await page.keyboard.type('2');
    await page.keyboard.press('Enter');
    await expect.poll(() => dialog.locator('#confirm-text').textContent()).toMatch(/^1[5-8]\.\d % of the ring changes/);
    expect((await dialog.locator('tbody tr').allTextContents()).sort()).toEqual([
      expect.stringMatching(/^node1node2[789]\.\d %/),
      expect.stringMatching(/^node3node2[789]\.\d %/),
    ]);
    // What was shown is not what another weight would do.
    await weight.fill('20');
    expect(await yes.isDisabled()).toBe(true);
    expect(await dialog.locator('tbody tr').count()).toBe(0);
    await weight.fill('1001');
    await dialog.getByRole('button', { name: 'Show what would move' }).click();
    expect(await dialog.locator('input:invalid').count()).toBe(1);
    expect(await yes.isDisabled()).toBe(true);
    await weight.fill('2');
    await page.keyboard.press('Enter');
    await yes.click();
    await dialog.waitFor({ state: 'hidden' });
    await settled(proxy);
    expect((await ringOf(proxy)).nodes.map((node) => node.weight)).toEqual([1, 2, 1]);
    await expect.poll(() => page.locator('tr[data-node="node2"] .state').textContent()).toBe('● active ×2');
    expect(watched.complaints).toEqual([]);
  });

  it('throttles a change, and lets it go again', async () => {
    const { proxy, page, spare } = await open(30_000);
    await post(proxy, 'changes', add('node4', spare));
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 100 });
    await expect.poll(() => page.locator('#throttle-now').textContent()).toBe('now: 100 keys/s');
    const rate = page.getByRole('spinbutton', { name: 'At most' });
    await rate.fill('200');
    await page.keyboard.press('Enter');
    await until(proxy, (view) => view.change?.throttle === 200);
    await expect.poll(() => page.locator('#throttle-now').textContent()).toBe('now: 200 keys/s');
    for (const name of ['Weight of node1 …', 'Replace node1 …', 'Remove node1 …']) {
      expect(await page.locator(`[aria-label="${name}"]`).isDisabled(), name).toBe(true);
    }
    const folder = process.env.SCREENSHOTS;
    if (folder !== undefined) await page.screenshot({ path: `${folder}/throttle.png`, fullPage: true });
    await rate.fill('-1');
    await page.keyboard.press('Enter');
    expect((await ringOf(proxy)).change?.throttle).toBe(200);
    await rate.fill('0');
    await page.getByRole('button', { name: 'Throttle', exact: true }).click();
    await settled(proxy);
    await expect.poll(() => page.locator('#throttle').isVisible()).toBe(false);
  });

  it('puts another server in the place of a node, after it has shown what would move', async () => {
    const { nodes, proxy, page, watched, spare } = await open(3000);
    await spare.client().set('stale', 'x');
    await page.setViewportSize({ width: 360, height: 740 });
    await choose(page, 'node3', 'Replace node3 …');
    const dialog = page.getByRole('dialog', { name: 'Replace node3' });
    const look = dialog.getByRole('button', { name: 'Show what would move' });
    const yes = dialog.getByRole('button', { name: 'Replace node3' });
    // Nothing is asked for an address that is none.
    await look.click();
    expect(await dialog.locator('input:invalid').count()).toBe(1);
    await dialog.getByLabel('Address of the new server').fill(spare.address);
    await look.click();
    await expect.poll(() => dialog.locator('#confirm-error').textContent()).toContain('holds 1 key');
    expect(watched.complaints.splice(0)).toEqual([expect.stringContaining('409 (Conflict)')]);
    expect(await yes.isDisabled()).toBe(true);
    await dialog.getByLabel('Delete what the new server holds').check();
    await look.click();
    await expect.poll(() => dialog.locator('#confirm-text').textContent()).toContain('is deleted first');
    expect(await dialog.locator('tbody tr').count()).toBe(1);
    const folder = process.env.SCREENSHOTS;
    if (folder !== undefined) await page.screenshot({ path: `${folder}/replace-360.png` });
    // The page is no wider than the screen, and the dialog's buttons are on it.
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    const place = await yes.boundingBox();
    expect((place?.x ?? 0) + (place?.width ?? 999)).toBeLessThanOrEqual(360);
    // What would happen without that is another question.
    await dialog.getByLabel('Delete what the new server holds').uncheck();
    expect(await yes.isDisabled()).toBe(true);
    await dialog.getByLabel('Delete what the new server holds').check();
    await look.click();
    await yes.click();
    await dialog.waitFor({ state: 'hidden' });
    await settled(proxy);
    expect((await ringOf(proxy)).nodes.map((node) => node.address)).toEqual([
      nodes[0]?.address,
      nodes[1]?.address,
      spare.address,
    ]);
    expect(await proxy.client().dbsize()).toBe(3000);
    expect(await proxy.client().exists('stale')).toBe(0);
  });

  it('shows that a node is down, and that the proxy is', async () => {
    const { nodes, proxy, watched, page } = await open(100);
    proxy.allowLog(/NODEDOWN|down/);
    await nodes[1]?.stop();
    await expect
      .poll(() => page.locator('tr[data-node="node2"] .state').textContent(), { timeout: 15_000 })
      .toMatch(/down: /);
    await expect.poll(() => page.locator('#events li.bad').count()).toBeGreaterThan(0);
    await proxy.stop();
    await expect
      .poll(() => page.locator('#connection').textContent(), { timeout: 15_000 })
      .toMatch(/cannot be reached; figures of/);
    // Browsers report a refused connection by themselves.
    watched.complaints.length = 0;
  });

  it('asks for the token where there is one', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(1), env: { RINGPROXY_ADMIN_TOKEN: 'hunter2' } });
    const browser = await BrowserProcess.start();
    const { page } = await browser.open(proxy.admin);
    const dialog = page.getByRole('dialog', { name: /admin token/ });
    await dialog.getByLabel('Token').fill('wrong');
    await page.keyboard.press('Enter');
    await expect.poll(() => dialog.textContent()).toContain('not accepted');
    await dialog.getByLabel('Token').fill('hunter2');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#connection').textContent()).toBe('live');
    await expect.poll(() => page.locator('#events li').count()).toBeGreaterThan(0);
  });

  it('shows a viewer no buttons that change something, and everybody else has them', async () => {
    const tokens = { RINGPROXY_ADMIN_TOKEN: 'all', RINGPROXY_ADMIN_VIEWER_TOKEN: 'look' };
    const proxy = await startRingproxy({ nodes: await startRedises(1), env: tokens });
    const browser = await BrowserProcess.start();
    const { page } = await browser.open(proxy.admin);
    const dialog = page.getByRole('dialog', { name: /admin token/ });
    const enter = async (text: string): Promise<void> => {
      await dialog.getByLabel('Token').fill(text);
      await page.keyboard.press('Enter');
    };
    await enter('look');
    await page.locator('#role').waitFor();
    await page.locator('tr[data-node="node1"]').waitFor();
    const add = page.getByRole('button', { name: 'Add node …' });
    const actions = page.getByRole('button', { name: 'Actions on node1' });
    expect([await add.isVisible(), await actions.isVisible()]).toEqual([false, false]);
    await page.getByRole('button', { name: 'Token' }).click();
    await enter('all');
    await add.waitFor();
    await actions.waitFor();
    expect(await page.locator('#role').isVisible()).toBe(false);
  });

  it.each(['light', 'dark'] as const)('fits every screen, in %s', async (colorScheme) => {
    const { page, proxy } = await open(500, colorScheme);
    const policy = { cache: 'near', 'near-ttl': '5s', 'fill-wait': '500ms', 'early-refresh': 'on', 'max-ttl': '7d' };
    const groups = { fillers: { prefixes: ['filler:', 'page:', 'html:en:', 'html:de:'], ...policy }, sessions: 's:' };
    const body = JSON.stringify(groups);
    await fetch(`${proxy.admin}/v1/groups`, { method: 'PUT', body, headers: { 'content-type': 'application/json' } });
    await expect.poll(() => page.locator('#groups tr').count()).toBe(3);
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      await nextFigures(page);
      // The plot fills its place, whatever size it had before.
      await expect
        .poll(() =>
          page.evaluate(`[...document.querySelectorAll('.canvas')].every((place) =>
            Math.abs(place.clientHeight - place.querySelector('canvas').clientHeight) < 3)`),
        )
        .toBe(true);
      const size =
        (await page.evaluate(`[document.documentElement.scrollWidth, document.querySelector('.uplot canvas').clientWidth,
        document.querySelector('#ring').getBoundingClientRect().width]`)) as number[];
      expect(size[0]).toBe(width);
      expect(size[1]).toBeGreaterThan(width < 1000 ? 220 : 300);
      expect(size[2]).toBeGreaterThan(250);
      const folder = process.env.SCREENSHOTS;
      if (folder !== undefined)
        await page.screenshot({ path: `${folder}/${colorScheme}-${width}.png`, fullPage: true });
    }
  });

  it('can be used with the keyboard alone, and tells its parts to who does not see it', async () => {
    const { page } = await open(0);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.closest("main") !== null')).toBe(true);
    await page.locator('#which-key').focus();
    await page.keyboard.type('user:1');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#which-result').textContent()).toContain('user:1: hash');
    const node1 = page.getByRole('button', { name: 'node1', exact: true });
    await node1.focus();
    await page.keyboard.press('Space');
    expect(await node1.getAttribute('aria-pressed')).toBe('true');
    expect(await page.locator('#ring .highlighted').count()).toBeGreaterThan(0);
    // From its name to its menu, whose first action has the focus; Escape goes back.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const weight = page.getByRole('button', { name: 'Weight of node1 …' });
    await expect
      .poll(() => weight.evaluate('document.activeElement.getAttribute("aria-label")'))
      .toBe('Weight of node1 …');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe('Actions on node1');
    const tree = await page.locator('body').ariaSnapshot();
    for (const part of [
      'banner',
      'main',
      'region "Ring"',
      'table "Nodes of the ring',
      'columnheader "Keys"',
      'rowheader',
      'img "Ring murmur3',
    ]) {
      expect(tree).toContain(part);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.locator('body').ariaSnapshot()).toContain('columnheader "Keys"');
  });
});
