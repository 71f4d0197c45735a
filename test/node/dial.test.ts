/** Connections to real nodes, and to what only looks like one. */
import net from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  connectNode,
  describeNodeError,
  isReplyError,
  namingNode,
  onNode,
  wasLoginRefused,
} from '../../src/node/client.js';
import { type DialOptions, dial } from '../../src/node/dial.js';
import { type FailureKind, NodeFailure } from '../../src/node/failure.js';
import { atEnd } from '../support/cleanup.js';
import { freePort } from '../support/free-port.js';
import { startRedis } from '../support/redis-process.js';
import { tempFolder } from '../support/temp-folder.js';

const OPTIONS: DialOptions = {
  connectionName: 'test',
  timeout: 2000,
  asks: ['id', 'process', 'peer', 'clock'],
  tolerates: 'lacking rights',
};

const at = (address: string, login: { username?: string; password?: string } = {}) => ({
  ...{ name: 'n', address, username: '', password: '' },
  ...login,
});

/** @returns why it cannot be connected to */
async function failureAt(
  address: string,
  login: { username?: string; password?: string } = {},
  options: Partial<DialOptions> = {},
): Promise<NodeFailure> {
  const error: unknown = await dial(at(address, login), { ...OPTIONS, ...options }).then(
    ({ socket }) => socket.destroy(),
    (reason: unknown) => reason,
  );
  if (error instanceof NodeFailure) return error;
  throw new Error(`expected a failure, got ${String(error)}`);
}

/** Answers each connection with these bytes at once, and ends it if that is wanted. */
async function serve(answer: string | null, ends = false): Promise<string> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    if (answer !== null) socket.write(answer);
    if (ends) socket.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => void server.close());
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

describe('a node lets in', () => {
  it('by host and port, by a name and by a Unix socket, and says who it is', async () => {
    const path = join(tempFolder('socket'), 'redis.sock');
    const redis = await startRedis({ args: ['--unixsocket', path] });
    const runId = /run_id:(\w+)/.exec(await redis.client().info('server'))?.[1];
    for (const address of [redis.address, `localhost:${redis.port}`, path]) {
      const { socket, ...greeted } = await dial(at(address), OPTIONS);
      expect(greeted).toMatchObject({ runId, connectionId: expect.any(Number) });
      expect(greeted.connectionId).toBeGreaterThan(0);
      expect(Math.abs(greeted.clockOffset)).toBeLessThan(500);
      expect(await redis.client().client('LIST')).toMatch(new RegExp(`^id=${greeted.connectionId} .* name=test `, 'm'));
      socket.destroy();
    }
  });

  it('users of an ACL, also such that may not say who they are', async () => {
    const redis = await startRedis();
    const client = redis.client();
    await client.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all');
    await client.call('ACL', 'SETUSER', 'poor', 'on', '>secret', '~*', '+get', '+ping');
    for (const username of ['app', 'poor']) {
      const node = at(redis.address, { username, password: 'secret' });
      const { socket, connectionId, clockOffset } = await dial(node, OPTIONS);
      expect(connectionId > 0).toBe(username === 'app');
      if (username === 'poor') expect(clockOffset).toBe(0);
      socket.destroy();
    }
    const answered = await onNode(at(redis.address, { username: 'poor', password: 'secret' }), 'test', 2000, (redis) =>
      redis.set('a', '1').catch((error: unknown) => error),
    );
    expect(isReplyError(answered)).toBe(true);
    expect(describeNodeError(answered)).toMatch(/^NOPERM /);
  });
});

describe('a node that cannot be connected to is told by the kind of failure', () => {
  it('when it wants another login', async () => {
    const redis = await startRedis({ args: ['--requirepass', 'secret'] });
    await expect(failureAt(redis.address)).resolves.toMatchObject({
      kind: 'auth',
      message: expect.stringMatching(/^node n \(\S+\) refused CLIENT SETNAME: NOAUTH/),
    });
    for (const login of [{ password: 'wrong' }, { username: 'nobody', password: 'secret' }]) {
      const error = await failureAt(redis.address, login, { tolerates: 'any error' });
      expect(error).toMatchObject({ kind: 'auth', message: expect.stringContaining('refused AUTH: WRONGPASS') });
      expect(wasLoginRefused(error)).toBe(true);
      expect(describeNodeError(error)).toMatch(/^WRONGPASS/);
      expect(error.message).not.toContain(login.password);
    }
  });

  it('when it has none, and is given one', async () => {
    const redis = await startRedis({ args: ['--user', 'default', 'off'] });
    expect(await failureAt(redis.address, { password: 'x' })).toMatchObject({ kind: 'auth' });
  });

  it('when it has enough of connections', async () => {
    const redis = await startRedis({ args: ['--maxclients', '1'] });
    await redis.client().ping();
    expect(await failureAt(redis.address)).toMatchObject({
      kind: 'turned-away',
      message: expect.stringContaining('refused the connection: ERR max number of clients reached'),
    });
  });

  it('while it runs a script, where its answers matter', async () => {
    const redis = await startRedis({ args: ['--busy-reply-threshold', '10'] });
    const script = redis.client().eval('while true do end', 0);
    script.catch(() => {});
    await expect
      .poll(() => failureAt(redis.address).catch(() => null), { timeout: 20_000 })
      .toMatchObject({ kind: 'busy', passes: true });
    // Where they do not, it is let be.
    const client = await connectNode(at(redis.address), 'test', 2000);
    await client.call('SCRIPT', 'KILL');
    await expect(script).rejects.toThrow(/script killed|User requested/i);
    client.disconnect();
  });

  it('when nobody is there, or somebody else', async () => {
    const cases: [FailureKind, string][] = [
      ['refused', `127.0.0.1:${await freePort()}`],
      ['no-socket', join(tempFolder('nowhere'), 'redis.sock')],
      ['not-found', 'no-such-name.invalid:6379'],
      ['protocol', await serve('HTTP/1.1 400 Bad Request\r\n\r\n')],
      ['closed', await serve('+OK\r\n', true)],
      ['unasked', await serve(`${'+OK\r\n'.repeat(9)}`)],
      ['timeout', await serve(null)],
      ['greeting', await serve('-ERR I have had a bad day\r\n')],
    ];
    for (const [kind, address] of cases) {
      const { kind: found } = await failureAt(address, {}, { timeout: kind === 'timeout' ? 50 : 5000 });
      expect([address, found]).toEqual([address, kind]);
    }
  });
});

it('a command that fails says whether it was the connection', async () => {
  const redis = await startRedis();
  const node = at(redis.address);
  const client = await connectNode(node, 'test', 2000);
  const wrong = await client.call('GET').catch((error: unknown) => error);
  expect(namingNode(node, wrong)).not.toBeInstanceOf(NodeFailure);
  expect(namingNode(node, wrong).message).toMatch(/^n \(\S+\): ERR wrong number of arguments/);
  redis.kill('SIGSTOP');
  const late = await connectNode(node, 'test', 100).catch((error: unknown) => error);
  expect(late).toMatchObject({ kind: 'timeout' });
  const waiting = client.ping().catch((error: unknown) => error);
  redis.kill('SIGKILL');
  expect(namingNode(node, await waiting)).toMatchObject({
    kind: 'closed',
    message: expect.stringMatching(/it closed/),
  });
});
