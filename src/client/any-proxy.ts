/** The proxy that was called and, when it is gone, another one of its ring: each of them knows how a change goes. */
import type { HistoryEntry, RingView } from '../admin/api.js';
import { AdminClient } from './admin-client.js';
import { UnreachableError } from './admin-error.js';
import type { Asked } from './follow.js';
import type { AdminOptions } from './transport.js';

export class AnyProxy implements Asked {
  readonly #options: AdminOptions;
  readonly #onMoved: (url: string) => void;
  #at: AdminClient;
  /** URLs of the others, as the last one that answered knew them. */
  #others: readonly string[] = [];

  /** @param onMoved told when another one is asked from now on */
  constructor(options: AdminOptions, onMoved: (url: string) => void) {
    this.#options = options;
    this.#onMoved = onMoved;
    this.#at = new AdminClient(options);
  }

  async ring(): Promise<RingView> {
    const view = await this.#ask((client) => client.ring());
    const others = view.proxies.filter(({ id, alive }) => alive && id !== view.coordination?.proxy);
    this.#others = others.flatMap(({ admin }) => (admin === '' ? [] : [admin]));
    return view;
  }

  history(): Promise<HistoryEntry[]> {
    return this.#ask((client) => client.history());
  }

  /** @throws what the one that was asked first failed with, when no other one answers */
  async #ask<T>(question: (client: AdminClient) => Promise<T>): Promise<T> {
    try {
      return await question(this.#at);
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      for (const admin of this.#others) {
        const client = new AdminClient({ ...this.#options, admin });
        const answer = await question(client).catch(() => undefined);
        if (answer === undefined) continue;
        this.#at = client;
        this.#onMoved(admin);
        return answer;
      }
      throw error;
    }
  }
}
