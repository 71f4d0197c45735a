/** The ring: who owns which part of the hash space. */
import type { ChangeView } from './changes.js';
import type { NodeView, OwnNodeView } from './nodes.js';
import type { CoordinationView, ProxyView } from './proxies.js';
import type { RingPhase } from './ring-phase.js';

/** The ring as it is recorded, and as the proxy that answers sees its nodes. */
export interface OwnRingView {
  generation: number;
  phase: RingPhase;
  hash: string;
  distribution: string;
  hashTag: string;
  /** Which part of a key without a hash tag is hashed; the first pattern that matches counts. */
  hashTags: string[];
  vnodes: number;
  nodes: OwnNodeView[];
  change: ChangeView | null;
}

/** `GET /v1/ring` and `ringproxy ring show --json`. */
export interface RingView extends OwnRingView {
  nodes: NodeView[];
  proxies: ProxyView[];
  coordination: CoordinationView;
}

/** An element of `GET /v1/ring/which?key=…&key=…` and of `ringproxy ring which --json`. */
export interface WhichView {
  key: string;
  /** The key's hash as an unsigned 32-bit number. */
  hash: number;
  node: string;
  address: string;
  nextNode: string | null;
}

/** `GET /v1/ring/arcs?limit=N`: the ring as pieces that cover the hash space, few enough to be drawn. */
export interface ArcsView {
  generation: number;
  phase: RingPhase;
  /** Points on the ring. */
  points: number;
  /** Whether the arcs are those of the ring; otherwise they are a fair sample of it. */
  exact: boolean;
  /** `id` is the same for as long as the node is a member, and the same for every proxy of the ring. */
  nodes: { name: string; id: number }[];
  /** From (exclusive) and to (inclusive) which hash, the owner and the next owner as indices of `nodes`. */
  arcs: [from: number, to: number, owner: number, next: number][];
}
