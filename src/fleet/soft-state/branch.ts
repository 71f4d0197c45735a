import { DeltaLog } from './delta-log.js';

/** A part of a document, and the last change to it. */
export interface Version {
  readonly document: string;
  readonly part: number;
  readonly change: number;
}

/** How far one member's branch is known here: everything up to `change`. What it says is in the documents. */
export class Branch {
  change = 0;
  /** When something of it was learned last, by the timers' clock. */
  learnedAt: number;
  readonly log = new DeltaLog();
  /** By document, by part: the last change to it. */
  readonly #versions = new Map<string, Map<number, number>>();

  constructor(learnedAt: number) {
    this.learnedAt = learnedAt;
  }

  versionOf(document: string, part: number): number {
    return this.#versions.get(document)?.get(part) ?? 0;
  }

  setVersion(document: string, part: number, change: number): void {
    const parts = this.#versions.get(document);
    if (parts === undefined) this.#versions.set(document, new Map([[part, change]]));
    else parts.set(part, change);
  }

  /** Parts that have changed since, the earliest first. */
  changedSince(since: number): Version[] {
    const changed: Version[] = [];
    for (const [document, parts] of this.#versions) {
      for (const [part, change] of parts) if (change > since) changed.push({ document, part, change });
    }
    return changed.sort((a, b) => a.change - b.change);
  }
}
