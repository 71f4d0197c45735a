/** Settings that change while clients are served: who comes from then on, and who is there already. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

it.each(['1', '2'])('passwords and limits are in force at once, with %s workers', async (workers) => {
  const file = join(tempFolder('reload'), 'ringproxy.yaml');
  writeFileSync(file, 'password: old\n');
  const proxy = await startRingproxy({
    nodes: await startRedises(1),
    args: ['-c', file, '--workers', workers],
    allowLog: [/max number of clients|max-clients/],
  });
  const known = await RawClient.connect(proxy.port);
  expect(await known.text('AUTH', 'old')).toBe('+OK\r\n');
  writeFileSync(file, 'password: new\nmax-clients: 4\nadmin-commands: allow\nnode-connections: 3\n');
  proxy.kill('SIGHUP');
  await proxy.logged(/admin-commands, password, max-clients in force; node-connections from the next start on/);
  const told = async (...words: string[]): Promise<string> => {
    const client = await RawClient.connect(proxy.port);
    const reply = await client.text(...words).catch(() => 'closed');
    client.close();
    return reply;
  };
  await expect.poll(() => told('AUTH', 'new')).toBe('+OK\r\n');
  expect(await told('AUTH', 'old')).toMatch(/^-WRONGPASS/);
  expect(await known.text('SET', 'key', 'value')).toBe('+OK\r\n');
  expect(await known.text('CONFIG', 'SET', 'maxmemory-samples', '5')).toBe('+OK\r\n');
  expect(await known.text('INFO', 'clients')).toContain('maxclients:4');
  const others = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(proxy.port)));
  const replies = await Promise.all(others.map((client) => client.text('AUTH', 'new').catch(() => 'closed')));
  expect(replies.filter((reply) => reply === '+OK\r\n').length).toBeLessThanOrEqual(3);
  expect(replies.some((reply) => /max number of clients|closed/.test(reply))).toBe(true);
});
