import type { HashName } from '../ring/hash.js';

export interface RingNode {
  /** Its identity on the ring: the points are hashed from it. */
  readonly name: string;
  /** HOST:PORT; only the difference of two rings looks at it. */
  readonly address?: string;
  /** Its share relative to the others: a whole number from 1 (the default) to 1,000,000. */
  readonly weight?: number;
}

/** As the section `ring` of a configuration, with its defaults. */
export interface RingSettings {
  readonly hash?: HashName;
  readonly distribution?: 'ketama' | 'modula';
  /** Two characters between which the hashed part of a key stands; empty: the whole key is hashed. */
  readonly hashTag?: string;
  /** Which part of a key without a hash tag is hashed, such as `bull:{*}:`; the first that matches. */
  readonly hashTags?: readonly string[];
  /** Points of a node of weight 1. */
  readonly vnodes?: number;
  /** `own`: a node's points depend on its own weight; `total`: twemproxy's way, by its part of all weights. */
  readonly weighting?: 'own' | 'total';
}

/** What changes owner from one ring to another. */
export interface RingDifference {
  /** Part of the hash space, 0 to 1. */
  readonly share: number;
  /** From which node to which, by name, and the part of the hash space. */
  readonly moves: readonly { readonly source: string; readonly target: string; readonly share: number }[];
}
