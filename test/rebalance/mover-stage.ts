import { Looks } from '../../src/rebalance/looks.js';
import { OwnTurns } from '../../src/rebalance/migrate-turns.js';
import { MoveMemory } from '../../src/rebalance/move-memory.js';
import { Mover, type MoverOptions } from '../../src/rebalance/mover.js';
import type { Timers } from '../../src/time/timers.js';
import { LINK, moverNode, rings, runIdOf, type StageNode } from './stage.js';

/** A mover between two real nodes, and all that it has told. */
export class MoverStage {
  readonly mover: Mover;
  readonly memory: MoveMemory;
  readonly looks = new Looks();
  readonly source: StageNode;
  readonly target: StageNode;
  readonly failures: string[] = [];
  readonly moved: { source: string; target: string; keys: number; bytes: number }[] = [];
  swept = false;
  dropped = 0;
  busy = false;
  readonly #names: readonly string[];
  readonly #resting: readonly string[];

  private constructor(source: StageNode, target: StageNode, runIds: readonly string[], options: Partial<MoverOptions>) {
    this.source = source;
    this.target = target;
    const change = rings([source, target], [source.name], [source.name, target.name]);
    const names = Array.from({ length: 2000 }, (_, i) => `key:${i}`);
    const moves = (name: string) => change.then.ownerOf(Buffer.from(name), 0, name.length) === 1;
    this.#names = names.filter(moves);
    this.#resting = names.filter((name) => !moves(name));
    const nodes = [source, target].map(moverNode);
    this.memory = new MoveMemory(nodes, null);
    this.memory.begin(0);
    this.mover = new Mover({
      nodes,
      rings: change.rings,
      source: 0,
      runIds,
      memory: this.memory,
      looks: this.looks,
      turns: new OwnTurns(),
      sweeping: () => 1,
      link: { ...LINK, onFirstSeen: () => Promise.resolve() },
      onFailure: (message) => this.failures.push(message),
      isBusy: () => this.busy,
      onSwept: () => {
        this.swept = true;
        return Promise.resolve(true);
      },
      onDropped: (keys) => {
        this.dropped += keys;
      },
      onMoved: (from, to, keys, bytes) => this.moved.push({ source: from, target: to, keys, bytes }),
      ...options,
    });
  }

  /** The nodes are empty, and their processes those that run now. The ring goes from `source` alone to both. */
  static async start(
    source: StageNode,
    target: StageNode,
    options: Partial<MoverOptions> & { timers?: Timers } = {},
  ): Promise<MoverStage> {
    await Promise.all([source, target].map(({ redis }) => redis.client().flushall()));
    return new MoverStage(source, target, await Promise.all([source, target].map(runIdOf)), options);
  }

  /** So many keys that move. */
  keys(count: number): readonly string[] {
    return this.#names.slice(0, count);
  }

  /** So many keys that do not. */
  restingKeys(count: number): readonly string[] {
    return this.#resting.slice(0, count);
  }

  /** Writes the keys to the source, each with its own name as value. */
  async fill(names: readonly string[]): Promise<void> {
    await this.source.redis.client().mset(Object.fromEntries(names.map((name) => [name, name])));
  }

  /** A client whose next command is on this key. Settles when it is resumed. */
  settle(name: string, database = 0): Promise<void> {
    return new Promise((resolve) => {
      this.mover.settle(1, database, Buffer.from(name), { resumeSoon: resolve });
    });
  }

  isSettled(name: string, database = 0): boolean {
    return this.memory.settled.has(0, database, Buffer.from(name), 0, name.length);
  }

  /** Moves are to hold still: first those of the sweep. @returns whether they do, within so many milliseconds each */
  async hold(sweepTimeout: number, timeout: number): Promise<boolean> {
    return (await this.mover.hold('sweep', sweepTimeout)) && this.mover.hold('all', timeout);
  }

  /** Asks for the nodes to hold still. `resumed` settles when the client is told to ask again. */
  holdMoves(): { holds: boolean; resumed: Promise<void> } {
    let resume: () => void = () => {};
    const resumed = new Promise<void>((resolve) => {
      resume = resolve;
    });
    return { holds: this.looks.hold({ resumeSoon: () => resume() }), resumed };
  }

  at(node: 'source' | 'target') {
    return this[node].redis.client();
  }
}
