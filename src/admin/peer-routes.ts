/** `POST /peer/…`: what other proxies of the ring ask. Browsers' rules are not theirs, and neither is the operators' token. */
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RingproxyError } from '../errors.js';
import { BYTES_TYPE, MOST_PEER_BYTES, PEER_HEADERS, PEER_PATH, PEER_PROTOCOL } from '../fleet/peers/protocol.js';
import { isLoopback } from '../node/address.js';
import { hasToken } from './answers.js';

/** What this proxy answers others of its ring. */
export interface PeerPort {
  /** What the proxies of the ring know each other by; empty: that they are on this machine. */
  readonly token: string;
  /** This proxy's id, as it is at the moment. */
  ownId(): string;
  /** @returns null: nobody answers that path */
  find(path: string): ((question: { readonly from: string; readonly body: unknown }) => Promise<object>) | null;
}

/** The path as the routes have it. */
const PEER_ROUTE = `${PEER_PATH}*`;

const PROXY_ID = /^[\w-]{1,64}$/;

/**
 * Adds the routes.
 * @param trust told of the connection of who has shown that it belongs here
 */
export function servePeers(app: FastifyInstance, port: PeerPort, trust: (socket: Socket) => void): void {
  // What is said here of bytes goes for these routes alone.
  app.register(async (scope) => {
    scope.addContentTypeParser(BYTES_TYPE, { parseAs: 'buffer', bodyLimit: MOST_PEER_BYTES }, (_request, body, done) =>
      done(null, body),
    );
    scope.post<{ Params: { '*': string } }>(PEER_ROUTE, {
      bodyLimit: MOST_PEER_BYTES,
      config: { needs: 'peer' },
      // Before anything of the body is read.
      onRequest: async (request) => {
        authorize(request, port.token);
        trust(request.raw.socket);
        checkTarget(request, port.ownId());
      },
      handler: async (request, reply) => {
        const path = request.params['*'];
        const answer = port.find(path);
        if (answer === null) throw new RingproxyError('NOT_FOUND', `this proxy does not know how to answer ${path}`);
        const result = await answer({ from: String(request.headers[PEER_HEADERS.from]), body: request.body });
        reply.header(PEER_HEADERS.to, request.headers[PEER_HEADERS.to]);
        if (!(result instanceof Uint8Array)) return reply.send(result);
        return reply.type(BYTES_TYPE).send(Buffer.from(result.buffer, result.byteOffset, result.byteLength));
      },
    });
  });
}

/** @throws RingproxyError */
function authorize(request: FastifyRequest, token: string): void {
  if (token !== '') {
    if (hasToken(request, token)) return;
    throw new RingproxyError('PEER_TOKEN', 'this proxy has another peer-token, or the question has none');
  }
  const { remoteAddress } = request.raw.socket;
  // A Unix socket has none.
  if (remoteAddress === undefined) return;
  if (isLoopback({ host: remoteAddress.replace(/^::ffff:/, ''), port: 0 })) return;
  throw new RingproxyError('PEER_TOKEN', 'without a peer-token only proxies of this machine are answered');
}

/** @throws RingproxyError */
function checkTarget({ headers }: FastifyRequest, ownId: string): void {
  const [protocol, from, to] = [headers[PEER_HEADERS.protocol], headers[PEER_HEADERS.from], headers[PEER_HEADERS.to]];
  if (protocol !== PEER_PROTOCOL) {
    throw new RingproxyError(
      'PEER_VERSION',
      `it was asked by protocol ${String(protocol)}, and speaks ${PEER_PROTOCOL}`,
    );
  }
  if (typeof from !== 'string' || !PROXY_ID.test(from)) {
    throw new RingproxyError('BAD_REQUEST', 'the question does not say which proxy asks');
  }
  // Whoever has ended leaves its port to others; and who was passed in a fence has another id afterwards.
  if (to !== ownId) throw new RingproxyError('PEER_OTHER', `this is proxy ${ownId}, and not ${String(to)}`);
}
