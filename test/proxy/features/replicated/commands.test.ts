/** Replicated keys answer as those of a real server do, byte for byte, in both protocols; what cannot be had is said. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StrayReport } from '../../../../src/admin/api.js';
import { request } from '../../../../src/resp/encode.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

const CONFIG = `
key-groups:
  flags: { prefixes: ["r:"], cache: replicated }
  others: "o:"
replicated-memory: 3mb
`;

let nodes: RedisProcess[];
let proxy: RingproxyProcess;

beforeAll(async () => {
  nodes = await startRedises(2);
  proxy = await startRingproxy({ nodes, config: CONFIG });
});

beforeEach(async () => {
  await proxy.client().flushall();
});

const SOON = String(Date.now() + 100_000);
const SOON_SECONDS = String(Math.floor(Date.now() / 1000) + 100);

/** Each begins with nothing. What has times is asked for in the order of the clock, so replies are the same. */
const SCRIPTS: readonly (readonly string[])[] = [
  ['GET r:a', 'SET r:a hello', 'GET r:a', 'STRLEN r:a', 'TYPE r:a', 'EXISTS r:a r:a r:b', 'TTL r:a', 'PTTL r:b'],
  ['SET r:a 1 GET', 'SET r:a 2 GET', 'GETDEL r:a', 'GETDEL r:a', 'STRLEN r:a', 'TYPE r:a'],
  ['SET r:a x EX 100', 'TTL r:a', 'SET r:a y KEEPTTL', 'TTL r:a', 'SET r:a z', 'TTL r:a', 'PERSIST r:a'],
  [`SET r:a x PXAT ${SOON}`, 'PEXPIRETIME r:a', 'EXPIRETIME r:a', 'PERSIST r:a', 'TTL r:a', 'EXPIRETIME r:b'],
  [`SET r:a x EXAT ${SOON_SECONDS}`, 'EXPIRETIME r:a', 'PEXPIRETIME r:a'],
  ['SET r:a x EXAT 1', 'GET r:a', 'SET r:a x PX 0', 'SET r:a x EX nine', 'SET r:a x EX', 'SET r:a x EX 1 PX 1'],
  ['SET r:a x KEEPTTL EX 1', 'SET r:a x EX -1', 'SET r:a x WHAT', 'SETEX r:a 0 x', 'SETEX r:a x x', 'PSETEX r:a -1 x'],
  ['SETEX r:a 100 x', 'TTL r:a', 'GETEX r:a', 'GETEX r:a PERSIST', 'TTL r:a', 'GETEX r:a EX 50', 'TTL r:a'],
  [
    'SET r:a x',
    'GETEX r:a EX',
    'GETEX r:a PERSIST 1',
    'GETEX r:a EX 0',
    'GETEX r:b EX 0',
    'GETEX r:a EXAT 1',
    'GET r:a',
  ],
  ['SET r:a x', 'EXPIRE r:a 100', 'TTL r:a', 'EXPIRE r:a 50 GT', 'EXPIRE r:a 50 NX', 'EXPIRE r:a 50 XX', 'TTL r:a'],
  ['SET r:a x', 'EXPIRE r:a 10 XX', 'EXPIRE r:a 10 GT', 'EXPIRE r:a 10 LT', 'EXPIRE r:a 20 LT', 'TTL r:a'],
  ['SET r:a x', 'EXPIRE r:a 1 NX XX', 'EXPIRE r:a 1 GT LT', 'EXPIRE r:a 1 ODD', 'EXPIRE r:a x', 'EXPIRE r:b 1'],
  ['SET r:a x', 'EXPIRE r:a 0', 'GET r:a', 'SET r:a x', 'EXPIREAT r:a 1', 'EXISTS r:a', 'PEXPIRE r:a -5'],
  [`SET r:a x`, `PEXPIREAT r:a ${SOON}`, 'PEXPIRETIME r:a', `EXPIREAT r:a ${SOON_SECONDS}`, 'EXPIRETIME r:a'],
  ['INCR r:n', 'INCRBY r:n 41', 'GET r:n', 'DECR r:n', 'DECRBY r:n 50', 'GET r:n', 'STRLEN r:n', 'TYPE r:n'],
  ['SET r:n 10', 'INCR r:n', 'SET r:n 5', 'INCR r:n', 'GET r:n', 'DEL r:n', 'INCR r:n', 'INCRBY r:n 0'],
  ['INCRBY r:n 0', 'GET r:n', 'EXISTS r:n', 'SET r:n abc', 'INCR r:n', 'INCRBY r:n x', 'DECRBY r:n 1.5'],
  ['SET r:n 9223372036854775807', 'INCR r:n', 'DECR r:n', 'GET r:n', 'SET r:n -9223372036854775808', 'DECR r:n'],
  ['INCRBY r:n 9007199254740993', 'INCRBY r:n 9007199254740993', 'GET r:n', 'DECRBY r:n -9223372036854775808'],
  ['SET r:n 007', 'INCR r:n', 'SET r:n -0', 'INCR r:n', 'INCR r:m', 'EXPIRE r:m 100', 'INCR r:m', 'TTL r:m'],
  [
    'SADD r:s a',
    'SADD r:s a',
    'SISMEMBER r:s a',
    'SISMEMBER r:s b',
    'SMISMEMBER r:s a b a',
    'SCARD r:s',
    'SMEMBERS r:s',
  ],
  [
    'SADD r:s a b a',
    'SREM r:s a x a',
    'SMEMBERS r:s',
    'SREM r:s b',
    'EXISTS r:s',
    'TYPE r:s',
    'SCARD r:s',
    'SREM r:s q',
  ],
  [
    'SADD r:s a',
    'TYPE r:s',
    'GET r:s',
    'INCR r:s',
    'STRLEN r:s',
    'GETDEL r:s',
    'GETEX r:s',
    'SET r:s x GET',
    'MGET r:s r:q',
  ],
  ['SADD r:s a b', 'SREM r:s a', 'SADD r:s a', 'SISMEMBER r:s a', 'SCARD r:s', 'SADD r:s a'],
  ['SADD r:s a', 'EXPIRE r:s 100', 'SREM r:s a', 'SADD r:s b', 'TTL r:s', 'SET r:s x', 'SADD r:s y', 'SMEMBERS r:s'],
  ['SMEMBERS r:s', 'SMISMEMBER r:s a b', 'SCARD r:s', 'SADD r:s', 'SREM r:s', 'GET', 'GET r:a r:b', 'MSET r:a'],
  [
    'MSET r:a 1 r:b 2 r:c 3',
    'MGET r:a r:x r:c',
    'DEL r:a r:a r:x',
    'UNLINK r:b',
    'TOUCH r:c r:a r:c',
    'MSET r:a 1 r:b',
  ],
  // Together with keys of nodes.
  ['MSET r:a 1 k1 2 k2 3 r:b 4 k3 5', 'MGET k1 r:a k2 r:x x k3 r:b', 'EXISTS r:a k1 k9', 'TOUCH k1 r:a r:b'],
  [
    'MSET k1 2 r:b 4',
    'DBSIZE',
    'DEL k1 r:b r:c',
    'DBSIZE',
    'KEYS *',
    'RANDOMKEY',
    'SET r:only 1',
    'KEYS r:o*',
    'RANDOMKEY',
  ],
  [
    'SELECT 3',
    'SET r:a here',
    'SELECT 0',
    'GET r:a',
    'SELECT 3',
    'GET r:a',
    'FLUSHDB',
    'GET r:a',
    'DBSIZE',
    'SELECT 0',
  ],
  [
    'SET r:a 1',
    'SELECT 2',
    'SET r:a 2',
    'SELECT 0',
    'FLUSHDB',
    'GET r:a',
    'SELECT 2',
    'GET r:a',
    'FLUSHALL ASYNC',
    'GET r:a',
  ],
  ['SET r:a 1', 'MULTI', 'FLUSHALL', 'EXEC', 'GET r:a', 'INCR r:a', 'FLUSHALL', 'INCR r:a', 'FLUSHALL ODD', 'GET r:a'],
  ['SET r:a 1', 'CLIENT REPLY SKIP', 'SET r:a 2', 'GET r:a', 'RESET', 'GET r:a'],
];

describe('commands on replicated keys', () => {
  it.each([2, 3])('are answered as a real server answers them, in RESP%i', async (protocol) => {
    const real = await startRedis();
    const [ours, theirs] = [await RawClient.connect(proxy.port), await RawClient.connect(real.port)];
    for (const script of SCRIPTS) {
      for (const client of [ours, theirs]) {
        await client.pipeline([['HELLO', String(protocol)], ['SELECT', '0'], ['FLUSHALL']]);
      }
      const commands = script.map((line) => line.split(' '));
      // SKIP has no reply, and neither has what follows it.
      const count = script.some((line) => line.includes('SKIP')) ? commands.length - 2 : commands.length;
      const run = async (client: RawClient): Promise<string[]> => {
        client.send(Buffer.concat(commands.map((command) => request(command))));
        return (await client.replies(count)).map((reply) => reply.toString('latin1'));
      };
      const [got, wanted] = [await run(ours), await run(theirs)];
      expect(got, script.join(' | ')).toEqual(wanted);
    }
  });
});

describe('what cannot be had on replicated keys', () => {
  it('is refused with the reason, and leaves the key as it was', async () => {
    const client = await RawClient.connect(proxy.port);
    await client.pipeline([
      ['SET', 'r:a', '1'],
      ['SADD', 'r:s', 'a'],
    ]);
    const noMerge = /^-ERR [A-Z ]+ is not possible on a key of the replicated group 'flags': what it does depends on/;
    const unmergeable = [
      'APPEND r:a x',
      'SETNX r:a x',
      'GETSET r:a x',
      'INCRBYFLOAT r:a 1',
      'SETRANGE r:a 0 x',
      'SPOP r:s',
    ];
    unmergeable.push('RENAME r:a r:b', 'COPY r:a r:b', 'MSETNX r:a 1 r:b 2', 'SMOVE r:s r:t a', 'SETBIT r:a 0 1');
    for (const line of unmergeable) expect(await client.text(...line.split(' ')), line).toMatch(noMerge);
    const otherValue =
      /^-ERR [A-Z ]+ is not possible on a key of the replicated group 'flags': no node has it, and proxies carry out simple/;
    const foreign = [
      'LPUSH r:l a',
      'HSET r:h f v',
      'ZADD r:z 1 a',
      'XADD r:x * f v',
      'EVAL return(1) 1 r:a',
      'DUMP r:a',
    ];
    foreign.push(
      'BLPOP r:l 0',
      'GETRANGE r:a 0 1',
      'OBJECT ENCODING r:a',
      'SINTER r:s r:s',
      'PFADD r:p a',
      'SSCAN r:s 0',
    );
    foreign.push('SORT r:s');
    for (const line of foreign) expect(await client.text(...line.split(' ')), line).toMatch(otherValue);
    for (const option of ['NX', 'XX'])
      expect(await client.text('SET', 'r:a', '2', option)).toMatch(/^-ERR SET with NX or XX/);
    const apart = /^-ERR [A-Z]+ with keys of a replicated group and others at once is not possible/;
    for (const line of [
      'SINTER r:s k',
      'RENAME r:a k',
      'EVAL return(1) 2 k r:a',
      'LMOVE k r:l LEFT LEFT',
      'SMOVE k r:s a',
    ]) {
      expect(await client.text(...line.split(' ')), line).toMatch(apart);
    }
    expect(await client.text('GET', 'r:a')).toBe('$1\r\n1\r\n');
    expect(await client.text('SMEMBERS', 'r:s')).toBe('*1\r\n$1\r\na\r\n');
    for (const node of nodes) expect(await node.client().dbsize()).toBe(0);
  });

  it('is refused between MULTI and EXEC, and to WATCH', async () => {
    const client = await RawClient.connect(proxy.port);
    const refused = /^-ERR keys of the replicated group 'flags' can be in no transaction and cannot be watched/;
    expect(await client.text('WATCH', 'r:a')).toMatch(refused);
    await client.command('MULTI');
    expect(await client.text('SET', 'r:a', '1')).toMatch(refused);
    expect(await client.text('EXEC')).toMatch(/^-EXECABORT/);
    expect(await client.text('GET', 'r:a')).toBe('$-1\r\n');
  });

  it('is a value that is too long, told before all of it has come', async () => {
    const client = await RawClient.connect(proxy.port);
    const most = /^-ERR a value of a replicated group may have 1048576 bytes/;
    expect(await client.text('SET', 'r:a', 'x'.repeat(1_048_577))).toMatch(most);
    expect(await client.text('SADD', 'r:s', 'x'.repeat(1_048_577))).toMatch(most);
    expect(await client.text('SET', 'r:a', 'x'.repeat(1_048_576))).toBe('+OK\r\n');
    client.send('*3\r\n$3\r\nSET\r\n$3\r\nr:b\r\n$90000000\r\nxx');
    const [reply] = await client.replies(1);
    expect(reply?.toString()).toMatch(most);
  });

  it('is a write when the memory is full, and deleting makes room', async () => {
    const client = await RawClient.connect(proxy.port);
    const value = 'x'.repeat(500_000);
    const replies: string[] = [];
    for (let i = 0; i < 8; i++) replies.push(await client.text('SET', `r:${i}`, value));
    expect(replies[0]).toBe('+OK\r\n');
    expect(replies.at(-1)).toBe("-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    expect(await client.text('MSET', 'k', '1', 'r:z', value)).toMatch(/^-OOM/);
    expect(await client.text('GET', 'r:0')).toBe(`$500000\r\n${value}\r\n`);
    expect(await client.text('DEL', 'r:0', 'r:1')).toBe(':2\r\n');
    expect(await client.text('SET', 'r:z', value)).toBe('+OK\r\n');
  });
});

describe('replicated keys among others', () => {
  it('are answered in the order of the pipeline', async () => {
    const client = await RawClient.connect(proxy.port);
    const commands = Array.from({ length: 300 }, (_, i) => [
      ['SET', `k${i}`, String(i)],
      ['SET', `r:${i}`, String(-i)],
      ['MGET', `k${i}`, `r:${i}`, 'r:no'],
      ['INCR', 'r:n'],
    ]).flat();
    const replies = await client.pipeline(commands);
    const wanted = Array.from({ length: 300 }, (_, i) => {
      const [here, there] = [String(-i), String(i)];
      const pair = `*3\r\n$${there.length}\r\n${there}\r\n$${here.length}\r\n${here}\r\n$-1\r\n`;
      return ['+OK\r\n', '+OK\r\n', pair, `:${i + 1}\r\n`];
    }).flat();
    expect(replies.map((reply) => reply.toString())).toEqual(wanted);
  });

  it('are found by SCAN, KEYS and DBSIZE, each once, whatever COUNT, MATCH and TYPE are', async () => {
    const client = proxy.client();
    const keys = Array.from({ length: 700 }, (_, i) => (i % 2 === 0 ? `r:${i}` : `k${i}`));
    await client.mset(Object.fromEntries(keys.map((key) => [key, '1'])));
    await client.sadd('r:set', 'a');
    expect(await client.dbsize()).toBe(701);
    expect((await client.keys('*')).sort()).toEqual([...keys, 'r:set'].sort());
    const scan = async (...options: string[]): Promise<string[]> => {
      const found: string[] = [];
      let cursor = '0';
      do {
        const page = (await client.call('SCAN', cursor, ...options)) as [string, string[]];
        cursor = page[0];
        found.push(...page[1]);
      } while (cursor !== '0');
      return found.sort();
    };
    expect(await scan()).toEqual([...keys, 'r:set'].sort());
    expect(await scan('COUNT', '10000')).toEqual([...keys, 'r:set'].sort());
    expect(await scan('COUNT', '1', 'MATCH', 'r:*')).toEqual(
      [...keys.filter((key) => key < 's' && key > 'r'), 'r:set'].sort(),
    );
    expect(await scan('TYPE', 'set')).toEqual(['r:set']);
    expect(await scan('MATCH', 'r:s*', 'COUNT', '5')).toEqual(['r:set']);
  });

  it('end when their time is over, and are counted as hits and misses of their group', async () => {
    const client = proxy.client();
    await client.set('r:a', '1', 'PX', 30);
    await client.set('r:b', '1');
    await expect.poll(() => client.get('r:a')).toBeNull();
    await expect.poll(() => client.dbsize()).toBe(1);
    await client.mget('r:b', 'r:a', 'k');
    await client.mget('r:b', 'r:a');
    const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
    const counted = (result: string): number =>
      Number(
        new RegExp(`ringproxy_key_group_cache_requests_total\\{group="flags",result="${result}"\\} (\\d+)`).exec(
          metrics,
        )?.[1],
      );
    expect(counted('hit')).toBeGreaterThanOrEqual(2);
    expect(counted('miss')).toBeGreaterThanOrEqual(3);
  });

  it('are told to clients that cache, behind the reply to who has changed them', async () => {
    const tracker = await RawClient.connect(proxy.port);
    await tracker.pipeline([
      ['HELLO', '3'],
      ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'r:'],
    ]);
    const [reply, told] = await (async () => {
      tracker.send(request(['SET', 'r:a', '1']));
      return tracker.replies(2);
    })();
    expect(reply?.toString()).toBe('+OK\r\n');
    expect(told?.toString()).toBe('>2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nr:a\r\n');
    const other = await RawClient.connect(proxy.port);
    await other.command('SADD', 'r:s', 'a');
    expect(String(await tracker.replies(1))).toContain('r:s');
    await other.command('FLUSHALL');
    expect(String(await tracker.replies(1))).toBe('>2\r\n$10\r\ninvalidate\r\n_\r\n');
  });
});

describe('keys of a replicated group on nodes', () => {
  /** As scripts write them that do not declare their keys, and whoever does not go through the proxy. */
  async function writeOnNodes(): Promise<RawClient> {
    // On a busy machine the look at a new node comes as late as this, and tells of them.
    proxy.allowLog(/holds \d+ keys? of replicated groups, which clients do not see there/);
    const client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 8; i++) {
      const at = `{${i}}`;
      expect(await client.text('EVAL', `return redis.call('SET', 'r:' .. KEYS[1], '1')`, '1', at)).toBe('+OK\r\n');
    }
    await client.command('SET', 'k', '1');
    await client.command('SET', 'r:x', '1');
    return client;
  }

  it('are seen by no command that shows keys, as GET does not see them', async () => {
    const client = await writeOnNodes();
    // They are there: each node has some.
    for (const node of nodes) expect(await node.client().keys('r:*')).not.toEqual([]);
    expect(await client.text('GET', 'r:{1}')).toBe('$-1\r\n');
    expect(await client.text('EXISTS', 'r:{1}', 'r:{2}', 'r:x')).toBe(':1\r\n');
    const keys = proxy.client();
    expect((await keys.keys('*')).sort()).toEqual(['k', 'r:x']);
    expect((await keys.scan(0, 'COUNT', 1000))[1].sort()).toEqual(['k', 'r:x']);
    const drawn = new Set<string | null>();
    for (let i = 0; i < 60; i++) drawn.add(await keys.randomkey());
    for (let i = 0; i < 8; i++) expect(drawn).not.toContain(`r:{${i}}`);
    await client.command('FLUSHALL');
    for (const node of nodes) expect(await node.client().dbsize()).toBe(0);
  });

  it('are told of by a check of the ring, which leaves them', async () => {
    await writeOnNodes();
    const total = (await Promise.all(nodes.map((node) => node.client().keys('r:*')))).flat().length;
    const headers = { 'content-type': 'application/json' };
    await fetch(`${proxy.admin}/v1/ring/check`, { method: 'POST', body: '{"fix":true}', headers });
    const report = async (): Promise<StrayReport> =>
      (await (await fetch(`${proxy.admin}/v1/ring/check`)).json()) as StrayReport;
    await expect.poll(async () => (await report()).running).toBe(false);
    const found = (await report()).nodes;
    // Those that lie on a node that would not own them are strays like others.
    expect(found.reduce((sum, { replicated, removed }) => sum + replicated + removed, 0)).toBe(total);
    expect(found.reduce((sum, { replicated }) => sum + replicated, 0)).toBeGreaterThan(0);
    expect(found.flatMap(({ examples }) => examples.map(({ key }) => key))).toContainEqual(
      expect.stringMatching(/^r:\{\d\}$/),
    );
    const left = (await Promise.all(nodes.map((node) => node.client().keys('r:*')))).flat().length;
    expect(left).toBe(found.reduce((sum, { replicated }) => sum + replicated, 0));
  });

  it('are not what BY and GET of SORT name', async () => {
    const client = await writeOnNodes();
    await client.command('RPUSH', 'l', '1', '2');
    const refused = /^-ERR BY and GET patterns of SORT cannot name keys of a replicated group/;
    for (const line of ['SORT l BY r:*', 'SORT l GET # GET r:{*}->f', 'SORT_RO l BY r:*', 'SORT l BY r:* STORE k2']) {
      expect(await client.text(...line.split(' ')), line).toMatch(refused);
    }
    await client.command('MULTI');
    expect(await client.text('SORT', 'l', 'GET', 'r:*')).toMatch(refused);
    await client.command('DISCARD');
    expect(await client.text('SORT', 'l', 'BY', 'r:nosort')).toBe('*2\r\n$1\r\n1\r\n$1\r\n2\r\n');
  });
});

it('values of a group that is replicated no more are not shown, and are when it is one again', async () => {
  const client = proxy.client();
  await client.mset('r:a', '1', 'o:a', '1');
  const headers = { 'content-type': 'application/json' };
  const become = async (cache: string): Promise<void> => {
    const body = JSON.stringify({ cache });
    const { status } = await fetch(`${proxy.admin}/v1/groups/flags?force=true`, { method: 'PATCH', body, headers });
    expect(status).toBe(200);
  };
  await become('sharded');
  expect(await client.get('r:a')).toBeNull();
  expect(await client.keys('*')).toEqual(['o:a']);
  expect((await client.scan(0, 'COUNT', 1000))[1]).toEqual(['o:a']);
  for (let i = 0; i < 20; i++) expect(await client.randomkey()).toBe('o:a');
  await become('replicated');
  expect(await client.get('r:a')).toBe('1');
  expect((await client.keys('*')).sort()).toEqual(['o:a', 'r:a']);
});
