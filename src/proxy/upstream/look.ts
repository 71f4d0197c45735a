/**
 * A connection looks whether it may speak, once the node knows it by its name and before it carries anything: see
 * `node/standing.ts`. That costs one comparison while this proxy's lease holds; otherwise its commands wait.
 */
import { type Failure, failure } from '../../node/failure.js';
import type { Greeted } from '../../node/handshake.js';
import type { Standing } from '../../node/standing.js';

export class Look {
  readonly #standing: Standing;
  /** What the connection bears. */
  readonly #id: string;
  readonly #onEnd: (found: Failure | null) => void;
  #state: 'before' | 'asking' | 'unsure' | 'over' = 'before';

  /** @param onEnd told once: null, it may speak; otherwise why the connection is of no use */
  constructor(standing: Standing, onEnd: (found: Failure | null) => void) {
    this.#standing = standing;
    this.#id = standing.id;
    this.#onEnd = onEnd;
  }

  /** At the node. */
  get connectionName(): string {
    return `ringproxy:${this.#id}`;
  }

  /** The node has answered the whole handshake. */
  begin({ isNamed }: Readonly<Greeted>): void {
    // Nobody could make the node drop it.
    if (!isNamed && !this.#standing.isLone) this.#end(failure('unnamed'));
    else if (this.#standing.holds(this.#id)) this.#end(null);
    else this.#ask();
  }

  /** Called about ten times a second. */
  tick(): void {
    if (this.#state !== 'unsure') return;
    if (this.#standing.holds(this.#id)) this.#end(null);
    else this.#ask();
  }

  /** The connection has ended: nobody is told any more. */
  drop(): void {
    this.#state = 'over';
  }

  #ask(): void {
    this.#state = 'asking';
    void this.#standing.ask(this.#id).then((ruling) => {
      if (this.#state !== 'asking') return;
      if (ruling === 'unsure') this.#state = 'unsure';
      else this.#end(ruling === 'speak' ? null : failure('fenced-off'));
    });
  }

  #end(found: Failure | null): void {
    this.#state = 'over';
    this.#onEnd(found);
  }
}
