/**
 * Keys that are written one version after another, so that an old one is known when it is read. Some versions are that
 * the key is removed: then nothing of before may be there. Each key has one writer at a time. A write that failed may have
 * been carried out, or still be: its version may be read, and need not. What a node has taken along when it died is a
 * miss, and no old version.
 */
export class Versions {
  readonly #sent = new Map<string, number>();
  readonly #acknowledged = new Map<string, number>();
  readonly #writing = new Set<string>();
  /** Keys of which the latest version may be that they are removed. */
  readonly #removed = new Set<string>();
  /** Writes that were acknowledged. */
  acknowledged = 0;
  /** Reads that were held against one that was acknowledged before. */
  checked = 0;
  /** Of these, those that found nothing although the key was not removed. */
  missing = 0;

  /** @param removes the version is that the key is removed @returns the version; null: somebody writes the key */
  begin(key: string, removes = false): number | null {
    if (this.#writing.has(key)) return null;
    this.#writing.add(key);
    const next = (this.#sent.get(key) ?? 0) + 1;
    this.#sent.set(key, next);
    if (removes) this.#removed.add(key);
    return next;
  }

  acknowledge(key: string, version: number, removes = false): void {
    this.#acknowledged.set(key, version);
    if (!removes) this.#removed.delete(key);
    this.acknowledged++;
  }

  /** The writer is done, with an answer or without one. */
  end(key: string): void {
    this.#writing.delete(key);
  }

  /** @returns the newest version that is acknowledged: to be asked before a read is sent; 0: none */
  known(key: string): number {
    return this.#acknowledged.get(key) ?? 0;
  }

  /** @param known what `known` said before the read was sent */
  judge(key: string, known: number, value: string | null): 'right' | 'missing' | 'stale' | 'wrong' {
    if (known > 0) this.checked++;
    if (value === null) {
      if (known > 0 && !this.#removed.has(key)) this.missing++;
      return 'missing';
    }
    const version = Number(value);
    if (!Number.isInteger(version) || version < 1 || version > (this.#sent.get(key) ?? 0)) return 'wrong';
    return version < known ? 'stale' : 'right';
  }
}
