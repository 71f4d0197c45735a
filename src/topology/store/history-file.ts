/** Finished changes as one JSON file beside the ring. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { HistoryEntry } from '../../admin/api.js';
import { systemCode } from '../../errors.js';
import { setAside } from '../../set-aside.js';
import { historyEntry } from './ring-schema.js';

const schema = z.array(historyEntry);

export class HistoryFile {
  readonly #file: string;
  readonly #tell: (message: string) => void;

  /** @param tell told when the file is of no use */
  constructor(file: string, tell: (message: string) => void) {
    this.#file = file;
    this.#tell = tell;
  }

  /**
   * @returns the finished changes that are kept. A file that cannot be used is set aside, and told of: the next change would
   * write over it, and the ring does not hang on it
   */
  async load(): Promise<HistoryEntry[]> {
    try {
      return schema.parse(JSON.parse(await readFile(this.#file, 'utf8')));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') {
        const where = await setAside(this.#file);
        this.#tell(`${this.#file} does not hold finished changes: ${where}; ring history begins anew`);
      }
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
