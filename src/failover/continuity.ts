/**
 * Whether a server that is master now has what the one had that served last: pure.
 *
 * A replica that is promoted names the history that it had before as its former one. A master that was started again does
 * so as well, with the history of its snapshot, however old that is: at the same address that tells nothing.
 */
import type { Replication } from './replication.js';

/** A server as it says of itself that it is. */
export interface Server {
  readonly address: string;
  /** Of its process; empty: it does not say. */
  readonly runId: string;
  readonly replication: Replication;
}

/** Who has served. */
export interface Served {
  readonly address: string;
  /** Of the writes that it had. */
  readonly history: string;
  /** Of its process; empty: it is not known. */
  readonly runId: string;
}

/**
 * @param between of masters that nobody was served by, or not for long: which history goes on from which
 * @returns false also where it cannot be told: it may have what was written over since
 */
export function goesOn(
  { address, runId, replication: { history, formerHistory } }: Server,
  served: Served,
  between: ReadonlyMap<string, string>,
): boolean {
  if (history === served.history) return true;
  const isSamePlace = address === served.address;
  // A master that has had no replica for an hour begins a history without a former one.
  if (isSamePlace && runId !== '' && runId === served.runId && formerHistory === '') return true;
  const passed = new Set<string>();
  for (let former = formerHistory; former !== '' && !passed.has(former); former = between.get(former) ?? '') {
    if (former === served.history) return !isSamePlace || passed.size > 0;
    passed.add(former);
  }
  return false;
}
