/** `ringproxy ring check`, against a real ring. */
import { expect, it } from 'vitest';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { ownersOf } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { ringproxy } from './run.js';

it('says how many keys are where they do not belong, removes them with --fix, and tells of a node that is down', async () => {
  const nodes = await startRedises(2);
  const proxy = await startRingproxy({ nodes, allowLog: [/does not own/, /node:health/, /upstream:/] });
  const env = { RINGPROXY_ADMIN: proxy.admin };
  const keys = Array.from({ length: 50 }, (_, i) => `key:${i}`);
  const owners = await ownersOf(proxy, keys);
  const [first, second] = nodes as [RedisProcess, RedisProcess];
  const theirs = keys.filter((_, i) => owners[i] === second.address);
  expect(await ringproxy(['ring', 'check'], env)).toMatchObject({
    code: 0,
    out: expect.stringContaining('every key is where it belongs'),
  });
  await first.client().mset(theirs.flatMap((key) => [key, 'x']));
  const found = await ringproxy(['ring', 'check'], env);
  expect(found).toMatchObject({ code: 0, err: '' });
  expect(found.out).toContain(`${theirs.length} keys are on nodes that do not own them`);
  expect(found.out).toContain('ringproxy ring check --fix removes them');
  expect(JSON.parse((await ringproxy(['ring', 'check', '--fix', '--json'], env)).out)).toMatchObject({
    running: false,
    nodes: [
      { node: 'node1', strays: 0, removed: theirs.length },
      { node: 'node2', strays: 0, removed: 0 },
    ],
  });
  expect(await first.client().dbsize()).toBe(0);
  await second.stop();
  const down = await ringproxy(['ring', 'check'], env);
  expect(down.code).toBe(1);
  expect(down.out).toMatch(/node2: node node2 \(.*\) refused the connection/);
});
