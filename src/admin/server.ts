/** The admin HTTP API. Its paths and fields are part of the public contract (see `api.ts`). */

import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { z } from 'zod';
import { RingproxyError } from '../errors.js';
import { type Address, isLoopback } from '../node/address.js';
import { hasToken, sendError, tokenOf } from './answers.js';
import type { RingView } from './api.js';
import type { AdminBackend } from './backend.js';
import { parseChange } from './change-request.js';
import { ConnectionBounds } from './connection-bounds.js';
import { EventStreams } from './event-streams.js';
import { serveGroups } from './group-routes.js';
import { PAGE_HEADERS, readPageFiles } from './page-files.js';
import { PEER_ROUTE, type PeerPort, servePeers } from './peer-routes.js';
import { flagOf, numberOf, parseKeys, timeOf } from './query.js';

export interface AdminOptions {
  readonly listen: Address;
  /** Empty: none is needed. */
  readonly token: string;
  /** Who answers other proxies of the ring; null: this one is alone. */
  readonly peers: PeerPort | null;
  /** Told of failures that are bugs. */
  readonly onError: (error: Error) => void;
}

const checkRequest = z.strictObject({ fix: z.boolean().default(false) });
const resumeRequest = z.strictObject({ noDrain: z.boolean().default(false) });
const cancelRequest = z.strictObject({ dryRun: z.boolean().default(false) });
const throttleRequest = z.strictObject({ keysPerSecond: z.number().int().min(0) });

/** Paths that need no token: they say nothing of the data. The page asks for the token by itself. */
const OPEN_PATHS = new Set(['/', '/healthz', '/readyz']);
const PAGE_PATH = '/page/';
const DEFAULT_ARCS = 720;
const MOST_ARCS = 4096;
const DEFAULT_HOT_KEYS = 20;
/** No more are listed. */
const MOST_HOT_KEYS = 256;
const MOST_ADVICE = 256;
const DEFAULT_ADVICE = 20;
/** Older samples are not kept. */
const MOST_SECONDS = 300;
/** Milliseconds in which a request must have come. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
const CHECKED_EVERY_MS = 2000;
/** A connection on which nothing moves for so many milliseconds is ended. */
const SILENCE_MS = 120_000;
/** One that is idle is kept for so many milliseconds; longer than Prometheus and the page pause. */
const KEPT_ALIVE_MS = 72_000;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export class AdminServer {
  readonly #app: FastifyInstance;
  readonly #options: AdminOptions;
  readonly #backend: AdminBackend;
  readonly #streams: EventStreams;

  constructor(backend: AdminBackend, options: AdminOptions) {
    this.#backend = backend;
    this.#options = options;
    this.#streams = new EventStreams((listener, channels) => backend.events.subscribe(listener, channels));
    this.#app = fastify({
      forceCloseConnections: true,
      bodyLimit: 1_048_576,
      // One that sends its request slowly, or does not read what it is sent, holds nothing for long.
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionTimeout: SILENCE_MS,
      keepAliveTimeout: KEPT_ALIVE_MS,
      http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECKED_EVERY_MS },
      frameworkErrors: (error, _request, reply) => this.#fail(error, reply),
    });
    this.#app.addHook('onRequest', async (request) => this.#authorize(request));
    this.#app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => this.#fail(error, reply));
    this.#app.setNotFoundHandler((request, reply) => {
      const url = pathOf(request);
      const allowed = METHODS.filter((method) => this.#app.hasRoute({ method, url }));
      if (allowed.length > 0) {
        const methods = allowed.join(', ');
        reply.header('allow', methods);
        return sendError(
          reply,
          new RingproxyError('BAD_METHOD', `${url} does not take ${request.method}`, `it takes ${methods}`),
        );
      }
      return sendError(reply, new RingproxyError('NOT_FOUND', `there is no ${request.method} ${request.url}`));
    });
    const bounds = new ConnectionBounds(this.#app.server);
    if (options.peers !== null) servePeers(this.#app, options.peers, (socket) => bounds.trust(socket));
    this.#routes();
  }

  /** @returns the URL, with the port that was chosen for port 0. @throws the system's error, such as EADDRINUSE */
  listen(): Promise<string> {
    const { listen } = this.#options;
    return this.#app.listen(listen);
  }

  async close(): Promise<void> {
    await this.#app.close();
  }

  #routes(): void {
    const app = this.#app;
    const backend = this.#backend;
    const { ring, strays, plane } = backend;
    app.get('/healthz', async () => ({ status: 'ok' }));
    app.get('/readyz', async (_request, reply) => {
      const state = await plane.ready();
      if (!state.ready) return sendError(reply, new RingproxyError('NOT_READY', state.reason));
      return reply.send({ status: 'ready' });
    });
    app.get('/metrics', async (_request, reply) => {
      const { contentType, text } = await backend.metrics.read();
      return reply.header('content-type', contentType).send(text);
    });
    this.#servePage();
    app.get('/v1', async (_request, reply) => reply.type('text/plain; charset=utf-8').send(INDEX));
    app.get('/v1/ring', async () => wholeRing(backend));
    app.get('/v1/ring/arcs', async (request) => {
      return ring.arcs(numberOf(request, 'limit', { least: 1, most: MOST_ARCS, otherwise: DEFAULT_ARCS }));
    });
    app.get('/v1/ring/which', async (request) => ring.which(keysOf(request)));
    app.get('/v1/ring/history', async () => ring.history());
    app.get('/v1/ring/check', async () => strays.report());
    app.post('/v1/ring/check', async (request) => {
      const parsed = checkRequest.safeParse(request.body ?? {});
      if (parsed.success) return strays.check(parsed.data.fix);
      throw new RingproxyError('BAD_REQUEST', 'that is not understood', 'expected {} or {"fix": true}');
    });
    app.get('/v1/ring/changes/current', async (_request, reply) => {
      const { change } = ring.view();
      if (change !== null) return reply.send(change);
      return sendError(
        reply,
        new RingproxyError('NO_CHANGE', 'no change is under way', 'start one with POST /v1/ring/changes'),
        404,
      );
    });
    app.post('/v1/ring/changes', async (request) => ring.change(parseChange(request.body)));
    const current = '/v1/ring/changes/current';
    app.post(`${current}/pause`, async () => {
      await ring.pause();
      return ring.view().change;
    });
    app.post(`${current}/resume`, async (request) => {
      const parsed = resumeRequest.safeParse(request.body ?? {});
      if (!parsed.success) {
        throw new RingproxyError('BAD_REQUEST', 'that is not understood', 'expected {} or {"noDrain": true}');
      }
      await ring.resume(parsed.data.noDrain);
      return ring.view().change;
    });
    app.post(`${current}/cancel`, async (request) => {
      const parsed = cancelRequest.safeParse(request.body ?? {});
      if (!parsed.success) {
        throw new RingproxyError('BAD_REQUEST', 'that is not understood', 'expected {} or {"dryRun": true}');
      }
      if (parsed.data.dryRun) return ring.previewCancel();
      await ring.cancel();
      return ring.view().change;
    });
    app.post(`${current}/throttle`, async (request) => {
      const parsed = throttleRequest.safeParse(request.body);
      if (!parsed.success) {
        throw new RingproxyError(
          'BAD_REQUEST',
          'the rate is no whole number of keys a second',
          'expected {"keysPerSecond": 10000}, 0 for no limit',
        );
      }
      await ring.throttle(parsed.data.keysPerSecond);
      return ring.view().change;
    });
    app.get('/v1/proxies', async () => backend.fleet.proxies());
    app.delete<{ Params: { id: string } }>('/v1/proxies/:id', async (request) => {
      await ring.forget(request.params.id);
      return backend.fleet.proxies();
    });
    app.get('/v1/stats', async () => plane.stats());
    app.get('/v1/hot', async (request) => {
      const limit = numberOf(request, 'limit', { least: 1, most: MOST_HOT_KEYS, otherwise: DEFAULT_HOT_KEYS });
      return backend.hotKeys.view({ limit, fleet: flagOf(request, 'fleet', true) });
    });
    app.get('/v1/advice', async (request) => {
      const limit = numberOf(request, 'limit', { least: 1, most: MOST_ADVICE, otherwise: DEFAULT_ADVICE });
      return backend.advice.view({ limit, fleet: flagOf(request, 'fleet', true) });
    });
    serveGroups(app, backend.groups);
    app.get('/v1/load', async (request, reply) => {
      const load = backend.load.over(numberOf(request, 'seconds', { least: 1, most: MOST_SECONDS, otherwise: 10 }));
      if (load !== null) return reply.send(load);
      return sendError(reply, new RingproxyError('NOT_READY', 'nothing is measured yet', 'try again in a second'));
    });
    app.get('/v1/load/history', async (request) => backend.load.samples(timeOf(request, 'since')));
    app.get('/v1/events', (request, reply) => this.#streamEvents(request, reply));
  }

  #servePage(): void {
    for (const [name, file] of readPageFiles()) {
      const path = name === 'index.html' ? '/' : `${PAGE_PATH}${name}`;
      this.#app.get(path, async (request, reply) => {
        reply.headers(PAGE_HEADERS).header('etag', file.etag).type(file.type);
        return request.headers['if-none-match'] === file.etag ? reply.code(304).send() : reply.send(file.body);
      });
    }
  }

  /** Server-sent events: each event of the proxy's, as it happens; with `recent` those of before come first. */
  #streamEvents(request: FastifyRequest, reply: FastifyReply): void {
    const query = new URL(request.url, 'http://localhost').searchParams;
    const channels = query.getAll('channel');
    if (this.#streams.isFull) {
      sendError(reply, new RingproxyError('TOO_MANY_STREAMS', 'too many readers follow the events'));
      return;
    }
    const past = query.has('recent') ? this.#backend.events.recent() : [];
    // A channel that does not exist is answered with an error, so the reply is not ours before.
    this.#streams.add(
      reply.raw,
      channels,
      past.filter(({ channel }) => channels.length === 0 || channels.includes(channel)),
    );
    reply.hijack();
  }

  async #authorize(request: FastifyRequest): Promise<void> {
    // These have a token of their own.
    if (request.routeOptions.url === PEER_ROUTE) return;
    const { token } = this.#options;
    const path = pathOf(request);
    if (OPEN_PATHS.has(path) || (path.startsWith(PAGE_PATH) && request.method === 'GET')) return;
    if (token === '') {
      this.#checkHost(request);
      checkOrigin(request);
      return;
    }
    if (!hasToken(request, token)) {
      const isMissing = tokenOf(request) === '';
      throw new RingproxyError('UNAUTHORIZED', isMissing ? 'the admin API needs a token' : 'the token is wrong');
    }
  }

  /** A page elsewhere must not reach a loopback address by a name of its own (DNS rebinding). */
  #checkHost(request: FastifyRequest): void {
    if ('path' in this.#options.listen) return;
    const host = request.host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
    if (host === '' || isLoopback({ host, port: 0 })) return;
    throw new RingproxyError('BAD_HOST', `the host '${host}' is not served here`);
  }

  #fail(error: Error & { statusCode?: number }, reply: FastifyReply): void {
    if (error instanceof RingproxyError) {
      sendError(reply, error);
      return;
    }
    const status = error.statusCode ?? 500;
    if (status >= 500) {
      this.#options.onError(error);
      sendError(reply, new RingproxyError('INTERNAL', 'the proxy failed to answer'));
    } else {
      sendError(reply, new RingproxyError('BAD_REQUEST', error.message), status);
    }
  }
}

function wholeRing({ ring, fleet }: Pick<AdminBackend, 'ring' | 'fleet'>): RingView {
  const view = ring.view();
  const nodes = view.nodes.map((node) => ({ ...node, downFor: fleet.downFor(node) }));
  return { ...view, nodes, proxies: fleet.proxies(), coordination: fleet.coordination() };
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?')[0] ?? '';
}

/** A page elsewhere may send a POST without a body to a loopback address unasked: browsers name the page's origin. */
function checkOrigin(request: FastifyRequest): void {
  const { origin } = request.headers;
  if (origin === undefined || request.method === 'GET' || request.method === 'HEAD') return;
  if (URL.canParse(origin) && new URL(origin).host === request.host) return;
  throw new RingproxyError('BAD_ORIGIN', `a page of '${origin}' may not change anything here`);
}

function keysOf(request: FastifyRequest): Buffer[] {
  const keys = parseKeys(request.url);
  if (keys.length > 0) return keys;
  throw new RingproxyError('NO_KEY', 'no key is asked for');
}

const INDEX = `ringproxy admin API

GET  /                          the web page
GET  /healthz                   the process lives
GET  /readyz                    clients can be served
GET  /metrics                   for Prometheus
GET  /v1/ring                   generation, nodes, shares
GET  /v1/ring/which?key=KEY     where a key is
GET  /v1/ring/arcs?limit=N      the ring as at most N pieces, to be drawn
GET  /v1/ring/history           finished changes
GET  /v1/ring/check             keys on nodes that do not own them, as far as they are known
POST /v1/ring/check             look for them; with {"fix": true} remove them
POST /v1/ring/changes           add, remove, reweight or replace nodes; with "dryRun": true only say what would move
GET  /v1/ring/changes/current   the running change
POST /v1/ring/changes/current/{pause,resume,cancel,throttle}
GET  /v1/proxies                the proxies of this ring
DELETE /v1/proxies/ID           forget one that is dead
GET  /v1/stats                  counters and latencies
GET  /v1/hot?limit=N            the N keys that are used most in the fleet; with fleet=false at this proxy alone
GET  /v1/advice?limit=N         which keys commands had on several nodes, and which hash tags would bring them together; fleet=false: this proxy
GET  /v1/groups                 groups of keys: how each is cached, and what the fleet has counted of it; fleet=false: this proxy
PUT  /v1/groups                 make them as given; with force=true also where keys are not seen any more then
DELETE /v1/groups               go back to those of the configuration
PUT  /v1/groups/NAME            make one group as given; PATCH changes what is given; DELETE takes it out
                                with dryRun=true only say what would change, and which keys it would hide
GET  /v1/load?seconds=N         rates and latencies of the last seconds
GET  /v1/load/history?since=T   the same by the second, for the last five minutes
GET  /v1/events?channel=NAME    server-sent events; of all channels that are not frequent, or of these;
                                with &recent those of before come first
`;
