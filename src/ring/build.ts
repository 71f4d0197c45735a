import { buildContinuum, type NodePoints } from './continuum.js';
import { modulaSlots } from './modula.js';
import { nodePoints, pointCounts } from './node-points.js';
import type { NodeSpec } from './node-spec.js';
import { Ring, type RingOptions } from './ring.js';

/** How long a build may keep the event loop in one piece, in milliseconds. */
const SLICE_MS = 4;

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
  if (options.distribution === 'modula') return new Ring(nodes, options, modulaSlots(nodes));
  const counts = pointCounts(nodes, options);
  // Of equal points the node whose name comes first owns the hash.
  const order = nodes.map((_node, index) => index).sort((a, b) => compareNames(nodes[a], nodes[b]));
  const parts: NodePoints[] = [];
  for (const owner of order) {
    parts.push({ owner, points: yield* nodePoints(nodes[owner]?.name ?? '', counts[owner] ?? 0) });
  }
  return new Ring(nodes, options, yield* buildContinuum(parts));
}

function compareNames(a: NodeSpec | undefined, b: NodeSpec | undefined): number {
  const left = a?.name ?? '';
  const right = b?.name ?? '';
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
