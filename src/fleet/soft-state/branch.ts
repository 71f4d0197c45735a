import { DeltaLog } from './delta-log.js';

/** Where a part of a document stands in a branch. */
export type Place = `${string}/${number}`;

export function placeOf(document: string, part: number): Place {
  return `${document}/${part}`;
}

/** How far one member's branch is known here: everything up to `change`. What it says is in the documents. */
export class Branch {
  change = 0;
  /** When something of it was learned last, by the timers' clock. */
  learnedAt: number;
  readonly log = new DeltaLog();
  /** Of each part, the last change to it. */
  readonly #versions = new Map<Place, { readonly document: string; readonly part: number; readonly change: number }>();

  constructor(learnedAt: number) {
    this.learnedAt = learnedAt;
  }

  versionOf(document: string, part: number): number {
    return this.#versions.get(placeOf(document, part))?.change ?? 0;
  }

  setVersion(document: string, part: number, change: number): void {
    this.#versions.set(placeOf(document, part), { document, part, change });
  }

  /** Parts that have changed since, the earliest first. */
  changedSince(change: number): { readonly document: string; readonly part: number; readonly change: number }[] {
    const changed = [...this.#versions.values()].filter((version) => version.change > change);
    return changed.sort((a, b) => a.change - b.change);
  }
}
