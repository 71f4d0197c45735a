/**
 * Whether there is an order of the commands' steps that explains what clients were answered: a search over all orders that
 * respect what was over before what began (Wing & Gong, "Testing and Verifying Concurrent Objects", 1993), which remembers
 * the states that it has been in (Lowe, "Testing for linearizability", 2017).
 */
import type { Outcome, Step } from './steps.js';
import { EMPTY, type Store, textOf } from './store.js';

export interface Told {
  readonly words: readonly string[];
  /** As the store's replies. */
  readonly reply: string;
  /** Its place among all beginnings and ends of commands. */
  readonly begunAt: number;
  readonly endedAt: number;
}

/** How far a client is: its command, and the next step of that. */
interface At {
  readonly index: number;
  /** null: it has not begun. */
  readonly step: Step | null;
  /** What was written of what it watches. */
  readonly written: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();
/** A search that has seen so many states has not found out. */
const MOST_STATES = 400_000;

/**
 * @param clients what each was told, one command after the other; all of it began with empty keys
 * @param begin the first step of a command
 * @returns null: it took too long to find out
 */
export function isExplained(
  clients: readonly (readonly Told[])[],
  begin: (words: readonly string[]) => Step,
): boolean | null {
  const seen = new Set<string>();
  const stack: { readonly store: Store; readonly at: readonly At[] }[] = [
    { store: EMPTY, at: clients.map(() => ({ index: 0, step: null, written: NONE })) },
  ];
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    const { store, at } = state;
    const ends = at.map(({ index }, i) => clients[i]?.[index]?.endedAt ?? Number.POSITIVE_INFINITY);
    const firstEnd = Math.min(...ends);
    if (firstEnd === Number.POSITIVE_INFINITY) return true;
    for (const [i, { index, step, written }] of at.entries()) {
      const told = clients[i]?.[index];
      // Before it begins all must have ended that were answered before.
      if (told === undefined || (step === null && told.begunAt > firstEnd)) continue;
      for (const outcome of (step ?? begin(told.words)).run(store, written)) {
        if (typeof outcome.next === 'string' && outcome.next !== told.reply) continue;
        const next = {
          store: outcome.store,
          at: at.map((one, j) => (j === i ? advanced(one, outcome) : hearing(one, outcome))),
        };
        const name = nameOf(next);
        if (seen.has(name)) continue;
        if (seen.size >= MOST_STATES) return null;
        seen.add(name);
        stack.push(next);
      }
    }
  }
  return false;
}

function advanced({ index, written }: At, { next: then }: Outcome): At {
  if (typeof then === 'string') return { index: index + 1, step: null, written: NONE };
  const still = then.watching.filter((key) => written.has(key) && !then.anew.includes(key));
  return { index, step: then, written: new Set(still) };
}

/** Others hear of what was written. */
function hearing(one: At, { touched }: Outcome): At {
  const more = one.step?.watching.filter((key) => touched.includes(key) && !one.written.has(key)) ?? [];
  return more.length === 0 ? one : { ...one, written: new Set([...one.written, ...more]) };
}

function nameOf({ store, at }: { readonly store: Store; readonly at: readonly At[] }): string {
  const clients = at.map(({ index, step, written }) => `${index} ${step?.id ?? ''} ${[...written].sort()}`);
  return `${textOf(store)} | ${clients.join(' | ')}`;
}
