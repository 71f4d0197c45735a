/** As the types in src/admin/api/groups.ts say; made by `npm run docs`. */
export const GROUPS_SCHEMAS = {
  GroupsPreview: {
    type: 'object',
    properties: {
      dryRun: { type: 'boolean', const: true },
      source: {
        type: 'string',
        enum: ['ring', 'configuration'],
        description: 'Where the groups would stand, and of which revision they would be changed: as in `GroupsView`.',
      },
      revision: { type: 'number' },
      differences: {
        type: 'array',
        items: { type: 'string' },
        description: 'In words, what would be otherwise; empty: nothing.',
      },
      groups: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            group: { type: 'string' },
            prefixes: { type: 'array', items: { type: 'string' } },
            policy: {
              type: 'object',
              additionalProperties: { type: 'string' },
              description: 'In the words of the configuration; `cache` is always there.',
            },
          },
          required: ['group', 'prefixes', 'policy'],
        },
      },
      hidden: {
        type: 'array',
        items: { $ref: '#/components/schemas/HiddenKeysView' },
        description: 'What was looked at for keys that would not be seen any more; empty: none can be hidden by it.',
      },
      needsForce: {
        type: 'boolean',
        description: 'Keys would not be seen any more, or that is not known: it is refused without `force=true`.',
      },
    },
    required: ['dryRun', 'source', 'revision', 'differences', 'groups', 'hidden', 'needsForce'],
    description: 'What a change of the groups would do: the answer to one with `dryRun=true`.',
  },
  HiddenKeysView: {
    type: 'object',
    properties: {
      node: { type: ['string', 'null'], description: 'Null: they are in the proxies, where all have the same.' },
      address: { type: ['string', 'null'] },
      prefixes: { type: 'array', items: { type: 'string' }, description: 'What they begin with.' },
      keys: { type: 'number', description: 'That were found.' },
      complete: { type: 'boolean', description: 'There are no others.' },
      error: { type: ['string', 'null'], description: 'Why it could not be looked at, or null.' },
    },
    required: ['node', 'address', 'prefixes', 'keys', 'complete', 'error'],
    description: 'What a node, or the proxies, have of keys that would be looked for elsewhere.',
  },
  GroupsView: {
    type: 'object',
    properties: {
      source: {
        type: 'string',
        enum: ['ring', 'configuration'],
        description: 'Where the groups stand: with the ring, for all proxies, or in the configuration of this one.',
      },
      revision: {
        type: 'number',
        description:
          'What a change may name (`revision=…`), so that it is refused when somebody else was faster; 0: nothing is recorded.',
      },
      changed: {
        anyOf: [
          { type: 'object', properties: { by: { type: 'string' }, at: { type: 'string' } }, required: ['by', 'at'] },
          { type: 'null' },
        ],
        description:
          'Who has changed them last: the id of the proxy at which it was asked for, and when (ISO date); null: nobody.',
      },
      groups: { type: 'array', items: { $ref: '#/components/schemas/GroupView' } },
      other: {
        anyOf: [{ $ref: '#/components/schemas/GroupCountsView' }, { type: 'null' }],
        description: 'Keys of no group; null: there are no groups.',
      },
      missing: {
        type: 'array',
        items: {
          type: 'object',
          properties: { proxy: { type: 'string' }, why: { type: 'string' } },
          required: ['proxy', 'why'],
        },
        description: 'Whose counts are missing, and why.',
      },
    },
    required: ['source', 'revision', 'changed', 'groups', 'other', 'missing'],
    description:
      'How keys are told apart and cached: `GET /v1/groups` and `ringproxy groups --json`. Counts are of all proxies of the ring.',
  },
  GroupView: {
    type: 'object',
    properties: {
      commands: { type: 'number', description: 'A command counts for the group of its first key.' },
      commandsPerSecond: {
        type: ['number', 'null'],
        description: 'Within the last ten seconds; null: not measured yet.',
      },
      errors: { type: 'number' },
      hits: { type: 'number' },
      misses: { type: 'number' },
      hitRatio: { type: ['number', 'null'], description: '0 to 1; null: nothing was read.' },
      group: { type: 'string' },
      prefixes: { type: 'array', items: { type: 'string' } },
      policy: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'In the words of the configuration; `cache` is always there.',
      },
      near: {
        anyOf: [
          {
            type: 'object',
            properties: {
              entries: { type: 'number' },
              bytes: { type: 'number' },
              hits: { type: 'number' },
              misses: { type: 'number' },
              hitRatio: { type: ['number', 'null'] },
            },
            required: ['entries', 'bytes', 'hits', 'misses', 'hitRatio'],
          },
          { type: 'null' },
        ],
        description:
          'Of `cache: near`: what all processes of all proxies keep, and reads that were answered from there, or not, with the share of those that were (0 to 1; null: nothing was read); else null.',
      },
      replicated: {
        anyOf: [
          {
            type: 'object',
            properties: { keys: { type: 'number' }, bytes: { type: 'number' } },
            required: ['keys', 'bytes'],
          },
          { type: 'null' },
        ],
        description: 'Of `cache: replicated`: what each process of each proxy has; else null.',
      },
      fill: {
        anyOf: [{ type: 'object', additionalProperties: { type: 'number' } }, { type: 'null' }],
        description:
          'What became of misses, by outcome, as in `ringproxy_fill_waits_total`; null: the group has no `fill-wait`.',
      },
      fillShare: {
        type: ['number', 'null'],
        description:
          'Of these misses, how many have spared their clients making the value (`filled`, `stale`), 0 to 1; null: there were none, or `fill` is null.',
      },
      replicaReads: {
        anyOf: [{ type: 'object', additionalProperties: { type: 'number' } }, { type: 'null' }],
        description:
          'Who has answered reads, by outcome, as in `ringproxy_replica_reads_total`; null: the group has not `read-from: replica`.',
      },
      replicaShare: {
        type: ['number', 'null'],
        description:
          'Of these reads, how many replicas have answered, 0 to 1; null: nothing was read, or `replicaReads` is null.',
      },
    },
    required: [
      'commands',
      'commandsPerSecond',
      'errors',
      'fill',
      'fillShare',
      'group',
      'hitRatio',
      'hits',
      'misses',
      'near',
      'policy',
      'prefixes',
      'replicaReads',
      'replicaShare',
      'replicated',
    ],
  },
  GroupCountsView: {
    type: 'object',
    properties: {
      commands: { type: 'number', description: 'A command counts for the group of its first key.' },
      commandsPerSecond: {
        type: ['number', 'null'],
        description: 'Within the last ten seconds; null: not measured yet.',
      },
      errors: { type: 'number' },
      hits: { type: 'number' },
      misses: { type: 'number' },
      hitRatio: { type: ['number', 'null'], description: '0 to 1; null: nothing was read.' },
    },
    required: ['commands', 'commandsPerSecond', 'errors', 'hits', 'misses', 'hitRatio'],
    description: 'Since the start of each proxy.',
  },
};
