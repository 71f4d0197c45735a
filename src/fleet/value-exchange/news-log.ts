/** What was written here, in batches for the other proxies: those of the last time, for whoever has not taken them yet. */
export interface News {
  /** Larger than that of every one before. */
  readonly number: number;
  /** When the oldest change of it was made, by the timers' clock. */
  readonly since: number;
  readonly batch: Buffer;
}

/** Bytes of all batches: who lacks more compares what it has. */
const MOST_BYTES = 4_194_304;

export class NewsLog {
  readonly #news: News[] = [];
  #bytes = 0;
  #last = 0;
  #floor = 0;

  /** The number of the latest batch. */
  get last(): number {
    return this.#last;
  }

  add(batch: Buffer, since: number): void {
    this.#news.push({ number: ++this.#last, since, batch });
    this.#bytes += batch.length;
    while (this.#bytes > MOST_BYTES) {
      const oldest = this.#news.shift();
      if (oldest === undefined) break;
      this.#bytes -= oldest.batch.length;
      this.#floor = oldest.number;
    }
  }

  /** @param budget bytes, nearly @returns what came after this one, as far as it fits; null: some of it is gone */
  since(number: number, budget: number): readonly News[] | null {
    if (number < this.#floor) return null;
    const news: News[] = [];
    let left = budget;
    for (const one of this.#news) {
      if (one.number <= number) continue;
      if (left <= 0) break;
      news.push(one);
      left -= one.batch.length;
    }
    return news;
  }

  /** Everybody has taken those up to this one. */
  dropUpTo(number: number): void {
    for (let first = this.#news[0]; first !== undefined && first.number <= number; first = this.#news[0]) {
      this.#news.shift();
      this.#bytes -= first.batch.length;
      this.#floor = first.number;
    }
  }
}
