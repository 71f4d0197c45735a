/** Users that become others while clients are served: in every worker, for who is there already, and between MULTI and EXEC. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';
import { tempFolder } from '../../../support/temp-folder.js';

const CHANGED = /EXECABORT Transaction discarded because of: NOPERM ACLs rules changed between the moment/;

it.each(['1', '2'])('rights are looked at anew after SIGHUP, with %s workers', async (workers) => {
  const folder = tempFolder('users-reload');
  const file = join(folder, 'ringproxy.yaml');
  const users = join(folder, 'users.acl');
  writeFileSync(file, `users-file: ${users}\n`);
  const write = (...lines: string[]): void => writeFileSync(users, ['# users', ...lines, ''].join('\n'));
  write(
    'user default off',
    'user admin on >admin ~* &* +@all',
    'user app on >old >kept ~a:* &a* +@all -@dangerous',
    'user gone on >gone ~* &* +@all',
    'user busy on >busy ~a:* +@all',
  );
  const nodes = await startRedises(2);
  const proxy = await startRingproxy({
    nodes,
    args: ['-c', file, '--workers', workers],
    allowLog: [/changes nothing/],
  });
  const as = async (name: string, password: string): Promise<RawClient> => {
    const client = await RawClient.connect(proxy.port);
    expect(await client.text('AUTH', name, password)).toBe('+OK\r\n');
    return client;
  };
  const stranger = await RawClient.connect(proxy.port);
  expect(await stranger.text('GET', 'a:1')).toMatch(/^-NOAUTH/);
  // In each worker some, wherever the kernel has put them.
  const kept = await Promise.all(Array.from({ length: 8 }, () => as('app', 'kept')));
  const former = await Promise.all(Array.from({ length: 4 }, () => as('app', 'old')));
  const gone = await Promise.all(Array.from({ length: 4 }, () => as('gone', 'gone')));
  const queued = await as('app', 'kept');
  expect(await queued.text('MULTI')).toBe('+OK\r\n');
  expect(await queued.text('SET', 'a:1', 'queued')).toBe('+QUEUED\r\n');
  expect(await queued.text('CLIENT', 'GETNAME')).toBe('+QUEUED\r\n');
  const allowed = await as('app', 'kept');
  expect(await allowed.text('MULTI')).toBe('+OK\r\n');
  expect(await allowed.text('GET', 'a:1')).toBe('+QUEUED\r\n');
  expect(await allowed.text('CLIENT', 'GETNAME')).toBe('+QUEUED\r\n');
  const subscribed = await as('app', 'kept');
  expect(await subscribed.text('SUBSCRIBE', 'a1')).toContain('subscribe');
  const blocked = await as('busy', 'busy');
  blocked.send('BLPOP a:list 0\r\n');
  const admin = await as('admin', 'admin');
  await expect.poll(() => admin.text('CLIENT', 'LIST')).toMatch(/flags=b[^\n]*user=busy/);

  write(
    'user default off',
    'user admin on >admin ~* &* +@all',
    'user app on >kept %R~a:* &b* +@all -@dangerous',
    'user busy on >busy ~b:* +@all',
  );
  proxy.kill('SIGHUP');
  await Promise.all([...former, ...gone, subscribed, blocked].map((client) => client.closed));
  for (const client of kept) {
    expect(await client.text('SET', 'a:1', 'x')).toMatch(/^-NOPERM .*keys/);
    expect(await client.text('GET', 'a:1')).toBe('$-1\r\n');
  }
  expect(await queued.text('EXEC')).toMatch(CHANGED);
  expect(await allowed.text('EXEC')).toBe('*2\r\n$-1\r\n$-1\r\n');
  expect(await admin.text('GET', 'a:1')).toBe('$-1\r\n');
  expect(await stranger.text('AUTH', 'app', 'old')).toMatch(/^-WRONGPASS/);
  expect(await stranger.text('AUTH', 'app', 'kept')).toBe('+OK\r\n');

  // A mistake changes nothing, and is told without what may be a password.
  write('user app on #notadigest +nosuch');
  proxy.kill('SIGHUP');
  await proxy.logged(/changes nothing/);
  expect(await admin.text('ACL', 'WHOAMI')).toBe('$5\r\nadmin\r\n');
  expect(proxy.child.stderr.join('\n')).not.toContain('notadigest');
});

it('no reload under load answers what was denied, or denies what is allowed by both', async () => {
  const file = join(tempFolder('users-load'), 'ringproxy.yaml');
  const write = (keys: string): void =>
    writeFileSync(file, `users:\n  app: 'on >app ${keys} ~both:* resetchannels +@all -@dangerous'\n`);
  write('~a:*');
  const proxy = await startRingproxy({ nodes: await startRedises(2), args: ['-c', file, '--workers', '2'] });
  const clients = await Promise.all(Array.from({ length: 6 }, () => RawClient.connect(proxy.port)));
  for (const client of clients) expect(await client.text('AUTH', 'app', 'app')).toBe('+OK\r\n');
  let isOver = false;
  const outcomes = { ok: 0, denied: 0 };
  const load = clients.map(async (client, i) => {
    while (!isOver) {
      const replies = await client.pipeline([
        ['SET', `both:${i}`, 'v'],
        ['SET', `a:${i}`, 'v'],
        ['SET', `b:${i}`, 'v'],
        ['SET', `c:${i}`, 'v'],
      ]);
      const [both, ...others] = replies.map(String);
      expect(both).toBe('+OK\r\n');
      expect(others[2]).toMatch(/^-NOPERM/);
      for (const reply of others) {
        if (reply.startsWith('+OK')) outcomes.ok++;
        else outcomes.denied++;
      }
    }
  });
  for (let i = 0; i < 6; i++) {
    write(i % 2 === 0 ? '~b:*' : '~a:*');
    proxy.kill('SIGHUP');
    const isTold = (): number => proxy.child.stderr.filter((line) => line.includes('users in force')).length;
    await expect.poll(isTold).toBe(i + 1);
  }
  isOver = true;
  await Promise.all(load);
  expect(Math.min(outcomes.ok, outcomes.denied)).toBeGreaterThan(0);
});
