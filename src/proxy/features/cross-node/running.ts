import type { RoutingSnapshot } from '../../snapshot.js';
import type { Call } from './operation.js';

interface UnderWay {
  readonly call: Call;
  readonly done: Promise<void>;
}

/** The commands of this process that take several steps, and are under way. */
export class Running {
  readonly #running = new Set<UnderWay>();

  /** @param done settles when it has ended, and never rejects */
  add(call: Call, done: Promise<void>): void {
    const underWay = { call, done };
    this.#running.add(underWay);
    void done.then(() => this.#running.delete(underWay));
  }

  /** Settles when all have ended that are under way now and have a key that changes hands. */
  async ended(snapshot: RoutingSnapshot): Promise<void> {
    await Promise.all(this.#moving(snapshot).map(({ done }) => done));
  }

  /** The first one that is under way and has a key that changes hands, for people; null: none is. */
  slowest(snapshot: RoutingSnapshot): string | null {
    const [first] = this.#moving(snapshot);
    if (first === undefined) return null;
    const { command, owners } = first.call;
    const nodes = [...new Set(owners)].map(({ name }) => name);
    return `${nodes.join(', ')}: ${command.name.toUpperCase()}, which has keys on all of them, is under way`;
  }

  #moving({ rings }: RoutingSnapshot): UnderWay[] {
    return [...this.#running].filter(({ call }) =>
      call.keys.some((at) => {
        const key = call.words[at] as Buffer;
        return rings.movesAway(rings.hashOf(key, 0, key.length));
      }),
    );
  }
}
