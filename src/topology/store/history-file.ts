/** Finished changes as one JSON file beside the ring. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { HistoryEntry } from '../../admin/api.js';
import { historyEntry } from './ring-schema.js';

const schema = z.array(historyEntry);

export class HistoryFile {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** @returns the finished changes that are kept; none when they cannot be read */
  async load(): Promise<HistoryEntry[]> {
    try {
      const parsed = schema.safeParse(JSON.parse(await readFile(this.#file, 'utf8')));
      return parsed.success ? parsed.data : [];
    } catch {
      return [];
    }
  }

  /** Replaces the kept history. @throws the system's error */
  async save(entries: readonly HistoryEntry[]): Promise<void> {
    const temporary = `${this.#file}.new`;
    await writeFile(temporary, `${JSON.stringify(entries, null, 2)}\n`);
    await rename(temporary, this.#file);
  }
}
