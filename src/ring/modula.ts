/**
 * twemproxy's distribution `modula` (nc_modula.c): a list of slots, as many of each node as its weight says, and a hash
 * belongs to the slot `hash % slots`. There are no arcs, and a node that is added takes most keys from where they are.
 */
import type { Continuum } from './continuum.js';
import type { NodeSpec } from './node-spec.js';
import { noSoleOwners } from './sole-owners.js';

/** Joint slots of two rings are counted when a change is planned: more would keep the event loop. */
export const MOST_SLOTS = 262_144;

/** The slots stand in the order in which nutcracker sorts its servers: shorter names first, then by their characters. */
export function modulaSlots(nodes: readonly NodeSpec[]): Continuum {
  const order = nodes.map((node, owner) => ({ ...node, owner })).sort((a, b) => compare(a.name, b.name));
  const owners = new Uint16Array(order.reduce((sum, { weight }) => sum + weight, 0));
  let at = 0;
  for (const { owner, weight } of order) {
    owners.fill(owner, at, at + weight);
    at += weight;
  }
  return {
    points: new Uint32Array(0),
    owners,
    starts: new Uint32Array(0),
    shift: 0,
    soleOwners: noSoleOwners(0, 0),
    soleShift: 0,
  };
}

function compare(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * What part of all hashes belongs to which node before and which after; exact but for the remainder of 2^32 over the
 * slots. A pair of slots (i, j) has hashes in common when i and j are equal modulo the greatest common divisor of the
 * numbers of slots, and all those pairs have equally many (Chinese remainder theorem).
 */
export function visitJointSlots(
  before: Uint16Array,
  after: Uint16Array,
  visit: (source: number, target: number, share: number) => void,
): void {
  const step = greatestCommonDivisor(before.length, after.length);
  const pairs = (before.length / step) * after.length;
  for (let first = 0; first < step; first++) {
    const targets = countOwners(after, first, step);
    for (const [source, many] of countOwners(before, first, step)) {
      for (const [target, each] of targets) visit(source, target, (many * each) / pairs);
    }
  }
}

function countOwners(slots: Uint16Array, first: number, step: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (let at = first; at < slots.length; at += step) {
    const owner = slots[at] as number;
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  return counts;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
