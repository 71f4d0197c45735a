import { RequestFramer, type RequestLimits } from '../../resp/request-framer.js';

/** Longest line of an inline command, in bytes. */
const MAX_INLINE = 65_536;
/** Spare framers beyond this many are left to the collector. */
const SPARES = 256;

/**
 * Frames leave nothing behind in a framer once they are whole. So clients share one, which stays in the cache however many
 * they are, and a client has one of its own only while a frame of its is cut, or while it has not authenticated.
 */
export class Framers {
  readonly #limits: RequestLimits;
  readonly #strangersLimits: RequestLimits;
  readonly #spares: RequestFramer[] = [];
  #common: RequestFramer;

  /** @param maxBulkLength bytes of the longest argument */
  constructor(maxBulkLength: number) {
    this.#limits = { maxArgs: 2_147_483_647, maxBulkLength, maxInlineLength: MAX_INLINE, authenticated: true };
    this.#strangersLimits = { ...this.#limits, authenticated: false };
    this.#common = new RequestFramer(this.#limits);
  }

  /** That of all who have none of their own, between two frames. */
  get common(): RequestFramer {
    return this.#common;
  }

  /** The common one has begun a frame whose end is still to come: it is that client's now, and there is another common one. */
  keepCommon(): RequestFramer {
    const kept = this.#common;
    this.#common = this.#spares.pop() ?? new RequestFramer(this.#limits);
    return kept;
  }

  /** One for a client that has not authenticated. */
  forStranger(): RequestFramer {
    return new RequestFramer(this.#strangersLimits);
  }

  /** From now on it is that of a client which has authenticated, or has not. */
  admit(framer: RequestFramer, isAuthenticated: boolean): void {
    framer.limits = isAuthenticated ? this.#limits : this.#strangersLimits;
  }

  /** The client that has authenticated does not need it any more: nothing is cut. */
  give(framer: RequestFramer): void {
    if (this.#spares.length < SPARES) this.#spares.push(framer);
  }
}
