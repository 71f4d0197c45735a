/** The ring, its changes, and keys that are where they do not belong. */
import type { FastifyRequest } from 'fastify';
import { RingproxyError } from '../../errors.js';
import { sendError } from '../answers.js';
import type { RingView } from '../api.js';
import { whoOf } from '../audit/caller.js';
import type { AdminBackend } from '../backend.js';
import { parseChange } from '../change-request.js';
import { numberOf, parseKeys } from '../query.js';
import { cancelBody, checkBody, resumeBody, throttleBody } from './bodies.js';
import type { Handlers } from './handlers.js';
import { LIMITS, type RouteName } from './table.js';

type RingRoute = Extract<RouteName, `${string} /v1/ring${string}`>;

export function ringRoutes({ ring, strays, fleet }: AdminBackend): Pick<Handlers, RingRoute> {
  return {
    'GET /v1/ring': async () => wholeRing({ ring, fleet }),
    'GET /v1/ring/arcs': async (request) => ring.arcs(numberOf(request, 'limit', LIMITS.arcs)),
    'GET /v1/ring/which': async (request) => ring.which(keysOf(request)),
    'GET /v1/ring/history': async () => ring.history(),
    'GET /v1/ring/check': async () => strays.report(),
    'POST /v1/ring/check': async (request) => {
      const parsed = checkBody.schema.safeParse(request.body ?? {});
      if (parsed.success) return strays.check(parsed.data.fix);
      throw notUnderstood('expected {} or {"fix": true}');
    },
    'POST /v1/ring/changes': async (request) => ring.change(parseChange(request.body), whoOf(request)),
    'GET /v1/ring/changes/current': async (_request, reply) => {
      const { change } = ring.view();
      if (change !== null) return reply.send(change);
      const hint = 'start one with POST /v1/ring/changes';
      return sendError(reply, new RingproxyError('NO_CHANGE', 'no change is under way', hint), 404);
    },
    'POST /v1/ring/changes/current/pause': async () => {
      await ring.pause();
      return ring.view().change;
    },
    'POST /v1/ring/changes/current/resume': async (request) => {
      const parsed = resumeBody.schema.safeParse(request.body ?? {});
      if (!parsed.success) throw notUnderstood('expected {} or {"noDrain": true}');
      await ring.resume(parsed.data.noDrain);
      return ring.view().change;
    },
    'POST /v1/ring/changes/current/cancel': async (request) => {
      const parsed = cancelBody.schema.safeParse(request.body ?? {});
      if (!parsed.success) throw notUnderstood('expected {} or {"dryRun": true}');
      if (parsed.data.dryRun) return ring.previewCancel();
      await ring.cancel(whoOf(request));
      return ring.view().change;
    },
    'POST /v1/ring/changes/current/throttle': async (request) => {
      const parsed = throttleBody.schema.safeParse(request.body);
      if (!parsed.success) {
        const hint = 'expected {"keysPerSecond": 10000}, 0 for no limit';
        throw new RingproxyError('BAD_REQUEST', 'the rate is no whole number of keys a second', hint);
      }
      await ring.throttle(parsed.data.keysPerSecond);
      return ring.view().change;
    },
  };
}

function wholeRing({ ring, fleet }: Pick<AdminBackend, 'ring' | 'fleet'>): RingView {
  const view = ring.view();
  const nodes = view.nodes.map((node) => {
    const opinions = fleet.opinionsOf(node);
    return { ...node, downFor: opinions.map(({ proxy }) => proxy), opinions };
  });
  return { ...view, nodes, proxies: fleet.proxies(), coordination: fleet.coordination() };
}

function keysOf(request: FastifyRequest): Buffer[] {
  const keys = parseKeys(request.url);
  if (keys.length > 0) return keys;
  throw new RingproxyError('NO_KEY', 'no key is asked for');
}

function notUnderstood(hint: string): RingproxyError {
  return new RingproxyError('BAD_REQUEST', 'that is not understood', hint);
}
