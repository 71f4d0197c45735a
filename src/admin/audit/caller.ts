/** Who has sent a request, as it is written down: nothing that comes from outside can be taken for something else there. */
import type { FastifyRequest } from 'fastify';

/** By which the command line says who it is run by: `user@host`. */
const CLIENT_HEADER = 'x-ringproxy-client';

const MOST_CLIENT = 128;
const MOST_WHO = 200;

/** @returns visible ASCII alone, so that it neither ends a line nor moves a terminal's cursor, and at most so long */
export function visible(text: string, most: number): string {
  const clean = text.slice(0, most + 1).replace(/[^\x20-\x7e]/g, '?');
  return clean.length > most ? `${clean.slice(0, most - 1)}~` : clean;
}

/** @returns empty: a Unix socket */
export function addressOf(request: FastifyRequest): string {
  return (request.raw.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
}

/** What the caller says of itself. */
export function clientOf(request: FastifyRequest): string | null {
  const said = request.headers[CLIENT_HEADER] ?? request.headers['user-agent'] ?? '';
  const text = visible(String(said), MOST_CLIENT).trim();
  return text === '' ? null : text;
}

/**
 * Who asks for a change, for the ring's history: the token's name, and beside it who the command line says it is; where
 * no token is needed, that or the address.
 */
export function whoOf(request: FastifyRequest): string {
  const said = request.headers[CLIENT_HEADER];
  const person = typeof said === 'string' ? visible(said, MOST_CLIENT).trim().replace(/ +/g, ' ') : '';
  const name = request.caller?.name ?? null;
  const parts = [name, person === '' ? null : person].filter((part) => part !== null);
  return visible(parts.length > 0 ? parts.join(', ') : addressOf(request) || 'this machine', MOST_WHO);
}
