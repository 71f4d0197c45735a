/** The admin API's paths of the groups of keys: `/v1/groups`, and `/v1/groups/NAME` for one of them. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RingproxyError } from '../errors.js';
import type { GroupsChangeOptions } from './api.js';
import type { GroupsPort } from './backend.js';
import { flagOf, numberOf } from './query.js';

type OneGroup = { Params: { group: string } };

const words = z.record(z.string(), z.unknown());
const GROUP_HINT =
  'expected a group as in the configuration: {"prefixes": ["page:"], "cache": "near", "near-ttl": "5s"}';
const ALL_HINT = 'expected groups as in the configuration: {"pages": {"prefixes": ["page:"], "cache": "near"}}';

/** Each change answers the groups as they are then. */
export function serveGroups(app: FastifyInstance, groups: GroupsPort): void {
  app.get('/v1/groups', async () => groups.view());
  app.put('/v1/groups', async (request) => {
    await groups.change({ kind: 'all', written: bodyOf(request, ALL_HINT) }, optionsOf(request));
    return groups.view();
  });
  app.delete('/v1/groups', async (request) => {
    await groups.change({ kind: 'reset' }, optionsOf(request));
    return groups.view();
  });
  app.put<OneGroup>('/v1/groups/:group', async (request) => {
    const { group } = request.params;
    await groups.change({ kind: 'put', group, written: bodyOf(request, GROUP_HINT) }, optionsOf(request));
    return groups.view();
  });
  app.patch<OneGroup>('/v1/groups/:group', async (request) => {
    const { group } = request.params;
    await groups.change({ kind: 'set', group, words: bodyOf(request, GROUP_HINT) }, optionsOf(request));
    return groups.view();
  });
  app.delete<OneGroup>('/v1/groups/:group', async (request) => {
    await groups.change({ kind: 'remove', group: request.params.group }, optionsOf(request));
    return groups.view();
  });
}

function optionsOf(request: FastifyRequest): GroupsChangeOptions {
  const most = Number.MAX_SAFE_INTEGER;
  const revision = numberOf(request, 'revision', { least: 0, most, otherwise: -1 });
  return { force: flagOf(request, 'force', false), revision: revision < 0 ? null : revision };
}

function bodyOf(request: FastifyRequest, hint: string): Record<string, unknown> {
  const { success, data } = words.safeParse(request.body);
  if (success) return data;
  throw new RingproxyError('BAD_REQUEST', 'the groups are not understood', hint);
}
