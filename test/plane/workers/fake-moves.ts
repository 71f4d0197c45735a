import type { KeyMoves, MoveWaiter } from '../../../src/proxy/key-moves.js';
import type { RoutingSnapshot } from '../../../src/proxy/snapshot.js';
import { buildRingSync } from '../../../src/ring/build.js';
import { Rings } from '../../../src/ring/rings.js';

const nameOf = (source: number, database: number, key: Buffer): string => `${source} ${database} ${key.toString()}`;

/** What moves keys in the primary, as far as workers notice: the test says what arrives, and when. */
export class FakeMoves implements KeyMoves {
  readonly settled = new Set<string>();
  readonly sweptSources: number[] = [];
  /** Keys that are to be moved, with who waits for each. */
  readonly asked = new Map<string, Set<MoveWaiter>>();
  /** Commands for which nothing moves. */
  holders = 0;
  /** A key is in flight: nobody gets a hold. */
  inFlight = false;
  readonly #holdWaiters: MoveWaiter[] = [];

  isSettled(source: number, database: number, buffer: Buffer, start: number, end: number): boolean {
    return this.settled.has(nameOf(source, database, buffer.subarray(start, end)));
  }

  runIdOf(source: number): string {
    return `run-${source}`;
  }

  noteGone(source: number, database: number, key: Buffer): void {
    this.settled.add(nameOf(source, database, key));
  }

  settle(source: number, _target: number, database: number, key: Buffer, client: MoveWaiter): void {
    const name = nameOf(source, database, key);
    const waiting = this.asked.get(name) ?? new Set();
    this.asked.set(name, waiting);
    waiting.add(client);
  }

  holdMoves(client: MoveWaiter): boolean {
    if (this.inFlight) {
      this.#holdWaiters.push(client);
      return false;
    }
    this.holders++;
    return true;
  }

  releaseMoves(): void {
    if (this.holders === 0) throw new Error('nothing was held');
    this.holders--;
  }

  /** The first key that was asked for has moved, or could not. */
  finish(moved: boolean): void {
    for (const [name, waiting] of this.asked) {
      this.asked.delete(name);
      if (moved) this.settled.add(name);
      for (const waiter of waiting) waiter.resumeSoon();
      return;
    }
  }

  /** Nothing is in flight any more: who waits for a hold asks again. */
  land(): void {
    this.inFlight = false;
    for (const waiter of this.#holdWaiters.splice(0)) waiter.resumeSoon();
  }
}

const OPTIONS = { hash: 'murmur3', distribution: 'ketama', hashTag: '{}', vnodes: 8, weighting: 'own' } as const;
const NODES = ['a', 'b'].map((name, id) => ({
  ...{ id, name, address: `127.0.0.1:${id + 1}`, weight: 1 },
  ...{ username: '', password: '' },
}));
const RING = buildRingSync(NODES, OPTIONS);

/** @param moves what moves keys; null: none move */
export function snapshotWith(moves: KeyMoves | null, generation = 1): RoutingSnapshot {
  if (moves === null) return { generation, phase: 'stable', rings: new Rings(RING, null), moves, nodes: NODES };
  return { generation, phase: 'moving', rings: new Rings(RING, RING), moves, nodes: NODES };
}
