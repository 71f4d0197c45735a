/** The web page while a node is dead: what it leads with, and that it helps. In a real browser, on real nodes. */
import { describe, expect, it } from 'vitest';
import { BrowserProcess, hasBrowser } from '../support/browser.js';
import { startRedises } from '../support/redis-process.js';
import { fill, ringOf, settled } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';

describe.runIf(hasBrowser)('the page while a node is dead', () => {
  it('leads with it, and takes the node out', async () => {
    const nodes = await startRedises(3);
    const env = { RINGPROXY_PROBE_INTERVAL: '100ms' };
    const proxy = await startRingproxy({ nodes, env, allowLog: [/node2/] });
    await fill(proxy, 500);
    const { page, complaints } = await (await BrowserProcess.start()).open(proxy.admin);
    const state = page.locator('#health [data-part="state"]');
    await expect.poll(() => state.textContent()).toBe('All is well');
    expect(await page.locator('#banner').isVisible()).toBe(false);
    const icon = (): Promise<string | null> => page.locator('#icon').getAttribute('href');
    expect(await icon()).toBe('page/icon.svg');

    await nodes[1]?.stop();
    await expect.poll(() => state.textContent()).toBe('Trouble');
    expect(await page.locator('#health').textContent()).toContain('2 of 3 nodes up');
    const banner = page.getByRole('region', { name: 'What is wrong' });
    expect(await banner.getByRole('alert').textContent()).toMatch(
      /^node2 \(.*\) is down since \d\d:\d\d:\d\d: .*\. Its keys, 3\d\.\d % of the ring, fail\.$/,
    );
    expect(await page.title()).toBe('✕ node2 is down · ringproxy');
    expect(await icon()).toBe('page/icon-bad.svg');
    // Trouble first, though it is not first by name; and nobody serves what is hatched.
    expect(await page.locator('#nodes tr').first().getAttribute('data-node')).toBe('node2');
    expect(await page.locator('#ring .dead path[data-node="node2"]').count()).toBe(2);
    expect(await page.locator('#nodes-totals').innerText()).toMatch(/^All 3 nodes\s+1 down/);
    // The banner is on the first screen of a telephone.
    await page.setViewportSize({ width: 360, height: 740 });
    expect((await banner.boundingBox())?.y).toBeLessThan(300);

    await banner.getByRole('button', { name: 'Take node2 out …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Remove node2' });
    expect(await dialog.getByLabel('The node is gone').isChecked()).toBe(true);
    await expect.poll(() => dialog.locator('#confirm-text').textContent()).toContain('without its keys');
    await dialog.getByRole('button', { name: 'Remove node2' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await settled(proxy);
    expect((await ringOf(proxy)).nodes.map(({ name }) => name)).toEqual(['node1', 'node3']);
    await expect.poll(() => state.textContent()).toBe('All is well');
    expect(await banner.isVisible()).toBe(false);
    expect(await icon()).toBe('page/icon.svg');
    expect(await page.evaluate('document.activeElement.id')).toBe('health');
    // One line for the change, which can be picked out by its node.
    const lines = page.locator('#events li:visible');
    await page.getByLabel('Show', { exact: true }).selectOption('change');
    await expect.poll(() => lines.allTextContents()).toEqual([expect.stringContaining('remove node2 is done')]);
    await page.getByLabel('of', { exact: true }).selectOption('node1');
    expect(await lines.count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});
