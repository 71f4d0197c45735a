/** Replicas that change their state and hear of each other in any order, or not at all. */
import fc from 'fast-check';
import type { Subject } from './subjects.js';

export type Step<Change> =
  | { readonly kind: 'change'; readonly at: number; readonly change: Change }
  /** A delta that was made before arrives, perhaps once more; those in between may never. */
  | { readonly kind: 'deliver'; readonly to: number; readonly delta: number }
  /** One is told another one's whole state. */
  | { readonly kind: 'whole'; readonly to: number; readonly from: number }
  /** A replica is lost with all that it knows, and a new one takes its place. */
  | { readonly kind: 'anew'; readonly at: number };

const REPLICAS = 4;

export function steps<Change>(change: fc.Arbitrary<Change>): fc.Arbitrary<Step<Change>[]> {
  const replica = fc.nat({ max: REPLICAS - 1 });
  return fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('change' as const), at: replica, change }) },
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('deliver' as const), to: replica, delta: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('whole' as const), to: replica, from: replica }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('anew' as const), at: replica }) },
    ),
    { maxLength: 40 },
  );
}

export interface Run<State> {
  readonly replicas: readonly State[];
  readonly deltas: readonly State[];
  /** Every state that ever was. */
  readonly states: readonly State[];
}

/** @throws Error when a state of before is not below the one that it has become */
export function run<State, Change>(subject: Subject<State, Change>, all: readonly Step<Change>[]): Run<State> {
  const { lattice } = subject;
  const replicas: State[] = new Array(REPLICAS).fill(lattice.bottom);
  const actors = replicas.map((_state, index) => `actor-${index}`);
  const deltas: State[] = [];
  const states: State[] = [lattice.bottom];
  let now = 0;
  const become = (index: number, delta: State): void => {
    const before = replicas[index] ?? lattice.bottom;
    const after = lattice.join(before, delta);
    if (lattice.join(after, before) !== after) throw new Error('something that was known is not known any more');
    replicas[index] = after;
    states.push(after, delta);
  };
  for (const step of all) {
    now++;
    switch (step.kind) {
      case 'change': {
        const state = replicas[step.at] ?? lattice.bottom;
        const actor = actors[step.at] ?? '';
        // Clocks of the actors differ.
        const delta = subject.delta(state, actor, step.change, [1000 + ((now * 7) % 13), now, actor]);
        deltas.push(delta);
        become(step.at, delta);
        break;
      }
      case 'deliver': {
        const delta = deltas[step.delta % Math.max(1, deltas.length)];
        if (delta !== undefined) become(step.to, delta);
        break;
      }
      case 'whole':
        become(step.to, replicas[step.from] ?? lattice.bottom);
        break;
      case 'anew':
        replicas[step.at] = lattice.bottom;
        actors[step.at] = `actor-${step.at}-${now}`;
        break;
    }
  }
  return { replicas, deltas, states };
}
