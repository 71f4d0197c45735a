/** What belongs to every turn of the event loop, where sockets are read and written together. */
export interface TurnSteps {
  /** Reads what is there to read. */
  read(): void;
  /** Makes the writes that were put together. @param hasRead whether `read` was called in this turn */
  finish(hasRead: boolean): void;
}

/**
 * The order of a turn of the event loop:
 *
 *   Node.js' own sockets and timers ─▶ sockets that are read together ─▶ ends of turns (`io/turn.ts`) ─▶ writes
 */
export class EventLoop {
  #steps: TurnSteps | null = null;
  #ends: (() => void)[] = [];
  #spare: (() => void)[] = [];
  #isAwaited = false;
  #isReadable = false;
  readonly #run = (): void => this.#turn();

  /** There are such sockets. */
  join(steps: TurnSteps): void {
    this.#steps = steps;
  }

  /** There is something to read, in this turn. It never throws: the system's code calls it. */
  readonly onReadable = (): void => {
    this.#isReadable = true;
    this.#await();
  };

  /** Calls `end` once, behind this turn's reads. */
  atEnd(end: () => void): void {
    this.#ends.push(end);
    this.#await();
  }

  #await(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    setImmediate(this.#run);
  }

  #turn(): void {
    const hasRead = this.#isReadable;
    this.#isReadable = false;
    try {
      if (hasRead) this.#steps?.read();
    } finally {
      this.#isAwaited = false;
    }
    const ends = this.#ends;
    this.#ends = this.#spare;
    for (let i = 0; i < ends.length; i++) ends[i]?.();
    ends.length = 0;
    this.#spare = ends;
    this.#steps?.finish(hasRead);
  }
}

/** This thread's. */
export const eventLoop = new EventLoop();
