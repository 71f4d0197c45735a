import type { Command } from '../../../commands/command.js';
import { type KeyShapes, shapesOf } from './key-shapes.js';

/** Which keys a command had on several nodes, as plain data. */
export interface ApartKeys extends Omit<KeyShapes, 'varies'> {
  readonly command: string;
  /** It is sent to the nodes in parts, side by side (MGET). */
  readonly isSplit: boolean;
  /** Commands with such keys; where only some are looked at, those that they stand for. */
  calls: number;
  /** How many of these were refused. */
  refused: number;
  /** Whether `value` was another one in some of these commands, or looks as if it would be. */
  varies: boolean;
  /** Keys of one of these commands, as latin1. */
  readonly example: readonly string[];
}

/** Rows that are kept; then the rarest one makes room. */
const MOST_ROWS = 256;
/** Keys of an example. */
const MOST_EXAMPLE_KEYS = 4;
const LONGEST_EXAMPLE = 128;

/**
 * Which keys commands have on several nodes: the commonest shapes, by Space-Saving (Metwally et al., "Efficient
 * Computation of Frequent and Top-k Elements in Data Streams", 2005): a new shape takes the place of the rarest, and its
 * count with it, so that counts may be too high and never too low.
 */
export class ApartKeysTable {
  readonly #rows = new Map<string, ApartKeys>();

  /**
   * @param command its row in the command table @param keys of one such command, as latin1
   * @param calls commands that this one stands for @param isRefused they were answered an error for it
   */
  note(
    { name: command, route }: Pick<Command, 'name' | 'route'>,
    keys: readonly string[],
    calls: number,
    isRefused = false,
  ): void {
    const refused = isRefused ? calls : 0;
    const found = shapesOf(keys);
    const key = keyOf(command, found);
    const row = this.#rows.get(key);
    if (row !== undefined) {
      row.calls += calls;
      row.refused += refused;
      row.varies ||= found.value !== row.value;
      return;
    }
    const example = keys.slice(0, MOST_EXAMPLE_KEYS).map((name) => name.slice(0, LONGEST_EXAMPLE));
    const all = calls + this.#makeRoom();
    this.#rows.set(key, { command, isSplit: route === 'split', ...found, calls: all, refused, example });
  }

  /** The commonest first. */
  rows(): ApartKeys[] {
    return sorted([...this.#rows.values()].map((row) => ({ ...row })));
  }

  /** @returns how often the shape was seen that makes room */
  #makeRoom(): number {
    if (this.#rows.size < MOST_ROWS) return 0;
    let rarest = '';
    let least = Number.POSITIVE_INFINITY;
    for (const [key, { calls }] of this.#rows) {
      if (calls >= least) continue;
      least = calls;
      rarest = key;
    }
    this.#rows.delete(rarest);
    return least;
  }
}

/** Adds up what several processes have seen. */
export function sumApartKeys(parts: readonly (readonly ApartKeys[])[]): ApartKeys[] {
  const sums = new Map<string, ApartKeys>();
  for (const row of parts.flat()) {
    const key = keyOf(row.command, row);
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { ...row });
    else {
      sum.calls += row.calls;
      sum.refused += row.refused;
      sum.varies ||= row.varies || row.value !== sum.value;
    }
  }
  return sorted([...sums.values()]).slice(0, MOST_ROWS);
}

function keyOf(command: string, { shapes, tagged }: KeyShapes): string {
  return [command, ...shapes, '', ...(tagged ?? [])].join(' ');
}

function sorted(rows: ApartKeys[]): ApartKeys[] {
  return rows.sort((one, other) => other.calls - one.calls);
}
