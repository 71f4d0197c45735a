import type { NodeEndpoint } from '../node/endpoint.js';
import type { NodeSpec } from '../ring/node-spec.js';
import type { Rings } from '../ring/rings.js';
import type { KeyMoves } from './key-moves.js';

/** The phases of a ring change, in the order in which they follow each other. */
export type RingPhase = 'stable' | 'preparing' | 'moving';

/** A node together with the number under which SCAN cursors and flat counters know it. */
export interface RoutedNode extends NodeSpec, NodeEndpoint {
  /** Unique among the ring's nodes, 0 to 1023; stays the same for as long as the node is a member. */
  readonly id: number;
  /** It is leaving the ring without its keys, since it is gone: nothing is sent to it any more, nor waited for. */
  readonly isGivenUp?: boolean | undefined;
}

/**
 * Everything that the data plane needs to route: the one place where the control plane and the data
 * plane meet. Immutable; the control plane replaces it by a reference swap, a request reads it once.
 */
export interface RoutingSnapshot {
  readonly generation: number;
  /** `preparing`: every key is at its owner. `moving`: moved keys are at their owner or at their next owner. */
  readonly phase: RingPhase;
  /** Stays the same object for as long as the same change is under way. */
  readonly rings: Rings;
  /**
   * Who moves keys in the phase `moving`. Null while moved keys are held: in the phase `preparing`, and in the phase
   * `moving` while it is undecided whether they move on (a cancel, a proxy that has just started again).
   */
  readonly moves: KeyMoves | null;
  /** Index-aligned with those of `rings`. */
  readonly nodes: readonly RoutedNode[];
}
