/** As the types in src/admin/api/ring-phase.ts say; made by `npm run docs`. */
export const RING_PHASE_SCHEMAS = {
  RingPhase: {
    type: 'string',
    enum: ['stable', 'preparing', 'moving'],
    description:
      "As in the routing snapshot; spelled out here, so that the page's program needs no other file of ours.",
  },
};
