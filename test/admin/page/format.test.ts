import { expect, it } from 'vitest';
import { formatTime, withLocalTimes } from '../../../src/admin/page/format.js';

it('times in what proxies say are shown as people read them, and nothing else is changed', () => {
  const [first, second] = ['2026-11-27T19:09:11.659Z', '2026-11-27T19:09:12Z'];
  const local = (time: string): string => formatTime(new Date(time));
  expect(withLocalTimes(`down for 5 s (a since ${first}: gone; b since ${second}: it did not answer)`)).toBe(
    `down for 5 s (a since ${local(first)}: gone; b since ${local(second)}: it did not answer)`,
  );
  expect(withLocalTimes('READONLY 2026-11-27')).toBe('READONLY 2026-11-27');
});
