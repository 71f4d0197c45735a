import type { Requester } from '../request/requester.js';

/** Requests of others wait at most about this long behind a large reply whose client does not read. */
const OTHERS_WAIT_MS = 200;

/** Whether a lane is not read, because a client does not take its large reply. */
export class ReadingPause {
  #client: Requester | null = null;
  #since = 0;
  #isOver = false;

  /** The client that the lane's reading waits for, or null. */
  get client(): Requester | null {
    return this.#client;
  }

  /** Others wait behind the large reply: it is taken into memory instead of waiting further. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @param now by the clock */
  begin(client: Requester, now: number): void {
    this.#client = client;
    this.#since = now;
  }

  end(): void {
    this.#client = null;
  }

  /** Others wait: from now on the lane is not stopped again. */
  giveUp(): void {
    this.#isOver = true;
  }

  /** Whether it has lasted for as long as others may wait for it. @param now by the clock */
  isTooLong(now: number): boolean {
    return this.#client !== null && !this.#isOver && now - this.#since >= OTHERS_WAIT_MS;
  }
}
