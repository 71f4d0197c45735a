/** The admin API's HTTP: statuses, errors, who may ask. What it says of a real ring is tested in `test/topology`. */
import http from 'node:http';
import { describe, expect, it } from 'vitest';
import type { AdminBackend } from '../../src/admin/backend.js';
import { AdminServer } from '../../src/admin/server.js';
import { RingproxyError } from '../../src/errors.js';
import { atEnd } from '../support/cleanup.js';
import { EventSource } from './event-source.js';

const CHANGE = '/v1/ring/changes';

class Backend implements AdminBackend {
  readonly calls: string[] = [];
  readonly events = new EventSource();
  readonly onEvents = this.events.subscribe;
  readiness = { ready: true, reason: '' };

  ring(): ReturnType<AdminBackend['ring']> {
    const base = { generation: 1, phase: 'stable', hash: 'murmur3', distribution: 'ketama' } as const;
    return { ...base, hashTag: '{}', vnodes: 160, nodes: [], change: null, proxies: [] };
  }
  which(keys: readonly Buffer[]): ReturnType<AdminBackend['which']> {
    this.calls.push(...keys.map((key) => key.toString('hex')));
    return [];
  }
  async change(): ReturnType<AdminBackend['change']> {
    throw new RingproxyError('CHANGE_RUNNING', 'another change is under way', 'wait for it', 409);
  }
  pauseChange(): void {
    this.calls.push('pause');
  }
  async resumeChange(noDrain: boolean): Promise<void> {
    this.calls.push(noDrain ? 'resume without draining' : 'resume');
  }
  throttleChange(keysPerSecond: number): void {
    this.calls.push(`throttle ${keysPerSecond}`);
  }
  async cancelChange(): Promise<void> {
    this.calls.push('cancel');
  }
  history(): ReturnType<AdminBackend['history']> {
    throw new Error('a secret of the inside');
  }
  proxies(): ReturnType<AdminBackend['proxies']> {
    return [];
  }
  stats(): ReturnType<AdminBackend['stats']> {
    throw new RingproxyError('NOT_READY', 'the ring is not known yet', 'try again', 503);
  }
  async metrics(): ReturnType<AdminBackend['metrics']> {
    return { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'ringproxy_up 1\n' };
  }
  async ready(): ReturnType<AdminBackend['ready']> {
    return this.readiness;
  }
}

async function start(token = ''): Promise<{ url: string; backend: Backend; bugs: Error[] }> {
  const backend = new Backend();
  const bugs: Error[] = [];
  const listen = { host: '127.0.0.1', port: 0 };
  const server = new AdminServer(backend, { listen, token, onError: (error) => bugs.push(error) });
  atEnd(() => server.close());
  return { url: await server.listen(), backend, bugs };
}

function json(body: string): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body };
}

/** @returns the error with its status, after a look at its shape */
async function errorOf(request: Promise<Response>): Promise<object> {
  const answer = await request;
  const body = (await answer.json()) as { error: object };
  const text = expect.stringMatching(/./);
  expect(body).toEqual({ error: { code: text, message: text, hint: text } });
  return { status: answer.status, ...body.error };
}

describe('errors', () => {
  it('have one shape, a code, a hint and the right status', async () => {
    const { url } = await start();
    expect(await errorOf(fetch(`${url}/nope`))).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(await errorOf(fetch(`${url}/%ff`))).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    expect(await errorOf(fetch(`${url}${CHANGE}/current`))).toMatchObject({ status: 404, code: 'NO_CHANGE' });
    expect(await errorOf(fetch(`${url}/v1/stats`))).toMatchObject({ status: 503, code: 'NOT_READY' });
    const add = json('{"kind":"add","add":[{"address":"127.0.0.1:1"}]}');
    expect(await errorOf(fetch(url + CHANGE, add))).toMatchObject({ status: 409, code: 'CHANGE_RUNNING' });
    for (const body of [
      '',
      '{',
      'null',
      '[]',
      '{"kind":"add"}',
      '{"kind":"add","add":[{"address":"a:1","weigth":2}]}',
    ]) {
      expect(await errorOf(fetch(url + CHANGE, json(body)))).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    }
    const throttle = `${url}${CHANGE}/current/throttle`;
    expect(await errorOf(fetch(throttle, json('{"keysPerSecond":-1}')))).toMatchObject({ status: 400 });
  });

  it('name the methods that a path takes', async () => {
    const { url } = await start();
    for (const [method, path, allow] of [
      ['DELETE', '/v1/ring', 'GET, HEAD'],
      ['POST', '/v1/ring?x=1', 'GET, HEAD'],
      ['GET', CHANGE, 'POST'],
    ] as const) {
      const answer = await fetch(url + path, { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
      expect(await answer.json()).toMatchObject({ error: { code: 'BAD_METHOD' } });
    }
  });

  it('keep what is wrong inside, and report it', async () => {
    const { url, bugs } = await start();
    const answer = await fetch(`${url}/v1/ring/history`);
    expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining('secret')]);
    expect(bugs.map((error) => error.message)).toEqual(['a secret of the inside']);
  });
});

describe('who may ask', () => {
  it('is anybody with the token, and anybody for health', async () => {
    const { url } = await start('hunter2');
    const withToken = (authorization: string): Promise<Response> =>
      fetch(`${url}/metrics`, { headers: { authorization } });
    expect(await errorOf(fetch(`${url}/metrics`))).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
    expect(await errorOf(withToken('Bearer hunter'))).toMatchObject({ status: 401 });
    expect(await errorOf(withToken('Basic hunter2'))).toMatchObject({ status: 401 });
    expect((await withToken('Bearer hunter2')).status).toBe(200);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  // Symptom: any web page could cancel a change on the reader's machine: such a POST has no body, so browsers send
  // it unasked. Cause: only the Host was looked at.
  it('is no page of another origin', async () => {
    const { url, backend } = await start();
    const cancel = (origin: string): Promise<Response> =>
      fetch(`${url}${CHANGE}/current/cancel`, { method: 'POST', headers: { origin } });
    expect(await errorOf(cancel('http://evil.example'))).toMatchObject({ status: 403, code: 'BAD_ORIGIN' });
    expect(await errorOf(cancel('http://127.0.0.1:1'))).toMatchObject({ status: 403 });
    expect(await errorOf(cancel('null'))).toMatchObject({ status: 403 });
    expect(backend.calls).toEqual([]);
    expect((await cancel(url)).status).toBe(200);
    expect((await fetch(`${url}/v1/ring`, { headers: { origin: 'http://evil.example' } })).status).toBe(200);
  });
});

describe('requests', () => {
  it('reach the proxy', async () => {
    const { url, backend } = await start();
    await fetch(`${url}/v1/ring/which?key=%ff%00&other=1&key=&key=a+%2B%zz&key=%C3%BC`);
    expect(backend.calls.splice(0)).toEqual(['ff00', '', '61202b257a7a', 'c3bc']);
    for (const what of ['pause', 'resume', 'cancel'])
      await fetch(`${url}${CHANGE}/current/${what}`, { method: 'POST' });
    await fetch(`${url}${CHANGE}/current/throttle`, json('{"keysPerSecond":500}'));
    expect(backend.calls).toEqual(['pause', 'resume', 'cancel', 'throttle 500']);
    backend.readiness = { ready: false, reason: 'no node answers' };
    expect(await errorOf(fetch(`${url}/readyz`))).toMatchObject({ status: 503, message: 'no node answers' });
    const metrics = await fetch(`${url}/metrics`);
    expect([metrics.headers.get('content-type'), await metrics.text()]).toEqual([
      'text/plain; version=0.0.4; charset=utf-8',
      'ringproxy_up 1\n',
    ]);
    expect(await (await fetch(url)).text()).toContain('/v1/events');
  });

  it('for events are answered as they happen, until the reader goes away', async () => {
    const { url, backend } = await start();
    const { promise: response, resolve } = deferred<http.IncomingMessage>();
    const request = http.get(`${url}/v1/events`, resolve).on('error', () => {});
    const stream = await response;
    expect(stream.headers['content-type']).toBe('text/event-stream');
    let text = '';
    stream
      .on('error', () => {})
      .on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
    await expect.poll(() => backend.events.count).toBe(1);
    backend.events.publish('ringproxy:node:health', { node: 'n', up: false });
    await expect
      .poll(() => text)
      .toMatch(/\nevent: ringproxy:node:health\ndata: \{"at":"[^"]+","node":"n","up":false\}\n\n$/);
    request.destroy();
    await expect.poll(() => backend.events.count).toBe(0);
  });
});

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
