import { describe, expect, it } from 'vitest';
import { widthOf } from '../../cli/format.js';
import { describeHot } from '../../cli/hot-view.js';
import type { HotKeyView, HotView } from '../../src/admin/api.js';
import { startAdmin } from './fake-admin.js';
import { ringproxy } from './run.js';

function hotView(fields: Partial<HotView> = {}, key: Partial<HotKeyView> = {}): HotView {
  const hot = { key: 'user:1', bytes: 6, database: 0, group: null, node: 'n1', commandsPerSecond: 1234.5 };
  return {
    keys: [{ ...hot, share: 0.125, reads: 0.995, near: false, cache: null, ...key }],
    ...{ sampled: 5000, perSecond: 9876, missing: [] },
    ...fields,
  };
}

describe('ringproxy hot', () => {
  it('asks for the whole fleet, or for this proxy alone, and prints what programs read', async () => {
    const asked: string[] = [];
    const admin = await startAdmin((server) => {
      server.get('/v1/hot', (request) => {
        asked.push(request.url);
        return hotView();
      });
    });
    const env = { RINGPROXY_ADMIN: admin };
    const json = await ringproxy(['hot', '--json', '--limit', '5', '--this-proxy'], env);
    expect(JSON.parse(json.out)).toEqual(hotView());
    const text = await ringproxy(['hot'], env);
    expect(text).toMatchObject({ code: 0, err: '' });
    expect(text.out).toMatch(/^9,876 uses of keys a second; this key has 12\.5 % of them\n\nKEY +DB +NODE +COMMANDS/);
    expect(text.out).toMatch(/\nuser:1 +0 +n1 +1,235 +12\.5 % +99\.5 % +-\n$/);
    expect(asked).toEqual(['/v1/hot?limit=5&fleet=false', '/v1/hot?limit=20&fleet=true']);
    expect(await ringproxy(['hot', '--limit', '0'], env)).toMatchObject({ code: 2 });
  });

  it('names proxies that are missing, groups where there are some, and says when it does not know enough', () => {
    const missing = [{ proxy: 'p2', why: 'it does not answer' }];
    const lines = describeHot(hotView({ missing, sampled: 12 }, { group: 'pages', near: true, node: null }), {});
    expect(lines[0]).toContain('few were looked at yet (12)');
    expect(lines[1]).toBe('without proxy p2: it does not answer');
    expect(lines.at(-2)).toMatch(/^KEY +DB +NODE +GROUP +COMMANDS\/S +SHARE +READS +IN PROXIES$/);
    expect(lines.at(-1)).toMatch(/^user:1 +0 +- +pages +1,235 .* near-auto$/);
    const kept = (key: Partial<HotKeyView>) => describeHot(hotView({}, key), {}).at(-1)?.split(/ +/).at(-1);
    expect([kept({ cache: 'near' }), kept({ cache: 'replicated' }), kept({ cache: 'sharded' })]).toEqual([
      ...['near', 'replicated', '-'],
    ]);
    expect(describeHot(hotView({ keys: [] }), {}).at(-1)).toBe('no key is used');
  });

  it('is no wider than the terminal', () => {
    const lines = describeHot(hotView({}, { key: 'k'.repeat(500), group: 'pages' }), { width: 90, trouble: 'gone' });
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(90);
    expect(lines).toContain('gone');
  });
});
