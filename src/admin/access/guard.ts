/** Decides, before anything of a request's body is read, whether whoever sends it may. */
import type { FastifyRequest } from 'fastify';
import { RingproxyError } from '../../errors.js';
import { isLoopback } from '../../node/address.js';
import { tokenOf } from '../answers.js';
import { visible } from '../audit/caller.js';
import type { CallerCertificates } from './caller-certificates.js';
import type { Caller, Credentials } from './credentials.js';
import { type Access, enoughFor, isEnough, type Raised, type Role, saidOf, tooLittle } from './roles.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whoever sends it; null: nobody asked, or it is nobody who is known. */
    caller: (Omit<Caller, 'name'> & { readonly name: Caller['name'] | null }) | null;
  }
  interface FastifyContextConfig {
    /** Of the route's row (`routes/table.ts`). */
    needs?: Access;
    raised?: Raised;
  }
}

/** What a path that does not exist asks for: strangers need not know which do. */
const NEEDS_WITHOUT_ROUTE: Access = 'viewer';

/** Of a certificate's common name. */
const MOST_NAME = 128;

export class Guard {
  readonly #credentials: Credentials;
  readonly #isUnixSocket: boolean;
  readonly #certificates: CallerCertificates;

  /** @param isUnixSocket the API is served there: whoever reaches it names no host */
  constructor(credentials: Credentials, isUnixSocket: boolean, certificates: CallerCertificates) {
    this.#credentials = credentials;
    this.#isUnixSocket = isUnixSocket;
    this.#certificates = certificates;
  }

  /** Notes who sends it. @throws RingproxyError when that is not enough */
  admit(request: FastifyRequest): void {
    const needed = request.routeOptions.config?.needs ?? NEEDS_WITHOUT_ROUTE;
    if (needed === 'nobody') return;
    const name = this.#certificates.nameOf(request);
    // Proxies of the ring show a token of their own (`peer-routes.ts`).
    if (needed === 'peer') return;
    request.caller = this.#callerOf(request, name);
    refuseUnless(request, request.caller.role, needed, '');
  }

  /** Whether it would be admitted if it came now: for what is answered for long. */
  stillAdmits(request: FastifyRequest): boolean {
    try {
      this.admit(request);
      return true;
    } catch (error) {
      if (error instanceof RingproxyError) return false;
      throw error;
    }
  }

  /** Looks at what the body asks for, once it is read. @throws RingproxyError when that takes another role */
  admitBody(request: FastifyRequest): void {
    const raised = request.routeOptions.config?.raised;
    if (raised === undefined || request.caller === null) return;
    const said = saidOf(raised, request.body);
    if (said.length > 0) refuseUnless(request, request.caller.role, raised.needs, ` with ${said.join(' and ')}`);
  }

  /** @param name of the certificate, for those who need no token @throws RingproxyError */
  #callerOf(request: FastifyRequest, name: string | null): NonNullable<FastifyRequest['caller']> {
    if (this.#credentials.areNone) {
      if (!this.#isUnixSocket) checkHost(request);
      checkOrigin(request);
      return { name: name === null ? null : visible(name, MOST_NAME), role: 'admin' };
    }
    const token = tokenOf(request);
    const caller = this.#credentials.callerOf(token);
    if (caller !== null) return caller;
    throw new RingproxyError('UNAUTHORIZED', token === '' ? 'the admin API needs a token' : 'the token is wrong');
  }
}

/** @param how what is asked for beside the path @throws RingproxyError */
function refuseUnless(request: FastifyRequest, role: Role, needed: Role, how: string): void {
  if (isEnough(role, needed)) return;
  const what = `${request.method} ${request.url.split('?')[0] ?? ''}${how}`;
  throw new RingproxyError('FORBIDDEN', tooLittle(what, role, needed), enoughFor(needed));
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
