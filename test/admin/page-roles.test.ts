/** What the page shows to whom, in a real browser. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { BrowserProcess, hasBrowser } from '../support/browser.js';
import { startRedis, startRedises } from '../support/redis-process.js';
import { settled } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

const CONFIG = 'admin-token: all\nadmin-operator-token: steer\nadmin-viewer-token: look\nprobe-interval: 200ms\n';

/** The page, as whoever has the token sees it. */
async function openAs(browser: BrowserProcess, proxy: RingproxyProcess, token: string): Promise<Page> {
  const { page } = await browser.open(proxy.admin, { viewport: { width: 1280, height: 1000 } });
  await page.locator('#token-input').fill(token);
  await page.locator('#token-form button[type="submit"], #token-form button:not([type="button"])').first().click();
  await expect.poll(() => page.locator('#connection').textContent()).toBe('live');
  return page;
}

/** What can be pressed, or filled in, that has to do with changes: by what it is called. */
async function changing(page: Page): Promise<string[]> {
  const found = page.locator('.operators, .admins').locator('visible=true');
  const names = await found
    .locator('button, input')
    .evaluateAll((all) =>
      all
        .filter((one) => one.checkVisibility())
        .map((one) => one.getAttribute('aria-label') ?? (one.id || (one.textContent ?? ''))),
    );
  return [...new Set(names)].sort();
}

describe.runIf(hasBrowser)('the page shows', () => {
  it('each role what it may do, also when something is wrong', async () => {
    const nodes = await startRedises(2);
    const dead = await startRedis();
    const proxy = await startRingproxy({ nodes: [...nodes, dead], config: CONFIG, allowLog: [/node3/] });
    const browser = await BrowserProcess.start();
    const [viewer, operator, admin] = await Promise.all(
      ['look', 'steer', 'all'].map((token) => openAs(browser, proxy, token)),
    );
    if (viewer === undefined || operator === undefined || admin === undefined) throw new Error('three pages');
    expect(await viewer.locator('#role').textContent()).toBe('looks only');
    expect(await operator.locator('#role').textContent()).toBe('operator');
    expect(await operator.locator('#role').getAttribute('title')).toContain(
      'The token admin-operator-token is that of',
    );
    expect(await admin.locator('#role').isVisible()).toBe(false);

    await dead.stop();
    for (const page of [viewer, operator, admin]) {
      await expect.poll(() => page.locator('#banner-list').textContent()).toContain('node3');
    }
    expect(await changing(viewer)).toEqual([]);
    expect(await viewer.getByRole('button', { name: 'Show node3' }).isVisible()).toBe(true);
    const both = ['Actions on node1', 'Actions on node2', 'Actions on node3', 'add-address', 'add-name', 'add-weight'];
    expect(await changing(operator)).toEqual(expect.arrayContaining([...both]));
    expect(await changing(operator)).not.toContain('add-flush');
    expect(await changing(admin)).toEqual(expect.arrayContaining([...both, 'add-flush']));

    // What gives keys up is there for both, and only an admin can choose it.
    for (const [page, may] of [
      [operator, false],
      [admin, true],
    ] as const) {
      await page.getByRole('button', { name: 'Take node3 out …' }).click();
      const box = page.locator('#confirm-options input');
      expect([await box.isEnabled(), await box.isChecked()]).toEqual([may, may]);
      const label = (await page.locator('#confirm-options label').textContent()) ?? '';
      expect(label.includes('takes the role admin')).toBe(!may);
    }
    // The operator learns what would be, and is not refused.
    await expect.poll(() => operator.locator('#confirm-warnings').textContent()).toContain('node3');
    expect(await operator.locator('#confirm-error').textContent()).toBe('');
    await admin.locator('#confirm-yes').click();
    await settled({ admin: proxy.admin, token: 'all' });
  });
});
