/** As the types in src/admin/api/strays.ts say; made by `npm run docs`. */
export const STRAYS_SCHEMAS = {
  StrayReport: {
    type: 'object',
    properties: {
      running: { type: 'boolean', description: 'A check that was asked for is under way.' },
      fix: { type: 'boolean', description: 'It removes what it finds.' },
      nodes: { type: 'array', items: { $ref: '#/components/schemas/NodeStrays' } },
    },
    required: ['running', 'fix', 'nodes'],
    description: '`GET /v1/ring/check`.',
  },
  NodeStrays: {
    type: 'object',
    properties: {
      node: { type: 'string' },
      address: { type: 'string' },
      checkedAt: {
        type: ['string', 'null'],
        description: 'When all of its keys were last looked at (ISO date), or null.',
      },
      keys: { type: 'number', description: 'That were looked at.' },
      strays: { type: 'number', description: 'Those that the node does not own, and has.' },
      removed: { type: 'number' },
      replicated: {
        type: 'number',
        description:
          'Keys of replicated groups, which no node should have: clients do not see them here, and they are never removed. A script that does not declare its keys writes such, or they were there before their group became a replicated one.',
      },
      causes: {
        type: 'object',
        properties: { restart: { type: 'number' }, ejection: { type: 'number' }, other: { type: 'number' } },
        required: ['restart', 'ejection', 'other'],
        description: 'Of the strays and those removed, by likely cause.',
      },
      examples: {
        type: 'array',
        items: {
          type: 'object',
          properties: { database: { type: 'number' }, key: { type: 'string' } },
          required: ['database', 'key'],
        },
        description: 'Some of them.',
      },
      error: { type: ['string', 'null'], description: 'Why the node could not be looked at, or null.' },
    },
    required: [
      'node',
      'address',
      'checkedAt',
      'keys',
      'strays',
      'removed',
      'replicated',
      'causes',
      'examples',
      'error',
    ],
    description: 'What a look at the keys of one node has found.',
  },
};
