/** Commands in steps whose nodes fail, or whose keys others write, between two of them. Replies without that: `fuzz/cross-node`. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FaultRelay } from '../../../support/fault-relay.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { ownersOf } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

const GROUPS = `
cross-node-max-bytes: 1mb
key-groups:
  aging: { prefixes: "aging:", default-ttl: 1000s }
`;

let nodes: RedisProcess[];
let relays: FaultRelay[];
let proxy: RingproxyProcess;
let client: RawClient;
let other: RawClient;
/** Keys on the first node, and keys on the second one. */
let a: string[];
let b: string[];
let source: FaultRelay;
let target: FaultRelay;

beforeAll(async () => {
  nodes = await startRedises(2);
  relays = await Promise.all(nodes.map(({ port }) => FaultRelay.start(port)));
  [source, target] = relays as [FaultRelay, FaultRelay];
  proxy = await startRingproxy({ nodes: relays, config: GROUPS, allowLog: [/upstream:/, /node:health/] });
  client = await RawClient.connect(proxy.port);
  other = await RawClient.connect(proxy.port);
  a = await keysOf(source);
  b = await keysOf(target);
});

async function keysOf({ address }: FaultRelay, prefix = 'key:'): Promise<string[]> {
  const names = Array.from({ length: 40 }, (_, i) => `${prefix}${i}`);
  const owners = await ownersOf(proxy, names);
  return names.filter((_, i) => owners[i] === address);
}

beforeEach(async () => {
  for (const relay of relays) relay.heal();
  // A node that was cut off is up again when it has answered.
  await expect.poll(() => client.text('FLUSHALL')).toBe('+OK\r\n');
});

function key(of: string[], index = 0): string {
  return of[index] ?? '';
}

describe('RENAME', () => {
  it('of a key that is written meanwhile takes what it has now, and RENAMENX likewise', async () => {
    for (const command of ['RENAME', 'RENAMENX']) {
      await client.pipeline([['FLUSHALL'], ['SET', key(a), 'old', 'EX', '1000']]);
      const held = target.hold('RESTORE');
      const renamed = client.text(command, key(a), key(b));
      await held.reached;
      await other.command('APPEND', key(a), ' and new');
      await held.deliver();
      expect(await renamed).toBe(command === 'RENAME' ? '+OK\r\n' : ':1\r\n');
      expect(await client.text('GET', key(b))).toContain('old and new');
      expect(Number((await client.text('TTL', key(b))).slice(1))).toBeGreaterThan(900);
      expect(await client.text('EXISTS', key(a))).toBe(':0\r\n');
    }
  });

  describe('of a key that is removed meanwhile', () => {
    const size = 2_000_000;
    it.each([
      {
        title: 'is none, and the target has what it had',
        had: 'had',
        write: null,
        reply: '-ERR no such key',
        has: 'had',
      },
      { title: 'leaves what was written meanwhile', had: 'had', write: 'new', reply: '-ERR no such key', has: 'new' },
      // As when another proxy has renamed it to the same name.
      { title: 'leaves the same value', had: 'had', write: 'value', reply: '-ERR no such key', has: 'value' },
      { title: 'leaves nothing where there was nothing', had: '', write: null, reply: '-ERR no such key', has: null },
      { title: 'is done where the target had much', had: 'x'.repeat(size), write: null, reply: '+OK', has: 'value' },
    ])('$title', async ({ had, write, reply, has }) => {
      const [one, two] = nodes.map((node) => node.client());
      await client.command('SET', key(a), 'value');
      if (had !== '') await client.command('SET', key(b), had, 'EX', '1000');
      const held = source.hold('MULTI');
      const renamed = client.text('RENAME', key(a), key(b));
      await held.reached;
      expect(await two?.get(key(b))).toBe('value');
      await one?.rename(key(a), key(a, 1));
      if (write !== null) await two?.set(key(b), write);
      await held.deliver();
      expect(await renamed).toBe(`${reply}\r\n`);
      expect(await two?.get(key(b))).toBe(has);
      if (has === 'had') expect(await two?.ttl(key(b))).toBeGreaterThan(900);
      expect(await one?.get(key(a, 1))).toBe('value');
    });
  });

  it('NX leaves what another client has made of the target', async () => {
    await client.command('SET', key(a), 'ours');
    const held = source.hold('EXEC');
    const renamed = client.text('RENAMENX', key(a), key(b));
    await held.reached;
    await nodes[0]?.client().set(key(a), 'written');
    await other.command('SET', key(b), 'theirs');
    await held.deliver();
    expect(await renamed).toBe(':0\r\n');
    expect(await client.text('GET', key(b))).toContain('theirs');
    expect(await client.text('GET', key(a))).toContain('written');
  });

  it('loses nothing when a node fails between, and says so', async () => {
    for (const [relay, word] of [
      [target, 'RESTORE'],
      [source, 'MULTI'],
    ] as const) {
      for (const fail of ['cutBefore', 'cutAfter'] as const) {
        await expect.poll(() => client.text('SET', key(a), 'value')).toBe('+OK\r\n');
        const failed = relay[fail](word);
        expect(await client.text('RENAME', key(a), key(b))).toMatch(/^-NODEDOWN/);
        await failed;
        await expect.poll(() => client.text('EXISTS', key(a), key(b))).toMatch(/^:[12]/);
        const [ofSource] = await Promise.all(nodes.map((node) => node.client().get(key(a))));
        expect(ofSource).toBe('value');
        await expect.poll(() => client.text('FLUSHALL')).toBe('+OK\r\n');
      }
    }
  });

  it('of a value that is too large, or for which there is no memory, changes nothing', async () => {
    await client.command('SET', key(a), 'x'.repeat(2_000_000));
    expect(await client.text('RENAME', key(a), key(b))).toMatch(
      /^-ERR RENAME would take \d+ bytes .*cross-node-max-bytes/,
    );
    await client.command('SET', key(a), 'small');
    await client.command('RPUSH', key(a, 1), '1');
    await nodes[1]?.client().config('SET', 'maxmemory', '1');
    expect(await client.text('RENAME', key(a), key(b))).toMatch(/^-OOM node node2 /);
    expect(await client.text('LMOVE', key(a, 1), key(b), 'LEFT', 'LEFT')).toMatch(/^-OOM node node2 /);
    expect(await client.text('MSETNX', key(a, 2), '1', key(b), '2')).toMatch(/^-/);
    await nodes[1]?.client().config('SET', 'maxmemory', '0');
    expect(await client.text('EXISTS', key(a), key(a, 1), key(a, 2), key(b))).toBe(':2\r\n');
  });
});

describe('LMOVE', () => {
  it('moves the next element when another client has taken the first one meanwhile', async () => {
    await client.command('RPUSH', key(a), '1', '2', '3');
    await client.command('RPUSH', key(b), '1');
    const held = source.hold('LREM');
    const moved = client.text('LMOVE', key(a), key(b), 'LEFT', 'LEFT');
    await held.reached;
    expect(await nodes[0]?.client().lpop(key(a))).toBe('1');
    await held.deliver();
    expect(await moved).toBe('$1\r\n2\r\n');
    expect(await nodes[0]?.client().lrange(key(a), 0, -1)).toEqual(['3']);
    expect(await nodes[1]?.client().lrange(key(b), 0, -1)).toEqual(['2', '1']);
  });

  it('loses nothing when a node fails between, and says so', async () => {
    for (const fail of ['cutBefore', 'cutAfter'] as const) {
      await expect.poll(() => client.text('RPUSH', key(a), '1', '2')).toBe(':2\r\n');
      const failed = source[fail]('LREM');
      expect(await client.text('RPOPLPUSH', key(a), key(b))).toMatch(/^-NODEDOWN/);
      await failed;
      expect(await nodes[1]?.client().lrange(key(b), 0, -1)).toEqual(['2']);
      expect(await nodes[0]?.client().lrange(key(a), 0, -1)).toEqual(fail === 'cutBefore' ? ['1', '2'] : ['1']);
      await expect.poll(() => client.text('FLUSHALL')).toBe('+OK\r\n');
    }
  });

  it('of many clients from one list moves every element once, while others take some', async () => {
    const elements = Array.from({ length: 400 }, (_, i) => `${i}`);
    await client.command('RPUSH', key(a), ...elements);
    const movers = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(proxy.port)));
    const direct = nodes[0]?.client();
    const taken: string[] = [];
    const take = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) taken.push((await direct?.lpop(key(a))) ?? '');
    };
    const move = async (mover: RawClient): Promise<void> => {
      while ((await mover.text('LMOVE', key(a), key(b), 'LEFT', 'RIGHT')) !== '$-1\r\n');
    };
    await Promise.all([take(), ...movers.map(move)]);
    const moved = (await nodes[1]?.client().lrange(key(b), 0, -1)) ?? [];
    expect([...moved, ...taken].sort()).toEqual(elements.sort());
  });
});

describe('SMOVE', () => {
  it('answers 0 when another client has taken the member meanwhile, and takes it back', async () => {
    await client.command('SADD', key(a), 'member');
    const held = source.hold('SREM');
    const moved = client.text('SMOVE', key(a), key(b), 'member');
    await held.reached;
    await nodes[0]?.client().srem(key(a), 'member');
    await held.deliver();
    expect(await moved).toBe(':0\r\n');
    expect(await client.text('EXISTS', key(a), key(b))).toBe(':0\r\n');
  });

  it('of one member to one set by two proxies is done once, and the member is there', async () => {
    const second = await startRingproxy({ nodes: relays });
    const rival = await RawClient.connect(second.port);
    await client.command('SADD', key(a), 'member');
    const held = source.hold('SREM');
    const moved = client.text('SMOVE', key(a), key(b), 'member');
    await held.reached;
    expect(await rival.text('SMOVE', key(a), key(b), 'member')).toBe(':1\r\n');
    await held.deliver();
    expect(await moved).toBe(':0\r\n');
    expect(await client.text('SMEMBERS', key(b))).toBe('*1\r\n$6\r\nmember\r\n');
  });
});

describe('MSETNX', () => {
  it('undoes what it has set when another client has made one of the keys meanwhile', async () => {
    // Nodes come in the order of their names.
    const held = target.hold('EXEC');
    const set = client.text('MSETNX', key(b), 'ours', key(a), 'ours', key(a, 1), 'ours');
    await held.reached;
    expect(await nodes[0]?.client().get(key(a))).toBe('ours');
    await nodes[1]?.client().set(key(b), 'theirs');
    await nodes[0]?.client().set(key(a, 1), 'theirs');
    await held.deliver();
    expect(await set).toBe(':0\r\n');
    expect(await client.text('MGET', key(a), key(a, 1), key(b))).toBe('*3\r\n$-1\r\n$6\r\ntheirs\r\n$6\r\ntheirs\r\n');
  });

  it('undoes what it has set when a node fails', async () => {
    const failed = target.cutBefore('MULTI');
    expect(await client.text('MSETNX', key(a), '1', key(b), '2')).toMatch(/^-NODEDOWN/);
    await failed;
    expect(await nodes[0]?.client().exists(key(a))).toBe(0);
    expect(await nodes[1]?.client().exists(key(b))).toBe(0);
  });
});

it('XREADGROUP delivers nothing when one of its streams is an error', async () => {
  await client.command('XADD', key(a), '1-1', 'field', 'value');
  await client.command('XGROUP', 'CREATE', key(a), 'group', '0');
  const read = (...keys: string[]): Promise<string> =>
    client.text('XREADGROUP', 'GROUP', 'group', 'me', 'STREAMS', ...keys, ...keys.map(() => '>'));
  expect(await read(key(a), key(b))).toMatch(/^-NOGROUP/);
  expect(await client.text('XPENDING', key(a), 'group')).toMatch(/^\*4\r\n:0/);
  await client.command('XGROUP', 'CREATE', key(b), 'group', '0', 'MKSTREAM');
  expect(await read(key(b), key(a))).toMatch(/^\*1\r\n/);
});

it('what a group says of times to live concerns the key that is written, once it is', async () => {
  const [first = ''] = await keysOf(source, 'aging:');
  const [second = ''] = await keysOf(target, 'aging:');
  await client.command('RPUSH', key(a), '1', '2');
  await client.command('LMOVE', key(a), second, 'LEFT', 'LEFT');
  await client.command('SET', key(b), 'value');
  await client.command('RENAME', key(b), first);
  for (const name of [first, second]) {
    expect(Number((await client.text('TTL', name)).slice(1))).toBeGreaterThan(900);
  }
});
