/** The groups of keys: `/v1/groups`, and `/v1/groups/NAME` for one of them. */
import type { FastifyRequest } from 'fastify';
import { RingproxyError } from '../../errors.js';
import type { GroupsChange, GroupsChangeOptions, GroupsPreview, GroupsView } from '../api.js';
import type { GroupsPort } from '../backend.js';
import { flagOf, numberOf, parameterOf } from '../query.js';
import { groupWords } from './bodies.js';
import type { Handlers } from './handlers.js';
import type { RouteName } from './table.js';

type GroupRoute = Extract<RouteName, `${string} /v1/groups${string}`>;

const GROUP_HINT =
  'expected a group as in the configuration: {"prefixes": ["page:"], "cache": "near", "near-ttl": "5s"}';
const ALL_HINT = 'expected groups as in the configuration: {"pages": {"prefixes": ["page:"], "cache": "near"}}';

/** Each change answers the groups as they are then; with `dryRun=true` what it would do, and nothing is done. */
export function groupRoutes(groups: GroupsPort): Pick<Handlers, GroupRoute> {
  const answer = async (request: FastifyRequest, change: GroupsChange): Promise<GroupsView | GroupsPreview> => {
    const options = optionsOf(request);
    if (flagOf(request, 'dryRun', false)) return groups.preview(change, options);
    await groups.change(change, options);
    return groups.view(isOfFleet(request));
  };
  return {
    'GET /v1/groups': async (request) => groups.view(isOfFleet(request)),
    'PUT /v1/groups': async (request) => answer(request, { kind: 'all', written: bodyOf(request, ALL_HINT) }),
    'DELETE /v1/groups': async (request) => answer(request, { kind: 'reset' }),
    'PUT /v1/groups/:group': async (request) =>
      answer(request, { kind: 'put', group: groupOf(request), written: bodyOf(request, GROUP_HINT) }),
    'PATCH /v1/groups/:group': async (request) =>
      answer(request, { kind: 'set', group: groupOf(request), words: bodyOf(request, GROUP_HINT) }),
    'DELETE /v1/groups/:group': async (request) => answer(request, { kind: 'remove', group: groupOf(request) }),
  };
}

function groupOf(request: FastifyRequest): string {
  return parameterOf(request, 'group');
}

function isOfFleet(request: FastifyRequest): boolean {
  return flagOf(request, 'fleet', true);
}

function optionsOf(request: FastifyRequest): GroupsChangeOptions {
  const most = Number.MAX_SAFE_INTEGER;
  const revision = numberOf(request, 'revision', { least: 0, most, otherwise: -1 });
  return { force: flagOf(request, 'force', false), revision: revision < 0 ? null : revision };
}

/** All bodies of groups are objects; what their words mean is for `config` to see. */
function bodyOf(request: FastifyRequest, hint: string): Record<string, unknown> {
  const { success, data } = groupWords.safeParse(request.body);
  if (success) return data;
  throw new RingproxyError('BAD_REQUEST', 'the groups are not understood', hint);
}
