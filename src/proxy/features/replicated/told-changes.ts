/**
 * Tells clients that cache (CLIENT TRACKING) of replicated keys that have changed: here, at another proxy, or because their
 * time is over. It is told a moment later, so that who has written is told behind its command.
 */
import type { BatchRecord } from '../../../fleet/values/batch.js';
import type { ChangeListener } from '../../../fleet/values/store.js';

/** Who tells clients. */
export interface TellsOfChanges {
  /** Whether somebody wants to know. */
  readonly isUsed: boolean;
  /** @param keys null: all */
  onInvalidated(keys: readonly Buffer[] | null): void;
}

/** Of more keys at once clients are told to forget everything. */
const MOST_KEYS = 10_000;

export class ToldChanges implements ChangeListener {
  readonly #tells: TellsOfChanges;
  #keys: Set<string> | null = null;
  #isAll = false;

  constructor(tells: TellsOfChanges) {
    this.#tells = tells;
  }

  onChange(record: BatchRecord): void {
    if (this.#tells.isUsed) this.#add(record.kind === 'key' ? record.key : null);
  }

  onEnded(_database: number, key: string): void {
    if (this.#tells.isUsed) this.#add(key);
  }

  /** @param key null: all */
  #add(key: string | null): void {
    if (this.#keys === null) {
      this.#keys = new Set();
      setImmediate(() => this.#tell());
    }
    if (key === null || this.#keys.size >= MOST_KEYS) this.#isAll = true;
    else this.#keys.add(key);
  }

  #tell(): void {
    const keys = [...(this.#keys ?? [])].map((key) => Buffer.from(key, 'latin1'));
    const isAll = this.#isAll;
    this.#keys = null;
    this.#isAll = false;
    this.#tells.onInvalidated(isAll ? null : keys);
  }
}
