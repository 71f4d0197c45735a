/**
 * The audit log on disk: a line of JSON each call, appended and flushed before the call is answered. Of two files the
 * older one goes when the newer one is full, so it never takes more than twice its bound.
 */
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import type { AuditEntry } from '../api.js';

/** Bytes after which a new file is begun. */
const MOST_BYTES = 4_194_304;

export class AuditFile {
  readonly #path: string;
  readonly #mostBytes: number;
  #handle: FileHandle | null = null;
  #bytes = 0;
  /** Settles when all is written that was to be. */
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, mostBytes = MOST_BYTES) {
    this.#path = path;
    this.#mostBytes = mostBytes;
  }

  /** @returns the newest entries that are kept, oldest first; what is no entry, such as a line that was cut, is left out */
  async load(most: number): Promise<AuditEntry[]> {
    const texts = await Promise.all([this.#older, this.#path].map((path) => readFile(path, 'utf8').catch(() => '')));
    return texts
      .flatMap((text) => text.split('\n'))
      .slice(-most - 1)
      .flatMap(parsed)
      .slice(-most);
  }

  /** @throws the system's error: it may not be kept then */
  append(entry: AuditEntry): Promise<void> {
    const written = this.#last.then(() => this.#write(`${JSON.stringify(entry)}\n`));
    this.#last = written.catch(() => {});
    return written;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#handle?.close();
    this.#handle = null;
  }

  get #older(): string {
    return `${this.#path}.1`;
  }

  async #write(line: string): Promise<void> {
    if (this.#handle !== null && this.#bytes >= this.#mostBytes) {
      await this.#handle.close();
      this.#handle = null;
      await rename(this.#path, this.#older);
    }
    this.#handle ??= await this.#open();
    await this.#handle.appendFile(line);
    this.#bytes += Buffer.byteLength(line);
    await this.#handle.datasync();
  }

  /** For its owner alone: it says who works here, and from where. */
  async #open(): Promise<FileHandle> {
    const handle = await open(this.#path, 'a+', 0o600);
    const { size } = await handle.stat();
    this.#bytes = size;
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    // Whoever was killed in the middle of a line has left it without an end.
    if (size > 0 && last[0] !== 0x0a) await handle.appendFile('\n');
    return handle;
  }
}

function parsed(line: string): AuditEntry[] {
  try {
    const entry: unknown = JSON.parse(line);
    return isEntry(entry) ? [entry] : [];
  } catch {
    return [];
  }
}

/** @returns whether it is one: of this file, or as another proxy tells it */
export function isEntry(value: unknown): value is AuditEntry {
  if (typeof value !== 'object' || value === null) return false;
  return ['at', 'proxy', 'method', 'path', 'outcome', 'address'].every(
    (name) => typeof Reflect.get(value, name) === 'string',
  );
}
