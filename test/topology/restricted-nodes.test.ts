/** Rings of nodes that forbid what managed Redis forbids: keys of every type move there and back, large ones as well. */
import { expect, it } from 'vitest';
import { RESTRICTED_LOGIN, startRestricted } from '../support/restricted-node.js';
import { add, fill, post, ringOf, settled } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

const FIELDS = 40_000;

async function fillLarge(proxy: RingproxyProcess): Promise<void> {
  const client = proxy.client();
  for (let key = 0; key < 4; key++) {
    for (let i = 0; i < FIELDS; i += 4000) {
      const numbers = Array.from({ length: 4000 }, (_, at) => i + at);
      await client.hset(`hash:${key}`, ...numbers.flatMap((n) => [`field:${n}`, `value:${n}`]));
      await client.rpush(`list:${key}`, ...numbers);
    }
    await client.set(`string:${key}`, Buffer.alloc(3_000_000, key), 'EX', 1000);
  }
}

async function expectLarge(proxy: RingproxyProcess): Promise<void> {
  const client = proxy.client();
  for (let key = 0; key < 4; key++) {
    expect(await client.hlen(`hash:${key}`)).toBe(FIELDS);
    expect(await client.hget(`hash:${key}`, 'field:39999')).toBe('value:39999');
    expect(await client.llen(`list:${key}`)).toBe(FIELDS);
    expect(await client.lindex(`list:${key}`, 17_001)).toBe('17001');
    expect((await client.getBuffer(`string:${key}`))?.equals(Buffer.alloc(3_000_000, key))).toBe(true);
    expect(await client.ttl(`string:${key}`)).toBeGreaterThan(800);
  }
  expect(await client.dbsize()).toBe(3012);
}

it.each([
  ['CONFIG, MIGRATE, DEBUG and MONITOR', '-config -migrate -debug -monitor'],
  ['EVAL, MEMORY, MIGRATE, CONFIG, COMMAND and FUNCTION', '-eval -memory -migrate -config -command -function'],
])('nodes that forbid %s', { timeout: 120_000 }, async (_title, rules) => {
  const nodes = [await startRestricted(rules), await startRestricted(rules)] as const;
  const config = RESTRICTED_LOGIN;
  const proxy = await startRingproxy({ nodes: nodes.slice(0, 1), config, allowLog: [/functions/] });
  await fill(proxy, 3000);
  await fillLarge(proxy);
  await post(proxy, 'changes', add('node2', nodes[1]));
  // Turned round while large values are on their way, or have arrived.
  await expect.poll(async () => (await ringOf(proxy)).change?.keysMoved ?? 0).toBeGreaterThan(0);
  await post(proxy, 'changes/current/cancel').catch(() => {});
  await settled(proxy);
  await expectLarge(proxy);
  if ((await ringOf(proxy)).nodes.length === 1) await post(proxy, 'changes', add('node2', nodes[1]));
  await settled(proxy);
  await expectLarge(proxy);
  expect(await nodes[1].client().dbsize()).toBeGreaterThan(500);
  await post(proxy, 'changes', { kind: 'remove', remove: ['node1'] });
  await settled(proxy);
  await expectLarge(proxy);
  expect(await nodes[0].client().dbsize()).toBe(0);
});
