/** As the types in src/admin/api/advice.ts say; made by `npm run docs`. */
export const ADVICE_SCHEMAS = {
  AdviceView: {
    type: 'object',
    properties: {
      commands: {
        type: 'number',
        description: 'Commands whose keys were on several nodes; of those that are split by key (MGET) an estimate.',
      },
      refused: { type: 'number', description: 'How many of these were refused.' },
      advice: { type: 'array', items: { $ref: '#/components/schemas/AdviceRow' }, description: 'The commonest first.' },
      hashTags: {
        type: 'array',
        items: { type: 'string' },
        description:
          '`ring.hash-tags` that would do without changing names, with those that the ring has; empty: none would.',
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
    required: ['commands', 'refused', 'advice', 'hashTags', 'missing'],
    description:
      '`GET /v1/advice` and `ringproxy advise --json`: which keys commands had on several nodes since the proxies were started. Counts are of all proxies of the ring; with `fleet=false` of the one that is asked.',
  },
  AdviceRow: {
    type: 'object',
    properties: {
      command: { type: 'string' },
      calls: { type: 'number' },
      refused: { type: 'number', description: 'How many of these were answered an error for it.' },
      keys: {
        type: 'array',
        items: { type: 'string' },
        description: 'What its keys look like: an asterisk for what differs from command to command.',
      },
      tagged: {
        anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'null' }],
        description: 'The same keys with a hash tag that brings them together; null: none would, or none is worth it.',
      },
      patterns: {
        anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'null' }],
        description: 'Patterns of `ring.hash-tags` that do the same; null: none would.',
      },
      scope: {
        type: ['string', 'null'],
        enum: ['value', 'prefix', null],
        description:
          '`value`: keys with the same value there are on one node. `prefix`: all such keys are on one node.',
      },
      example: { type: 'array', items: { type: 'string' }, description: 'Keys of one such command.' },
    },
    required: ['command', 'calls', 'refused', 'keys', 'tagged', 'patterns', 'scope', 'example'],
  },
};
