/** Finished changes as one JSON file beside the ring. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { HistoryEntry } from '../../admin/api.js';

const schema = z.array(
  z.object({
    id: z.string(),
    kind: z.enum(['bootstrap', 'add', 'remove', 'reweight', 'replace', 'apply', 'cancel']),
    generation: z.number(),
    startedAt: z.string(),
    finishedAt: z.string(),
    by: z.string(),
    summary: z.string(),
    keysMoved: z.number(),
    bytesMoved: z.number(),
    durationSeconds: z.number(),
    keysDropped: z.number().default(0),
  }),
);

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
