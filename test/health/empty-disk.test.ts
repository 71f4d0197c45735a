/** A node that was emptied has nothing of before when it is restarted, or is refused. */
import { expect, it } from 'vitest';
import { emptyNode, flushNode } from '../../src/health/empty.js';
import { aclRules } from '../../src/node-rights.js';
import { FakeStanding } from '../support/fake-standing.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';

interface Case {
  readonly as: string;
  readonly args?: readonly string[];
  readonly rules?: string;
  /** Somebody else has a key in database 9. */
  readonly shared?: boolean;
  /** It has no snapshot of before. */
  readonly fresh?: boolean;
  readonly refused?: true;
}

const CASES: readonly Case[] = [
  { as: 'has a snapshot' },
  { as: 'is shared', shared: true },
  { as: 'has the documented user', rules: aclRules('change') },
  { as: 'is shared, and has the documented user', rules: aclRules('change'), shared: true },
  { as: 'may not SAVE', rules: '~* +@all -save' },
  { as: 'may neither SAVE nor BGSAVE', rules: '~* +@all -save -bgsave', refused: true },
  { as: 'is shared, and may not BGSAVE', rules: '~* +@all -bgsave', shared: true, refused: true },
  { as: 'may not save, and does so by itself', rules: '~* +@all -save -bgsave', args: ['--save', '3600 100000'] },
  {
    as: 'may not save, nor FLUSHALL',
    rules: '~* +@all -save -bgsave -flushall',
    args: ['--save', '3600 100000'],
    refused: true,
  },
  { as: 'may not save, and has an append-only file', rules: '~* +@all -save -bgsave', args: ['--appendonly', 'yes'] },
  { as: 'may not save, and has no snapshot', rules: '~* +@all -save -bgsave', fresh: true },
  { as: 'cannot write its snapshot', args: ['--enable-protected-configs', 'yes'], refused: true },
];

async function start({ args = [], rules = '~* +@all', shared = false, fresh = false }: Case): Promise<RedisProcess> {
  const redis = await startRedis({ args });
  await fill(redis, shared);
  if (!fresh) {
    await redis.client().save();
    await redis.restart();
  }
  await redis.client().call('ACL', 'SETUSER', 'proxied', 'on', '>secret', ...rules.split(' '));
  return redis;
}

async function fill(redis: RedisProcess, shared: boolean): Promise<void> {
  const client = redis.client();
  await client.set('key', 'old');
  await client.select(3);
  await client.set('key', 'old');
  await client.select(9);
  if (shared) await client.set('of somebody else', '1');
  client.disconnect();
}

it.each(CASES)('one that $as', async (of) => {
  const redis = await start(of);
  if (of.as.startsWith('cannot write')) await redis.client().config('SET', 'dir', '/proc');
  const node = { name: 'a', address: redis.address, username: 'proxied', password: 'secret' };
  const emptying = emptyNode(node, 4, 5000, new FakeStanding());
  if (of.refused) return expect(emptying).rejects.toMatchObject({ code: 'NODE_SNAPSHOT' });
  await emptying;
  await redis.restart();
  expect((await redis.client().info('keyspace')).match(/^db\d+/gm)).toEqual(of.shared ? ['db9'] : null);
});

it('one that joins with --flush', async () => {
  const redis = await start({ as: 'has a snapshot' });
  const node = { name: 'a', address: redis.address, username: 'proxied', password: 'secret' };
  await flushNode(node, 5000, new FakeStanding());
  await redis.restart();
  expect(await redis.client().info('keyspace')).not.toMatch(/^db\d/m);
});
