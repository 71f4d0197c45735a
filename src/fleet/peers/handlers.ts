/** What this proxy answers others of its ring: each part of the program that is asked registers what it answers. */

export interface PeerQuestion {
  /** The id of the proxy that asks, as it says itself: whoever has the token may say any. */
  readonly from: string;
  /** A Buffer, or what was JSON: of whatever form, since it may be of another version. */
  readonly body: unknown;
}

/**
 * @returns bytes, which go as they are, or what goes as JSON
 * @throws RingproxyError which the asker gets, with its code and hint
 */
export type PeerHandler = (question: PeerQuestion) => Promise<object>;

export class PeerHandlers {
  readonly #handlers = new Map<string, PeerHandler>();

  /** @param path without `/peer/`, such as `moves/settle` @returns a function that takes it back */
  on(path: string, handler: PeerHandler): () => void {
    if (this.#handlers.has(path)) throw new Error(`two answer ${path}`);
    this.#handlers.set(path, handler);
    return () => {
      if (this.#handlers.get(path) === handler) this.#handlers.delete(path);
    };
  }

  /** @returns null: nobody answers that */
  find(path: string): PeerHandler | null {
    return this.#handlers.get(path) ?? null;
  }
}
