/** As the types in src/admin/api/ring.ts say; made by `npm run docs`. */
export const RING_SCHEMAS = {
  ArcsView: {
    type: 'object',
    properties: {
      generation: { type: 'number' },
      phase: { $ref: '#/components/schemas/RingPhase' },
      points: { type: 'number', description: 'Points on the ring.' },
      exact: {
        type: 'boolean',
        description: 'Whether the arcs are those of the ring; otherwise they are a fair sample of it.',
      },
      nodes: {
        type: 'array',
        items: {
          type: 'object',
          properties: { name: { type: 'string' }, id: { type: 'number' } },
          required: ['name', 'id'],
        },
        description: '`id` is the same for as long as the node is a member, and the same for every proxy of the ring.',
      },
      arcs: {
        type: 'array',
        items: {
          type: 'array',
          minItems: 4,
          maxItems: 4,
          prefixItems: [
            { type: 'number', title: 'from' },
            { type: 'number', title: 'to' },
            { type: 'number', title: 'owner' },
            { type: 'number', title: 'next' },
          ],
        },
        description:
          'From (exclusive) and to (inclusive) which hash, the owner and the next owner as indices of `nodes`.',
      },
    },
    required: ['generation', 'phase', 'points', 'exact', 'nodes', 'arcs'],
    description: '`GET /v1/ring/arcs?limit=N`: the ring as pieces that cover the hash space, few enough to be drawn.',
  },
  RingView: {
    type: 'object',
    properties: {
      generation: { type: 'number' },
      phase: { $ref: '#/components/schemas/RingPhase' },
      hash: { type: 'string' },
      distribution: { type: 'string' },
      hashTag: { type: 'string' },
      hashTags: {
        type: 'array',
        items: { type: 'string' },
        description: 'Which part of a key without a hash tag is hashed; the first pattern that matches counts.',
      },
      vnodes: { type: 'number' },
      nodes: { type: 'array', items: { $ref: '#/components/schemas/NodeView' } },
      change: { anyOf: [{ $ref: '#/components/schemas/ChangeView' }, { type: 'null' }] },
      proxies: { type: 'array', items: { $ref: '#/components/schemas/ProxyView' } },
      coordination: { $ref: '#/components/schemas/CoordinationView' },
    },
    required: [
      'change',
      'coordination',
      'distribution',
      'generation',
      'hash',
      'hashTag',
      'hashTags',
      'nodes',
      'phase',
      'proxies',
      'vnodes',
    ],
    description: '`GET /v1/ring` and `ringproxy ring show --json`.',
  },
  WhichView: {
    type: 'object',
    properties: {
      key: { type: 'string' },
      hash: { type: 'number', description: "The key's hash as an unsigned 32-bit number." },
      node: { type: 'string' },
      address: { type: 'string' },
      nextNode: { type: ['string', 'null'] },
    },
    required: ['key', 'hash', 'node', 'address', 'nextNode'],
    description: 'An element of `GET /v1/ring/which?key=…&key=…` and of `ringproxy ring which --json`.',
  },
};
