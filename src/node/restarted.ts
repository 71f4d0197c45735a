/** A node that another process stands for than the one that served: how that is told, and read. */

/** The run id of no process: none may serve. */
export const NO_PROCESS = 'none';

/**
 * Why such a node is down. Proxies tell each other why in words, also those of before, so the process stands in them.
 * @param runId of the process that is there now
 */
export function restartedAs(runId: string): string {
  return `RESTARTED its process is another one (${runId}), and what that has may be of the past: it serves again once it is emptied`;
}

/** @param why a node is down @returns the run id of the process that is there now; null: it is down for another reason */
export function processIn(why: string): string | null {
  return /^RESTARTED [^(]*\(([0-9a-f]+)\)/.exec(why)?.[1] ?? null;
}
