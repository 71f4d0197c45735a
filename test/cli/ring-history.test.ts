import { expect, it } from 'vitest';
import { historyEntry, startAdmin } from './fake-admin.js';
import { ringproxy } from './run.js';

const SEEN = 'a1 since 2026-01-01T00:00:00.000Z: it refused the connection; b2 is answered';
const WHY = `eject c (10.0.0.3:6379): down for 31 s for 1 of 2 proxies (${SEEN})`;

it('keeps the columns of the history together, and says the whole of what is long below them', async () => {
  const ejection = historyEntry({ id: 'c2', kind: 'eject', generation: 3, summary: WHY });
  const admin = await startAdmin((server) => {
    server.get('/v1/ring/history', () => [historyEntry(), ejection]);
  });
  const { code, out } = await ringproxy(['ring', 'history'], { RINGPROXY_ADMIN: admin });
  expect(code).toBe(0);
  const [head = '', first, second, none, whole] = out.split('\n');
  expect(head.length).toBeLessThan(180);
  expect(first).toMatch(/^ +2 .* add b +1,000 /);
  expect(second).toMatch(/^ +3 .* eject c \(10\.0\.0\.3:6379\): down for 31 s .*… +1,000 /);
  expect([none, whole]).toEqual(['', `generation 3: ${WHY}`]);
});
