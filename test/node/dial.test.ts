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
import { type Dialled, type DialOptions, dial } from '../../src/node/dial.js';
import { type FailureKind, NodeFailure } from '../../src/node/failure.js';
import { passFor, readsOnly } from '../../src/node/standing.js';
import { clockShift } from '../../src/time/monotonic.js';
import { atEnd } from '../support/cleanup.js';
import { FakeStanding } from '../support/fake-standing.js';
import { FaultRelay } from '../support/fault-relay.js';
import { freePort } from '../support/free-port.js';
import { startRedis } from '../support/redis-process.js';
import { tempFolder } from '../support/temp-folder.js';

const OPTIONS: DialOptions = {
  pass: readsOnly('test'),
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
      expect(Math.abs((greeted.clockOffset ?? 0) - clockShift())).toBeLessThan(500);
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
      if (username === 'poor') expect(clockOffset).toBeNull();
      socket.destroy();
    }
    const answered = await onNode(
      at(redis.address, { username: 'poor', password: 'secret' }),
      readsOnly('test'),
      2000,
      (redis) => redis.set('a', '1').catch((error: unknown) => error),
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
      .toMatchObject({ kind: 'busy', outlook: 'passes' });
    // Where they do not, it is let be.
    const client = await connectNode(at(redis.address), readsOnly('test'), 2000);
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
  const client = await connectNode(node, readsOnly('test'), 2000);
  const wrong = await client.call('GET').catch((error: unknown) => error);
  expect(namingNode(node, wrong)).not.toBeInstanceOf(NodeFailure);
  expect(namingNode(node, wrong).message).toMatch(/^n \(\S+\): ERR wrong number of arguments/);
  redis.kill('SIGSTOP');
  const late = await connectNode(node, readsOnly('test'), 100).catch((error: unknown) => error);
  expect(late).toMatchObject({ kind: 'timeout' });
  const waiting = client.ping().catch((error: unknown) => error);
  redis.kill('SIGKILL');
  expect(namingNode(node, await waiting)).toMatchObject({
    kind: 'closed',
    message: expect.stringMatching(/it closed/),
  });
});

/**
 * Who was stopped between the look and the first command has been dropped by the node by its name: so the name goes
 * before the look, and nothing goes with either.
 */
describe('a connection that changes data', () => {
  const dialBy = (net: FaultRelay, standing: FakeStanding, timeout = 5000): Promise<Dialled> =>
    dial(at(net.address), { ...OPTIONS, pass: passFor(standing, 'flush'), timeout });

  it('bears its proxy before it looks, and carries nothing before the look says yes', async () => {
    const net = await FaultRelay.start((await startRedis()).port);
    const standing = new FakeStanding();
    standing.lapse();
    let isOpen = false;
    const dialled = dialBy(net, standing).then((found) => {
      isOpen = true;
      return found;
    });
    await expect.poll(() => standing.asked).toEqual(['f00d']);
    expect(net.requests).toContainEqual(['CLIENT', 'SETNAME', 'ringproxy-flush:f00d']);
    const before = net.requests.length;
    standing.answer('unsure');
    await expect.poll(() => standing.asked).toHaveLength(2);
    expect([isOpen, net.requests.length]).toEqual([false, before]);
    standing.answer('speak');
    (await dialled).socket.destroy();
  });

  it('asks nobody while the right holds', async () => {
    const net = await FaultRelay.start((await startRedis()).port);
    const standing = new FakeStanding();
    (await dialBy(net, standing)).socket.destroy();
    expect(standing.asked).toEqual([]);
  });

  it('is none when the proxy was passed over, or that cannot be told in time', async () => {
    const net = await FaultRelay.start((await startRedis()).port);
    for (const ruling of ['fenced-off', 'unsure'] as const) {
      const standing = new FakeStanding();
      standing.lapse();
      const dialled = dialBy(net, standing, 200).catch((error: unknown) => error);
      const answering = setInterval(() => standing.answer(ruling), 5);
      expect(await dialled).toMatchObject({ kind: ruling });
      clearInterval(answering);
    }
  });

  it('ends when the right is taken away', async () => {
    const net = await FaultRelay.start((await startRedis()).port);
    const standing = new FakeStanding();
    const { socket } = await dialBy(net, standing);
    standing.revoke();
    await expect.poll(() => socket.destroyed).toBe(true);
    await expect(dialBy(net, standing)).rejects.toThrow();
  });

  it('is none in a fleet where the node takes no names, and is one for a proxy that is alone', async () => {
    const redis = await startRedis();
    await redis.client().call('ACL', 'SETUSER', 'default', '-client|setname');
    const net = await FaultRelay.start(redis.port);
    const standing = new FakeStanding();
    (await dialBy(net, standing)).socket.destroy();
    standing.lapse();
    await expect(dialBy(net, standing)).rejects.toMatchObject({
      kind: 'unnamed',
      message: expect.stringContaining('client|setname'),
    });
    expect(standing.asked).toEqual([]);
  });
});
