import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

let nodes: RedisProcess[];
let proxy: RingproxyProcess;

beforeAll(async () => {
  nodes = await startRedises(2);
  proxy = await startRingproxy({ nodes });
});

const connect = (): Promise<RawClient> => RawClient.connect(proxy.port);

describe('PING, ECHO, QUIT, SELECT', () => {
  it('answer as Redis does', async () => {
    const client = await connect();
    const redis = await RawClient.connect(nodes[0]?.port ?? 0);
    for (const words of [
      ['PING'],
      ['ping', 'hello'],
      ['PING', 'a', 'b'],
      ['ECHO', 'x'],
      ['ECHO'],
      ['SELECT', '16'],
      ['SELECT', '-1'],
      ['SELECT', 'x'],
      ['SELECT', '2147483648'],
      ['SELECT', '-9223372036854775808'],
      ['SELECT', '9223372036854775808'],
      ['SELECT', '15'],
      ['AUTH', 'x'],
      ['AUTH', 'a', 'b', 'c'],
      ['CLIENT', 'GETNAME'],
      ['CLIENT', 'SETNAME', 'a b'],
      ['CLIENT', 'REPLY', 'MAYBE'],
      ['CLIENT'],
      ['HELLO', '4'],
      ['HELLO', 'x'],
      ['HELLO', '3', 'NOPE'],
      ['CLIENT', 'KILL', '1.2.3.4:5'],
      ['CLIENT', 'KILL', 'ID', '0'],
      ['CLIENT', 'LIST', 'TYPE', 'nope'],
      ['COMMAND', 'COUNT'],
      ['COMMAND', 'GETKEYS', 'MSET', 'a', '1', 'b', '2'],
    ]) {
      expect([words, await client.text(...words)]).toEqual([words, await redis.text(...words)]);
    }
  });

  it('QUIT answers what came before it, then OK, then ends the connection', async () => {
    const client = await connect();
    const replies = await client.pipeline([['SET', 'q', '1'], ['GET', 'q'], ['QUIT'], ['GET', 'q']].slice(0, 3));
    expect(replies.map(String)).toEqual(['+OK\r\n', '$1\r\n1\r\n', '+OK\r\n']);
    await client.closed;
  });

  it('a pipeline that changes the database between commands keeps them apart', async () => {
    const client = await connect();
    const commands: string[][] = [];
    for (let i = 0; i < 50; i++)
      commands.push(['SELECT', String(i % 16)], ['SET', 'db', String(i % 16)], ['GET', 'db']);
    const replies = await client.pipeline(commands);
    for (let i = 0; i < 50; i++) expect(String(replies[i * 3 + 2])).toContain(`\r\n${i % 16}\r\n`);
  });
});

describe('HELLO', () => {
  it('changes the protocol, and names the server as Redis does', async () => {
    const client = await connect();
    const hello = await client.text('HELLO', '3', 'SETNAME', 'me');
    expect(hello).toMatch(/^%7\r\n\$6\r\nserver\r\n\$5\r\nredis\r\n\$7\r\nversion\r\n\$\d+\r\n7\./);
    expect(await client.text('CLIENT', 'GETNAME')).toBe('$2\r\nme\r\n');
    expect(await client.text('GET', 'missing')).toBe('_\r\n');
    await client.command('HSET', 'h', 'f', 'v');
    expect(await client.text('HGETALL', 'h')).toBe('%1\r\n$1\r\nf\r\n$1\r\nv\r\n');
    expect(await client.text('HELLO', '2')).toMatch(/^\*14\r\n/);
    expect(await client.text('GET', 'missing')).toBe('$-1\r\n');
  });

  it('may stand in the middle of a pipeline', async () => {
    const client = await connect();
    const replies = await client.pipeline([
      ['GET', 'none'],
      ['HELLO', '3'],
      ['GET', 'none'],
      ['HELLO', '2'],
      ['GET', 'none'],
    ]);
    expect([0, 2, 4].map((i) => String(replies[i]))).toEqual(['$-1\r\n', '_\r\n', '$-1\r\n']);
  });
});

describe('CLIENT', () => {
  it('LIST shows the clients of the proxy, KILL ends one', async () => {
    const victim = await connect();
    const other = await connect();
    await victim.command('CLIENT', 'SETNAME', 'victim');
    await victim.command('CLIENT', 'SETINFO', 'LIB-NAME', 'test-lib');
    const id = (await victim.text('CLIENT', 'ID')).slice(1, -2);
    const list = await other.text('CLIENT', 'LIST', 'ID', id);
    expect(list).toMatch(new RegExp(`id=${id} addr=127\\.0\\.0\\.1:\\d+ .*name=victim .*lib-name=test-lib`));
    expect(await other.text('CLIENT', 'KILL', 'ID', id)).toBe(':1\r\n');
    await victim.closed;
    expect(await other.text('CLIENT', 'LIST', 'ID', id)).toBe('$0\r\n\r\n');
  });

  it('REPLY OFF and SKIP keep replies back, and nothing else', async () => {
    const client = await connect();
    const replies = client.replies(3);
    client.send(
      'CLIENT REPLY SKIP\r\nSET r 1\r\nGET r\r\nCLIENT REPLY OFF\r\nSET r 2\r\nPING\r\nMGET r s\r\nCLIENT REPLY ON\r\nGET r\r\n',
    );
    expect((await replies).map(String)).toEqual(['$1\r\n1\r\n', '+OK\r\n', '$1\r\n2\r\n']);
  });
});

describe('a password', () => {
  // Symptom: EXEC was answered NOAUTH, and so was what Redis does not know. Cause: the password was looked at first.
  it('is asked for in the words and the order of Redis', async () => {
    const locked = await startRingproxy({ nodes, config: 'password: sesame\n' });
    const redis = await startRedis({ args: ['--requirepass', 'sesame'] });
    const client = await RawClient.connect(locked.port);
    const other = await RawClient.connect(redis.port);
    for (const words of [
      ['NOSUCH', 'a'],
      ['SET'],
      ['GET', 'a'],
      ['MULTI'],
      ['EXEC'],
      ['EXEC', 'x'],
      ['CLIENT', 'ID'],
    ]) {
      expect([words, await client.text(...words)]).toEqual([words, await other.text(...words)]);
    }
  });

  it('is asked for, by AUTH or HELLO', async () => {
    const locked = await startRingproxy({ nodes, config: 'password: sesame\n' });
    const client = await RawClient.connect(locked.port);
    expect(await client.text('GET', 'a')).toBe('-NOAUTH Authentication required.\r\n');
    expect(await client.text('HELLO', '3')).toMatch(
      /^-NOAUTH HELLO must be called with the client already authenticated/,
    );
    expect(await client.text('AUTH', 'wrong')).toBe(
      '-WRONGPASS invalid username-password pair or user is disabled.\r\n',
    );
    expect(await client.text('AUTH', 'other', 'sesame')).toMatch(/^-WRONGPASS /);
    expect(await client.text('AUTH', 'sesame')).toBe('+OK\r\n');
    expect(await client.text('GET', 'a')).toBe('$-1\r\n');
    const other = await RawClient.connect(locked.port);
    expect(await other.text('HELLO', '3', 'AUTH', 'default', 'sesame')).toMatch(/^%7/);
    expect(await other.text('GET', 'a')).toBe('_\r\n');
  });

  it('keeps frames small until it was given', async () => {
    const locked = await startRingproxy({ nodes, config: 'password: sesame\n' });
    const client = await RawClient.connect(locked.port);
    client.send('*11\r\n');
    expect(String((await client.replies(1))[0])).toBe('-ERR Protocol error: unauthenticated multibulk length\r\n');
    await client.closed;
    const other = await RawClient.connect(locked.port);
    other.send('*2\r\n$4\r\nAUTH\r\n$16385\r\n');
    expect(String((await other.replies(1))[0])).toBe('-ERR Protocol error: unauthenticated bulk length\r\n');
    await other.closed;
  });

  it('of a node is its own: it is given to the node, and to nobody else', async () => {
    const [guarded] = await startRedises(1, { args: ['--requirepass', 'node-secret'] });
    const through = await startRingproxy({
      nodes: guarded === undefined ? [] : [guarded],
      config: 'node-password: node-secret\n',
    });
    const client = await RawClient.connect(through.port);
    expect(await client.text('SET', 'a', '1')).toBe('+OK\r\n');
    const wrong = await startRingproxy({
      nodes: guarded === undefined ? [] : [guarded],
      config: 'node-password: wrong\n',
      allowLog: [/refused AUTH/, /is down/, /WRONGPASS/],
    });
    const refused = await RawClient.connect(wrong.port);
    expect(await refused.text('SET', 'a', '1')).toMatch(
      /^-NODEDOWN node node1 \(127\.0\.0\.1:\d+\) refused AUTH: WRONGPASS/,
    );
  });
});

describe('limits', () => {
  it('a client beyond max-clients is told so', async () => {
    const small = await startRingproxy({ nodes, config: 'max-clients: 2\n', allowLog: [/turned away/] });
    const first = await RawClient.connect(small.port);
    await first.command('PING');
    const second = await RawClient.connect(small.port);
    await second.command('PING');
    const third = await RawClient.connect(small.port);
    expect(String((await third.replies(1))[0])).toBe('-ERR max number of clients reached\r\n');
    await third.closed;
    first.close();
    await small.logged(/client:closed|turned away/);
    expect(await second.text('PING')).toBe('+PONG\r\n');
  });

  it('a client that says nothing is closed after the idle timeout', async () => {
    const strict = await startRingproxy({ nodes, config: 'idle-timeout: 2s\n' });
    const client = await RawClient.connect(strict.port);
    await client.command('PING');
    await client.closed;
  });

  it('serves on a Unix socket', async () => {
    const path = `/tmp/ringproxy-test-${process.pid}.sock`;
    const local = await startRingproxy({ nodes, args: ['--listen', `unix:${path}`] });
    const client = await RawClient.connect(path);
    expect(await client.text('SET', 'u', '1')).toBe('+OK\r\n');
    expect(local.listen).toBe(path);
    await local.stop();
  });
});

describe('a client that sends nothing more', () => {
  // It was never ended where its last reply was large: only small ones looked whether they were the last.
  it.each([1, 100_000, 5_000_000])('gets its replies, the last one of %d bytes, and is ended', async (length) => {
    const client = await connect();
    await client.command('SET', 'half-closed', Buffer.alloc(length, 'x'));
    const replies = client.replies(2);
    client.socket.end('*2\r\n$3\r\nGET\r\n$11\r\nhalf-closed\r\n'.repeat(2));
    expect((await replies).map((reply) => reply.length)).toEqual(
      Array(2).fill(length + String(length).length + '$\r\n\r\n'.length),
    );
    await client.closed;
  });
});
