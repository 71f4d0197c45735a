import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { flushNode } from '../../src/health/empty.js';
import { inspectNode, readFacts } from '../../src/health/inspect.js';
import { type NodeHealthEvent, NodeMonitor } from '../../src/health/node-monitor.js';
import { NodeMonitors } from '../../src/health/node-monitors.js';
import { atEnd } from '../support/cleanup.js';
import { FakeStanding } from '../support/fake-standing.js';
import { freePort } from '../support/free-port.js';
import { startRedis } from '../support/redis-process.js';

const OPEN = { username: '', password: '' };
const CHANNEL = 'ringproxy:node:health';

/** Watches a node from now to the test's end, probing it in quick succession. */
function watch(
  address: string,
  access = OPEN,
): { monitor: NodeMonitor; commands: unknown[]; events: NodeHealthEvent[] } {
  const commands: unknown[] = [];
  const events: NodeHealthEvent[] = [];
  const options = { interval: 20, timeout: 2000, failures: 2, connectionName: 'ringproxy-probe:test' };
  const monitor = new NodeMonitor({ name: 'n', address, ...access }, options, (reply) => commands.push(reply));
  const note = (event: unknown): void => {
    events.push(event as NodeHealthEvent);
  };
  subscribe(CHANNEL, note);
  atEnd(() => {
    monitor.stop();
    unsubscribe(CHANNEL, note);
  });
  monitor.start();
  return { monitor, commands, events };
}

describe('a monitor', () => {
  it('says how a node is, and what commands it knows', async () => {
    const redis = await startRedis();
    await redis.client().mset('a', '1', 'b', '2');
    const { monitor, commands, events } = watch(redis.address);
    await expect.poll(() => monitor.health.keys).toBe(2);
    expect(monitor.health).toMatchObject({ up: true, error: null, version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    expect(monitor.health.usedMemory).toBeGreaterThan(100_000);
    expect(commands).toHaveLength(1);
    expect(events).toEqual([]);
    expect(await redis.client().client('LIST')).toContain('name=ringproxy-probe:test');
  });

  it('notices once that a node is gone, and once that it is back', async () => {
    const redis = await startRedis();
    const { monitor, events } = watch(redis.address);
    await expect.poll(() => monitor.health.keys).toBe(0);
    await redis.stop();
    await expect
      .poll(() => monitor.health)
      .toMatchObject({ up: false, keys: null, error: 'it refused the connection' });
    await redis.start();
    await expect.poll(() => monitor.health).toMatchObject({ up: true, keys: 0, error: null });
    expect(events).toMatchObject([
      { node: 'n', address: redis.address, up: false, error: 'it refused the connection' },
      { node: 'n', address: redis.address, up: true, error: '' },
    ]);
  });

  it('notices that a node stands still', async () => {
    const redis = await startRedis();
    const { monitor } = watch(redis.address);
    await expect.poll(() => monitor.health.keys).toBe(0);
    redis.kill('SIGSTOP');
    await expect.poll(() => monitor.health).toMatchObject({ up: false, error: 'it did not answer in time' });
    redis.kill('SIGCONT');
    await expect.poll(() => monitor.health.up).toBe(true);
  });

  // Symptom: a healthy node was shown as down. Cause: a forbidden COMMAND counted as a failed probe.
  it('takes a node that forbids COMMAND for what it is: up', async () => {
    const redis = await startRedis({ args: ['--rename-command', 'COMMAND', ''] });
    const { monitor, commands } = watch(redis.address);
    await expect.poll(() => monitor.health.keys).toBe(0);
    expect(monitor.health.up).toBe(true);
    expect(commands).toEqual([]);
  });

  it('says that a password is wrong', async () => {
    const redis = await startRedis({ args: ['--requirepass', 'secret'] });
    const { monitor } = watch(redis.address, { username: '', password: 'wrong' });
    await expect.poll(() => monitor.health.up).toBe(false);
    expect(monitor.health.error).toMatch(/WRONGPASS|invalid/);
  });
});

// Symptom: a node that was back before it was ejected served old values from its snapshot, and nothing said so.
it('a node that serves, and has read a snapshot as it was restarted, is told of; one that is ejected is not', async () => {
  const redis = await startRedis();
  const told: unknown[] = [];
  const note = (event: unknown): number => told.push(event);
  subscribe('ringproxy:node:restarted', note);
  const monitors = new NodeMonitors({ interval: 20, timeout: 2000, failures: 2, connectionName: 'probe' }, () => {});
  atEnd(() => {
    monitors.stop();
    unsubscribe('ringproxy:node:restarted', note);
  });
  const node = { name: 'n', address: redis.address, ...OPEN };
  const restart = async (): Promise<void> => {
    const before = monitors.runIdOf(node);
    await redis.stop();
    await redis.start();
    await expect.poll(() => monitors.runIdOf(node)).not.toBe(before);
    expect(monitors.runIdOf(node)).not.toBeNull();
  };
  monitors.watch([node], []);
  await expect.poll(() => monitors.healthOf(node)?.keys).toBe(0);
  await restart();
  expect(told).toEqual([]);
  await redis.client().mset('a', '1', 'b', '2');
  await redis.client().save();
  await restart();
  const summary = expect.stringContaining('was restarted, and serves what it has read from a snapshot (keys: 2)');
  await expect.poll(() => told).toEqual([{ node: 'n', address: redis.address, keysLoaded: 2, summary }]);
  monitors.watch([], [node]);
  await restart();
  expect(told).toHaveLength(1);
});

describe('a first look at a node', () => {
  const node = (address: string) => ({ name: 'n', address, ...OPEN });

  it('tells what it is, and one server from another', async () => {
    const redis = await startRedis();
    await redis.client().set('a', '1');
    const facts = await inspectNode(node(redis.address), 10_000);
    expect(facts).toMatchObject({
      role: 'master',
      clusterEnabled: false,
      keys: 1,
      runId: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
    expect((await inspectNode(node(`localhost:${redis.port}`), 10_000)).runId).toBe(facts.runId);
    await flushNode(node(redis.address), 10_000, new FakeStanding());
    expect((await inspectNode(node(redis.address), 10_000)).keys).toBe(0);
  });

  it('counts the keys of all databases', () => {
    const info = 'redis_version:7.0.0\r\ndb0:keys=3,expires=0,avg_ttl=0\r\ndb15:keys=4,expires=1,avg_ttl=9\r\n';
    expect(readFacts(info)).toMatchObject({ keys: 7, role: '', runId: '' });
    expect(() => readFacts('hello')).toThrow(/does not answer INFO/);
  });

  it('says why it cannot be used', async () => {
    const locked = await startRedis({ args: ['--requirepass', 'secret'] });
    const silent = net.createServer();
    const other = net.createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    for (const server of [silent, other]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      atEnd(() => void server.close());
    }
    const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port;
    const look = (address: string): Promise<unknown> => inspectNode(node(address), 200);
    const unreachable = (message: RegExp, hint: RegExp): object => ({
      code: 'NODE_UNREACHABLE',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    const nobody = `127.0.0.1:${await freePort()}`;
    await expect(look(nobody)).rejects.toMatchObject(unreachable(/refused the connection/, /redis-server/));
    await expect(look(locked.address)).rejects.toMatchObject(unreachable(/NOAUTH/, /password/));
    await expect(look(`127.0.0.1:${portOf(silent)}`)).rejects.toMatchObject(unreachable(/in time/, /redis-server/));
    await expect(look(`127.0.0.1:${portOf(other)}`)).rejects.toMatchObject(
      unreachable(/Redis protocol/, /redis-server/),
    );
  });
});
