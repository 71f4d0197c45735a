/** As in the routing snapshot; spelled out here, so that the page's program needs no other file of ours. */
export type RingPhase = 'stable' | 'preparing' | 'moving';
