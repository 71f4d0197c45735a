/**
 * Symptom: a change that gave a large key to a node behind a Unix socket was paused for good: MIGRATE was told to go to
 * a host that there is none of. Cause: the socket's path was cut at a colon that it has not.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Carrier } from '../../src/rebalance/carrier.js';
import { OwnTurns } from '../../src/rebalance/migrate-turns.js';
import { MoveMemory } from '../../src/rebalance/move-memory.js';
import { MovingNodes } from '../../src/rebalance/moving-nodes.js';
import { LARGE_BYTES } from '../../src/rebalance/take.js';
import { startRedis } from '../support/redis-process.js';
import { tempFolder } from '../support/temp-folder.js';
import { keys, LINK, moverNode, runIdOf, type StageNode, stageNode } from './stage.js';

/** A source, and a target behind a Unix socket that no other node can connect to. */
async function stage(sourceArgs: readonly string[] = []) {
  const source: StageNode = await stageNode('source', sourceArgs);
  const path = join(tempFolder('socket'), 'redis.sock');
  const redis = await startRedis({ args: ['--unixsocket', path] });
  const target = { name: 'target', address: path, peerAddress: path, username: '', password: '' };
  const runIds = await Promise.all([source, { ...source, redis }].map(runIdOf));
  const nodes = new MovingNodes([moverNode(source), target], runIds, {
    ...LINK,
    onFirstSeen: () => Promise.resolve(),
  });
  const memory = new MoveMemory(nodes.nodes, null);
  memory.begin(0);
  const told: unknown[] = [];
  const carrier = new Carrier(nodes, memory, new OwnTurns(), {
    goesOn: () => true,
    onMoved: (_from, _to, count) => told.push(count),
    onArrived: () => {},
    onDropped: () => {},
    onLarge: (_source, key) => told.push(key?.key ?? null),
  });
  return {
    source,
    redis,
    nodes,
    told,
    carry: (...names: string[]) => carrier.carry(0, 1, 3, keys(...names), 'settle'),
  };
}

it('large keys go to a node behind a Unix socket, with their times to live', async () => {
  const { source, redis, nodes, told, carry } = await stage();
  const at = source.redis.client({ db: 3 });
  const there = redis.client({ db: 3 });
  const value = Buffer.alloc(LARGE_BYTES * 3, 'x');
  await at.set('large', value, 'PX', 3_600_000);
  await at.set('lasting', value);
  const expiry = await at.pexpiretime('large');
  await there.set('large', 'of the past');
  await carry('large', 'lasting', 'nowhere');
  expect((await there.getBuffer('large'))?.equals(value)).toBe(true);
  expect(await there.pexpiretime('large')).toBe(expiry);
  expect(await there.pexpiretime('lasting')).toBe(-1);
  expect(await at.dbsize()).toBe(0);
  expect(await there.dbsize()).toBe(2);
  expect(told).toEqual(['large', 1, null, 'lasting', 1, null]);
  await nodes.close();
});

it('so do keys of a node that allows no scripts', async () => {
  const { source, redis, nodes, carry } = await stage(['--rename-command', 'EVAL', '']);
  const at = source.redis.client({ db: 3 });
  await at.mset('a', '1', 'b', '2');
  await at.rpush('list', 'x', 'y');
  await carry('a', 'b', 'list', 'nowhere');
  const there = redis.client({ db: 3 });
  expect(await there.mget('a', 'b')).toEqual(['1', '2']);
  expect(await there.lrange('list', 0, -1)).toEqual(['x', 'y']);
  expect(await at.dbsize()).toBe(0);
  await nodes.close();
});
