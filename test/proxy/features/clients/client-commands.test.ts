import { describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

const idOf = async (client: RawClient): Promise<string> => (await client.text('CLIENT', 'ID')).slice(1, -2);

async function connect(proxy: RingproxyProcess, name: string): Promise<{ client: RawClient; id: string }> {
  const client = await RawClient.connect(proxy.port);
  await client.command('CLIENT', 'SETNAME', name);
  return { client, id: await idOf(client) };
}

/** Names in CLIENT LIST, sorted. */
const namesIn = (list: string): string[] => [...list.matchAll(/ name=(\S+) /g)].map(([, name]) => name ?? '').sort();

describe.each([['1'], ['2']])('with --workers %s', (workers) => {
  const start = async (): Promise<RingproxyProcess> =>
    startRingproxy({ nodes: await startRedises(2), args: ['--workers', workers] });

  it('CLIENT LIST shows the clients of all processes, CLIENT KILL ends them', async () => {
    const proxy = await start();
    const clients = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => connect(proxy, name)));
    const [first, second, third, fourth, fifth, sixth] = clients as [
      (typeof clients)[0],
      (typeof clients)[0],
      (typeof clients)[0],
      (typeof clients)[0],
      (typeof clients)[0],
      (typeof clients)[0],
    ];
    const asker = first.client;
    const list = await asker.text('CLIENT', 'LIST');
    expect(namesIn(list)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    const ids = [...list.matchAll(/^(?:\$\d+\r\n)?id=(\d+) /gm)].map(([, id]) => Number(id));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(namesIn(await asker.text('CLIENT', 'LIST', 'ID', second.id, third.id, '999'))).toEqual(['b', 'c']);
    await fourth.client.command('SUBSCRIBE', 'channel');
    expect(namesIn(await asker.text('CLIENT', 'LIST', 'TYPE', 'pubsub'))).toEqual(['d']);
    expect(namesIn(await asker.text('CLIENT', 'LIST', 'TYPE', 'normal'))).toEqual(['a', 'b', 'c', 'e', 'f']);
    expect(await asker.text('CLIENT', 'LIST', 'TYPE', 'what')).toBe("-ERR Unknown client type 'what'\r\n");

    expect(await asker.text('CLIENT', 'KILL', 'ID', second.id)).toBe(':1\r\n');
    expect(await asker.text('CLIENT', 'KILL', 'ID', second.id)).toBe(':0\r\n');
    await second.client.closed;
    const address = / addr=(\S+) .* name=c /.exec(list)?.[1] ?? '';
    expect(await asker.text('CLIENT', 'KILL', address)).toBe('+OK\r\n');
    expect(await asker.text('CLIENT', 'KILL', address)).toBe('-ERR No such client\r\n');
    expect(await asker.text('CLIENT', 'KILL', 'TYPE', 'pubsub', 'USER', 'default')).toBe(':1\r\n');
    await Promise.all([third.client.closed, fourth.client.closed]);
    expect(await asker.text('CLIENT', 'KILL', 'LADDR', `127.0.0.1:${proxy.port}`)).toBe(':2\r\n');
    await Promise.all([fifth.client.closed, sixth.client.closed]);
    expect(await asker.text('CLIENT', 'KILL', 'ID', first.id, 'SKIPME', 'no')).toBe(':1\r\n');
    await asker.closed;
  });

  it('CLIENT UNBLOCK ends the wait of any client', async () => {
    const proxy = await start();
    const waiting = await Promise.all(['a', 'b', 'c'].map((name) => connect(proxy, name)));
    const asker = await RawClient.connect(proxy.port);
    for (const [i, { client, id }] of waiting.entries()) {
      const reply = client.text('BLPOP', 'list', '0');
      while ((await asker.text('CLIENT', 'UNBLOCK', id, i === 0 ? 'ERROR' : 'TIMEOUT')) !== ':1\r\n') {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(await reply).toBe(i === 0 ? '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n' : '*-1\r\n');
    }
    expect(await asker.text('CLIENT', 'UNBLOCK', '4711')).toBe(':0\r\n');
  });

  it('CLIENT PAUSE holds what clients of all processes write, or all that they send', async () => {
    const proxy = await start();
    const clients = await Promise.all(['a', 'b', 'c'].map((name) => connect(proxy, name)));
    const asker = await RawClient.connect(proxy.port);
    expect(await asker.text('CLIENT', 'PAUSE', '100000', 'WRITE')).toBe('+OK\r\n');
    const written: string[] = [];
    const writes = clients.map(async ({ client }, i) => {
      written.push(await client.text('SET', `k${i}`, 'v'));
    });
    expect(await asker.text('GET', 'k0')).toBe('$-1\r\n');
    expect(await asker.text('EVAL_RO', 'return 1', '0')).toBe(':1\r\n');
    for (let i = 0; i < 10; i++) await asker.text('PING');
    expect(written).toEqual([]);
    expect(await asker.text('CLIENT', 'UNPAUSE')).toBe('+OK\r\n');
    await Promise.all(writes);
    expect(written).toEqual(['+OK\r\n', '+OK\r\n', '+OK\r\n']);

    const since = performance.now();
    expect(await asker.text('CLIENT', 'PAUSE', '150')).toBe('+OK\r\n');
    // It ends by itself.
    expect(await asker.text('GET', 'k0')).toBe('$1\r\nv\r\n');
    expect(performance.now() - since).toBeGreaterThan(145);
    expect(await asker.text('CLIENT', 'PAUSE', '-1')).toBe('-ERR timeout is negative\r\n');
    expect(await asker.text('CLIENT', 'PAUSE', 'x')).toBe('-ERR timeout is not an integer or out of range\r\n');
    expect(await asker.text('CLIENT', 'PAUSE', '1', 'x')).toBe('-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n');
  });

  it('a transaction that writes waits with its EXEC', async () => {
    const proxy = await start();
    const [writer, reader, asker] = await Promise.all([1, 2, 3].map(() => RawClient.connect(proxy.port)));
    await writer?.pipeline([['MULTI'], ['SET', 'a', '1']]);
    await reader?.pipeline([['MULTI'], ['GET', 'a']]);
    expect(await asker?.text('CLIENT', 'PAUSE', '100000', 'WRITE')).toBe('+OK\r\n');
    expect(await reader?.text('EXEC')).toBe('*1\r\n$-1\r\n');
    let done = false;
    const exec = writer?.text('EXEC').then((reply) => {
      done = true;
      return reply;
    });
    expect(await asker?.text('GET', 'a')).toBe('$-1\r\n');
    expect(done).toBe(false);
    expect(await asker?.text('CLIENT', 'UNPAUSE')).toBe('+OK\r\n');
    expect(await exec).toBe('*1\r\n+OK\r\n');
  });

  it('MONITOR shows the commands of all clients, and no secrets', async () => {
    const proxy = await start();
    const monitor = await RawClient.connect(proxy.port);
    expect(await monitor.text('MONITOR')).toBe('+OK\r\n');
    const clients = await Promise.all(['a', 'b', 'c'].map(() => RawClient.connect(proxy.port)));
    for (const [i, client] of clients.entries()) {
      await client.command('SET', `k${i}`, 'a "b"\n\x00\xff\\');
      const [line] = await monitor.replies(1);
      expect(line?.toString('latin1')).toMatch(
        /^\+\d{10}\.\d{6} \[0 127\.0\.0\.1:\d+\] "SET" "k\d" "a \\"b\\"\\n\\x00\\xc3\\xbf\\\\"\r\n$/,
      );
    }
    const [client] = clients;
    await client?.pipeline([
      ['AUTH', 'default', 'secret'],
      ['HELLO', '2', 'AUTH', 'default', 'secret'],
      ['CLIENT', 'LIST'],
      ['MULTI'],
      ['SET', 'x', '1'],
      ['EXEC'],
    ]);
    const lines = (await monitor.replies(5)).map((line) => line.toString().replace(/^.*?\] /, ''));
    expect(lines).toEqual([
      '"AUTH" "(redacted)" "(redacted)"\r\n',
      '"HELLO" "2" "AUTH" "(redacted)" "(redacted)"\r\n',
      '"MULTI"\r\n',
      '"SET" "x" "1"\r\n',
      '"EXEC"\r\n',
    ]);
    expect(await client?.text('CLIENT', 'LIST')).toContain('flags=O');
    expect(await monitor.text('RESET')).toBe('+RESET\r\n');
    await client?.command('GET', 'x');
    expect(await monitor.text('PING')).toBe('+PONG\r\n');
  });
});

it('a client that monitors and does not read is cut', async () => {
  const proxy = await startRingproxy({
    nodes: await startRedises(1),
    env: { RINGPROXY_CLIENT_OUTPUT_LIMIT: '64kb' },
  });
  const monitor = await RawClient.connect(proxy.port);
  await monitor.command('MONITOR');
  monitor.socket.pause();
  const client = await RawClient.connect(proxy.port);
  const value = 'x'.repeat(30_000);
  while ((await client.text('CLIENT', 'LIST')).includes('flags=O')) await client.command('SET', 'k', value);
  expect(await client.text('GET', 'k')).toContain(value);
});
