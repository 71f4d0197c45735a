/** As the types in src/admin/api/changes.ts say; made by `npm run docs`. */
export const CHANGES_SCHEMAS = {
  ChangeAccepted: {
    type: 'object',
    properties: {
      generation: {
        type: 'number',
        description: 'The generation that the change leads to (with `dryRun`: would lead to).',
      },
      dryRun: { type: 'boolean' },
      warnings: {
        type: 'array',
        items: { type: 'string' },
        description: 'Things that the operator must know, loudest first.',
      },
      moves: {
        type: 'array',
        items: {
          type: 'object',
          properties: { source: { type: 'string' }, target: { type: 'string' }, share: { type: 'number' } },
          required: ['source', 'target', 'share'],
        },
        description: 'What changes owner: part of the hash space by source and target.',
      },
      survey: {
        anyOf: [
          {
            type: 'object',
            properties: {
              largest: {
                type: 'array',
                items: {
                  type: 'object',
                  properties: {
                    node: { type: 'string' },
                    database: { type: 'number' },
                    key: { type: 'string' },
                    bytes: { type: 'number' },
                  },
                  required: ['node', 'database', 'key', 'bytes'],
                },
              },
              keys: { type: 'number' },
              complete: { type: 'boolean' },
            },
            required: ['largest', 'keys', 'complete'],
          },
          { type: 'null' },
        ],
        description:
          'With `dryRun`: the largest keys that would move (bytes as MEMORY USAGE tells), of as many as there was time to look at.',
      },
    },
    required: ['generation', 'dryRun', 'warnings', 'moves', 'survey'],
    description: 'The answer to `POST /v1/ring/changes`.',
  },
  ChangeView: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      kind: { $ref: '#/components/schemas/ChangeKind' },
      summary: { type: 'string', description: 'What it does, with its nodes: `add node4`.' },
      phase: { $ref: '#/components/schemas/RingPhase' },
      paused: { type: 'boolean' },
      startedAt: { type: 'string' },
      keysMoved: { type: 'number' },
      keysScanned: { type: 'number' },
      keysEstimated: {
        type: 'number',
        description: 'Of the nodes that lose keys: what they held when keys began to move.',
      },
      bytesMoved: { type: 'number' },
      keysDropped: {
        type: 'number',
        description:
          'Keys that read as missing, since what their node had after a restart could not be told from the past.',
      },
      percent: { type: 'number' },
      etaSeconds: { type: ['number', 'null'] },
      keysPerSecond: {
        type: 'number',
        description: 'Keys moved a second, without the time in which it was paused; 0 while it is.',
      },
      throttle: { type: 'number', description: 'Keys a second at most; 0: no limit.' },
      sources: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            node: { type: 'string' },
            done: { type: 'boolean' },
            keysMoved: { type: 'number' },
            keysScanned: { type: 'number' },
            owner: { type: 'string' },
            largeKey: {
              anyOf: [
                {
                  type: 'object',
                  properties: { key: { type: 'string' }, bytes: { type: 'number' } },
                  required: ['key', 'bytes'],
                },
                { type: 'null' },
              ],
              description: 'The large key that is being moved alone, or null.',
            },
          },
          required: ['node', 'done', 'keysMoved', 'keysScanned', 'owner', 'largeKey'],
        },
      },
      error: { type: ['string', 'null'] },
    },
    required: [
      'id',
      'kind',
      'summary',
      'phase',
      'paused',
      'startedAt',
      'keysMoved',
      'keysScanned',
      'keysEstimated',
      'bytesMoved',
      'keysDropped',
      'percent',
      'etaSeconds',
      'keysPerSecond',
      'throttle',
      'sources',
      'error',
    ],
  },
  ChangeKind: {
    type: 'string',
    enum: ['add', 'remove', 'reweight', 'replace', 'apply', 'cancel', 'eject', 'return'],
    description: '`eject`, `return`: by the fleet itself (`on-node-failure: eject`).',
  },
  HistoryEntry: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      kind: { anyOf: [{ $ref: '#/components/schemas/ChangeKind' }, { type: 'string', const: 'bootstrap' }] },
      generation: { type: 'number' },
      startedAt: { type: 'string' },
      finishedAt: { type: 'string' },
      by: { type: 'string', description: 'The proxy at which it was asked for.' },
      who: {
        type: ['string', 'null'],
        description: "Who has asked: the token's name, and what the caller says of itself; null: not known.",
      },
      summary: { type: 'string' },
      keysMoved: { type: 'number' },
      bytesMoved: { type: 'number' },
      keysDropped: { type: 'number', description: 'As in `ChangeView`.' },
      durationSeconds: { type: 'number' },
    },
    required: [
      'id',
      'kind',
      'generation',
      'startedAt',
      'finishedAt',
      'by',
      'who',
      'summary',
      'keysMoved',
      'bytesMoved',
      'keysDropped',
      'durationSeconds',
    ],
  },
};
