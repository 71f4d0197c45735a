/**
 * A proxy that was started again under the id that it had, while etcd was away: its predecessor's last commands may still
 * lie at nodes when the ring changes, and nobody drops connections that bear the id of a member.
 */
import { expect, it } from 'vitest';
import { failure, NodeFailure } from '../../../src/node/failure.js';
import { killProxies } from '../../../src/rebalance/connections.js';
import { OwnPredecessor } from '../../../src/topology/participant/own-predecessor.js';
import { freePort } from '../../support/free-port.js';
import { RawClient } from '../../support/raw-client.js';
import { startRedis } from '../../support/redis-process.js';

const member = (name: string, address: string) => ({ id: 0, name, address, weight: 1, access: {} });

it('its connections are dropped at the start, by real nodes', async () => {
  const redis = await startRedis();
  const client = await RawClient.connect(redis.port);
  await client.command('CLIENT', 'SETNAME', 'ringproxy:abc.1');
  const nodes = [member('a', redis.address), member('gone', `127.0.0.1:${await freePort()}`)];
  const predecessor = new OwnPredecessor((node) =>
    killProxies([{ ...node, username: '', password: '' }], ['abc'], 2000),
  );
  await predecessor.dropAll(nodes);
  await client.closed;
  // What bears the id from now on is of this process.
  const own = await RawClient.connect(redis.port);
  await own.command('CLIENT', 'SETNAME', 'ringproxy:abc.1');
  await predecessor.dropRest(nodes);
  expect(await own.text('PING')).toBe('+PONG\r\n');
});

it('a node that cannot be asked keeps fences from being passed until it has dropped them, and no longer', async () => {
  const [a, b] = [member('a', '127.0.0.1:1'), member('b', '127.0.0.1:2')];
  const asked: string[] = [];
  let isAway = true;
  const predecessor = new OwnPredecessor(async (node) => {
    asked.push(node.name);
    if (isAway && node === b) throw new NodeFailure(node, failure('timeout', '1 ms'));
  });
  await predecessor.dropAll([a, b]);
  await expect(predecessor.dropRest([a, b])).rejects.toThrow('node b (127.0.0.1:2) did not answer');
  await predecessor.dropRest([a]);
  isAway = false;
  await predecessor.dropRest([a, b]);
  await predecessor.dropRest([a, b]);
  expect(asked).toEqual(['a', 'b', 'b', 'b']);
});

it('a proxy that starts under a new id asks nobody', async () => {
  const predecessor = new OwnPredecessor(() => Promise.reject(new Error('asked')));
  await predecessor.dropRest([member('a', '127.0.0.1:1')]);
});
