/** Decides, before anything of a request's body is read, whether whoever sends it may. */
import type { FastifyRequest } from 'fastify';
import { RingproxyError } from '../../errors.js';
import { isLoopback } from '../../node/address.js';
import { tokenOf } from '../answers.js';
import type { Credentials } from './credentials.js';
import { type Access, isEnough, type Role, tooLittle } from './roles.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whoever sends it may do so much; null: nobody asked. */
    role: Role | null;
  }
  interface FastifyContextConfig {
    /** Of the route's row (`routes/table.ts`). */
    needs?: Access;
  }
}

/** What a path that does not exist asks for: strangers need not know which do. */
const NEEDS_WITHOUT_ROUTE: Access = 'viewer';

export class Guard {
  readonly #credentials: Credentials;
  readonly #isUnixSocket: boolean;

  /** @param isUnixSocket the API is served there: whoever reaches it names no host */
  constructor(credentials: Credentials, isUnixSocket: boolean) {
    this.#credentials = credentials;
    this.#isUnixSocket = isUnixSocket;
  }

  /** Notes the role of whoever sends it. @throws RingproxyError when that is not enough */
  admit(request: FastifyRequest): void {
    const needed = request.routeOptions.config?.needs ?? NEEDS_WITHOUT_ROUTE;
    // Proxies of the ring show a token of their own (`peer-routes.ts`).
    if (needed === 'nobody' || needed === 'peer') return;
    request.role = this.#roleOf(request);
    if (isEnough(request.role, needed)) return;
    const what = `${request.method} ${request.url.split('?')[0] ?? ''}`;
    throw new RingproxyError('FORBIDDEN', tooLittle(what, request.role, needed));
  }

  /** @throws RingproxyError */
  #roleOf(request: FastifyRequest): Role {
    if (this.#credentials.areNone) {
      if (!this.#isUnixSocket) checkHost(request);
      checkOrigin(request);
      return 'admin';
    }
    const token = tokenOf(request);
    const role = this.#credentials.roleOf(token);
    if (role !== null) return role;
    throw new RingproxyError('UNAUTHORIZED', token === '' ? 'the admin API needs a token' : 'the token is wrong');
  }
}

/** A page elsewhere must not reach a loopback address by a name of its own (DNS rebinding). */
function checkHost(request: FastifyRequest): void {
  const host = request.host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (host === '' || isLoopback({ host, port: 0 })) return;
  throw new RingproxyError('BAD_HOST', `the host '${host}' is not served here`);
}

/** A page elsewhere may send a POST without a body to a loopback address unasked: browsers name the page's origin. */
function checkOrigin(request: FastifyRequest): void {
  const { origin } = request.headers;
  if (origin === undefined || request.method === 'GET' || request.method === 'HEAD') return;
  if (URL.canParse(origin) && new URL(origin).host === request.host) return;
  throw new RingproxyError('BAD_ORIGIN', `a page of '${origin}' may not change anything here`);
}
