/** As the types in src/admin/api/hot-keys.ts say; made by `npm run docs`. */
export const HOT_KEYS_SCHEMAS = {
  HotView: {
    type: 'object',
    properties: {
      keys: { type: 'array', items: { $ref: '#/components/schemas/HotKeyView' } },
      sampled: {
        type: 'number',
        description:
          'Uses of keys that were looked at to find out; what is long ago counts less. With few of them, the order is by chance.',
      },
      perSecond: {
        type: 'number',
        description: 'Uses of keys a second, of all keys: a command of several keys uses each of them.',
      },
      missing: {
        type: 'array',
        items: {
          type: 'object',
          properties: { proxy: { type: 'string' }, why: { type: 'string' } },
          required: ['proxy', 'why'],
        },
        description: 'Whose part is missing, and why.',
      },
    },
    required: ['keys', 'sampled', 'perSecond', 'missing'],
    description: '`GET /v1/hot` and `ringproxy hot --json`: the keys that are used most, the hottest first.',
  },
  HotKeyView: {
    type: 'object',
    properties: {
      key: {
        type: 'string',
        description:
          'UTF-8 that can be seen is as it is, each other byte `\\xNN`, a backslash `\\\\`. Of a long key the beginning, with `…`.',
      },
      bytes: { type: 'number', description: 'Of the whole key.' },
      database: { type: 'number' },
      group: { type: ['string', 'null'], description: 'Of `key-groups`; null: none are configured.' },
      node: {
        type: ['string', 'null'],
        description:
          'Null: the key is too long to be remembered whole, or every proxy has it (a replicated group), and no node.',
      },
      commandsPerSecond: { type: 'number' },
      share: { type: 'number', description: 'Of all uses of keys, 0 to 1.' },
      reads: { type: 'number', description: 'How many of its uses only read it, 0 to 1.' },
      near: { type: 'boolean', description: 'A proxy keeps it near, since it is hot (`near-auto`).' },
      cache: {
        type: ['string', 'null'],
        enum: ['sharded', 'near', 'replicated', null],
        description: 'How its group is cached; null: there are no groups.',
      },
    },
    required: ['key', 'bytes', 'database', 'group', 'node', 'commandsPerSecond', 'share', 'reads', 'near', 'cache'],
  },
};
