/**
 * As `ring-changes.test.ts`, over nodes that each forbid something else of what managed Redis forbids; and the proxy is
 * killed with -9 while a large value is on its way in pieces.
 */
import { expect, it } from 'vitest';
import { freePort } from '../support/free-port.js';
import type { RedisProcess } from '../support/redis-process.js';
import { RESTRICTED_LOGIN, startRestricted } from '../support/restricted-node.js';
import { add, fill, ownersOf, post, ringOf, settled, until } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';
import { Checker, verifyPlacement } from './checker.js';

const SEED = Number(process.env.CHECK_SEED ?? 23);
const KEYS = 3000;
const FIELDS = 120_000;
const BATCH = 4000;
const LARGE = ['large:1', 'large:2', 'large:3', 'large:4'];

/** By rules of the proxy's user, or by names that nobody can call. */
const forbidding = (acl: string, ...renamed: string[]): Promise<RedisProcess> =>
  startRestricted(acl, { args: renamed.flatMap((name) => ['--rename-command', name, '']) });

async function fillLarge(proxy: RingproxyProcess): Promise<void> {
  const client = proxy.client();
  for (let from = 0; from < FIELDS; from += BATCH) {
    const fields = Array.from({ length: BATCH }, (_, i) => [`field:${from + i}`, `value ${from + i}`]).flat();
    await Promise.all(LARGE.map((key) => client.hset(key, ...fields)));
  }
}

async function expectLarge(proxy: RingproxyProcess): Promise<void> {
  const client = proxy.client();
  for (const key of LARGE) {
    expect(await client.hlen(key)).toBe(FIELDS);
    const some = Array.from({ length: 100 }, (_, i) => (i * 7919) % FIELDS);
    expect(await client.hmget(key, ...some.map((n) => `field:${n}`))).toEqual(some.map((n) => `value ${n}`));
  }
}

it('nodes that forbid something else each, and a proxy that is killed within a large value', {
  timeout: 120_000,
}, async () => {
  const nodes = await Promise.all([
    forbidding('-eval -memory -migrate -config -command -function'),
    forbidding('-config -migrate -debug -monitor'),
    forbidding('+@all', 'EVAL', 'EVALSHA', 'MIGRATE', 'CONFIG', 'MONITOR'),
    forbidding('-eval -migrate -config -object -memory'),
  ]);
  const port = await freePort();
  const state = tempFolder('state');
  const start = (): Promise<RingproxyProcess> =>
    startRingproxy({
      nodes: nodes.slice(0, 3),
      args: ['--listen', `127.0.0.1:${port}`, '--state-dir', state],
      config: RESTRICTED_LOGIN,
      allowLog: [/functions/, /the ring that exists wins/],
    });
  let proxy = await start();
  await fill(proxy, KEYS);
  await fillLarge(proxy);
  const checker = new Checker({
    proxies: () => [{ host: '127.0.0.1', port }],
    ...{ clients: 6, keysPerClient: 100, seed: SEED, toleratesCuts: true, scripts: false },
  });
  checker.start();
  const isWithinLarge = (): Promise<unknown> =>
    until(proxy, ({ change }) => change === null || change.sources.some(({ largeKey }) => largeKey !== null));
  let killed = 0;
  // Each large value moves in one of these at the latest.
  for (const body of [
    add('node4', nodes[3], 4),
    { kind: 'remove', remove: ['node1'] },
    add('node1', nodes[0], 4),
    { kind: 'remove', remove: ['node4'] },
  ]) {
    await post(proxy, 'changes', body);
    await isWithinLarge();
    if (await kill(proxy)) killed++;
    proxy = await start();
    await settled(proxy);
    await expectLarge(proxy);
  }
  expect(killed).toBeGreaterThan(0);
  await checker.stop();
  expect(checker.violations).toEqual([]);
  expect(checker.commands).toBeGreaterThan(200);
  expect(await checker.verifyAll()).toEqual([]);
  expect(await verifyPlacement(nodes, (keys) => ownersOf(proxy, keys))).toEqual([]);
});

/** @returns whether a large value was on its way just before */
async function kill(proxy: RingproxyProcess): Promise<boolean> {
  const { change } = await ringOf(proxy);
  proxy.kill('SIGKILL');
  await proxy.child.exited;
  return change?.sources.some(({ largeKey }) => largeKey !== null) === true;
}
