/** The admin HTTP API. Its paths and fields are part of the public contract (see `api.ts`). */

import type { RequestListener } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { RingproxyError } from '../errors.js';
import type { Address } from '../node/address.js';
import { secureOptions, type TlsMaterial, type TlsRules } from '../tls/material.js';
import { type CallerAuth, CallerCertificates } from './access/caller-certificates.js';
import type { Credentials } from './access/credentials.js';
import { Guard } from './access/guard.js';
import { sendError } from './answers.js';
import type { Audit } from './audit/audit.js';
import type { AdminBackend } from './backend.js';
import { ConnectionBounds } from './connection-bounds.js';
import { EventStreams } from './event-streams.js';
import { PAGE_HEADERS, readPageFiles } from './page-files.js';
import { type PeerPort, servePeers } from './peer-routes.js';
import { parameterOf } from './query.js';
import { groupRoutes } from './routes/group-routes.js';
import type { Handlers } from './routes/handlers.js';
import { processRoutes } from './routes/process-routes.js';
import { ringRoutes } from './routes/ring-routes.js';
import { methodsOf, partsOf, routeRows } from './routes/table.js';

export interface AdminOptions {
  readonly listen: Address;
  /** By HTTPS, with these certificates; null: by HTTP. */
  readonly tls: { readonly material: TlsMaterial; readonly rules: TlsRules; readonly clientAuth: CallerAuth } | null;
  /** Whose tokens are valid; none are: none is needed. */
  readonly credentials: Credentials;
  /** Notes who calls what. */
  readonly audit: Audit;
  /** Who answers other proxies of the ring; null: this one is alone. */
  readonly peers: PeerPort | null;
  /** Told of failures that are bugs. */
  readonly onError: (error: Error) => void;
}

/** What bodies must look like is said in `routes`, by zod: without this, fastify loads two compilers of JSON schemas. */
const NO_SCHEMAS = {
  compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema },
};
/** Milliseconds in which a request must have come. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
const CHECKED_EVERY_MS = 2000;
/** A connection on which nothing moves for so many milliseconds is ended. */
const SILENCE_MS = 120_000;
/** One that is idle is kept for so many milliseconds; longer than Prometheus and the page pause. */
const KEPT_ALIVE_MS = 72_000;

export class AdminServer {
  readonly #app: FastifyInstance;
  readonly #options: AdminOptions;
  readonly #backend: AdminBackend;
  readonly #streams: EventStreams;
  #tlsServer: TlsServer | null = null;

  constructor(backend: AdminBackend, options: AdminOptions) {
    this.#backend = backend;
    this.#options = options;
    this.#streams = new EventStreams((listener, channels) => backend.events.subscribe(listener, channels));
    this.#app = fastify({
      forceCloseConnections: true,
      schemaController: NO_SCHEMAS,
      bodyLimit: 1_048_576,
      // One that sends its request slowly, or does not read what it is sent, holds nothing for long.
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionTimeout: SILENCE_MS,
      keepAliveTimeout: KEPT_ALIVE_MS,
      http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECKED_EVERY_MS },
      frameworkErrors: (error, _request, reply) => this.#fail(error, reply),
      ...(options.tls === null ? {} : { serverFactory: (handler: RequestListener) => this.#byTls(handler) }),
    });
    const certificates = new CallerCertificates(options.tls?.clientAuth ?? 'none');
    const guard = new Guard(options.credentials, 'path' in options.listen, certificates);
    options.credentials.onReplaced(() => this.#streams.endForbidden());
    this.#app.decorateRequest('caller', null);
    options.audit.watch(this.#app);
    this.#app.addHook('onRequest', async (request) => guard.admit(request));
    this.#app.addHook('preHandler', async (request) => guard.admitBody(request));
    this.#app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => this.#fail(error, reply));
    this.#app.setNotFoundHandler((request, reply) => this.#notFound(request, reply));
    const bounds = new ConnectionBounds(this.#app.server);
    if (options.peers !== null) servePeers(this.#app, options.peers, (socket) => bounds.trust(socket));
    this.#routes(guard);
  }

  /** @returns the URL, with the port that was chosen for port 0. @throws the system's error, such as EADDRINUSE */
  async listen(): Promise<string> {
    const { listen, tls } = this.#options;
    const url = await this.#app.listen(listen);
    return tls === null ? url : url.replace(/^http:/, 'https:');
  }

  /** Who calls from now on is shown these. */
  useCertificates(material: TlsMaterial): void {
    const { tls } = this.#options;
    if (tls !== null) this.#tlsServer?.setSecureContext(secureOptions(material, tls.rules));
  }

  /** A server of our own has the bounds that Fastify gives its. */
  #byTls(handler: RequestListener): TlsServer {
    const { tls } = this.#options;
    const server = createTlsServer(
      {
        ...(tls === null ? {} : secureOptions(tls.material, tls.rules)),
        requestCert: tls !== null && tls.clientAuth !== 'none',
        // Whoever is refused is told why, in an answer.
        rejectUnauthorized: false,
        handshakeTimeout: HEADERS_TIMEOUT_MS,
        headersTimeout: HEADERS_TIMEOUT_MS,
        connectionsCheckingInterval: CHECKED_EVERY_MS,
      },
      handler,
    );
    server.keepAliveTimeout = KEPT_ALIVE_MS;
    server.requestTimeout = REQUEST_TIMEOUT_MS;
    server.setTimeout(SILENCE_MS);
    this.#tlsServer = server;
    return server;
  }

  async close(): Promise<void> {
    await this.#app.close();
  }

  #routes(guard: Guard): void {
    const handlers: Handlers = {
      ...this.#pageRoutes(),
      ...processRoutes(this.#backend, this.#streams, guard),
      ...ringRoutes(this.#backend),
      ...groupRoutes(this.#backend.groups),
    };
    for (const [name, { needs, raised }] of routeRows()) {
      const { method, path } = partsOf(name);
      const config = raised === undefined ? { needs } : { needs, raised };
      this.#app.route({ method, url: path, config, handler: handlers[name] });
    }
  }

  #pageRoutes(): Pick<Handlers, 'GET /' | 'GET /page/*'> {
    const files = readPageFiles();
    const send = (request: FastifyRequest, reply: FastifyReply, name: string): FastifyReply => {
      const file = files.get(name);
      if (file === undefined) return sendError(reply, nothingAt(request));
      reply.headers(PAGE_HEADERS).header('etag', file.etag).type(file.type);
      return request.headers['if-none-match'] === file.etag ? reply.code(304).send() : reply.send(file.body);
    };
    return {
      'GET /': (request, reply) => send(request, reply, 'index.html'),
      'GET /page/*': (request, reply) => send(request, reply, parameterOf(request, '*')),
    };
  }

  #notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const url = pathOf(request);
    const allowed = methodsOf(url);
    if (allowed.length === 0) {
      return sendError(reply, nothingAt(request));
    }
    const methods = allowed.join(', ');
    reply.header('allow', methods);
    const message = `${url} does not take ${request.method}`;
    return sendError(reply, new RingproxyError('BAD_METHOD', message, `it takes ${methods}`));
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

function pathOf(request: FastifyRequest): string {
  return request.url.split('?')[0] ?? '';
}

function nothingAt({ method, url }: FastifyRequest): RingproxyError {
  return new RingproxyError('NOT_FOUND', `there is no ${method} ${url}`);
}

function refuseSchema(): never {
  throw new TypeError('a route of the admin API says what its bodies look like in its row, not by a JSON schema');
}
