/** As the types in src/admin/api/callers.ts say; made by `npm run docs`. */
export const CALLERS_SCHEMAS = {
  AuditView: {
    type: 'object',
    properties: {
      entries: { type: 'array', items: { $ref: '#/components/schemas/AuditEntry' }, description: 'Oldest first.' },
      missing: {
        type: 'array',
        items: {
          type: 'object',
          properties: { proxy: { type: 'string' }, why: { type: 'string' } },
          required: ['proxy', 'why'],
        },
        description: 'Proxies that have not answered.',
      },
    },
    required: ['entries', 'missing'],
    description: '`GET /v1/audit`',
  },
  AuditEntry: {
    type: 'object',
    properties: {
      at: { type: 'string' },
      proxy: { type: 'string', description: 'The proxy that was called.' },
      who: {
        type: ['string', 'null'],
        description: 'The name of the token; null: there was none that is valid, or none is needed.',
      },
      role: { type: ['string', 'null'], enum: ['viewer', 'operator', 'admin', null] },
      address: { type: 'string', description: 'Where the connection came from; empty: a Unix socket.' },
      client: {
        type: ['string', 'null'],
        description:
          "What the caller says of itself: user@host of the command line, otherwise the program's name. Not to be relied on.",
      },
      method: { type: 'string' },
      path: { type: 'string', description: 'With what stands behind the question mark.' },
      body: {
        type: ['string', 'null'],
        description:
          'The body as JSON, without passwords, cut where it is long; null: there was none, or it was not read.',
      },
      dryRun: { type: 'boolean', description: 'It would only have said what it does.' },
      outcome: { type: 'string', enum: ['done', 'refused', 'failed'] },
      status: { type: 'number', description: "HTTP's." },
      code: { type: ['string', 'null'], description: 'Of the error; null: there was none.' },
      unlisted: {
        type: 'number',
        description: 'So many refused calls of before are not listed, since there were too many.',
      },
    },
    required: [
      'at',
      'proxy',
      'who',
      'role',
      'address',
      'client',
      'method',
      'path',
      'body',
      'dryRun',
      'outcome',
      'status',
      'code',
      'unlisted',
    ],
    description: 'A call of the admin API that would change something, or one that was refused.',
  },
  WhoamiView: {
    type: 'object',
    properties: {
      name: { type: ['string', 'null'], description: 'Of the token; null: none is needed.' },
      role: { type: 'string', enum: ['viewer', 'operator', 'admin'] },
    },
    required: ['name', 'role'],
    description: '`GET /v1/whoami`: what the token that came with it is good for.',
  },
};
