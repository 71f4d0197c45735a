/** As the types in src/admin/api/proxies.ts say; made by `npm run docs`. */
export const PROXIES_SCHEMAS = {
  ProxyView: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      admin: { type: 'string', description: 'URL of its admin API, as the others reach it; empty where it has none.' },
      alive: { type: 'boolean', description: 'Its lease holds.' },
      generation: { type: 'number' },
      phase: { $ref: '#/components/schemas/RingPhase' },
      workers: { type: 'number' },
      version: { type: 'string' },
      fencedOff: {
        type: 'boolean',
        description: 'It was passed in a fence, or forgotten, and may not speak to nodes any more.',
      },
      coordinator: {
        type: 'boolean',
        description: 'It decides about the ring: raises fences, and records each step of a change.',
      },
      jobs: {
        type: 'array',
        items: { type: 'string' },
        description: 'What it does for the whole fleet, such as `mover/node1`; without `coordinator`.',
      },
      startedAt: { type: ['string', 'null'], description: 'ISO date, or null where it is not known.' },
      load: {
        anyOf: [{ $ref: '#/components/schemas/ProxyLoad' }, { type: 'null' }],
        description: 'Null: it has told nothing.',
      },
    },
    required: [
      'id',
      'admin',
      'alive',
      'generation',
      'phase',
      'workers',
      'version',
      'fencedOff',
      'coordinator',
      'jobs',
      'startedAt',
      'load',
    ],
    description: 'A proxy of the fleet. One that is alone is the only member of its own.',
  },
  ProxyLoad: {
    type: 'object',
    properties: {
      at: { type: 'string', description: 'ISO date.' },
      clients: { type: 'number' },
      commandsPerSecond: { type: 'number' },
      errorsPerSecond: { type: 'number' },
      hitsPerSecond: { type: 'number' },
      missesPerSecond: { type: 'number' },
      p99: { type: ['number', 'null'], description: 'Seconds; null when there were no commands.' },
      cores: { type: 'number', description: 'Processor time a second of all its processes: 1 is a whole core.' },
      residentMemory: { type: 'number', description: 'Bytes.' },
    },
    required: [
      'at',
      'clients',
      'commandsPerSecond',
      'errorsPerSecond',
      'hitsPerSecond',
      'missesPerSecond',
      'p99',
      'cores',
      'residentMemory',
    ],
    description: 'What a proxy did within the last seconds, as it tells the others: it may be some seconds old.',
  },
  CoordinationView: {
    type: 'object',
    properties: {
      kind: { type: 'string', enum: ['none', 'etcd'] },
      proxy: {
        type: 'string',
        description:
          'The id of the proxy that answers; in a fleet it is a new one when the proxy had to register anew.',
      },
      consistency: {
        type: 'string',
        enum: ['strict', 'available'],
        description: 'What the fleet does while etcd is out of reach.',
      },
      reachable: { type: 'boolean' },
      unreachableSince: { type: ['string', 'null'], description: 'Since when it is out of reach (ISO date), or null.' },
      leaseSeconds: {
        type: ['number', 'null'],
        description: "For how long yet this proxy's lease holds for certain; 0: it has run out; null: it needs none.",
      },
      trouble: {
        type: ['string', 'null'],
        description: 'What is wrong, and what it means for clients and changes; or null.',
      },
    },
    required: ['kind', 'proxy', 'consistency', 'reachable', 'unreachableSince', 'leaseSeconds', 'trouble'],
    description: 'Where the proxies of a ring agree on it, and how this proxy gets on with that.',
  },
};
