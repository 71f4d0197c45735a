/** Proxies ask each other by real HTTP: what arrives, what does not, and what each failure is called. */
import http from 'node:http';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { RingproxyError } from '../../../src/errors.js';
import { PeerHandlers } from '../../../src/fleet/peers/handlers.js';
import { HttpPeers } from '../../../src/fleet/peers/http-peers.js';
import { neverArrived, type PeerAnswer, type PeerFailureKind, peerError } from '../../../src/fleet/peers/peers.js';
import { MOST_PEER_BYTES, PEER_HEADERS } from '../../../src/fleet/peers/protocol.js';
import { systemTimers } from '../../../src/time/timers.js';
import type { FleetMember } from '../../../src/topology/state/fleet.js';
import { serveAdmin } from '../../admin/serve-admin.js';
import { atEnd } from '../../support/cleanup.js';

const TIMEOUT_MS = 5000;

/** The members as a store has them; how often they are read is counted. */
class Members {
  readonly urls = new Map<string, string>();
  reads = 0;
  failure: Error | null = null;

  async members(): Promise<FleetMember[]> {
    this.reads++;
    if (this.failure !== null) throw this.failure;
    return [...this.urls].map(([id, admin]) => {
      const info = { admin, version: '1.0.0', workers: 1, startedAt: '2026-01-01T00:00:00Z', format: 1 };
      return { id, alive: true, fencedOff: false, answer: null, info };
    });
  }
}

interface Stage {
  readonly members: Members;
  readonly handlers: PeerHandlers;
  readonly peers: HttpPeers;
  /** Of the proxy that is asked. */
  id: string;
  url: string;
}

/** A proxy `b` that is asked, and `a` that asks. */
async function stage(options: { token?: string; askerToken?: string } = {}): Promise<Stage> {
  const { token = '', askerToken = token } = options;
  const members = new Members();
  const handlers = new PeerHandlers();
  const asker = new HttpPeers({ ownId: () => 'a', token: askerToken, members, timers: systemTimers });
  atEnd(() => asker.close());
  const result: Stage = { members, handlers, peers: asker, id: 'b', url: '' };
  const port = { token, ownId: () => result.id, find: (path: string) => handlers.find(path) };
  result.url = (await serveAdmin({ token: 'operator', peers: port })).url;
  members.urls.set('b', result.url);
  return result;
}

/** Something that listens, and is no proxy. @returns its URL */
async function stranger(onConnection: (socket: net.Socket) => void): Promise<string> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
}

function kindOf(answer: PeerAnswer): PeerFailureKind | 'answered' {
  return answer.ok ? 'answered' : answer.failure.kind;
}

function errorOf(answer: PeerAnswer): RingproxyError | null {
  return answer.ok ? null : peerError(answer.failure);
}

describe('a question', () => {
  it('arrives with who asks, and its answer comes back: JSON as JSON, bytes as bytes', async () => {
    const { peers, handlers } = await stage();
    handlers.on('echo', async ({ from, body }) => ({ from, body }));
    handlers.on('bytes', async ({ body }) => (Buffer.isBuffer(body) ? Buffer.concat([body, Buffer.from([0xff])]) : {}));
    expect(await peers.ask('b', 'echo', { keys: ['ä'] }, TIMEOUT_MS)).toEqual({
      ok: true,
      body: { from: 'a', body: { keys: ['ä'] } },
    });
    expect(await peers.ask('b', 'bytes', Buffer.from([0, 1, 0x80]), TIMEOUT_MS)).toEqual({
      ok: true,
      body: Buffer.from([0, 1, 0x80, 0xff]),
    });
    expect(await peers.ask('b', 'bytes', Buffer.alloc(0), TIMEOUT_MS)).toEqual({ ok: true, body: Buffer.from([0xff]) });
  });

  it('does not wait for another one that is slow, and few connections carry many', async () => {
    const { peers, handlers } = await stage();
    let release = (): void => {};
    const slow = new Promise<object>((resolve) => {
      release = () => resolve({});
    });
    handlers.on('slow', () => slow);
    handlers.on('fast', async () => ({}));
    const first = peers.ask('b', 'slow', {}, TIMEOUT_MS);
    const answers = await Promise.all(Array.from({ length: 200 }, () => peers.ask('b', 'fast', {}, TIMEOUT_MS)));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    release();
    expect(kindOf(await first)).toBe('answered');
  });

  it('is asked of the store once, however many ask, and not again while the member is found', async () => {
    const { peers, handlers, members } = await stage();
    handlers.on('fast', async () => ({}));
    await Promise.all(Array.from({ length: 20 }, () => peers.ask('b', 'fast', {}, TIMEOUT_MS)));
    members.failure = new Error('etcd is away');
    expect(kindOf(await peers.ask('b', 'fast', {}, TIMEOUT_MS))).toBe('answered');
    expect(members.reads).toBe(1);
    const answer = await peers.ask('c', 'fast', {}, TIMEOUT_MS);
    expect(answer).toMatchObject({
      ok: false,
      failure: { kind: 'unreachable', message: expect.stringContaining('etcd') },
    });
  });

  it('that is answered with an error brings its code and hint', async () => {
    const { peers, handlers } = await stage();
    handlers.on('change', async () => {
      throw new RingproxyError('CHANGE_RUNNING', 'another change is under way', 'wait for c');
    });
    const answer = await peers.ask('b', 'change', {}, TIMEOUT_MS);
    expect(kindOf(answer)).toBe('own error');
    expect(errorOf(answer)).toMatchObject({
      code: 'CHANGE_RUNNING',
      message: 'another change is under way',
      hint: 'wait for c',
    });
    expect(errorOf(await peers.ask('b', 'unheard-of', {}, TIMEOUT_MS))).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a question that is not answered', () => {
  it('has a kind, and says whether it may have arrived', async () => {
    const { peers, members } = await stage();
    const refusing = await stranger(() => {});
    members.urls.set('none', '');
    members.urls.set('gone', await closedPort());
    members.urls.set('cut', await stranger((socket) => socket.once('data', () => socket.destroy())));
    members.urls.set('mute', refusing);
    members.urls.set('page', await stranger((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')));
    members.urls.set('noise', await stranger((socket) => socket.end('-ERR unknown command\r\n')));
    const asked = async (member: string): Promise<[string, boolean]> => {
      const answer = await peers.ask(member, 'x', {}, 300);
      if (answer.ok) return ['answered', false];
      expect(answer.failure.message).toContain(member);
      return [answer.failure.kind, neverArrived(answer.failure)];
    };
    expect(await asked('unheard-of')).toEqual(['unknown member', true]);
    expect(await asked('none')).toEqual(['no address', true]);
    expect(await asked('gone')).toEqual(['unreachable', true]);
    expect(await asked('cut')).toEqual(['lost', false]);
    expect(await asked('mute')).toEqual(['timed out', false]);
    expect(await asked('page')).toEqual(['no proxy', true]);
    expect(await asked('noise')).toEqual(['lost', false]);
  });

  it('ends in its time also when the answer comes byte by byte', async () => {
    const { peers, members } = await stage();
    const url = await stranger((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${PEER_HEADERS.to}: slow\r\nContent-Length: 1000000\r\n\r\n`);
      const timer = setInterval(() => socket.write('x'), 10);
      socket.once('close', () => clearInterval(timer));
    });
    members.urls.set('slow', url);
    const began = performance.now();
    expect(kindOf(await peers.ask('slow', 'x', {}, 200))).toBe('timed out');
    expect(performance.now() - began).toBeLessThan(2000);
  });

  // Half-open: the other side is gone without a word, and what is written is not acknowledged.
  it('leaves no connection behind that later questions would wait for', async () => {
    const { peers, members } = await stage();
    let connections = 0;
    members.urls.set('mute', await stranger(() => connections++));
    for (let i = 1; i <= 12; i++) expect(kindOf(await peers.ask('mute', 'x', {}, 50))).toBe('timed out');
    expect(connections).toBeGreaterThanOrEqual(12);
  });

  it('is turned away while too many wait', async () => {
    const { peers, members } = await stage();
    members.urls.set('mute', await stranger(() => {}));
    const answers = await Promise.all(Array.from({ length: 600 }, () => peers.ask('mute', 'x', {}, 300)));
    const kinds = answers.map(kindOf);
    expect(new Set(kinds)).toEqual(new Set(['timed out', 'busy']));
    expect(kinds.filter((kind) => kind === 'busy').length).toBe(600 - 512);
  });

  it('is too large, or its answer is', async () => {
    const { peers, handlers } = await stage();
    handlers.on('huge', async () => Buffer.alloc(MOST_PEER_BYTES + 1));
    handlers.on('size', async ({ body }) => ({ bytes: Buffer.isBuffer(body) ? body.length : -1 }));
    expect(kindOf(await peers.ask('b', 'huge', {}, TIMEOUT_MS))).toBe('too large');
    expect(kindOf(await peers.ask('b', 'size', Buffer.alloc(MOST_PEER_BYTES + 1), TIMEOUT_MS))).toBe('too large');
    expect(await peers.ask('b', 'size', Buffer.alloc(MOST_PEER_BYTES), TIMEOUT_MS)).toEqual({
      ok: true,
      body: { bytes: MOST_PEER_BYTES },
    });
  });
});

describe('who is meant', () => {
  // A proxy ended, and another one got its port.
  it('is said, and another proxy answers nothing', async () => {
    const { peers, members, handlers, url } = await stage();
    let answered = 0;
    handlers.on('fast', async () => ({ answered: ++answered }));
    members.urls.set('old', url);
    const answer = await peers.ask('old', 'fast', {}, TIMEOUT_MS);
    expect(answer).toMatchObject({ ok: false, failure: { kind: 'other proxy' } });
    expect(errorOf(answer)).toMatchObject({ code: 'PEER_OTHER', message: expect.stringContaining('this is proxy b') });
    expect(answered).toBe(0);
  });

  it('is found again where it is by now', async () => {
    const stageOf = await stage();
    const { peers, members, handlers, url } = stageOf;
    handlers.on('fast', async () => ({}));
    members.urls.set('b', await closedPort());
    expect(kindOf(await peers.ask('b', 'fast', {}, TIMEOUT_MS))).toBe('unreachable');
    members.urls.set('b', url);
    expect(kindOf(await peers.ask('b', 'fast', {}, TIMEOUT_MS))).toBe('answered');
    // It was fenced off, and has registered anew.
    stageOf.id = 'b2';
    members.urls.delete('b');
    members.urls.set('b2', url);
    expect(kindOf(await peers.ask('b', 'fast', {}, TIMEOUT_MS))).toBe('other proxy');
    expect(kindOf(await peers.ask('b', 'fast', {}, TIMEOUT_MS))).toBe('unknown member');
    expect(kindOf(await peers.ask('b2', 'fast', {}, TIMEOUT_MS))).toBe('answered');
  });
});

describe('who asks', () => {
  it('has the token of the ring', async () => {
    const { peers, handlers } = await stage({ token: 'ring', askerToken: 'another' });
    let answered = 0;
    handlers.on('fast', async () => ({ answered: ++answered }));
    const answer = await peers.ask('b', 'fast', {}, TIMEOUT_MS);
    expect(answer).toMatchObject({ ok: false, failure: { kind: 'refused' } });
    expect(errorOf(answer)).toMatchObject({ code: 'PEER_TOKEN' });
    expect(answered).toBe(0);
    const right = await stage({ token: 'ring' });
    right.handlers.on('fast', async () => ({}));
    expect(kindOf(await right.peers.ask('b', 'fast', {}, TIMEOUT_MS))).toBe('answered');
  });

  it('speaks this version of the protocol, and says who it is', async () => {
    const { url, handlers } = await stage();
    handlers.on('fast', async () => ({}));
    const call = async (headers: Record<string, string>): Promise<unknown> => {
      const method = 'POST';
      const answer = await fetch(`${url}/peer/fast`, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        body: '{}',
      });
      const body: unknown = await answer.json();
      return answer.status === 200 ? body : Reflect.get(Object(body), 'error');
    };
    const [protocol, from, to] = [PEER_HEADERS.protocol, PEER_HEADERS.from, PEER_HEADERS.to];
    expect(await call({ [protocol]: '1', [from]: 'a', [to]: 'b' })).toEqual({});
    expect(await call({ [protocol]: '2', [from]: 'a', [to]: 'b' })).toMatchObject({ code: 'PEER_VERSION' });
    expect(await call({ [protocol]: '1', [from]: 'a b', [to]: 'b' })).toMatchObject({ code: 'BAD_REQUEST' });
    expect(await call({ [protocol]: '1', [from]: 'a', [to]: 'c' })).toMatchObject({ code: 'PEER_OTHER' });
    expect(await call({})).toMatchObject({ code: 'PEER_VERSION' });
  });

  it('does not come by the token of the operators, nor do operators by that of the ring', async () => {
    const { url } = await stage({ token: 'ring' });
    const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });
    expect((await fetch(`${url}/v1/proxies`, bearer('ring'))).status).toBe(401);
    expect((await fetch(`${url}/v1/proxies`, bearer('operator'))).status).toBe(200);
    expect((await fetch(`${url}/peer/fast`, { ...bearer('operator'), method: 'POST' })).status).toBe(401);
    for (const path of ['/peer/../v1/proxies', '/%70eer/../v1/proxies', '//peer/fast']) {
      expect((await rawStatus(url, path, 'ring')) >= 400).toBe(true);
    }
  });
});

async function closedPort(): Promise<string> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
}

/** A path as it is written: `fetch` would make it straight. */
function rawStatus(url: string, path: string, token: string): Promise<number> {
  const { hostname, port } = new URL(url);
  const headers = { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path, method: 'GET', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    request.once('error', reject).end();
  });
}
