/** Clients that read pages, most of them the same few: each knows nothing but its connection to the proxy. */
import { Redis } from 'ioredis';
import { Zipf } from './zipf.js';

const CLIENTS = 12;
/** Reads that a client sends before it waits for their answers. */
const BATCH = 16;
export const PAGES = 20_000;
const EXPONENT = 1.2;
const VALUE_BYTES = 512;
/** Pages that are written at a time, at first. */
const WRITTEN = 1000;

export class Readers {
  readonly #clients: readonly Redis[];
  readonly #zipf = new Zipf(PAGES, EXPONENT);
  #running: Promise<unknown> | null = null;
  #ending = false;
  /** Reads that were answered. */
  reads = 0;
  /** Reads that were answered otherwise than with their page. */
  wrong = 0;

  constructor(port: number) {
    this.#clients = Array.from({ length: CLIENTS }, () => new Redis({ port, host: '127.0.0.1' }));
    // What goes wrong shows in the reads.
    for (const client of this.#clients) client.on('error', () => {});
  }

  /** Writes all pages. */
  async fill(): Promise<void> {
    for (let from = 0; from < PAGES; from += WRITTEN) {
      const pipeline = this.#clients[0]?.pipeline();
      for (let page = from; page < Math.min(from + WRITTEN, PAGES); page++) pipeline?.set(keyOf(page), pageOf(page));
      await pipeline?.exec();
    }
  }

  start(): void {
    this.#running ??= Promise.all(this.#clients.map((client) => this.#read(client)));
  }

  async stop(): Promise<void> {
    this.#ending = true;
    await this.#running;
    for (const client of this.#clients) client.disconnect();
  }

  async #read(client: Redis): Promise<void> {
    while (!this.#ending) {
      const pages = Array.from({ length: BATCH }, () => this.#zipf.draw());
      const pipeline = client.pipeline();
      for (const page of pages) pipeline.get(keyOf(page));
      const replies = (await pipeline.exec()) ?? [];
      for (const [index, page] of pages.entries()) {
        if (replies[index]?.[1] !== pageOf(page)) this.wrong++;
      }
      this.reads += pages.length;
    }
  }
}

function keyOf(page: number): string {
  return `page:${page}`;
}

function pageOf(page: number): string {
  return `${page} `.padEnd(VALUE_BYTES, '.');
}
