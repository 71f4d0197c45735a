/** What this proxy is, counts and tells: health, metrics, loads, the fleet that it is of, events. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RingproxyError } from '../../errors.js';
import type { Guard } from '../access/guard.js';
import { sendError } from '../answers.js';
import type { HealthView, ReadyView, WhoamiView } from '../api.js';
import type { AdminBackend } from '../backend.js';
import type { EventStreams } from '../event-streams.js';
import { flagOf, numberOf, parameterOf, timeOf } from '../query.js';
import type { Handlers } from './handlers.js';
import { routeIndex } from './index-text.js';
import { openApi } from './openapi.js';
import { LIMITS } from './table.js';

type ProcessRoute =
  | 'GET /healthz'
  | 'GET /readyz'
  | 'GET /metrics'
  | 'GET /v1'
  | 'GET /v1/openapi.json'
  | 'GET /v1/whoami'
  | 'GET /v1/proxies'
  | 'DELETE /v1/proxies/:id'
  | 'GET /v1/audit'
  | 'GET /v1/stats'
  | 'GET /v1/hot'
  | 'GET /v1/advice'
  | 'GET /v1/load'
  | 'GET /v1/load/history'
  | 'GET /v1/events';

/** @param guard whether who follows events still may */
export function processRoutes(
  backend: AdminBackend,
  streams: EventStreams,
  guard: Pick<Guard, 'stillAdmits'>,
): Pick<Handlers, ProcessRoute> {
  const { ring, plane, metrics, fleet, load, hotKeys, advice, audit } = backend;
  return {
    'GET /healthz': async (): Promise<HealthView> => ({ status: 'ok' }),
    'GET /readyz': async (_request, reply) => {
      const state = await plane.ready();
      if (!state.ready) return sendError(reply, new RingproxyError('NOT_READY', state.reason));
      return reply.send({ status: 'ready' } satisfies ReadyView);
    },
    'GET /metrics': async (_request, reply) => {
      const { contentType, text } = await metrics.read();
      return reply.header('content-type', contentType).send(text);
    },
    'GET /v1': async (_request, reply) => reply.type('text/plain; charset=utf-8').send(routeIndex()),
    'GET /v1/openapi.json': async () => openApi(),
    'GET /v1/whoami': async (request): Promise<WhoamiView> => ({
      name: request.caller?.name ?? null,
      role: request.caller?.role ?? 'viewer',
    }),
    'GET /v1/proxies': async () => fleet.proxies(),
    'DELETE /v1/proxies/:id': async (request) => {
      await ring.forget(parameterOf(request, 'id'));
      return fleet.proxies();
    },
    'GET /v1/audit': async (request) =>
      audit.view({ limit: numberOf(request, 'limit', LIMITS.audit), fleet: flagOf(request, 'fleet', true) }),
    'GET /v1/stats': async () => plane.stats(),
    'GET /v1/hot': async (request) =>
      hotKeys.view({ limit: numberOf(request, 'limit', LIMITS.hotKeys), fleet: flagOf(request, 'fleet', true) }),
    'GET /v1/advice': async (request) =>
      advice.view({ limit: numberOf(request, 'limit', LIMITS.advice), fleet: flagOf(request, 'fleet', true) }),
    'GET /v1/load': async (request, reply) => {
      const rates = load.over(numberOf(request, 'seconds', LIMITS.seconds));
      if (rates !== null) return reply.send(rates);
      return sendError(reply, new RingproxyError('NOT_READY', 'nothing is measured yet', 'try again in a second'));
    },
    'GET /v1/load/history': async (request) => load.samples(timeOf(request, 'since')),
    'GET /v1/events': (request, reply) => streamEvents(backend, streams, guard, request, reply),
  };
}

/** Server-sent events: each event of the proxy's, as it happens; with `recent` those of before come first. */
function streamEvents(
  { events }: Pick<AdminBackend, 'events'>,
  streams: EventStreams,
  guard: Pick<Guard, 'stillAdmits'>,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const query = new URL(request.url, 'http://localhost').searchParams;
  const channels = query.getAll('channel');
  if (streams.isFull) {
    sendError(reply, new RingproxyError('TOO_MANY_STREAMS', 'too many readers follow the events'));
    return;
  }
  const past = query.has('recent') ? events.recent() : [];
  // A channel that does not exist is answered with an error, so the reply is not ours before.
  streams.add(
    reply.raw,
    channels,
    past.filter(({ channel }) => channels.length === 0 || channels.includes(channel)),
    () => guard.stillAdmits(request),
  );
  reply.hijack();
}
