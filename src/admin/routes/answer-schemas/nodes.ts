/** As the types in src/admin/api/nodes.ts say; made by `npm run docs`. */
export const NODES_SCHEMAS = {
  NodeView: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      address: { type: 'string' },
      tls: { type: 'boolean', description: 'Whether this proxy speaks TLS with it.' },
      weight: { type: 'number' },
      state: { $ref: '#/components/schemas/NodeState' },
      share: { type: 'number', description: 'Part of the hash space that the node owns, 0 to 1.' },
      nextShare: {
        type: ['number', 'null'],
        description: 'Of the ring that follows, while the ring changes; otherwise null.',
      },
      keys: {
        type: ['number', 'null'],
        description: 'Keys in all databases, or null when the node did not answer the last probe.',
      },
      usedMemory: {
        type: ['number', 'null'],
        description: 'Bytes, or null when the node did not answer the last probe.',
      },
      version: { type: ['string', 'null'], description: 'Of its server, as of the last probe; or null.' },
      figures: {
        anyOf: [{ $ref: '#/components/schemas/NodeFiguresView' }, { type: 'null' }],
        description:
          'What else its server says of itself (INFO), or null when it did not answer the last probe, or may not be asked.',
      },
      error: { type: ['string', 'null'], description: 'Why the node is down, or null.' },
      downSince: { type: ['string', 'null'], description: 'Since when it is down for this proxy (ISO date), or null.' },
      reason: {
        type: ['string', 'null'],
        description:
          'What is wrong with the node, also when it is up, in its own words where it has said some; or null.',
      },
      ejection: {
        anyOf: [{ $ref: '#/components/schemas/NodeEjection' }, { type: 'null' }],
        description: 'That the fleet has taken it out of the ring, until it answers again; null: it has not.',
      },
      master: {
        anyOf: [{ $ref: '#/components/schemas/NodeMasterView' }, { type: 'null' }],
        description: 'Of a node whose address says who knows where its master is; otherwise null.',
      },
      downFor: {
        type: 'array',
        items: { type: 'string' },
        description: 'Ids of the proxies for which the node is down, as far as they have told.',
      },
      opinions: {
        type: 'array',
        items: { $ref: '#/components/schemas/NodeOpinionView' },
        description: 'What these proxies say of it.',
      },
    },
    required: [
      'address',
      'downFor',
      'downSince',
      'ejection',
      'error',
      'figures',
      'keys',
      'master',
      'name',
      'nextShare',
      'opinions',
      'reason',
      'share',
      'state',
      'tls',
      'usedMemory',
      'version',
      'weight',
    ],
  },
  NodeState: { type: 'string', enum: ['active', 'joining', 'leaving', 'down', 'ejected'] },
  NodeFiguresView: {
    type: 'object',
    properties: {
      maxMemory: { type: ['number', 'null'], description: 'Bytes; 0: no limit.' },
      maxMemoryPolicy: { type: ['string', 'null'], description: 'What it does when that is reached.' },
      residentMemory: { type: ['number', 'null'], description: 'Bytes that the operating system has given it.' },
      fragmentation: { type: ['number', 'null'], description: 'These divided by what it uses.' },
      evictedKeys: {
        type: ['number', 'null'],
        description: 'Keys that it gave up for want of memory, since its start.',
      },
      expiredKeys: { type: ['number', 'null'] },
      connectedClients: { type: ['number', 'null'], description: 'Proxies and everybody else.' },
      blockedClients: { type: ['number', 'null'], description: 'Of these, those that wait for something (BLPOP …).' },
      maxClients: { type: ['number', 'null'] },
      role: { type: ['string', 'null'], description: '`master`, or `slave` for a replica.' },
      loading: { type: ['boolean', 'null'] },
      uptimeSeconds: { type: ['number', 'null'] },
    },
    required: [
      'maxMemory',
      'maxMemoryPolicy',
      'residentMemory',
      'fragmentation',
      'evictedKeys',
      'expiredKeys',
      'connectedClients',
      'blockedClients',
      'maxClients',
      'role',
      'loading',
      'uptimeSeconds',
    ],
    description: "What a node's server says of itself; null: it does not say that.",
  },
  NodeEjection: {
    type: 'object',
    properties: {
      since: { type: 'string', description: 'ISO date.' },
      why: { type: 'string', description: 'For people.' },
      times: { type: 'number', description: 'How often it was taken out lately, this time included.' },
    },
    required: ['since', 'why', 'times'],
  },
  NodeMasterView: {
    type: 'object',
    properties: {
      address: {
        type: ['string', 'null'],
        description: '`HOST:PORT`; null: it is not known, or the node is failing over.',
      },
      source: { type: 'string', enum: ['sentinel', 'addresses'] },
      epoch: { type: ['number', 'null'], description: "Of Sentinel's configuration; otherwise null." },
      failovers: { type: 'number', description: 'Since this proxy started.' },
      lostBytes: {
        type: 'number',
        description:
          'Bytes of the replication stream that new masters never heard of, as far as it could be told; since this proxy started.',
      },
      unrelated: {
        type: 'number',
        description: 'Of the failovers: to a server that had not followed the master before.',
      },
      emptied: {
        type: 'number',
        description:
          'How often a master was emptied before it served, since what it had may be of the past; since this proxy started.',
      },
    },
    required: ['address', 'source', 'epoch', 'failovers', 'lostBytes', 'unrelated', 'emptied'],
    description: 'Where the master of a node is, and who says so.',
  },
  NodeOpinionView: {
    type: 'object',
    properties: {
      proxy: { type: 'string', description: 'Its id.' },
      since: { type: 'string', description: 'ISO date, by its clock.' },
      why: { type: 'string', description: 'For people.' },
    },
    required: ['proxy', 'since', 'why'],
    description: 'What a proxy says of a node that is down for it.',
  },
};
