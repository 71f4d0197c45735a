import { error as encodeError } from '../../../resp/encode.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import { argumentTexts } from '../../session/words.js';

const ENDS_NODE = "a node's life is not for clients to end";
const MISPLACES_KEYS = 'it would write keys on nodes that do not own them';

/** What must not go to every node, whoever asks for it, and why. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ...['segfault', 'panic', 'restart', 'crash-and-recover', 'assert', 'oom'].map((word) => [word, ENDS_NODE] as const),
  ['populate', MISPLACES_KEYS],
]);

/** @returns the error for a DEBUG that must not go to every node; null: it may */
export function refusalOfDebug(framer: RequestFramer): Buffer | null {
  const word = argumentTexts(framer)[1]?.toLowerCase() ?? '';
  const why = REFUSED.get(word);
  if (why === undefined) return null;
  return encodeError(`ERR DEBUG ${word.toUpperCase()} is not allowed through the proxy: ${why}`);
}
