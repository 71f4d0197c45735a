/** As the types in src/admin/api/process.ts say; made by `npm run docs`. */
export const PROCESS_SCHEMAS = {
  HealthView: {
    type: 'object',
    properties: { status: { type: 'string', const: 'ok' } },
    required: ['status'],
    description: '`GET /healthz`: the process lives.',
  },
  ReadyView: {
    type: 'object',
    properties: { status: { type: 'string', const: 'ready' } },
    required: ['status'],
    description: '`GET /readyz`, when clients can be served; otherwise an error says why not.',
  },
};
