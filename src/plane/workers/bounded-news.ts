import type { PeerNews } from '../../proxy/peers/peers.js';

/** What may wait for another process to read it. Bytes. */
const MOST_BYTES = 16_777_216;

/**
 * Passes news on to another process. What is shown to clients that monitor may be more than that process reads: it is
 * left out then, and the process is told so.
 */
export class BoundedNews {
  readonly #send: (news: PeerNews, onSent: () => void) => void;
  #bytes = 0;
  #leftOut = false;

  /** @param send calls `onSent` when the news are on their way */
  constructor(send: (news: PeerNews, onSent: () => void) => void) {
    this.#send = send;
  }

  send(news: PeerNews): void {
    const bytes = news.type === 'monitored' ? (news.lines?.length ?? 0) : 0;
    if (bytes > 0 && this.#bytes + bytes > MOST_BYTES) {
      if (this.#leftOut) return;
      this.#leftOut = true;
      this.#send({ type: 'monitored', lines: null }, () => {});
      return;
    }
    this.#bytes += bytes;
    this.#send(news, () => {
      this.#bytes -= bytes;
      if (this.#bytes === 0) this.#leftOut = false;
    });
  }
}
