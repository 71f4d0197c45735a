/** A lane that has carried more scripts than this begins to count anew. */
const MOST_OF_LANE = 10_000;

/** Digests of the scripts that a lane has loaded at its node. */
export class LoadedScripts {
  /** Null until there are any: most lanes never have. */
  #digests: Set<string> | null = null;

  /** The lane loads it. @returns false: it has already */
  add(digest: string): boolean {
    if (this.#digests?.has(digest) === true) return false;
    if (this.#digests === null || this.#digests.size >= MOST_OF_LANE) this.#digests = new Set();
    this.#digests.add(digest);
    return true;
  }

  /** The node does not know it any more. */
  delete(digest: string): void {
    this.#digests?.delete(digest);
  }

  clear(): void {
    this.#digests = null;
  }
}
