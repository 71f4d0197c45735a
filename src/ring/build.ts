import { nodePoints, pointCounts } from './continuum.js';
import type { NodeSpec } from './node-spec.js';
import { Ring, type RingOptions } from './ring.js';

/** How long a build may keep the event loop in one piece, in milliseconds. */
const SLICE_MS = 4;
/** Points that are merged between two looks at the clock. */
const MERGE_STRIDE = 32_768;

interface Continuum {
  readonly points: Uint32Array;
  readonly owners: Uint16Array;
}

/**
 * Builds a ring, and yields to the event loop every few milliseconds: a ring of 100 nodes has 400,000
 * points, and clients must not wait for it.
 */
export async function buildRing(nodes: readonly NodeSpec[], options: RingOptions): Promise<Ring> {
  const steps = buildSteps(nodes, options);
  let sliceStart = performance.now();
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    if (performance.now() - sliceStart > SLICE_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      sliceStart = performance.now();
    }
  }
}

/** Builds a ring at once. */
export function buildRingSync(nodes: readonly NodeSpec[], options: RingOptions): Ring {
  const steps = buildSteps(nodes, options);
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

function* buildSteps(nodes: readonly NodeSpec[], options: RingOptions): Generator<undefined, Ring> {
  const counts = pointCounts(nodes, options);
  // Of equal points the node whose name comes first owns the hash: merged in the order of names, it stands first.
  const order = nodes.map((_node, index) => index).sort((a, b) => compareNames(nodes[a], nodes[b]));
  let parts: Continuum[] = [];
  for (const index of order) {
    const points = yield* nodePoints(nodes[index]?.name ?? '', counts[index] ?? 0);
    parts.push({ points, owners: new Uint16Array(points.length).fill(index) });
  }
  // Neighbours are merged, so that the order of names is kept.
  while (parts.length > 1) {
    const merged: Continuum[] = [];
    for (let i = 0; i < parts.length; i += 2) {
      const left = parts[i] as Continuum;
      const right = parts[i + 1];
      merged.push(right === undefined ? left : yield* merge(left, right));
    }
    parts = merged;
  }
  const { points, owners } = parts[0] ?? { points: new Uint32Array(0), owners: new Uint16Array(0) };
  return new Ring(nodes, options, points, owners);
}

function* merge(left: Continuum, right: Continuum): Generator<undefined, Continuum> {
  const total = left.points.length + right.points.length;
  const points = new Uint32Array(total);
  const owners = new Uint16Array(total);
  let l = 0;
  let r = 0;
  for (let i = 0; i < total; i++) {
    const takeLeft =
      r >= right.points.length || (l < left.points.length && (left.points[l] as number) <= (right.points[r] as number));
    if (takeLeft) {
      points[i] = left.points[l] as number;
      owners[i] = left.owners[l++] as number;
    } else {
      points[i] = right.points[r] as number;
      owners[i] = right.owners[r++] as number;
    }
    if (i % MERGE_STRIDE === MERGE_STRIDE - 1) yield;
  }
  return { points, owners };
}

function compareNames(a: NodeSpec | undefined, b: NodeSpec | undefined): number {
  const left = a?.name ?? '';
  const right = b?.name ?? '';
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
