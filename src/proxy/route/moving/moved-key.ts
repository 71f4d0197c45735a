/**
 * Where a command on a moved key runs while the ring changes: the rule that the data plane follows for each such
 * command. The model of the protocol (test/topology/model) follows the same function.
 */

/** No command on a moved key begins: the fence is up. */
export const HOLD = 0;
/** The key is moved first. */
export const SETTLE_FIRST = 1;
/** On the node that the key moves to: it is not on the other one any more. */
export const ON_TARGET = 2;
/** On the target, when the client's reads of moving keys are answered: one of them may yet be asked of the target. */
export const AFTER_READS = 3;
/** On the node that the key leaves, and on the target if it is not found there. */
export const ON_SOURCE = 4;

export type MovedKeyRoute =
  | typeof HOLD
  | typeof SETTLE_FIRST
  | typeof ON_TARGET
  | typeof AFTER_READS
  | typeof ON_SOURCE;

/**
 * @param moving the fence has been passed
 * @param settled the key is known to have left its source, or the whole source was swept
 * @param readable the command only reads this key, and its reply tells whether it found it
 * @param sourceReads reads of moving keys of the same client that are not answered yet
 */
export function routeMovedKey(
  moving: boolean,
  settled: boolean,
  readable: boolean,
  sourceReads: number,
): MovedKeyRoute {
  if (!moving) return HOLD;
  if (settled) return sourceReads === 0 ? ON_TARGET : AFTER_READS;
  return readable ? ON_SOURCE : SETTLE_FIRST;
}
