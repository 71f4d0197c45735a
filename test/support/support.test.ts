import { afterEach, describe, expect, it, vi } from 'vitest';
import { startChild } from './child.js';
import { freePort } from './free-port.js';
import { hasNutcracker, startNutcracker } from './nutcracker-process.js';
import { findReferee } from './programs.js';
import { RawClient } from './raw-client.js';
import { startRedis, startRedises } from './redis-process.js';

const pids: number[] = [];

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a redis process', () => {
  it('serves, restarts empty on the same port and comes back to its clients', async () => {
    const redis = await startRedis();
    pids.push(redis.pid);
    const client = redis.client();
    expect(await client.set('a', '1')).toBe('OK');
    const first = redis.pid;
    await redis.restart();
    pids.push(redis.pid);
    expect(redis.pid).not.toBe(first);
    expect(await client.get('a')).toBeNull();
  });

  it('has ended with the test that started it', () => {
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('stalls and goes on', async () => {
    const redis = await startRedis();
    const raw = await RawClient.connect(redis.port);
    redis.kill('SIGSTOP');
    const reply = raw.text('PING');
    redis.kill('SIGCONT');
    expect(await reply).toBe('+PONG\r\n');
  });

  it('says why it does not start', async () => {
    await expect(startRedis({ args: ['--no-such-option', '1'] })).rejects.toThrow(/Bad directive|FATAL CONFIG/);
  });
});

describe('a raw client', () => {
  it('fails what waits when the connection ends', async () => {
    const redis = await startRedis();
    const raw = await RawClient.connect(redis.port);
    expect(await raw.text('SET', 'k', 'v')).toBe('+OK\r\n');
    const [first, second] = await raw.pipeline([['GET', 'k'], ['PING']]);
    expect(`${first}${second}`).toBe('$1\r\nv\r\n+PONG\r\n');
    const waiting = raw.replies(1);
    redis.kill('SIGKILL');
    await expect(waiting).rejects.toThrow('closed');
    await expect(raw.replies(1)).rejects.toThrow('closed');
  });
});

describe('a child', () => {
  it('is waited for by its output, and told of when it ends before', async () => {
    const child = await startChild(process.execPath, [
      '-e',
      'console.log("ready 7"); console.error("x"); process.exit(3)',
    ]);
    expect(await child.line((line) => /ready (\d)/.exec(line)?.[1] ?? null)).toBe('7');
    await expect(child.line((line) => (line === 'never' ? true : null))).rejects.toThrow('ended with 3:\nready 7\nx');
    expect(await child.exited).toBe(3);
  });
});

describe('a program to compare with', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('is skipped where it is not installed, but not in CI', () => {
    vi.stubEnv('CI', undefined);
    expect(findReferee('no-such-program', 'nor-this-one')).toBeNull();
    vi.stubEnv('CI', 'true');
    expect(() => findReferee('no-such-program', 'nor-this-one')).toThrow('no-such-program is not installed');
    expect(findReferee('no-such-program', 'redis-server')).toContain('/redis-server');
  });
});

describe.runIf(hasNutcracker)('nutcracker', () => {
  it('proxies', async () => {
    const [redis] = await startRedises(1);
    const port = await freePort();
    await startNutcracker(
      `p:\n  listen: 127.0.0.1:${port}\n  hash: fnv1a_64\n  distribution: ketama\n  redis: true\n  servers:\n   - ${redis?.address}:1\n`,
      [port],
    );
    const raw = await RawClient.connect(port);
    expect(await raw.text('SET', 'k', 'v')).toBe('+OK\r\n');
  });
});
