/** Requests in flight that a new client starts with: nothing is known yet of the size of its replies. */
const FIRST_REQUESTS = 512;
const LEAST_REQUESTS = 16;
/** The window is chosen so that about this many bytes of replies are in flight. */
const BYTES = 8_388_608;

/** How many of a new client's requests may be in flight. @param most however small the replies are */
export function firstWindow(most: number): number {
  return Math.min(FIRST_REQUESTS, most);
}

/** How many of a client's requests may be in flight: many when its replies are small. */
export class Window {
  readonly #most: number;
  #requests: number;
  /** Of the replies since it was adapted last. */
  #replies = 0;
  #bytes = 0;

  /** @param most requests, however small the replies are */
  constructor(most: number) {
    this.#most = most;
    this.#requests = firstWindow(most);
  }

  get requests(): number {
    return this.#requests;
  }

  /** A whole reply has come. @param bytes its length */
  onReply(bytes: number): void {
    this.#bytes += bytes;
    this.#replies++;
  }

  /** Grows, to twice as much at most, or shrinks to what fits the replies since the last time. @returns requests */
  adapt(): number {
    if (this.#replies === 0) return this.#requests;
    const fitting = Math.floor(BYTES / (1 + this.#bytes / this.#replies));
    this.#requests = Math.max(LEAST_REQUESTS, Math.min(this.#requests * 2, fitting, this.#most));
    this.#bytes = 0;
    this.#replies = 0;
    return this.#requests;
  }
}
