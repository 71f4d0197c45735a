/** Guessing passwords is bounded for each address; whoever only has a wrong one keeps nobody out. */
import { expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { startRedis } from '../../../support/redis-process.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';

const TOO_MANY = /^-WRONGPASS too many failed attempts from this address/;

it('counts guesses, not attempts, and lets in again as soon as the guessing pauses', async () => {
  const proxy = await startRingproxy({
    nodes: [await startRedis()],
    env: { RINGPROXY_USERS: 'user default off\nuser app on >right ~* &* +@all' },
  });
  const client = await RawClient.connect(proxy.port);
  // A program with a wrong password that tries again and again.
  const again = await client.pipeline(Array.from({ length: 100 }, () => ['AUTH', 'app', 'outdated']));
  expect(new Set(again.map(String))).toEqual(
    new Set(['-WRONGPASS invalid username-password pair or user is disabled.\r\n']),
  );
  expect(await client.text('AUTH', 'app', 'right')).toBe('+OK\r\n');
  const guesses = await client.pipeline(Array.from({ length: 60 }, (_, i) => ['AUTH', 'app', `guess-${i}`]));
  expect(guesses.slice(0, 20).every((reply) => !TOO_MANY.test(String(reply)))).toBe(true);
  expect(TOO_MANY.test(String(guesses.at(-1)))).toBe(true);
  const other = await RawClient.connect(proxy.port);
  expect(await other.text('HELLO', '3', 'AUTH', 'nobody', 'anything-else')).toMatch(TOO_MANY);
  // Who has logged in does not notice.
  expect(await client.text('SET', 'key', 'value')).toBe('+OK\r\n');
  await expect.poll(() => other.text('AUTH', 'app', 'right'), { timeout: 5000 }).toBe('+OK\r\n');
  const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
  expect(metrics).toMatch(/ringproxy_auth_failures_total\{[^}]*reason="wrong-password"[^}]*\} 1[23]\d/);
  expect(metrics).toMatch(/ringproxy_auth_failures_total\{[^}]*reason="too-many"[^}]*\} [1-9]/);
  await proxy.logged(/could not log in: wrong-password/);
  const all = [...proxy.child.stderr, metrics, await client.text('ACL', 'LOG')].join('\n');
  for (const secret of ['right', 'outdated', 'guess-1', 'anything-else']) expect(all).not.toContain(secret);
});
