/**
 * Symptom: 20 clients with 4,000 patterns each kept all publish/subscribe out for 33 s, and other clients waiting for
 * 0.3 to 0.8 s each. Cause: Redis looks through all patterns of a connection for each that comes or goes.
 */
import { expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';

const words = (first: number, count: number): string[] => Array.from({ length: count }, (_, i) => `p${first + i}:*`);

it('bounds the patterns of all clients together, each counted once, and gives room when they go', async () => {
  const proxy = await startRingproxy({ nodes: await startRedises(2) });
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => RawClient.connect(proxy.port)));
  if (first === undefined || second === undefined || third === undefined) throw new Error('not connected');
  first.send(
    ['PSUBSCRIBE', ...words(0, 9000)].reduce((text, word) => `${text}$${word.length}\r\n${word}\r\n`, '*9001\r\n'),
  );
  await first.replies(9000);
  expect(await second.text('PSUBSCRIBE', ...words(9000, 1001))).toBe(
    '-ERR too many patterns: all clients together may subscribe to 10000\r\n',
  );
  // What others have already costs nothing.
  second.send(
    ['PSUBSCRIBE', ...words(8500, 1500)].reduce((text, word) => `${text}$${word.length}\r\n${word}\r\n`, '*1501\r\n'),
  );
  await second.replies(1500);
  expect(await third.text('PSUBSCRIBE', 'one more:*')).toMatch(/^-ERR too many patterns/);
  expect(await third.text('SUBSCRIBE', 'channels are not bounded')).toMatch(/^\*3/);
  first.close();
  await expect.poll(async () => (await third.text('PSUBSCRIBE', 'one more:*')).slice(0, 1)).toBe('*');
});
