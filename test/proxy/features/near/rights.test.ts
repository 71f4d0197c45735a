/** What is kept near, and rights that are taken away while it is: nobody reads what he may not read any more. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';
import { scrape } from '../../../support/series.js';
import { tempFolder } from '../../../support/temp-folder.js';

it('is answered only to who may read the key now, in this database, by the name that the command has', async () => {
  const users = join(tempFolder('near-rights'), 'users.acl');
  const write = (rights: string): void =>
    writeFileSync(users, `user default on nopass ~* &* +@all\nuser app on >app ${rights}\n`);
  write('%R~near:* +@all');
  const proxy = await startRingproxy({
    nodes: await startRedises(1),
    args: ['--workers', '1'],
    config: `users-file: ${users}
key-groups: { near: { prefixes: "near:", cache: near, near-ttl: 1h } }
rename-commands: { strlen: length }
`,
  });
  const hits = async (): Promise<number> =>
    (await scrape(proxy.admin)).get('ringproxy_near_requests_total{group="near",result="hit"}') ?? 0;
  const [owner, app] = (await Promise.all([1, 2].map(() => RawClient.connect(proxy.port)))) as [RawClient, RawClient];
  await owner.command('MSET', 'near:1', 'one', 'near:2', 'two');
  const reads = [
    ['GET', 'near:1'],
    ['GET', 'near:2'],
    ['LENGTH', 'near:1'],
  ];
  while ((await hits()) < 6) await owner.pipeline(reads);
  const read = async (): Promise<string[]> => (await app.pipeline([...reads, ['GET', 'near:1']])).map(String);
  expect(await app.text('AUTH', 'app', 'app')).toBe('+OK\r\n');
  const before = await hits();
  expect(await read()).toEqual(['$3\r\none\r\n', '$3\r\ntwo\r\n', ':3\r\n', '$3\r\none\r\n']);
  expect((await hits()) - before).toBe(4);

  const told = (): number => proxy.child.stderr.filter((line) => line.includes('users-file in force')).length;
  const change = async (rights: string): Promise<string[]> => {
    const before = told();
    write(rights);
    proxy.kill('SIGHUP');
    await expect.poll(told).toBe(before + 1);
    return read();
  };
  const NO = expect.stringMatching(/^-NOPERM/);
  expect(await change('%R~near:1 %W~near:* +@all')).toEqual(['$3\r\none\r\n', NO, ':3\r\n', '$3\r\none\r\n']);
  // How long a value is may know who may write it, as in Redis.
  expect(await change('%W~near:* +@all')).toEqual([NO, NO, ':3\r\n', NO]);
  expect(await change('~near:* +@all -get')).toEqual([NO, NO, ':3\r\n', NO]);

  const apart = [['GET', 'near:1'], ['SELECT', '3'], ...reads, ['SET', 'near:1', 'third'], ['GET', 'near:1']];
  expect((await owner.pipeline([...apart, ['STRLEN', 'near:1']])).map(String)).toEqual([
    ...['$3\r\none\r\n', '+OK\r\n', '$-1\r\n', '$-1\r\n', ':0\r\n', '+OK\r\n', '$5\r\nthird\r\n'],
    expect.stringMatching(/^-ERR unknown command/),
  ]);
});
