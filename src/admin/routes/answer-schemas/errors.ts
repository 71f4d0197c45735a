/** As the types in src/admin/api/errors.ts say; made by `npm run docs`. */
export const ERRORS_SCHEMAS = {
  ApiError: {
    type: 'object',
    properties: {
      error: {
        type: 'object',
        properties: { code: { type: 'string' }, message: { type: 'string' }, hint: { type: 'string' } },
        required: ['code', 'message', 'hint'],
      },
    },
    required: ['error'],
    description: 'What went wrong, under a stable code, and what to do.',
  },
};
