/** Where is this key? */
import type { WhichView } from '../api.js';
import { type ApiClient, explain } from './api-client.js';
import { byId, setText } from './dom.js';

export class KeyFinder {
  readonly #api: ApiClient;
  readonly #onFound: (which: WhichView | null) => void;
  readonly #key = byId('which-key', HTMLInputElement);
  readonly #result = byId('which-result', HTMLElement);
  #asked: string | null = null;

  /** @param onFound is given where the key is; null: nothing is asked for any more */
  constructor(api: ApiClient, onFound: (which: WhichView | null) => void) {
    this.#api = api;
    this.#onFound = onFound;
    byId('which', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#asked = this.#key.value === '' ? null : this.#key.value;
      void this.refresh();
    });
  }

  /** Asks again: the ring may have changed. */
  async refresh(): Promise<void> {
    const key = this.#asked;
    if (key === null) {
      setText(this.#result, '');
      this.#onFound(null);
      return;
    }
    try {
      const which = await this.#api.which(key);
      if (which === undefined || key !== this.#asked) return;
      const next = which.nextNode === null ? '' : `, and will be on ${which.nextNode}`;
      setText(this.#result, `${which.key}: hash ${which.hash}, on ${which.node} (${which.address})${next}`);
      this.#onFound(which);
    } catch (error) {
      setText(this.#result, explain(error));
      this.#onFound(null);
    }
  }
}
