/** Explores every state that a world can come to, breadth first, and tells the steps to the first one that is wrong. */

export interface Step<World> {
  readonly name: string;
  readonly world: World;
  /** What is wrong with this step, or null. */
  readonly violation: string | null;
}

export interface Exploration {
  readonly states: number;
  /** The steps to the first violation, with what it is; empty when there is none. */
  readonly trace: readonly string[];
}

/**
 * @param steps everything that may happen next
 * @param keyOf worlds of the same key are one state
 * @throws Error when there are more than `limit` states
 */
export function explore<World>(
  first: World,
  steps: (world: World) => Iterable<Step<World>>,
  keyOf: (world: World) => string,
  limit: number,
): Exploration {
  const cameFrom = new Map<string, { readonly from: string; readonly name: string } | null>([[keyOf(first), null]]);
  let frontier = [first];
  while (frontier.length > 0) {
    const next: World[] = [];
    for (const world of frontier) {
      const from = keyOf(world);
      for (const { name, world: after, violation } of steps(world)) {
        if (violation !== null) {
          return { states: cameFrom.size, trace: [...pathTo(from, cameFrom), name, violation] };
        }
        const key = keyOf(after);
        if (cameFrom.has(key)) continue;
        if (cameFrom.size >= limit) throw new Error(`more than ${limit} states`);
        cameFrom.set(key, { from, name });
        next.push(after);
      }
    }
    frontier = next;
  }
  return { states: cameFrom.size, trace: [] };
}

function pathTo(
  last: string,
  cameFrom: ReadonlyMap<string, { readonly from: string; readonly name: string } | null>,
): string[] {
  const path: string[] = [];
  for (let step = cameFrom.get(last); step !== null && step !== undefined; step = cameFrom.get(step.from)) {
    path.unshift(step.name);
  }
  return path;
}
