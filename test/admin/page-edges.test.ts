/** The web page where things are not as usual: many nodes, long names, a proxy that goes and comes, a token. */
import { describe, expect, it } from 'vitest';
import { BrowserProcess, hasBrowser } from '../support/browser.js';
import { freePort } from '../support/free-port.js';
import { startRedis, startRedises } from '../support/redis-process.js';
import { ringOf } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';

describe.runIf(hasBrowser)('the page', () => {
  // The legend of ten nodes took the room of the plot, whose lines were not to be seen any more; a long name took the
  // room of the other columns, so that words broke in the middle and buttons stood one below the other.
  it('keeps plots and table in shape with ten nodes of the longest names', async () => {
    const redises = await startRedises(10);
    const nodes = redises.map(({ address }, index) => `${`${index}-long-name`.padEnd(64, '-x')}=${address}`);
    const proxy = await startRingproxy({ nodes });
    const { page } = await (await BrowserProcess.start()).open(proxy.admin);
    await expect.poll(() => page.locator('#throughput-legend button').count()).toBe(11);
    for (const width of [360, 1280, 3840]) {
      await page.setViewportSize({ width, height: 900 });
      await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      // The page adapts in the frames after the change of size.
      const shape = (): Promise<unknown> =>
        page.evaluate(`({
          plotIsTall: document.querySelector('#throughput canvas').clientHeight > 200,
          overflow: document.querySelector('.card.nodes').scrollWidth - document.querySelector('.card.nodes').clientWidth,
          state: Math.max(...[...document.querySelectorAll('.state')].map((cell) => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            return range.getClientRects().length;
          })),
          buttons: new Set([...document.querySelectorAll('tr[data-node] .actions')].map((cell) =>
            new Set([...cell.querySelectorAll('button')].map((button) => button.offsetTop)).size)).size,
        })`);
      await expect.poll(shape).toEqual({ plotIsTall: true, overflow: 0, state: 1, buttons: 1 });
    }
    // Where the table of moves is longer than the screen, the buttons are on it all the same.
    await page.setViewportSize({ width: 360, height: 800 });
    await page
      .getByRole('button', { name: /^Actions on 9-long-name/ })
      .first()
      .click();
    await page
      .getByRole('button', { name: /^Remove 9-long-name/ })
      .first()
      .click();
    const yes = page.locator('#confirm-yes');
    await expect.poll(() => yes.isEnabled()).toBe(true);
    const place = await yes.boundingBox();
    expect((place?.y ?? 0) + (place?.height ?? 999)).toBeLessThanOrEqual(800);
  });

  it('shows values beside the lines of a plot, which can be left out with the keyboard', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(2) });
    const { page, complaints } = await (await BrowserProcess.start()).open(proxy.admin);
    const all = page.getByRole('button', { name: /^all / });
    await expect.poll(() => all.textContent()).toBe('all0');
    await all.focus();
    await page.keyboard.press('Space');
    expect(await all.getAttribute('aria-pressed')).toBe('false');
    await page.waitForResponse((response) => response.url().includes('/v1/load/history'));
    expect(await all.getAttribute('aria-pressed')).toBe('false');
    await page.locator('#throughput').hover({ position: { x: 200, y: 60 } });
    await expect.poll(() => page.locator('#throughput-legend .at').textContent()).not.toBe('now');
    expect(complaints).toEqual([]);
  });

  // A logarithmic axis has lines without a value, at which the page fell, and said that the proxy did not answer.
  it('shows logarithmic scales, and goes on', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(2) });
    const { page, complaints } = await (await BrowserProcess.start()).open(proxy.admin);
    await page.locator('#throughput canvas').waitFor();
    await page.getByLabel('logarithmic scales').check();
    for (let i = 0; i < 3; i++) await page.waitForResponse((response) => response.url().endsWith('/v1/stats'));
    expect(await page.locator('#connection').textContent()).toBe('live');
    expect(await page.locator('#health').textContent()).toContain('All is well');
    expect(complaints).toEqual([]);
  });

  it('says of a fault of its own that it is one', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(1) });
    const { page } = await (await BrowserProcess.start()).open(proxy.admin);
    await expect.poll(() => page.locator('#connection').textContent()).toBe('live');
    await page.route('**/v1/stats', (route) => route.fulfill({ json: {} }));
    await expect.poll(() => page.locator('#connection').textContent()).toContain('this page has failed');
    expect(await page.locator('#health').textContent()).toContain('this page has failed');
    await page.unroute('**/v1/stats');
    await expect.poll(() => page.locator('#connection').textContent()).toBe('live');
  });

  it('shows which commands have their keys on several nodes, and the names that would bring them together', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(3) });
    const client = proxy.client();
    const { page, complaints } = await (await BrowserProcess.start()).open(proxy.admin);
    await expect.poll(() => page.locator('#connection').textContent()).toBe('live');
    expect(await page.locator('#advice-card').isVisible()).toBe(false);
    for (let i = 0; i < 30; i++) await client.sunion(`user:${i}:a`, `user:${i}:b`);
    await page.reload();
    const card = page.getByRole('region', { name: /^Commands over several nodes/ });
    await expect.poll(() => card.getByRole('row', { name: /^SUNION/i }).textContent()).toContain('user:{*}:a');
    expect(await card.locator('#advice-patterns').textContent()).toBe('hash-tags: ["user:{*}:"]');
    expect(complaints).toEqual([]);
  });

  // A server with a password of its own could not take a node's place from the page.
  it('replaces a node by a server with a password of its own, and forgets it', async () => {
    const spare = await startRedis({ args: ['--requirepass', 'opensesame'] });
    const proxy = await startRingproxy({ nodes: await startRedises(2) });
    const { page } = await (await BrowserProcess.start()).open(proxy.admin);
    const dialog = page.getByRole('dialog', { name: 'Replace node1' });
    const open = async (): Promise<void> => {
      await page.getByRole('button', { name: 'Actions on node1' }).click();
      await page.getByRole('button', { name: 'Replace node1 …' }).click();
      await dialog.getByText('Its own user, password, peer address').click();
    };
    await open();
    await dialog.getByLabel('Password').fill('opensesame');
    await dialog.getByRole('button', { name: 'Back' }).click();
    await open();
    expect(await dialog.getByLabel('Password').inputValue()).toBe('');
    await dialog.getByLabel('Address of the new server').fill(spare.address);
    await dialog.getByLabel('Password').fill('opensesame');
    await page.keyboard.press('Enter');
    await dialog.getByRole('button', { name: 'Replace node1' }).click();
    await expect.poll(async () => (await ringOf(proxy)).nodes.map((node) => node.address)).toContain(spare.address);
    await expect.poll(async () => (await ringOf(proxy)).change).toBeNull();
  });

  // What was asked of the proxy stopped for good when the dialog was opened and left.
  it('goes on when the token dialog was opened and left', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(1), env: { RINGPROXY_ADMIN_TOKEN: 'hunter2' } });
    const { page } = await (await BrowserProcess.start()).open(proxy.admin);
    const dialog = page.getByRole('dialog', { name: /admin token/ });
    await dialog.waitFor();
    // Without a token there is nothing to ask for, and nobody is urged.
    await dialog.getByRole('button', { name: 'Back' }).click();
    await page.waitForTimeout(1500);
    expect(await dialog.isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Token' }).click();
    await dialog.getByLabel('Token').fill('hunter2');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#connection').textContent()).toBe('live');
    await page.getByRole('button', { name: 'Token' }).click();
    expect(await dialog.locator('#token-text').textContent()).toBe('');
    await page.keyboard.press('Escape');
    for (let i = 0; i < 3; i++) await page.waitForResponse((response) => response.url().endsWith('/v1/stats'));
  });

  it('keeps the events while the proxy is away, and shows the ring of the one that comes back', async () => {
    const [first, second] = [await startRedis(), await startRedis()];
    const args = ['--admin', `127.0.0.1:${await freePort()}`];
    const before = await startRingproxy({ nodes: [`old=${first.address}`], args });
    const { page } = await (await BrowserProcess.start()).open(before.admin);
    const events = page.locator('#events li');
    await expect.poll(() => events.allTextContents()).toEqual([expect.stringContaining('ring generation 1: old')]);
    await before.stop();
    await expect
      .poll(() => page.locator('#connection').textContent(), { timeout: 15_000 })
      .toContain('cannot be reached');
    await page.waitForTimeout(2500);
    expect(await events.count()).toBe(1);
    // Another ring, under the number of the one before.
    await startRingproxy({ nodes: [`new=${second.address}`], args });
    await expect.poll(() => page.locator('#connection').textContent(), { timeout: 15_000 }).toBe('live');
    const painted = `[...document.querySelectorAll('#ring .arcs path')].map((path) => path.dataset.node)`;
    await expect.poll(() => page.evaluate(painted)).toEqual(['new']);
    await expect.poll(() => events.allTextContents()).toEqual([expect.stringContaining('ring generation 1: new')]);
  });

  it('leaves a question alone when the answer to an earlier one comes', async () => {
    const spare = await startRedis();
    const proxy = await startRingproxy({ nodes: await startRedises(2) });
    const { page } = await (await BrowserProcess.start()).open(proxy.admin);
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/v1/ring/changes', async (route) => {
      const asks = (route.request().postDataJSON() as { dryRun?: boolean }).dryRun === true;
      if (!asks) await released;
      await route.continue();
    });
    await page.getByLabel('Name').fill('node3');
    await page.getByLabel('Address').fill(spare.address);
    await page.getByRole('button', { name: 'Add node …' }).click();
    await page.getByRole('button', { name: 'Add node3' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Actions on node1' }).click();
    await page.getByRole('button', { name: 'Remove node1 …' }).click();
    const other = page.getByRole('dialog', { name: 'Remove node1' });
    await expect.poll(() => other.locator('#confirm-text').textContent()).toContain('of the ring');
    release();
    await expect.poll(async () => (await ringOf(proxy)).generation).toBe(2);
    expect(await other.isVisible()).toBe(true);
  });
});
