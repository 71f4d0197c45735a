/** How many connections the admin API has, and whose are ended when there are too many. */
import http from 'node:http';
import net from 'node:net';
import { expect, it } from 'vitest';
import { PEER_HEADERS } from '../../src/fleet/peers/protocol.js';
import { atEnd } from '../support/cleanup.js';
import { serveAdmin } from './serve-admin.js';

/** As many as are crowded, and some more. */
const CROWD = 420;

interface Visitor {
  /** @returns the status, and whether the connection of before was used */
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; again: boolean }>;
}

/** Keeps one connection. */
function visitor(url: string): Visitor {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  atEnd(() => agent.destroy());
  const { hostname, port } = new URL(url);
  return {
    get: (path, headers = {}) =>
      new Promise((resolve, reject) => {
        const method = path.startsWith('/peer/') ? 'POST' : 'GET';
        const request = http.request({ agent, hostname, port, path, method, headers }, (answer) => {
          answer.resume();
          answer.once('end', () => resolve({ status: answer.statusCode ?? 0, again: request.reusedSocket }));
        });
        request.once('error', reject).end();
      }),
  };
}

/** @returns how many of them the listener has ended */
async function crowd(url: string, count = CROWD): Promise<() => number> {
  const { hostname, port } = new URL(url);
  let ended = 0;
  for (let i = 0; i < count; i++) {
    const socket = net.connect(Number(port), hostname);
    atEnd(() => {
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.once('close', () => ended++);
    await new Promise((resolve) => socket.once('connect', resolve));
  }
  return () => ended;
}

it('when it is crowded, a proxy of the ring keeps its connection, and a stranger that is idle does not', async () => {
  const peers = { token: 'ring', ownId: () => 'b', find: () => async () => ({}) };
  const { url } = await serveAdmin({ token: 'operator', peers });
  const [proxy, stranger] = [visitor(url), visitor(url)];
  const headers = {
    authorization: 'Bearer ring',
    [PEER_HEADERS.protocol]: '1',
    [PEER_HEADERS.from]: 'a',
    [PEER_HEADERS.to]: 'b',
  };
  expect(await proxy.get('/peer/x', headers)).toEqual({ status: 200, again: false });
  expect(await stranger.get('/healthz')).toEqual({ status: 200, again: false });
  expect(await proxy.get('/peer/x', headers)).toEqual({ status: 200, again: true });
  expect(await stranger.get('/healthz')).toEqual({ status: 200, again: true });
  await crowd(url);
  expect(await proxy.get('/peer/x', headers)).toEqual({ status: 200, again: true });
  expect(await stranger.get('/healthz')).toEqual({ status: 200, again: false });
});

it('a wrong token makes nobody a proxy of the ring', async () => {
  const peers = { token: 'ring', ownId: () => 'b', find: () => async () => ({}) };
  const { url } = await serveAdmin({ token: 'operator', peers });
  const stranger = visitor(url);
  expect(await stranger.get('/peer/x', { authorization: 'Bearer operator' })).toEqual({ status: 401, again: false });
  await crowd(url);
  expect(await stranger.get('/peer/x', { authorization: 'Bearer operator' })).toEqual({ status: 401, again: false });
});

it('has no more connections than its bound, however young they are', async () => {
  const { url } = await serveAdmin({ token: 'operator' });
  const ended = await crowd(url, 600);
  await expect.poll(() => 600 - ended(), { timeout: 5000 }).toBeLessThanOrEqual(512);
});
