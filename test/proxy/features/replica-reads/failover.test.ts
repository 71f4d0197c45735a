/** `read-from: replica` over failovers by Sentinels. */
import { expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import type { RedisProcess } from '../../../support/redis-process.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';
import { startWatched, until } from '../../../support/sentinels.js';

const CONFIG = `
key-groups:
  soon: { prefixes: ["soon:"], read-from: replica, max-lag: 1s }
`;
const EXPECTED = [/ringproxy:node:failover/, /ringproxy:upstream:down/, /ringproxy:upstream:impaired/];

async function gets(server: RedisProcess): Promise<number> {
  return Number(/cmdstat_get:calls=(\d+)/.exec(await server.client().info('commandstats'))?.[1] ?? 0);
}

it('a promoted replica is read from as a master, and the former master when it follows it', async () => {
  const watched = await startWatched();
  const [former, promoted] = watched.servers;
  if (former === undefined || promoted === undefined) throw new Error('there are two servers');
  const proxy = await startRingproxy({
    nodes: [`pair=${watched.address}`],
    args: ['--workers', '2'],
    config: CONFIG,
    allowLog: EXPECTED,
  });
  const client = await RawClient.connect(proxy.port);
  const reads = async (server: RedisProcess, value: string): Promise<boolean> => {
    const before = await gets(server);
    const answer = await client.text('GET', 'soon:a');
    if (!answer.startsWith('-NODEDOWN')) expect(answer).toBe(`$${value.length}\r\n${value}\r\n`);
    return (await gets(server)) > before;
  };
  await client.command('SET', 'soon:a', 'before');
  await until(() => reads(promoted, 'before'));

  await watched.failOver();
  await proxy.logged(/"ringproxy:node:failover"/);
  await until(async () => (await client.text('SET', 'soon:a', 'after')) === '+OK\r\n');
  // The former master is asked when it has become a replica of the new one, and has what that has.
  await until(() => reads(former, 'after'));
  expect((await former.client().info('replication')).includes('role:slave')).toBe(true);

  // A replica that dies costs nobody an answer.
  former.kill('SIGKILL');
  for (let n = 0; n < 50; n++) expect(await client.text('GET', 'soon:a')).toBe('$5\r\nafter\r\n');
});
