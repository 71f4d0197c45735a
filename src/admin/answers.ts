/** How the admin API answers a failure, and how it compares secrets. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RingproxyError } from '../errors.js';
import type { ApiError } from './api.js';

/** @param status that of the error's code, where HTTP has none that says more */
export function sendError(reply: FastifyReply, failure: RingproxyError, status = failure.status): FastifyReply {
  const { code, message, hint } = failure;
  const body: ApiError = { error: { code, message, hint } };
  return reply.code(status).send(body);
}

/** Whether a request has the token. How long that takes tells nothing of it. */
export function hasToken(request: FastifyRequest, token: string): boolean {
  return sameText(tokenOf(request), token);
}

/** @returns empty: there is none */
export function tokenOf(request: FastifyRequest): string {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
