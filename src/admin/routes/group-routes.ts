/** The admin API's paths of the groups of keys: `/v1/groups`, and `/v1/groups/NAME` for one of them. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RingproxyError } from '../errors.js';
import type { GroupsChange, GroupsChangeOptions, GroupsPreview, GroupsView } from './api.js';
import type { GroupsPort } from './backend.js';
import { flagOf, numberOf } from './query.js';

type OneGroup = { Params: { group: string } };

const words = z.record(z.string(), z.unknown());
const GROUP_HINT =
  'expected a group as in the configuration: {"prefixes": ["page:"], "cache": "near", "near-ttl": "5s"}';
const ALL_HINT = 'expected groups as in the configuration: {"pages": {"prefixes": ["page:"], "cache": "near"}}';

/** Each change answers the groups as they are then; with `dryRun=true` what it would do, and nothing is done. */
export function serveGroups(app: FastifyInstance, groups: GroupsPort): void {
  const answer = async (request: FastifyRequest, change: GroupsChange): Promise<GroupsView | GroupsPreview> => {
    const options = optionsOf(request);
    if (flagOf(request, 'dryRun', false)) return groups.preview(change, options);
    await groups.change(change, options);
    return groups.view(isOfFleet(request));
  };
  app.get('/v1/groups', async (request) => groups.view(isOfFleet(request)));
  app.put('/v1/groups', async (request) => answer(request, { kind: 'all', written: bodyOf(request, ALL_HINT) }));
  app.delete('/v1/groups', async (request) => answer(request, { kind: 'reset' }));
  app.put<OneGroup>('/v1/groups/:group', async (request) =>
    answer(request, { kind: 'put', group: request.params.group, written: bodyOf(request, GROUP_HINT) }),
  );
  app.patch<OneGroup>('/v1/groups/:group', async (request) =>
    answer(request, { kind: 'set', group: request.params.group, words: bodyOf(request, GROUP_HINT) }),
  );
  app.delete<OneGroup>('/v1/groups/:group', async (request) =>
    answer(request, { kind: 'remove', group: request.params.group }),
  );
}

function isOfFleet(request: FastifyRequest): boolean {
  return flagOf(request, 'fleet', true);
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
