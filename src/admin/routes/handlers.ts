/** What answers a route. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RouteName } from './table.js';

/** What it returns is sent as JSON, unless it has sent something itself. */
export type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

/** One for each row of the table: a missing one does not compile. */
export type Handlers = Readonly<Record<RouteName, Handler>>;
