/** How the admin API answers a failure, and where a request has its token. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RingproxyError } from '../errors.js';
import { sameSecret } from './access/credentials.js';
import type { ApiError } from './api.js';

/** @param status that of the error's code, where HTTP has none that says more */
export function sendError(reply: FastifyReply, failure: RingproxyError, status = failure.status): FastifyReply {
  const { code, message, hint } = failure;
  reply.request.failed = code;
  const body: ApiError = { error: { code, message, hint } };
  return reply.code(status).send(body);
}

/** Whether a request has the token. How long that takes tells nothing of it. */
export function hasToken(request: FastifyRequest, token: string): boolean {
  return sameSecret(tokenOf(request), token);
}

/** @returns empty: there is none */
export function tokenOf(request: FastifyRequest): string {
  return /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}
