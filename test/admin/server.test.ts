/** The admin API's HTTP: statuses, errors, who may ask. What it says of a real ring is tested in `test/topology`. */
import http from 'node:http';
import { describe, expect, it } from 'vitest';
import { serveAdmin } from './serve-admin.js';

const CHANGE = '/v1/ring/changes';

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
    const { url } = await serveAdmin();
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
    expect(await errorOf(fetch(`${url}/v1/ring/check`, json('{"fix":1}')))).toMatchObject({ status: 400 });
    // Symptom: `remove: ["a","a"]` was taken, and so was whatever else says two things of one node.
    const twice = '{"name":"a","address":"h:1"}';
    for (const [body, message] of [
      ['{"kind":"remove","remove":["a","a"]}', 'remove names a twice'],
      [`{"kind":"add","add":[${twice},${twice}]}`, 'add names a twice'],
      ['{"kind":"add","add":[{"address":"h:1"},{"name":"b","address":"h:1"}]}', 'h:1 is to be two nodes'],
      ['{"kind":"reweight","weights":[{"name":"a","weight":1},{"name":"a","weight":2}]}', 'weights names a twice'],
      [`{"kind":"replace","replace":[${twice},{"name":"a","address":"h:2"}]}`, 'replace names a twice'],
      ['{"kind":"apply","remove":["a"],"weights":[{"name":"a","weight":2}]}', 'a is both in remove and in weights'],
      [`{"kind":"apply","remove":["a"],"replace":[${twice}]}`, 'a is both in remove and in replace'],
      [`{"kind":"apply","remove":["a"],"add":[${twice}]}`, 'a is both in remove and in add'],
      [`{"kind":"apply","add":[${twice}],"weights":[{"name":"a","weight":2}]}`, 'a is to be added and changed at once'],
      ['{"kind":"add","remove":["a"]}', 'the change is of kind add, and add is empty'],
    ]) {
      expect(await errorOf(fetch(url + CHANGE, json(body ?? '')))).toMatchObject({
        status: 400,
        code: 'BAD_REQUEST',
        message,
        hint: expect.stringMatching(/./),
      });
    }
    // Numbers that mean nothing.
    for (const part of ['"throttle":-1', '"throttle":0.5', '"throttle":1e309', '"throttle":"5"', '"throttle":null']) {
      const body = `{"kind":"remove","remove":["a"],${part}}`;
      expect(await errorOf(fetch(url + CHANGE, json(body)))).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    }
    for (const weight of ['0', '-1', '1.5', '1e309', '1000001', 'null', '"2"']) {
      const body = `{"kind":"reweight","weights":[{"name":"a","weight":${weight}}]}`;
      expect(await errorOf(fetch(url + CHANGE, json(body)))).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    }
    const throttle = `${url}${CHANGE}/current/throttle`;
    for (const rate of ['1e309', '0.5', '"1"', 'null']) {
      expect(await errorOf(fetch(throttle, json(`{"keysPerSecond":${rate}}`)))).toMatchObject({ status: 400 });
    }
    expect(await errorOf(fetch(`${url}${CHANGE}/current/cancel`, json('{"dryrun":true}')))).toMatchObject({
      status: 400,
    });
    expect(await errorOf(fetch(throttle, json('{"keysPerSecond":-1}')))).toMatchObject({ status: 400 });
  });

  it('name the methods that a path takes', async () => {
    const { url } = await serveAdmin();
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
    const { url, bugs } = await serveAdmin();
    const answer = await fetch(`${url}/v1/ring/history`);
    expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining('secret')]);
    expect(bugs.map((error) => error.message)).toEqual(['a secret of the inside']);
  });
});

describe('who may ask', () => {
  it('is anybody with the token, and anybody for health', async () => {
    const { url } = await serveAdmin({ token: 'hunter2' });
    const withToken = (authorization: string): Promise<Response> =>
      fetch(`${url}/metrics`, { headers: { authorization } });
    expect(await errorOf(fetch(`${url}/metrics`))).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
    expect(await errorOf(withToken('Bearer hunter'))).toMatchObject({ status: 401 });
    expect(await errorOf(withToken('Basic hunter2'))).toMatchObject({ status: 401 });
    expect((await withToken('Bearer hunter2')).status).toBe(200);
    // The scheme's case does not matter (RFC 9110, 11.1).
    expect((await withToken('bearer hunter2')).status).toBe(200);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  // Symptom: any web page could cancel a change on the reader's machine: such a POST has no body, so browsers send
  // it unasked. Cause: only the Host was looked at.
  it('is no page of another origin', async () => {
    const { url, backend } = await serveAdmin();
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

describe('the page', () => {
  it('may load our own files only, is not framed, and is asked for anew', async () => {
    const { url } = await serveAdmin({ token: 'hunter2' });
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const text = await answer.text();
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\/|<style|<script>|\sstyle=|\son[a-z]+=/);
    const etag = answer.headers.get('etag') ?? '';
    const again = await fetch(url, { headers: { 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('needs no token for its files, and has no others', async () => {
    const { url } = await serveAdmin({ token: 'hunter2' });
    const style = await fetch(`${url}/page/page.css`);
    expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
    for (const path of ['tsconfig.json', 'main.ts', '../server.ts', '..%2fserver.js', '%2e%2e/server.js', 'nope']) {
      expect([401, 404]).toContain((await fetch(`${url}/page/${path}`)).status);
    }
    expect((await fetch(`${url}/v1/ring`)).status).toBe(401);
  });
});

describe('requests', () => {
  it('for forgetting a proxy name it', async () => {
    const { url, backend } = await serveAdmin();
    const answer = await fetch(`${url}/v1/proxies/a1b2`, { method: 'DELETE' });
    expect({ status: answer.status, left: await answer.json() }).toMatchObject({ status: 200, left: [{ id: 'p' }] });
    expect(backend.calls).toEqual(['forget a1b2']);
  });

  it('reach the proxy', async () => {
    const { url, backend } = await serveAdmin();
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
    expect(await (await fetch(`${url}/v1`)).text()).toContain('/v1/events');
  });

  it('for drawings and loads have bounds', async () => {
    const { url, backend } = await serveAdmin();
    for (const path of [
      'ring/arcs',
      'ring/arcs?limit=4096',
      'load/history',
      'load/history?since=2026-01-31T12:00:00Z',
    ]) {
      expect((await fetch(`${url}/v1/${path}`)).status).toBe(200);
    }
    expect(await errorOf(fetch(`${url}/v1/load?seconds=300`))).toMatchObject({ status: 503, code: 'NOT_READY' });
    expect(backend.calls.splice(0)).toEqual([
      ...['arcs 720', 'arcs 4096', 'history all', 'history 2026-01-31T12:00:00.000Z', 'load 300'],
    ]);
    for (const path of ['ring/arcs?limit=0', 'ring/arcs?limit=4097', 'load?seconds=x', 'load/history?since=now']) {
      expect(await errorOf(fetch(`${url}/v1/${path}`))).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    }
    expect(backend.calls).toEqual([]);
  });

  it('for events get those of before where they ask for them, of the channels that they name', async () => {
    const { url, backend } = await serveAdmin();
    const read = async (query: string): Promise<string> => {
      const aborted = new AbortController();
      const answer = await fetch(`${url}/v1/events?${query}`, { signal: aborted.signal });
      const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      while (!text.includes('"last"')) {
        text += (await reader?.read())?.value ?? '';
        if (text.includes('events follow')) backend.source.publish('ringproxy:ring:begun', { last: true });
      }
      aborted.abort();
      return text;
    };
    expect(await read('recent')).toMatch(
      /data: \{"at":"1970-01-01T00:00:01.000Z","kind":"add"\}\n\nevent: ringproxy:upstream:up\n/,
    );
    expect(await read('recent&channel=ringproxy:upstream:up')).not.toContain('"kind":"add"');
    expect(await read('')).not.toContain('upstream:up');
  });

  it('for events are answered as they happen, until the reader goes away', async () => {
    const { url, backend } = await serveAdmin();
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
    await expect.poll(() => backend.source.count).toBe(1);
    backend.source.publish('ringproxy:node:health', { node: 'n', up: false });
    await expect
      .poll(() => text)
      .toMatch(/\nevent: ringproxy:node:health\ndata: \{"at":"[^"]+","node":"n","up":false\}\n\n$/);
    request.destroy();
    await expect.poll(() => backend.source.count).toBe(0);
  });
});

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
