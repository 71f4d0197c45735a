/** Clients that send what they have to say, shut down their writing side, and then read. */
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';
import { request } from '../../../src/resp/encode.js';
import { processorTime } from '../../bench/process-usage.js';
import { megabytes } from '../../support/process-memory.js';
import { type RedisProcess, startRedis, startRedises } from '../../support/redis-process.js';
import { add, post, settled } from '../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';

let nodes: RedisProcess[];
let redis: RedisProcess;

beforeAll(async () => {
  nodes = await startRedises(3);
  redis = await startRedis();
});

type Commands = readonly (readonly string[])[];

/** Sends the commands, and `rest`, and the end of the stream at once. @returns all that is answered until the other side ends, too */
function sayAndShutDown(port: number, commands: Commands, rest = ''): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('end', () => socket.destroy());
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.end(Buffer.concat([...commands.map((words) => Buffer.from(request(words))), Buffer.from(rest)]));
  });
}

const SCRIPT = "local x = 0 for i = 1, 3000000 do x = x + i end return redis.call('GET', KEYS[1])";
const LARGE = 'x'.repeat(400_000);

const CASES: Readonly<Record<string, Commands>> = {
  'WAIT in the middle': [
    ['SET', 'k', '1'],
    ['WAIT', '0', '0'],
    ['GET', 'k'],
  ],
  'WAIT twice, and commands that all nodes are asked': [
    ['SET', 'k', '1'],
    ['WAIT', '0', '0'],
    ['DEL', 'k', 'other'],
    ['WAIT', '0', '100'],
    ['KEYS', 'nothing*'],
  ],
  'a pop that finds something': [
    ['RPUSH', '{l}', 'a', 'b'],
    ['BLPOP', '{l}', '0'],
    ['BLMOVE', '{l}', '{l}2', 'LEFT', 'LEFT', '0'],
    ['BLPOP', '{l}2', '5'],
    ['EXISTS', '{l}', '{l}2'],
  ],
  'a pop that finds nothing': [
    ['SET', 'k', '2'],
    ['GET', 'k'],
    ['BLPOP', 'nothing', '0'],
    ['GET', 'k'],
  ],
  'a pop that finds nothing, and nothing before it': [['BRPOP', 'nothing', '3'], ['PING']],
  'a transaction that watches': [
    ['WATCH', '{t}k'],
    ['MULTI'],
    ['SET', '{t}k', '1'],
    ['GET', '{t}k'],
    ['EXEC'],
    ['DEL', '{t}k'],
  ],
  'a transaction that was not ended': [['SET', 'k', '3'], ['MULTI'], ['SET', 'k', '4'], ['DISCARD'], ['GET', 'k']],
  'a script that takes a while': [
    ['SET', 's', '1'],
    ['EVAL', SCRIPT, '1', 's'],
    ['GET', 's'],
  ],
  'large values': [
    ['SET', 'large', LARGE],
    ['APPEND', 'large', LARGE],
    ['GETRANGE', 'large', '0', '10'],
    ['GET', 'large'],
    ['DEL', 'large'],
  ],
  'changes of the database and the protocol': [
    ['SELECT', '3'],
    ['SET', 'k', '5'],
    ['WAIT', '0', '0'],
    ['GET', 'k'],
    ['DEL', 'k'],
    ['SELECT', '0'],
    ['GET', 'missing'],
  ],
};

/** A pipeline that is longer than what may be in flight. */
const LONG: Commands = [
  ['DEL', 'counter'],
  ...Array.from({ length: 30_000 }, (_, i) => (i % 1000 === 999 ? ['WAIT', '0', '0'] : ['INCR', 'counter'])),
];

// Symptom: `SET; WAIT 0 0; GET` and a shutdown of the writing side got one reply of three. Cause: whoever waited when
// the end came was closed at once, with all that it had sent before the end.
describe.each([
  ['one process', [], {}],
  ['two workers', ['--workers', '2'], {}],
  ['plain sockets', [], { RINGPROXY_PLAIN_SOCKETS: '1' }],
])('what was sent before the end of the stream is answered: %s', (_, args, env) => {
  let proxy: RingproxyProcess;
  let observer: Redis;

  beforeAll(async () => {
    proxy = await startRingproxy({ nodes, args, env });
    observer = proxy.client();
  });

  it.each(Object.keys(CASES))('%s, as by Redis', async (name) => {
    const commands = CASES[name] as Commands;
    for (let i = 0; i < 3; i++) {
      expect(await sayAndShutDown(proxy.port, commands)).toBe(await sayAndShutDown(redis.port, commands));
    }
  });

  it.each(['*2\r\n$3\r\nGET', `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$400000\r\n${'x'.repeat(300_000)}`])(
    'but for half a command behind whole ones, as by Redis',
    async (half) => {
      const commands = CASES['WAIT in the middle'] as Commands;
      expect(await sayAndShutDown(proxy.port, commands, half)).toBe(await sayAndShutDown(redis.port, commands, half));
      expect(await observer.get('k')).toBe('1');
    },
  );

  it('a pipeline of 30,000 commands', async () => {
    const replies = await sayAndShutDown(proxy.port, LONG);
    expect(replies.split('\r\n').length).toBe(LONG.length + 1);
    expect(replies).toMatch(/:29970\r\n:0\r\n$/);
  });

  it('by many clients at once, the commands that wait among them, and no connection stays', async () => {
    const commands: Commands = [
      ['SET', 'k', '1'],
      ['BLPOP', 'nothing', '0'],
      ['SET', 'k', '2'],
    ];
    const answers = Array.from({ length: 100 }, () => sayAndShutDown(proxy.port, commands));
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['+OK\r\n']));
    const list = async (): Promise<string> => (await observer.client('LIST')) as string;
    await expect.poll(async () => (await list()).trim().split('\n').length).toBe(1);
  });
});

describe('while the ring changes', () => {
  it('what waits for the fence or a moved key is answered', async () => {
    const [a, b, c] = await startRedises(3);
    const proxy = await startRingproxy({ nodes: [a as RedisProcess, b as RedisProcess] });
    const client = proxy.client();
    for (let i = 0; i < 3000; i++) void client.set(`key:${i}`, String(i));
    await client.ping();
    await post(proxy, 'changes', add('node3', c as RedisProcess));
    const commands = (i: number): Commands => [
      ['GET', `key:${i}`],
      ['WAIT', '0', '0'],
      ['APPEND', `key:${i}`, '!'],
      ['GET', `key:${i}`],
    ];
    const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => sayAndShutDown(proxy.port, commands(i))));
    await settled(proxy);
    answers.forEach((answer, i) => {
      const text = String(i);
      const whole = `$${text.length}\r\n${text}\r\n:0\r\n:${text.length + 1}\r\n$${text.length + 1}\r\n${text}!\r\n`;
      expect(answer).toBe(whole);
    });
  });
});

describe('a client that has asked for more than the kernel keeps, has shut down, and does not read', () => {
  const GETS: Commands = Array.from({ length: 16 }, () => ['GET', 'big']);
  const BIG = 'x'.repeat(3_000_000);

  async function start(config: string) {
    const proxy = await startRingproxy({ nodes, config });
    const observer = proxy.client();
    await observer.set('big', BIG);
    const socket = net.connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    socket.pause();
    socket.end(Buffer.concat(GETS.map((words) => request(words))));
    const clients = async () =>
      String(await observer.client('LIST'))
        .trim()
        .split('\n').length;
    await expect.poll(clients).toBe(2);
    return { proxy, socket, clients };
  }

  it('costs no processor time, and is told all once it reads', async () => {
    const { proxy, socket } = await start('');
    // The node takes its time, and meanwhile there is something to do.
    let [before, kept] = [0, megabytes(proxy.pid, 'now')];
    while (kept - before > 1) {
      await sleep(1500);
      [before, kept] = [kept, megabytes(proxy.pid, 'now')];
    }
    const spent = processorTime(proxy.pid);
    await sleep(3000);
    expect((processorTime(proxy.pid) - spent) / 1e6).toBeLessThan(1);
    expect(megabytes(proxy.pid, 'now') - kept).toBeLessThan(5);
    let bytes = 0;
    const ended = new Promise((resolve) => socket.on('end', resolve));
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.resume();
    await ended;
    expect(bytes).toBe(GETS.length * (BIG.length + `$${BIG.length}\r\n\r\n`.length));
    socket.destroy();
  });

  it('is ended after client-stall-timeout', async () => {
    const { socket, clients } = await start('client-stall-timeout: 1s\n');
    await expect.poll(clients, { timeout: 20_000 }).toBe(1);
    socket.destroy();
  });
});
