import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { freePort } from '../support/free-port.js';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { MAIN, startRingproxy } from '../support/ringproxy-process.js';
import { startAdmin } from './fake-admin.js';
import { ringproxy } from './run.js';

interface Tail {
  /** The next line of what it prints. */
  next(): Promise<string>;
  /** What it says on standard error, by the line. */
  said(): Promise<string>;
  /** Ctrl-C. @returns its exit code */
  interrupt(): Promise<number>;
}

function tail(admin: string, ...args: string[]): Tail {
  const child = spawn(process.execPath, [MAIN, 'events', '--admin', admin, ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  atEnd(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const errors = createInterface({ input: child.stderr })[Symbol.asyncIterator]();
  return {
    next: async () => String((await lines.next()).value),
    said: async () => String((await errors.next()).value),
    interrupt: async () => {
      child.kill('SIGINT');
      return Number((await exited)[0]);
    },
  };
}

function piece(second: number, event: string, fields: object): string {
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  return `event: ringproxy:${event}\ndata: ${JSON.stringify({ at, ...fields })}\n\n`;
}

describe('events', () => {
  it('shows what happens at a real proxy, and ends with 0 at Ctrl-C', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(1) });
    const events = tail(proxy.admin, '--recent', '--channel', 'ring:generation', '--channel', 'command:failed');
    expect(await events.next()).toMatch(/^\d\d:\d\d:\d\d\.\d{3} ring:generation {4}.*node1/);
    const client = await RawClient.connect(proxy.port);
    await client.command('SET', 'word', 'one');
    await client.command('INCR', 'word');
    expect(await events.next()).toMatch(
      /command:failed {5}client=\d+ address=\S+ command=incr error="ERR value is not/,
    );
    expect(await events.interrupt()).toBe(0);
  });

  it('goes on when the proxy is back, and shows nothing twice', async () => {
    const asked: string[] = [];
    const readers: ServerResponse[] = [];
    const past = [piece(1, 'ring:begun', { summary: 'one' }), piece(2, 'ring:finished', { summary: 'two' })];
    const admin = await startAdmin((server) => {
      server.get('/v1/events', (request, reply) => {
        asked.push(request.url);
        readers.push(reply.raw);
        reply.hijack();
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
        const isBack = readers.length > 1;
        reply.raw.write(
          `: events follow\n\n${past.join('')}${isBack ? piece(3, 'ring:begun', { summary: 'three' }) : ''}`,
        );
      });
    });
    const events = tail(admin, '--json');
    expect([JSON.parse(await events.next()), JSON.parse(await events.next())]).toMatchObject([
      { event: 'ringproxy:ring:begun', summary: 'one' },
      { event: 'ringproxy:ring:finished', summary: 'two' },
    ]);
    readers[0]?.destroy();
    expect(await events.said()).toMatch(/waiting for it/);
    expect(JSON.parse(await events.next())).toMatchObject({ summary: 'three' });
    expect(asked).toEqual(['/v1/events', '/v1/events?recent=']);
    expect(await events.interrupt()).toBe(0);
  });

  it('fails where nobody answers at first, or the channel does not exist', async () => {
    const nobody = await ringproxy(['events', '--admin', `http://127.0.0.1:${await freePort()}`]);
    expect(nobody).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('cannot be reached: nothing listens'),
    });
    const proxy = await startRingproxy({ nodes: await startRedises(1) });
    const unknown = await ringproxy(['events', '--admin', proxy.admin, '--channel', 'nope']);
    expect(unknown).toMatchObject({ code: 1, out: '' });
    expect(unknown.err).toContain("there is no channel 'ringproxy:nope'");
  });
});
