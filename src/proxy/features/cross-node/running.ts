import type { RoutingSnapshot } from '../../snapshot.js';
import type { Call } from './operation.js';

/** What takes several steps at several nodes. */
export interface UnderWay {
  /** For people. */
  readonly summary: string;
  /** Whether it has a key that changes hands. */
  moves(snapshot: RoutingSnapshot): boolean;
}

/** What takes several steps at several nodes, and is under way in this process. */
export class Running {
  readonly #running = new Map<UnderWay, Promise<void>>();

  /** @param done settles when it has ended, and never rejects */
  add(underWay: UnderWay, done: Promise<void>): void {
    this.#running.set(underWay, done);
    void done.then(() => this.#running.delete(underWay));
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Settles when all have ended that are under way now and have a key that changes hands. */
  async ended(snapshot: RoutingSnapshot): Promise<void> {
    const moving = [...this.#running].filter(([underWay]) => underWay.moves(snapshot));
    await Promise.all(moving.map(([, done]) => done));
  }

  /** The first one that is under way and has a key that changes hands, for people; null: none is. */
  slowest(snapshot: RoutingSnapshot): string | null {
    return [...this.#running.keys()].find((underWay) => underWay.moves(snapshot))?.summary ?? null;
  }
}

/** A command of several steps, for a fence. */
export function underWay({ command, owners, keys, words }: Call): UnderWay {
  const nodes = [...new Set(owners)].map(({ name }) => name);
  return {
    summary: `${nodes.join(', ')}: ${command.name.toUpperCase()}, which has keys on all of them, is under way`,
    moves: ({ rings }) =>
      keys.some((at) => {
        const key = words[at] as Buffer;
        return rings.movesAway(rings.hashOf(key, 0, key.length));
      }),
  };
}
