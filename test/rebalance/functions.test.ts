/** Functions on nodes that cannot take them; how they get to nodes is tested with scripts, in test/proxy/features/scripts. */
import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { startRedis, startRedises } from '../support/redis-process.js';
import { add, post, settled } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';

const LIBRARY = `#!lua name=mylib
redis.register_function('bump', function(keys) return redis.call('INCR', keys[1]) end)`;

it('a node that cannot take them is refused, and told why', { timeout: 180_000 }, async () => {
  const nodes = await startRedises(1);
  const proxy = await startRingproxy({ nodes });
  const client = await RawClient.connect(proxy.port);
  await client.command('FUNCTION', 'LOAD', LIBRARY);
  const second = await startRedis();
  await second.client().call('ACL', 'SETUSER', 'default', '-function');
  await expect(post(proxy, 'changes', add('node2', second))).rejects.toThrow(
    /node2 \(.*\) cannot take the functions of the ring: NOPERM/,
  );
  await settled(proxy);
});
