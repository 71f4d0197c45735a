/** Finished changes, the last thousand of them; kept in the state directory when there is one. */
import { randomUUID } from 'node:crypto';
import type { HistoryEntry } from '../../admin/api.js';
import type { StateDir } from './state-dir.js';

const LIMIT = 1000;

export class History {
  readonly #entries: HistoryEntry[] = [];
  readonly #stateDir: StateDir | null;
  readonly #proxyId: string;
  readonly #warn: (message: string) => void;

  constructor(proxyId: string, stateDir: StateDir | null, warn: (message: string) => void) {
    this.#proxyId = proxyId;
    this.#stateDir = stateDir;
    this.#warn = warn;
  }

  get entries(): HistoryEntry[] {
    return [...this.#entries];
  }

  /** Takes up what is kept. */
  async load(): Promise<void> {
    this.#entries.push(...((await this.#stateDir?.loadHistory()) ?? []));
  }

  /** @param change `startedAt` as an ISO date; keys and bytes that were moved */
  async add(change: Omit<HistoryEntry, 'id' | 'finishedAt' | 'by' | 'durationSeconds'>): Promise<void> {
    const finishedAt = new Date();
    const entry: HistoryEntry = {
      id: randomUUID(),
      finishedAt: finishedAt.toISOString(),
      by: this.#proxyId,
      durationSeconds: (finishedAt.getTime() - new Date(change.startedAt).getTime()) / 1000,
      ...change,
    };
    this.#entries.push(entry);
    if (this.#entries.length > LIMIT) this.#entries.shift();
    // The ring itself is what must not be lost: a history that cannot be written is only told of.
    await this.#stateDir?.saveHistory(this.#entries).catch((error: unknown) => {
      this.#warn(
        `the history of changes could not be written: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
  }
}
