/** Finished changes, each under a key of its own; the last thousand. */
import type { HistoryEntry } from '../../../admin/api.js';
import type { EtcdClient } from '../../../etcd/index.js';
import type { Revision } from '../../state/fleet.js';
import { HISTORY_LIMIT } from '../ring-store.js';
import type { RingKeys } from './keys.js';
import { readEntry, writeEntry } from './records.js';

export class History {
  readonly #client: EtcdClient;
  readonly #keys: RingKeys;

  constructor(client: EtcdClient, keys: RingKeys) {
    this.#client = client;
    this.#keys = keys;
  }

  /** @returns oldest first. @throws EtcdError */
  async read(): Promise<HistoryEntry[]> {
    const { kvs } = await this.#client.range({ ...this.#keys.history, order: 'created' });
    return kvs.flatMap((kv) => readEntry(kv) ?? []).slice(-HISTORY_LIMIT);
  }

  /** @param revision of the ring, as it is since that change. @throws EtcdError when it may not be kept */
  async add(entry: HistoryEntry, revision: Revision): Promise<void> {
    const { history } = this.#keys;
    const { answer } = await this.#client.txn({
      run: [
        { put: this.#keys.entry(revision, entry.id), value: writeEntry(entry) },
        { read: { ...history, limit: 1, keysOnly: true } },
      ],
    });
    const count = answer.responses[1]?.response_range?.count ?? 0;
    if (count > HISTORY_LIMIT) await this.#forget(count - HISTORY_LIMIT);
  }

  /** At most as many at once as etcd takes in one transaction; the next entry takes the rest. */
  async #forget(count: number): Promise<void> {
    const limit = Math.min(count, 100);
    const { kvs } = await this.#client.range({ ...this.#keys.history, order: 'created', limit, keysOnly: true });
    await this.#client.txn({ run: kvs.map(({ key }) => ({ remove: key })) });
  }
}
