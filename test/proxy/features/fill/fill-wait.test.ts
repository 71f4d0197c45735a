/**
 * `fill-wait`: of the clients that miss a key one sees the miss, and the others get what it writes. Who waits is seen
 * in the metrics; nothing here counts on how long something takes, but for bounds with seconds to spare.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { add, fill, ownersOf, post, settled } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

const CONFIG = `
key-groups:
  plain: "plain:"
  pages: { prefixes: ["page:", "{p}"], fill-wait: 20s }
  quick: { prefixes: ["quick:"], fill-wait: 100ms }
`;
const NIL = '$-1\r\n';

let nodes: RedisProcess[];
let proxy: RingproxyProcess;
let next = 0;

beforeAll(async () => {
  nodes = await startRedises(2);
  proxy = await startRingproxy({ nodes, config: CONFIG });
});

/** A key that nobody has used. */
function newKey(prefix = 'page:'): string {
  return `${prefix}${next++}`;
}

function connect(count: number, to: RingproxyProcess = proxy): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => RawClient.connect(to.port)));
}

/** How many misses had each outcome. */
async function outcomes(of: RingproxyProcess = proxy): Promise<Record<string, number>> {
  const text = await (await fetch(`${of.admin}/metrics`)).text();
  const counts: Record<string, number> = {};
  for (const [, outcome, value] of text.matchAll(/^ringproxy_fill_waits_total\{.*outcome="(\w+)".*\} (\d+)/gm)) {
    counts[outcome as string] = (counts[outcome as string] ?? 0) + Number(value);
  }
  return counts;
}

function never(): Promise<number> {
  return new Promise(() => {});
}

function bulk(value: string): string {
  return `$${value.length}\r\n${value}\r\n`;
}

/** Of clients that read a key at once, those that have an answer by the time that a further round trip of each has ended. */
async function ask(clients: readonly RawClient[], key: string): Promise<Promise<string>[]> {
  const answers = clients.map((client) => client.text('GET', key));
  for (const answer of answers) answer.catch(() => {});
  await roundTrips();
  return answers;
}

let probes: RawClient[];
beforeAll(async () => {
  probes = await connect(2);
});

/** Each node has answered what came before. */
async function roundTrips(): Promise<void> {
  for (let round = 0; round < 3; round++) await Promise.all(probes.map((probe) => probe.command('DBSIZE')));
}

/** @returns the number of the client that sees the miss, once one of them does */
function firstOf(answers: readonly Promise<string>[]): Promise<number> {
  return Promise.race(answers.map(async (answer, i) => ((await answer) === NIL ? i : new Promise<number>(() => {}))));
}

describe('of clients that miss one key', () => {
  it('one of 500 sees the miss, and 499 get what it writes 200 ms later', async () => {
    const key = newKey();
    const clients = await connect(500);
    await clients[0]?.command('SET', key, 'old', 'PX', '1');
    while ((await clients[0]?.text('EXISTS', key)) !== ':0\r\n');
    const answers = await ask(clients, key);
    const filler = await firstOf(answers);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const other = await RawClient.connect(proxy.port);
    await clients[filler]?.command('SET', key, 'new', 'EX', '60');
    const all = await Promise.all(answers);
    expect(all.filter((answer) => answer === NIL)).toHaveLength(1);
    expect(all.filter((answer) => answer === bulk('new'))).toHaveLength(499);
    // It is gone again: the next miss begins anew.
    await other.command('DEL', key);
    expect(await other.text('GET', key)).toBe(NIL);
  });

  it('those whose reads the node has answered late are no fillers either', async () => {
    const key = newKey();
    const clients = await connect(50);
    // All of them are read and written in the same turns of the event loop.
    const answers = clients.map((client, i) =>
      i === 0
        ? client
            .pipeline([
              ['GET', key],
              ['SET', key, 'v'],
            ])
            .then(([first]) => String(first))
        : client.text('GET', key),
    );
    const all = await Promise.all(answers);
    expect(all.filter((answer) => answer === NIL).length).toBeLessThanOrEqual(2);
  });

  it('each is waited for alone, and other groups are not', async () => {
    const [one, two, three] = (await connect(3)) as [RawClient, RawClient, RawClient];
    const key = newKey();
    expect(await one.text('GET', key)).toBe(NIL);
    expect(await two.text('GET', newKey())).toBe(NIL);
    const plain = newKey('plain:');
    for (const client of [one, two, three]) expect(await client.text('GET', plain)).toBe(NIL);
    // Who fills it may look again.
    expect(await one.text('GET', key)).toBe(NIL);
  });

  it('those of another database and of the other protocol have their own answers', async () => {
    const key = newKey();
    const [filler, elsewhere, modern, old] = (await connect(4)) as [RawClient, RawClient, RawClient, RawClient];
    await modern.command('HELLO', '3');
    expect(await filler.text('GET', key)).toBe(NIL);
    await elsewhere.command('SELECT', '1');
    expect(await elsewhere.text('GET', key)).toBe(NIL);
    const answers = [...(await ask([modern], key)), ...(await ask([old], key))];
    await elsewhere.command('SET', key, 'other');
    await filler.command('SET', key, 'v');
    expect(await Promise.all(answers)).toEqual([bulk('v'), bulk('v')]);
  });

  it('a value that is not shared is read by each', async () => {
    const key = newKey();
    const value = 'x'.repeat(3_000_000);
    const clients = await connect(5);
    const answers = await ask(clients, key);
    const filler = await firstOf(answers);
    await clients[filler]?.command('SET', key, value);
    const all = await Promise.all(answers);
    expect(all.filter((answer) => answer === bulk(value))).toHaveLength(4);
  });
});

describe('when nothing is written', () => {
  it('the next one is the filler at once when the first one leaves', async () => {
    const key = newKey();
    const clients = await connect(20);
    const answers = await ask(clients, key);
    const first = await firstOf(answers);
    clients[first]?.close();
    const rest = answers.filter((_, i) => i !== first);
    const second = await firstOf(rest);
    const others = clients.filter((_, i) => i !== first);
    await others[second]?.command('HSET', key, 'f', 'v');
    const wrong = (await Promise.all(rest)).filter((answer) => answer.startsWith('-WRONGTYPE'));
    expect(wrong).toHaveLength(18);
  });

  it('the next one is the filler when the first one deletes the key, and not when another one does', async () => {
    const key = newKey();
    const clients = await connect(3);
    const [filler, second, other] = clients as [RawClient, RawClient, RawClient];
    expect(await filler.text('GET', key)).toBe(NIL);
    const [waits] = (await ask([second], key)) as [Promise<string>];
    let answered = false;
    void waits.then(() => {
      answered = true;
    });
    await other.command('DEL', key);
    await roundTrips();
    expect(answered).toBe(false);
    await filler.command('DEL', key);
    expect(await waits).toBe(NIL);
  });

  it('the next one is the filler when its turn is over, and nobody waits for more than two', async () => {
    const key = newKey('quick:');
    const before = await outcomes();
    const clients = await connect(10);
    const all = await Promise.all(clients.map((client) => client.text('GET', key)));
    expect(all).toEqual(Array.from({ length: 10 }, () => NIL));
    const after = await outcomes();
    const grown = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
    expect(grown('first')).toBe(1);
    expect(grown('next')).toBeGreaterThan(0);
    expect(grown('next') + grown('timeout')).toBe(9);
  });

  it('a client that hangs up is not waited for, and leaves nothing', async () => {
    const key = newKey();
    const before = await outcomes();
    const clients = await connect(20);
    const answers = await ask(clients, key);
    const filler = await firstOf(answers);
    const left = clients.filter((_, i) => i !== filler).slice(0, 10);
    for (const client of left) client.socket.resetAndDestroy();
    await expect.poll(async () => (await outcomes()).left).toBe((before.left ?? 0) + 10);
    await clients[filler]?.command('SET', key, 'v');
    const stayed = answers.filter((_, i) => i !== filler && !left.includes(clients[i] as RawClient));
    expect(await Promise.all(stayed)).toEqual(Array.from({ length: 9 }, () => bulk('v')));
  });
});

/** Reads of values that are no strings: what fills them, and what each client has of it then, or when it is missing. */
const READS = [
  [['HGETALL', 'KEY'], ['HSET', 'KEY', 'f', 'v'], '*2\r\n$1\r\nf\r\n$1\r\nv\r\n', '*0\r\n'],
  [['HGET', 'KEY', 'f'], ['HSET', 'KEY', 'f', 'v'], bulk('v'), NIL],
  [['HMGET', 'KEY', 'f', 'g'], ['HMSET', 'KEY', 'f', 'v'], `*2\r\n${bulk('v')}${NIL}`, `*2\r\n${NIL}${NIL}`],
  [['SMEMBERS', 'KEY'], ['SADD', 'KEY', 'v'], `*1\r\n${bulk('v')}`, '*0\r\n'],
  [['LRANGE', 'KEY', '0', '-1'], ['RPUSH', 'KEY', 'v'], `*1\r\n${bulk('v')}`, '*0\r\n'],
  [['LINDEX', 'KEY', '0'], ['LPUSH', 'KEY', 'v'], bulk('v'), NIL],
  [['ZRANGE', 'KEY', '0', '-1'], ['ZADD', 'KEY', '1', 'v'], `*1\r\n${bulk('v')}`, '*0\r\n'],
  [['ZMSCORE', 'KEY', 'v'], ['ZADD', 'KEY', '1', 'v'], `*1\r\n${bulk('1')}`, `*1\r\n${NIL}`],
  [['GETRANGE', 'KEY', '0', '3'], ['APPEND', 'KEY', 'v'], bulk('v'), bulk('')],
  [['XRANGE', 'KEY', '-', '+', 'COUNT', '1'], ['XADD', 'KEY', '1-1', 'f', 'v'], null, '*0\r\n'],
] as const;

describe('of clients that miss a value that is no string', () => {
  const named = (words: readonly string[], key: string): string[] => words.map((word) => (word === 'KEY' ? key : word));

  it('one of 500 sees the miss, and 499 get what it writes', async () => {
    const key = newKey();
    const clients = await connect(500);
    const answers = clients.map((client) => client.text('HGETALL', key));
    const filler = await Promise.race(answers.map(async (answer, i) => ((await answer) === '*0\r\n' ? i : never())));
    await roundTrips();
    await clients[filler]?.command('HSET', key, 'f', 'v');
    const all = await Promise.all(answers);
    expect(all.filter((answer) => answer === '*0\r\n')).toHaveLength(1);
    expect(all.filter((answer) => answer === '*2\r\n$1\r\nf\r\n$1\r\nv\r\n')).toHaveLength(499);
  });

  it.each(READS)('%s: one of them does, whatever its type', async (read, write, value, missing) => {
    const key = newKey();
    const clients = await connect(5);
    const answers = clients.map((client) => client.text(...named(read, key)));
    const filler = await Promise.race(answers.map(async (answer, i) => ((await answer) === missing ? i : never())));
    await roundTrips();
    await clients[filler]?.command(...named(write, key));
    const all = await Promise.all(answers);
    expect(all.filter((answer) => answer === missing)).toHaveLength(1);
    expect(new Set(all.filter((answer) => answer !== missing)).size).toBe(1);
    if (value !== null) expect(all.filter((answer) => answer === value)).toHaveLength(4);
  });

  it('nobody waits for a part that is missing of what is there', async () => {
    const before = await outcomes();
    const [one, two] = (await connect(2)) as [RawClient, RawClient];
    const key = newKey();
    await one.command('HSET', key, 'f', 'v');
    for (const client of [one, two]) {
      expect(
        (
          await client.pipeline([
            ['HGET', key, 'x'],
            ['HGET', key, 'f'],
            ['HMGET', key, 'x', 'y'],
          ])
        ).map(String),
      ).toEqual([NIL, bulk('v'), `*2\r\n${NIL}${NIL}`]);
    }
    expect((await outcomes()).first ?? 0).toBe(before.first ?? 0);
  });

  it('who reads it twice at once waits for nobody but others', async () => {
    const [one, two] = (await connect(2)) as [RawClient, RawClient];
    const key = newKey();
    const reads = [
      ['HGET', key, 'a'],
      ['HGETALL', key],
      ['HGET', key, 'b'],
    ];
    expect((await one.pipeline(reads)).map(String)).toEqual([NIL, '*0\r\n', NIL]);
    const answers = two.pipeline(reads);
    await roundTrips();
    await one.command('HSET', key, 'a', '1', 'b', '2');
    expect((await answers).map(String)).toEqual([
      bulk('1'),
      `*4\r\n${bulk('a')}${bulk('1')}${bulk('b')}${bulk('2')}`,
      bulk('2'),
    ]);
  });

  it('who asks about the key is answered', async () => {
    const [filler, other] = (await connect(2)) as [RawClient, RawClient];
    const key = newKey();
    expect(await filler.text('HGETALL', key)).toBe('*0\r\n');
    for (const words of [['EXISTS'], ['STRLEN'], ['HLEN'], ['SCARD'], ['TTL'], ['TYPE']])
      expect(await other.text(...words, key)).toMatch(/^(:0|:-2|\+none)\r\n$/);
  });
});

describe('a client that reads a key twice', () => {
  /** On different nodes. */
  async function keysOfBoth(): Promise<[string, string]> {
    const keys = Array.from({ length: 20 }, () => newKey());
    const owners = await ownersOf(proxy, keys);
    const other = keys.find((_, i) => owners[i] !== owners[0]);
    if (other === undefined) throw new Error('one node owns all of 20 keys');
    return [keys[0] as string, other];
  }

  it.each([
    ['GET', NIL, []],
    ['GETRANGE', bulk(''), ['0', '-1']],
  ])(
    '%s is not answered what is later than the MGET behind it, which fills another key',
    async (command, missing, more) => {
      const [filler, client] = (await connect(2)) as [RawClient, RawClient];
      const [key, other] = await keysOfBoth();
      expect(await filler.text('GET', key)).toBe(NIL);
      const answers = client.pipeline([
        [command, key, ...more],
        ['MGET', key, other],
      ]);
      await roundTrips();
      await filler.command('SET', key, 'v');
      expect((await answers).map(String)).toEqual([missing, `*2\r\n${NIL}${NIL}`]);
    },
  );

  it('nor than the MGET behind it that waits, and sees a miss of another key', async () => {
    const [filler, other, client] = (await connect(3)) as [RawClient, RawClient, RawClient];
    const [one, two] = await keysOfBoth();
    expect(await filler.text('GET', one)).toBe(NIL);
    expect(await other.text('GET', two)).toBe(NIL);
    const answers = client.pipeline([
      ['GET', two],
      ['MGET', one, two],
    ]);
    await roundTrips();
    // Its turn is the client's now, which sees both of them missing.
    filler.close();
    await roundTrips();
    await other.command('SET', two, 'v');
    expect((await answers).map(String)).toEqual([NIL, `*2\r\n${NIL}${NIL}`]);
  });

  it('nor than the MGET behind it that a slow node answers when the key was written', async () => {
    const [filler, client] = (await connect(2)) as [RawClient, RawClient];
    const [key, other] = await keysOfBoth();
    expect(await filler.text('GET', key)).toBe(NIL);
    const slow = nodes[(await ownersOf(proxy, [key]))[0] === nodes[0]?.address ? 1 : 0] as RedisProcess;
    slow.kill('SIGSTOP');
    const answers = client.pipeline([
      ['GET', key],
      ['MGET', key, other],
    ]);
    for (let round = 0; round < 3; round++) await filler.text('GET', key);
    await filler.command('SET', key, 'v');
    for (let round = 0; round < 3; round++) await filler.text('GET', key);
    slow.kill('SIGCONT');
    expect((await answers).map(String)).toEqual([NIL, `*2\r\n${NIL}${NIL}`]);
  });

  it('nor than the value that others have written meanwhile, and that each of its reads gets by itself', async () => {
    const [filler, client] = (await connect(2)) as [RawClient, RawClient];
    const key = newKey();
    expect(await filler.text('GET', key)).toBe(NIL);
    const answers = client.pipeline([
      ['GETRANGE', key, '0', '-1'],
      ['MGET', key, key],
      ['GET', key],
    ]);
    await roundTrips();
    await filler.command('SET', key, 'v');
    const [part, both, whole] = (await answers).map(String);
    expect([bulk('v'), bulk('')]).toContain(part);
    if (part === bulk('v')) expect(both).toBe(`*2\r\n${bulk('v')}${bulk('v')}`);
    if (both !== `*2\r\n${NIL}${NIL}`) expect(whole).toBe(bulk('v'));
  });
});

describe('what a client sends behind a read that waits', () => {
  it('is carried out, and answered in order', async () => {
    const key = newKey();
    const [filler, client] = (await connect(2)) as [RawClient, RawClient];
    expect(await filler.text('GET', key)).toBe(NIL);
    const counter = newKey('plain:');
    const answers = client.pipeline([['INCR', counter], ['GET', key], ['INCR', counter], ['GET', key], ['PING']]);
    await expect.poll(() => filler.text('GET', counter)).toBe(bulk('2'));
    await filler.command('SET', key, 'v');
    expect((await answers).map(String)).toEqual([':1\r\n', bulk('v'), ':2\r\n', bulk('v'), '+PONG\r\n']);
  });

  it('ends the wait where it concerns the key, or cannot go on before', async () => {
    const behind: readonly (readonly string[])[][] = [
      [['SET', 'KEY', 'own']],
      [['STRLEN', 'KEY']],
      [
        ['SELECT', '2'],
        ['SELECT', '0'],
      ],
      [['MULTI'], ['SET', 'KEY', 'own'], ['EXEC']],
      [['EVAL', 'return 1', '0']],
      [['SET', 'KEY', 'x'.repeat(2_000_000)]],
    ];
    for (const commands of behind) {
      const key = newKey('{p}');
      const [filler, client] = (await connect(2)) as [RawClient, RawClient];
      expect(await filler.text('GET', key)).toBe(NIL);
      const words = commands.map((command) => command.map((word) => (word === 'KEY' ? key : word)));
      const [first] = await client.pipeline([['GET', key], ...words]);
      expect(String(first), commands[0]?.[0]).toBe(NIL);
    }
  });

  it('may be the end of what it sends', async () => {
    const key = newKey();
    const [filler, client] = (await connect(2)) as [RawClient, RawClient];
    expect(await filler.text('GET', key)).toBe(NIL);
    const [answer] = (await ask([client], key)) as [Promise<string>];
    client.socket.end();
    await filler.command('SET', key, 'v');
    expect(await answer).toBe(bulk('v'));
    await client.closed;
  });
});

describe('MGET', () => {
  it('waits when others fill all that is missing, and gets each value in its place', async () => {
    const [a, b, c] = [newKey(), newKey(), newKey()] as [string, string, string];
    const [one, two, reader] = (await connect(3)) as [RawClient, RawClient, RawClient];
    await one.command('SET', c, 'there');
    const plain = newKey('plain:');
    expect(await one.text('GET', a)).toBe(NIL);
    expect(await two.text('GET', b)).toBe(NIL);
    const answer = reader.text('MGET', a, plain, c, b, a);
    await roundTrips();
    await one.command('SET', a, 'A');
    await two.command('MSET', b, 'B', plain, 'late');
    expect(await answer).toBe(`*5\r\n${bulk('A')}${NIL}${bulk('there')}${bulk('B')}${bulk('A')}`);
  });

  it('sees the miss when it is the first for one of them, and others wait for it', async () => {
    const [a, b] = [newKey(), newKey()] as [string, string];
    const [one, reader, waiter] = (await connect(3)) as [RawClient, RawClient, RawClient];
    expect(await one.text('GET', a)).toBe(NIL);
    expect(await reader.text('MGET', a, b)).toBe(`*2\r\n${NIL}${NIL}`);
    const [answer] = (await ask([waiter], b)) as [Promise<string>];
    await reader.command('SET', b, 'B');
    expect(await answer).toBe(bulk('B'));
  });

  it('ends with what it has when one of them is not filled', async () => {
    const [a, b] = [newKey(), newKey()] as [string, string];
    const [one, two, reader] = (await connect(3)) as [RawClient, RawClient, RawClient];
    expect(await one.text('GET', a)).toBe(NIL);
    expect(await two.text('GET', b)).toBe(NIL);
    const answer = reader.text('MGET', a, b);
    await roundTrips();
    await one.command('SET', a, 'A');
    two.close();
    expect(await answer).toBe(`*2\r\n${bulk('A')}${NIL}`);
  });
});

describe('a key is filled', () => {
  it('by whatever writes it, also past the proxy', async () => {
    const fills: ((client: RawClient, key: string) => Promise<unknown>)[] = [
      (client, key) => client.pipeline([['MULTI'], ['SET', key, 'v'], ['EXEC']]),
      (client, key) => client.command('EVAL', "return redis.call('SET', ARGV[1], 'v')", '1', '{p}', key),
      (client, key) => client.command('EVAL', "return redis.call('SET', KEYS[1], 'v')", '1', key),
      (client, key) =>
        client.pipeline([
          ['SET', '{p}source', 'v'],
          ['RENAME', '{p}source', key],
        ]),
      async (_client, key) => {
        const [owner] = await ownersOf(proxy, [key]);
        await nodes
          .find(({ address }) => address === owner)
          ?.client()
          .set(key, 'v');
      },
    ];
    for (const write of fills) {
      const key = newKey('{p}');
      const [filler, reader] = (await connect(2)) as [RawClient, RawClient];
      expect(await filler.text('GET', key)).toBe(NIL);
      const [answer] = (await ask([reader], key)) as [Promise<string>];
      await write(filler, key);
      expect(await answer).toBe(bulk('v'));
    }
  });
});

describe('while keys move', () => {
  it('misses are filled as ever', async () => {
    const [first, second] = (await startRedises(2)) as [RedisProcess, RedisProcess];
    const moving = await startRingproxy({ nodes: [first], config: CONFIG });
    await fill(moving, 3_000);
    const clients = await connect(4, moving);
    await post(moving, 'changes', add('node2', second));
    let isMoving = true;
    const done = settled(moving).finally(() => {
      isMoving = false;
    });
    let rounds = 0;
    while (isMoving) {
      const key = `page:moving:${rounds++}`;
      const answers = clients.map((client) => client.text('GET', key));
      const filler = await firstOf(answers);
      await clients[filler]?.command('SET', key, 'v');
      expect((await Promise.all(answers)).filter((answer) => answer === NIL)).toHaveLength(1);
    }
    await done;
    expect(rounds).toBeGreaterThan(3);
  });
});
