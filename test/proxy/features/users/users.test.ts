/** Users of the configuration: who may log in, what is denied, and what clients are told of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { splitRules } from '../../../../src/commands/rights/user.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';
import { tempFolder } from '../../../support/temp-folder.js';

const USERS: Readonly<Record<string, string>> = {
  default: 'on nopass ~* &* +@all',
  admin: 'on >all-of-it ~* &* +@all',
  reader: 'on >read-only %R~app:* &news:* +@read +@connection +@pubsub +@transaction +acl|whoami',
  writer: 'on >first >second ~app:* resetchannels +@all -@dangerous (~other:* +get)',
  idle: 'off >unused ~* +@all',
};

const asYaml = (users: Readonly<Record<string, string>>): string =>
  `users:\n${Object.entries(users)
    .map(([name, rules]) => `  ${name}: '${rules}'\n`)
    .join('')}`;

describe('users', () => {
  let nodes: RedisProcess[];
  let proxy: RingproxyProcess;
  let single: RedisProcess;

  beforeAll(async () => {
    nodes = await startRedises(3);
    single = await startRedis();
    const file = join(tempFolder('users'), 'ringproxy.yaml');
    writeFileSync(file, asYaml(USERS));
    proxy = await startRingproxy({ nodes, args: ['-c', file] });
    const admin = single.client();
    for (const [name, rules] of Object.entries(USERS)) {
      const words = splitRules(rules) ?? [];
      await admin.call('ACL', 'SETUSER', name, ...words);
    }
  });

  const here = async (...login: string[]): Promise<RawClient> => {
    const client = await RawClient.connect(proxy.port);
    if (login.length > 0) expect(await client.text('AUTH', ...login)).toBe('+OK\r\n');
    return client;
  };
  const there = async (...login: string[]): Promise<RawClient> => {
    const client = await RawClient.connect(single.port);
    if (login.length > 0) expect(await client.text('AUTH', ...login)).toBe('+OK\r\n');
    return client;
  };

  it('answers as a Redis with the same users does', async () => {
    for (const login of [[], ['reader', 'read-only'], ['writer', 'second']]) {
      const [one, other] = [await here(...login), await there(...login)];
      for (const words of [
        ['ACL', 'WHOAMI'],
        ['SET', 'app:a', '1'],
        ['GET', 'app:a'],
        ['GET', 'other:a'],
        ['SET', 'other:a', '1'],
        ['set', 'app:a'],
        ['MGET', 'app:a', 'app:b', 'secret'],
        ['DEL', 'app:a', 'x'],
        ['CONFIG', 'SET', 'maxmemory', '0'],
        ['CLIENT', 'GETNAME'],
        ['CLIENT', 'NOPE'],
        ['CLIENT', 'KILL', 'ID', '99999'],
        ['NOPE', 'x'],
        ['PUBLISH', 'news:a', 'x'],
        ['PUBLISH', 'other', 'x'],
        ['SORT', 'app:l', 'BY', 'w_*'],
        ['SORT', 'app:l', 'GET', '#'],
        ['SORT', 'app:l', 'BY', 'nosort'],
        ['SORT_RO', 'app:l', 'GET', 'w_*'],
        ['SORT', 'app:l', 'STORE', 'x'],
        ['RENAME', 'app:a', 'x'],
        ['COPY', 'app:a', 'x'],
        ['AUTH', 'reader', 'wrong'],
        ['AUTH', 'nobody', 'wrong'],
        ['AUTH', 'idle', 'unused'],
        ['ACL', 'WHOAMI'],
        ['MULTI'],
        ['GET', 'app:a'],
        ['GET', 'secret'],
        ['EXEC'],
        ['DISCARD'],
        ['SUBSCRIBE', 'news:x', 'other'],
        ['PSUBSCRIBE', 'news:x'],
        ['SSUBSCRIBE', 'other'],
      ]) {
        const isSubscription = words[0]?.endsWith('SUBSCRIBE') === true;
        if (isSubscription && login.length === 0) continue;
        // What nodes refuse is theirs to say; here it is about rights.
        if (words[0] === 'CONFIG' && login.length === 0) continue;
        expect([login, words, await one.text(...words)]).toEqual([login, words, await other.text(...words)]);
      }
    }
  });

  it('HELLO logs in, and RESET makes it the default user again', async () => {
    const client = await here();
    expect(await client.text('HELLO', '3', 'AUTH', 'reader', 'nope')).toMatch(/^-WRONGPASS/);
    expect(await client.text('ACL', 'WHOAMI')).toBe('$7\r\ndefault\r\n');
    expect(await client.text('HELLO', '3', 'AUTH', 'reader', 'read-only')).toContain('proto');
    expect(await client.text('ACL', 'WHOAMI')).toBe('$6\r\nreader\r\n');
    expect(await client.text('SET', 'app:a', '1')).toBe(
      "-NOPERM this user has no permissions to run the 'set' command\r\n",
    );
    expect(await client.text('RESET')).toBe('+RESET\r\n');
    expect(await client.text('SET', 'app:a', '1')).toBe('+OK\r\n');
  });

  it('nothing of what was denied reaches a node', async () => {
    const client = await here('writer', 'first');
    const admin = await here('admin', 'all-of-it');
    expect(await admin.text('MSET', 'x:1', 'a', 'app:1', 'a')).toBe('+OK\r\n');
    expect(await client.text('DEL', 'x:1', 'app:1')).toMatch(/^-NOPERM/);
    expect(await client.text('MSET', 'app:1', 'b', 'x:1', 'b')).toMatch(/^-NOPERM/);
    expect(await client.text('RENAME', 'app:1', 'x:2')).toMatch(/^-NOPERM/);
    expect(await client.text('FLUSHALL')).toMatch(/^-NOPERM/);
    expect(await admin.text('MGET', 'x:1', 'app:1', 'x:2')).toBe('*3\r\n$1\r\na\r\n$1\r\na\r\n$-1\r\n');
    // A large value is gathered and looked at, too.
    expect(await client.text('SET', 'x:1', 'v'.repeat(400_000))).toMatch(/^-NOPERM/);
    expect(await client.text('SET', 'app:large', 'v'.repeat(400_000))).toBe('+OK\r\n');
    expect(await admin.text('GET', 'x:1')).toBe('$1\r\na\r\n');
  });

  it('runs no scripts for users without all rights, since a node would run them with the proxy’s', async () => {
    const client = await here('writer', 'first');
    const refused = /^-NOPERM this user has no permissions to run the '\w+' command: inside of scripts/;
    expect(await client.text('EVAL', "return redis.call('flushall')", '0')).toMatch(refused);
    expect(await client.text('EVAL_RO', 'return 1', '0')).toMatch(refused);
    expect(await client.text('FCALL', 'f', '0')).toMatch(refused);
    expect(await client.text('EVAL', 'return 1', '1', 'x')).toMatch(/keys used as arguments/);
    const admin = await here('admin', 'all-of-it');
    expect(await admin.text('EVAL', 'return 1', '0')).toBe(':1\r\n');
  });

  it('ACL tells of users, and does not change them', async () => {
    const one = await here();
    const other = await there();
    for (const words of [
      ['ACL', 'USERS'],
      ['ACL', 'GETUSER', 'reader'],
      ['ACL', 'GETUSER', 'nobody'],
      ['ACL', 'DRYRUN', 'reader', 'GET', 'app:x'],
      ['ACL', 'DRYRUN', 'reader', 'GET', 'x'],
      ['ACL', 'DRYRUN', 'reader', 'SUBSCRIBE', 'x'],
      ['ACL', 'DRYRUN', 'reader', 'CLIENT', 'KILL', 'a'],
      ['ACL', 'DRYRUN', 'nobody', 'GET', 'x'],
      ['ACL', 'DRYRUN', 'reader', 'NOPE', 'x'],
      ['ACL', 'DRYRUN', 'reader', 'GET'],
      ['ACL', 'CAT', 'nope'],
      ['ACL', 'GENPASS', '0'],
      ['ACL', 'GENPASS', 'x'],
      ['ACL', 'LOG', 'x'],
    ]) {
      expect([words, await one.text(...words)]).toEqual([words, await other.text(...words)]);
    }
    expect((await one.text('ACL', 'GENPASS', '5')).length).toBe('$2\r\nab\r\n'.length);
    const list = await one.text('ACL', 'LIST');
    expect(list).toContain('user reader on #');
    expect(list).not.toContain('read-only');
    for (const words of [['SETUSER', 'x'], ['DELUSER', 'x'], ['LOAD'], ['SAVE']]) {
      expect(await one.text('ACL', ...words)).toMatch(/^-ERR .*users are changed in the configuration/);
    }
  });

  it('ACL LOG has what was denied, the same denial once', async () => {
    const admin = await here();
    expect(await admin.text('ACL', 'LOG', 'RESET')).toBe('+OK\r\n');
    const client = await here('reader', 'read-only');
    await client.pipeline([
      ['GET', 'secret'],
      ['GET', 'secret'],
      ['SET', 'app:a', '1'],
      ['SUBSCRIBE', 'other'],
    ]);
    await client.pipeline([['MULTI'], ['GET', 'hidden'], ['DISCARD']]);
    await admin.text('AUTH', 'reader', 'pass-phrase');
    const entries = (await proxy.client().call('ACL', 'LOG')) as (string | number)[][];
    const brief = entries.map(([, count, , reason, , context, , object, , username]) =>
      [count, reason, context, object, username].join(' '),
    );
    expect(brief).toEqual([
      '1 auth toplevel AUTH reader',
      '1 key multi hidden reader',
      '1 channel toplevel other reader',
      '1 command toplevel set reader',
      '2 key toplevel secret reader',
    ]);
    expect(String(entries[1]?.[13])).toMatch(/user=reader/);
    expect(JSON.stringify(entries)).not.toContain('pass-phrase');
  });

  it('CLIENT LIST names users, and CLIENT KILL USER ends theirs', async () => {
    const victim = await here('writer', 'first');
    const admin = await here();
    expect(await admin.text('CLIENT', 'LIST')).toMatch(/user=writer /);
    expect(await admin.text('CLIENT', 'KILL', 'USER', 'nobody')).toBe("-ERR No such user 'nobody'\r\n");
    expect(await admin.text('CLIENT', 'KILL', 'USER', 'writer')).toMatch(/^:[1-9]/);
    await victim.closed;
  });
});
