import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

let nodes: RedisProcess[];
let proxy: RingproxyProcess;

beforeAll(async () => {
  nodes = await startRedises(3);
  proxy = await startRingproxy({ nodes, args: ['--cross-node', 'refuse'] });
});

async function connect(): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port);
  await client.command('FLUSHALL');
  return client;
}

describe('commands of one key', () => {
  it('reach the node that owns the key, and no other', async () => {
    const client = await connect();
    for (let i = 0; i < 300; i++) expect(await client.text('SET', `k${i}`, `v${i}`)).toBe('+OK\r\n');
    const held = await Promise.all(nodes.map((node) => node.client().dbsize()));
    expect(held.reduce((sum, keys) => sum + keys, 0)).toBe(300);
    for (const keys of held) expect(keys).toBeGreaterThan(50);
    for (let i = 0; i < 300; i++) expect(await client.text('GET', `k${i}`)).toBe(`$${`v${i}`.length}\r\nv${i}\r\n`);
  });

  it('pass every data type through', async () => {
    const client = await connect();
    expect(await client.text('LPUSH', 'list', 'a', 'b')).toBe(':2\r\n');
    expect(await client.text('LRANGE', 'list', '0', '-1')).toBe('*2\r\n$1\r\nb\r\n$1\r\na\r\n');
    expect(await client.text('HSET', 'hash', 'f', '1')).toBe(':1\r\n');
    expect(await client.text('SADD', 'set', 'm')).toBe(':1\r\n');
    expect(await client.text('ZADD', 'zset', '1.5', 'm')).toBe(':1\r\n');
    expect(await client.text('XADD', 'stream', '1-1', 'f', 'v')).toBe('$3\r\n1-1\r\n');
    expect(await client.text('INCR', 'list')).toBe(
      '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n',
    );
  });

  it('are answered in the order in which they came, whichever node is faster', async () => {
    const client = await connect();
    const commands = Array.from({ length: 2000 }, (_, i) => ['SET', `order:${i}`, String(i)]);
    await client.pipeline(commands);
    const replies = await client.pipeline(commands.map(([, key = '']) => ['GET', key]));
    expect(replies.map((reply) => reply.toString().split('\r\n')[1])).toEqual(commands.map(([, , value]) => value));
  });
});

describe('commands whose keys have several owners', () => {
  it('MGET gives the values in the order of the keys, nil for those that are missing', async () => {
    const client = await connect();
    const keys = Array.from({ length: 500 }, (_, i) => `m${i}`);
    await client.command('MSET', ...keys.filter((_, i) => i % 3 !== 0).flatMap((key) => [key, `value of ${key}`]));
    const expected = keys.map((key, i) => (i % 3 === 0 ? '$-1\r\n' : `$${9 + key.length}\r\nvalue of ${key}\r\n`));
    expect(await client.text('MGET', ...keys)).toBe(`*500\r\n${expected.join('')}`);
  });

  it('MGET gives nil as RESP3 has it to a client that speaks RESP3', async () => {
    const client = await connect();
    await client.command('HELLO', '3');
    await client.command('MSET', 'a', '1', 'b', '2', 'c', '3');
    expect(await client.text('MGET', 'a', 'x', 'b', 'y', 'c', 'z')).toBe(
      '*6\r\n$1\r\n1\r\n_\r\n$1\r\n2\r\n_\r\n$1\r\n3\r\n_\r\n',
    );
  });

  it.each(['DEL', 'UNLINK', 'EXISTS', 'TOUCH'])('%s adds up what the nodes counted', async (command) => {
    const client = await connect();
    await client.command('MSET', ...Array.from({ length: 40 }, (_, i) => [`d${i}`, 'x']).flat());
    const keys = Array.from({ length: 50 }, (_, i) => `d${i}`);
    expect(await client.text(command, ...keys)).toBe(':40\r\n');
    expect(await client.text('DBSIZE')).toBe(command === 'DEL' || command === 'UNLINK' ? ':0\r\n' : ':40\r\n');
  });

  it('counts a key that is named twice as Redis does', async () => {
    const client = await connect();
    await client.command('MSET', 'a', '1', 'b', '2');
    expect(await client.text('EXISTS', 'a', 'b', 'a', 'nope', 'a')).toBe(':4\r\n');
  });

  it('an error of one node names it', async () => {
    const client = await connect();
    await client.command('SET', 'string', 'x');
    const owner = await node('string');
    proxy.allowLog(/upstream:impaired.*OOM/);
    await nodes[owner]?.client().config('SET', 'maxmemory', '1');
    const reply = await client.text('MSET', ...Array.from({ length: 30 }, (_, i) => [`k${i}`, 'v']).flat());
    await nodes[owner]?.client().config('SET', 'maxmemory', '0');
    expect(reply).toBe(`-OOM command not allowed when used memory > 'maxmemory'. (node node${owner + 1})\r\n`);
  });

  it('a wrong number of arguments is answered as Redis answers it', async () => {
    const client = await connect();
    const redis = await RawClient.connect(nodes[0]?.port ?? 0);
    for (const words of [
      ['MSET', 'a'],
      ['MSET', 'a', '1', 'b'],
      ['MGET'],
      ['DEL'],
      ['GET'],
      ['GET', 'a', 'b'],
      ['SET', 'a'],
    ]) {
      expect(await client.text(...words)).toBe(await redis.text(...words));
    }
  });

  it('those that need one owner are refused with CROSSSLOT, and work with a hash tag', async () => {
    const client = await connect();
    await client.command('MSET', 'k1', '1', 'k2', '2', 'k3', '3', 'k4', '4', 'k5', '5');
    expect(await client.text('MSETNX', 'k1', 'x', 'k2', 'x', 'k3', 'x', 'k4', 'x', 'k5', 'x')).toMatch(/^-CROSSSLOT /);
    expect(await client.text('MSETNX', '{t}1', 'x', '{t}2', 'y')).toBe(':1\r\n');
    expect(await client.text('RENAME', '{t}1', '{t}3')).toBe('+OK\r\n');
    await client.command('SADD', '{t}s1', 'a', 'b');
    await client.command('SADD', '{t}s2', 'b', 'c');
    expect(await client.text('SINTERSTORE', '{t}s3', '{t}s1', '{t}s2')).toBe(':1\r\n');
    expect(await client.text('EVAL', 'return redis.call("get", KEYS[1])', '1', '{t}3')).toBe('$1\r\nx\r\n');
  });
});

describe('commands on the whole ring', () => {
  it('SCAN returns every key once, with its options', async () => {
    const client = await connect();
    const keys = Array.from({ length: 3000 }, (_, i) => `scan:${i}`);
    await client.command('MSET', ...keys.flatMap((key) => [key, '1']));
    await client.command('LPUSH', 'other', 'x');
    const found: string[] = [];
    let cursor = '0';
    do {
      const reply = (await client.text('SCAN', cursor, 'MATCH', 'scan:*', 'COUNT', '100', 'TYPE', 'string')).split(
        '\r\n',
      );
      cursor = reply[2] ?? '0';
      found.push(...reply.filter((line) => line.startsWith('scan:')));
    } while (cursor !== '0');
    expect(found.sort()).toEqual([...keys].sort());
    expect(await client.text('SCAN', 'abc')).toBe('-ERR invalid cursor\r\n');
    expect(await client.text('SCAN', '99999999999999999999999')).toBe('-ERR invalid cursor\r\n');
  });

  it('KEYS, DBSIZE, RANDOMKEY and FLUSHALL see all nodes, each database apart', async () => {
    const client = await connect();
    expect(await client.text('RANDOMKEY')).toBe('$-1\r\n');
    await client.command('MSET', 'a', '1', 'b', '2', 'c', '3', 'd', '4');
    expect(await client.text('DBSIZE')).toBe(':4\r\n');
    const keys = (await client.text('KEYS', '*')).split('\r\n').filter((line) => /^[a-d]$/.test(line));
    expect(keys.sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(await client.text('RANDOMKEY')).toMatch(/^\$1\r\n[a-d]\r\n$/);
    await client.command('SELECT', '7');
    expect(await client.text('DBSIZE')).toBe(':0\r\n');
    await client.command('SET', 'only7', '1');
    expect(await client.text('FLUSHDB')).toBe('+OK\r\n');
    await client.command('SELECT', '0');
    expect(await client.text('DBSIZE')).toBe(':4\r\n');
    expect(await client.text('FLUSHALL')).toBe('+OK\r\n');
    expect(await client.text('DBSIZE')).toBe(':0\r\n');
  });

  it('INFO has a section on the proxy, and sums over the nodes', async () => {
    const client = await connect();
    await client.command('MSET', ...Array.from({ length: 60 }, (_, i) => [`i${i}`, '1']).flat());
    const info = await client.text('INFO');
    expect(info).toContain('# Ringproxy\r\n');
    expect(info).toContain('redis_version:');
    expect(info).toContain('loading:0');
    expect(info).toMatch(/\r\ndb0:keys=60,/);
    expect(await client.text('INFO', 'keyspace')).not.toContain('# Ringproxy');
  });

  it("the proxy's own keys can neither be seen nor touched", async () => {
    const client = await connect();
    await nodes[1]?.client().set('__ringproxy__:test', 'secret');
    expect(await client.text('GET', '__ringproxy__:test')).toMatch(/^-ERR keys with the prefix __ringproxy__/);
    expect(await client.text('MGET', 'a', '__ringproxy__:test')).toMatch(/^-ERR keys with the prefix/);
    expect(await client.text('DEL', '__ringproxy__:test', 'b')).toMatch(/^-ERR keys with the prefix/);
    expect(await client.text('KEYS', '*')).toBe('*0\r\n');
    expect(await client.text('RANDOMKEY')).toBe('$-1\r\n');
    let cursor = '0';
    do {
      const reply = await client.text('SCAN', cursor);
      expect(reply).not.toContain('__ringproxy__');
      cursor = reply.split('\r\n')[2] ?? '0';
    } while (cursor !== '0');
    await nodes[1]?.client().del('__ringproxy__:test');
  });
});

describe('what is not served', () => {
  it('an unknown command is answered as Redis answers it', async () => {
    const client = await connect();
    const redis = await RawClient.connect(nodes[0]?.port ?? 0);
    const long = 'x'.repeat(200);
    for (const words of [
      ['FOO'],
      ['foo', 'bar', 'baz'],
      [long, long, long],
      ['FOO', ...Array(40).fill('arg')],
      ['CLIENT', 'NOPE'],
      [''],
    ]) {
      expect(await client.text(...words)).toBe(await redis.text(...words));
    }
  });

  it('what could break the ring is refused with a reason', async () => {
    const client = await connect();
    for (const words of [
      ['SHUTDOWN'],
      ['REPLICAOF', 'NO', 'ONE'],
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['DEBUG', 'SLEEP', '0'],
      ['MODULE', 'LOAD', 'x'],
      ['SWAPDB', '0', '1'],
    ]) {
      expect(await client.text(...words)).toMatch(/^-ERR [A-Z ]+ is not allowed through the proxy: /);
    }
    expect(await client.text('PING')).toBe('+PONG\r\n');
  });

  it('admin commands reach every node when they are allowed', async () => {
    const open = await startRingproxy({ nodes, args: ['--admin-commands', 'allow'] });
    const client = await RawClient.connect(open.port);
    expect(await client.text('CONFIG', 'SET', 'hash-max-listpack-entries', '99')).toBe('+OK\r\n');
    for (const redis of nodes) {
      expect(await redis.client().config('GET', 'hash-max-listpack-entries')).toEqual([
        'hash-max-listpack-entries',
        '99',
      ]);
    }
    // Not even then.
    for (const words of [['SEGFAULT'], ['panic'], ['RESTART'], ['POPULATE', '10']]) {
      expect(await client.text('DEBUG', ...words)).toMatch(/^-ERR DEBUG [A-Z]+ is not allowed through the proxy: /);
      await client.command('MULTI');
      expect(await client.text('DEBUG', ...words)).toMatch(/^-ERR DEBUG [A-Z]+ is not allowed through the proxy: /);
      expect(await client.text('EXEC')).toMatch(/^-EXECABORT /);
    }
    expect(await client.text('DBSIZE')).toMatch(/^:/);
  });
});

async function node(key: string): Promise<number> {
  const found = await Promise.all(nodes.map((redis) => redis.client().exists(key)));
  return found.indexOf(1);
}
