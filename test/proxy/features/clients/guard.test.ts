/** Who must not use the cache: web pages, other machines when there is no password, and strangers who do not read. */
import { networkInterfaces } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

let nodes: RedisProcess[];

beforeAll(async () => {
  nodes = await startRedises(2);
});

/** Sends the bytes. @returns all that is answered until the connection is closed */
async function say(port: number, bytes: string): Promise<string> {
  const client = await RawClient.connect(port);
  let answer = '';
  client.socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  client.send(bytes);
  await client.closed;
  return answer;
}

const BODY = 'SET pwned 1\r\nFLUSHALL\r\n';

const PAGES: Readonly<Record<string, string>> = {
  'a POST': `POST / HTTP/1.1\r\nHost: 127.0.0.1:6380\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  'a post in lower case': `post /\r\n${BODY}`,
  'POST alone': `POST\r\n${BODY}`,
  'a PUT': `PUT / HTTP/1.1\r\nHost: 127.0.0.1:6380\r\n\r\n${BODY}`,
  'a header that comes late': `OPTIONS / HTTP/1.1\r\nAccept: *\r\nhOsT: x\r\n\r\n${BODY}`,
  'the name of a host as an argument': `*2\r\n$5\r\nHost:\r\n$1\r\nx\r\n${BODY}`,
  'a POST in a transaction': `MULTI\r\nPOST / HTTP/1.1\r\n${BODY}EXEC\r\n`,
  'a POST of a subscriber': `SUBSCRIBE c\r\nPOST / HTTP/1.1\r\n${BODY}`,
};

// Symptom: an HTTP POST to the port whose body was `SET pwned 1` set it. Cause: its lines were inline commands.
describe.each([
  ['one process', []],
  ['two workers', ['--workers', '2']],
])("a web page's request: %s", (_, args) => {
  let proxy: RingproxyProcess;
  let redis: RedisProcess;

  beforeAll(async () => {
    proxy = await startRingproxy({ nodes, args, allowLog: [/possible attack/] });
    redis = await startRedis();
  });

  it.each(Object.keys(PAGES))('%s ends the connection before its body is read, as in Redis', async (page) => {
    const bytes = PAGES[page] as string;
    await Promise.all([say(proxy.port, bytes), say(redis.port, bytes)]);
    const client = proxy.client();
    expect([await client.get('pwned'), await redis.client().get('pwned')]).toEqual([null, null]);
    await client.set('still', 'here');
    await proxy.logged(/possible attack: client 127\.0\.0\.1:\d+ sent POST or Host:/);
  });
});

it('many such requests are one line in the log', async () => {
  const proxy = await startRingproxy({ nodes, allowLog: [/possible attack/] });
  for (let i = 0; i < 50; i++) expect(await say(proxy.port, `POST / HTTP/1.1\r\n\r\n${BODY}`)).toBe('');
  expect(proxy.log.filter(({ msg }) => msg.includes('possible attack'))).toHaveLength(1);
});

it('what only looks like one is a command', async () => {
  const proxy = await startRingproxy({ nodes });
  const client = await RawClient.connect(proxy.port);
  expect(await client.text('POSTS')).toMatch(/^-ERR unknown command 'POSTS'/);
  expect(await client.text('SET', 'POST', 'Host:')).toBe('+OK\r\n');
  expect(await client.text('GET', 'POST')).toBe('$5\r\nHost:\r\n');
});

/** An address of this machine that is not loopback; what is sent there does not leave the machine either. */
const ADDRESS = Object.values(networkInterfaces())
  .flat()
  .find((one) => one !== undefined && one.family === 'IPv4' && !one.internal)?.address;

describe.skipIf(ADDRESS === undefined)('protected mode', () => {
  const host = ADDRESS ?? '';
  const allowLog = [/possible attack/];

  // Symptom: whoever reached a port beyond loopback could use the cache without a password. Redis refuses that.
  it.each([
    ['one process', []],
    ['two workers', ['--workers', '2']],
  ])('lets in only clients of this machine where there is no password: %s', async (_, args) => {
    const proxy = await startRingproxy({ nodes, args: ['--listen', '0.0.0.0:0', ...args], allowLog });
    const stranger = await RawClient.connect(proxy.port, host);
    stranger.send('SET pwned 1\r\n');
    expect(String((await stranger.replies(1))[0])).toMatch(/^-DENIED the proxy runs in protected mode/);
    await stranger.closed;
    const local = await RawClient.connect(proxy.port);
    expect(await local.text('GET', 'pwned')).toBe('$-1\r\n');
    await proxy.logged(/came from beyond loopback in protected mode/);
  });

  it('takes a client of IPv6 or of IPv4 by a socket of IPv6 for what it is', async () => {
    const proxy = await startRingproxy({ nodes, args: ['--listen', '[::]:0'], allowLog });
    for (const local of ['127.0.0.1', '::1']) {
      expect(await (await RawClient.connect(proxy.port, local)).text('PING')).toBe('+PONG\r\n');
    }
    const stranger = await RawClient.connect(proxy.port, host);
    expect(String((await stranger.replies(1))[0])).toMatch(/^-DENIED/);
  });

  it.each(['password: sesame\n', 'protected-mode: false\n'])('lets others in with %s', async (config) => {
    const proxy = await startRingproxy({ nodes, args: ['--listen', '0.0.0.0:0'], config });
    const client = await RawClient.connect(proxy.port, host);
    const replies = await client.pipeline([['HELLO', '2', 'AUTH', 'default', 'sesame'], ['PING']]);
    expect(String(replies[1])).toBe('+PONG\r\n');
  });
});

describe('a client that has not authenticated', () => {
  it('may send what Redis lets it send', async () => {
    const proxy = await startRingproxy({ nodes, config: 'password: sesame\n' });
    const redis = await startRedis({ args: ['--requirepass', 'sesame'] });
    for (const bytes of [
      '*11\r\n',
      '*2\r\n$3\r\nGET\r\n$16385\r\n',
      'x'.repeat(200_000),
      'POST / HTTP/1.1\r\n',
      '*1048577\r\n',
    ]) {
      proxy.allowLog(/possible attack/);
      expect(await say(proxy.port, bytes)).toBe(await say(redis.port, bytes));
    }
  });

  // Symptom: errors for strangers who did not read them took up to client-output-limit (64 MB) for each connection.
  it('is not read any more when it does not read its errors', async () => {
    const proxy = await startRingproxy({ nodes, config: 'password: sesame\n' });
    const stranger = await RawClient.connect(proxy.port);
    stranger.socket.pause();
    const block = Buffer.from('GET x\r\n'.repeat(100_000));
    for (let i = 0; i < 20; i++) stranger.send(block);
    const client = proxy.client({ password: 'sesame' });
    const own = stranger.socket.localPort;
    const outputOf = async (): Promise<number> => {
      const list = (await client.client('LIST')) as string;
      return Number(new RegExp(`addr=127\\.0\\.0\\.1:${own} .*omem=(\\d+)`).exec(list)?.[1] ?? -1);
    };
    await expect.poll(outputOf).toBeGreaterThan(0);
    for (let i = 0; i < 5; i++) expect(await outputOf()).toBeLessThan(100_000);
    stranger.socket.resume();
    const replies = await stranger.replies(2_000_000);
    expect(String(replies.at(-1))).toBe('-NOAUTH Authentication required.\r\n');
  }, 60_000);
});
