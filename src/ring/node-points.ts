/**
 * A node's points on the ring. The `hashring` package makes them (ketama: four points of each md5 digest
 * of `name-0`, `name-1`, …), which is what libketama and twemproxy do, too.
 */
import { createHash } from 'node:crypto';
import HashRing from 'hashring';
import { MOST_SLOTS } from './modula.js';
import type { NodeSpec } from './node-spec.js';
import type { RingOptions } from './ring.js';

const POINTS_PER_DIGEST = 4;
/** Digests of one slice: less than a millisecond. */
const SLICE_DIGESTS = 256;
/** `hashring` wants an address; the node's name takes its place when it is hashed, since a name may be anything. */
const PLACEHOLDER = 'node:1';

/** Points of the nodes that were asked for lately: a change of the ring leaves most nodes as they were. */
const cache = new Map<string, Uint32Array>();
const CACHED_POINTS = 4_194_304;
let cachedPoints = 0;

/** A node with more points than this makes each change of the ring slow, and no difference to its share. */
const MOST_POINTS = 1_048_576;

/** @returns for each node (by its index) that would have too many points, in words */
export function pointMistakes(
  nodes: readonly Pick<NodeSpec, 'weight'>[],
  { distribution, weighting, vnodes }: Pick<RingOptions, 'distribution' | 'weighting' | 'vnodes'>,
): { readonly index: number; readonly message: string }[] {
  if (distribution === 'modula') {
    const slots = nodes.reduce((sum, { weight }) => sum + weight, 0);
    if (slots <= MOST_SLOTS) return [];
    const message = `all weights together are ${slots}, more than the ${MOST_SLOTS} slots of modula: use smaller weights`;
    return [{ index: nodes.length - 1, message }];
  }
  if (weighting === 'total') return [];
  return nodes.flatMap(({ weight }, index) => {
    if (weight * vnodes <= MOST_POINTS) return [];
    const message = `weight ${weight} × ${vnodes} vnodes are more than ${MOST_POINTS} points: use smaller weights`;
    return [{ index, message }];
  });
}

/** How many points each node gets. */
export function pointCounts(nodes: readonly NodeSpec[], options: RingOptions): number[] {
  if (options.weighting === 'own') return nodes.map((node) => node.weight * options.vnodes);
  const total = nodes.reduce((sum, node) => sum + node.weight, 0);
  return nodes.map((node) => {
    // twemproxy (nc_ketama.c) computes in single precision.
    const part = Math.fround(Math.fround(node.weight) / Math.fround(total));
    const perServer = Math.fround(Math.fround(Math.fround(part * options.vnodes) / POINTS_PER_DIGEST) * nodes.length);
    return Math.floor(Math.fround(perServer + 1e-10)) * POINTS_PER_DIGEST;
  });
}

/**
 * Computes a node's points, in the order of their digests, in slices between which the caller may yield.
 * @param count how many; a multiple of four costs nothing extra
 * @returns an array that others may share: it is not to be changed
 */
export function* nodePoints(name: string, count: number): Generator<undefined, Uint32Array> {
  const identity = `${count}\n${name}`;
  const known = cache.get(identity);
  if (known !== undefined) return known;
  const points = new Uint32Array(count);
  const digests = Math.ceil(count / POINTS_PER_DIGEST);
  for (let first = 0; first < digests; first += SLICE_DIGESTS) {
    const slice = sliceOfPoints(name, first, Math.min(SLICE_DIGESTS, digests - first));
    for (let i = 0; i < slice.length && first * POINTS_PER_DIGEST + i < count; i++) {
      points[first * POINTS_PER_DIGEST + i] = slice[i] as number;
    }
    yield;
  }
  remember(identity, points);
  return points;
}

/** The points of the digests from `first` on, in the order of the digests. */
function sliceOfPoints(name: string, first: number, digests: number): number[] {
  const made: Buffer[] = [];
  const digest = (key: string): Buffer => {
    const index = Number(key.slice(PLACEHOLDER.length + 1)) + first;
    const bytes = createHash('md5').update(`${name}-${index}`).digest();
    made.push(bytes);
    return bytes;
  };
  const ring = new HashRing(PLACEHOLDER, digest, { 'vnode count': digests, 'max cache size': 1 });
  if (made.length !== digests) throw new Error(`hashring made ${made.length} digests, expected ${digests}`);
  return continuumOf(ring);
}

/** The values of `hashring`'s continuum, which its type declarations leave out. */
function continuumOf(ring: HashRing): number[] {
  const continuum: unknown = Reflect.get(ring, 'ring');
  if (!Array.isArray(continuum)) throw new Error('hashring has no continuum');
  return continuum.map((point: unknown) => {
    const value: unknown = typeof point === 'object' && point !== null ? Reflect.get(point, 'value') : undefined;
    if (typeof value !== 'number') throw new Error('hashring has a point without a value');
    return value;
  });
}

function remember(identity: string, points: Uint32Array): void {
  if (points.length > CACHED_POINTS) return;
  if (cachedPoints + points.length > CACHED_POINTS) {
    cache.clear();
    cachedPoints = 0;
  }
  cache.set(identity, points);
  cachedPoints += points.length;
}
