/**
 * LMOVE and RPOPLPUSH.
 *
 *   source    LINDEX source 0|-1
 *   target    LPUSH|RPUSH target element
 *   source    LREM source ±1 element      0: somebody has taken it meanwhile
 *   target    LREM target ±1 element      so it is taken back, and the next one is moved
 *
 * The element is at both for a moment, and at neither at no time: what fails between leaves it at both. So it goes with
 * BLMOVE and BRPOPLPUSH in a transaction, where they do not wait.
 */
import { isWrongType } from '../../../../node/reply-errors.js';
import { error as encodeError, request as encodeRequest } from '../../../../resp/encode.js';
import { bulkPayload } from '../../../../resp/whole-reply.js';
import { RESERVED_PREFIX } from '../../../route/reserved.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { unlessError } from '../exec.js';
import type { Operation } from '../operation.js';
import { NIL, numberIn, SYNTAX } from '../replies.js';
import { StepFailed } from '../step-failed.js';

/** What the commands of a step are for either end of a list. */
interface ListEnd {
  readonly index: string;
  /** LREM's count: the first one, seen from this end. */
  readonly nearest: string;
  readonly push: string;
}

/** A key that there never is. */
const NO_KEY = Buffer.concat([RESERVED_PREFIX, Buffer.from('none')]);
const LEFT: ListEnd = { index: '0', nearest: '1', push: 'LPUSH' };
const RIGHT: ListEnd = { index: '-1', nearest: '-1', push: 'RPUSH' };

/** From one end of the first list to one end of the second one; without ends from the right to the left (RPOPLPUSH). */
export function moveElement(operation: Operation): Promise<Buffer> {
  return moveBy(operation, operation.call.words, unlessError);
}

/** The same for a command that has waited: a source that has become of another type has nothing, as an empty one has. */
export function moveAwaitedElement(operation: Operation): Promise<Buffer> {
  return moveBy(operation, operation.call.words, (found) => (isWrongType(found) ? NIL : unlessError(found)));
}

/** As `moveElement`, of a command whose last argument says how long it waits otherwise. */
export async function moveElementAtOnce(operation: Operation): Promise<Buffer> {
  const { words, owners } = operation.call;
  // What is wrong with its arguments a node says, where there is nothing to be moved.
  const nothing = encodeRequest(words.map((word, at) => (at === 1 || at === 2 ? NO_KEY : word)));
  const [checked] = await operation.exec(owners[0] as UpstreamNode, [nothing]);
  unlessError(checked as Buffer);
  return moveBy(operation, words.slice(0, -1), unlessError);
}

/** @param look makes of the answer to LINDEX what the source has */
function moveBy(operation: Operation, words: readonly Buffer[], look: (found: Buffer) => Buffer): Promise<Buffer> {
  const from = words.length > 3 ? endOf(words[3]) : RIGHT;
  const to = words.length > 3 ? endOf(words[4]) : LEFT;
  if (from === null || to === null) return Promise.reject(new StepFailed(SYNTAX));
  return operation.inTurn(() => move(operation, from, to, look));
}

async function move(
  operation: Operation,
  from: ListEnd,
  to: ListEnd,
  look: (found: Buffer) => Buffer,
): Promise<Buffer> {
  const { words, owners, maxBytes } = operation.call;
  const source = words[1] as Buffer;
  const target = words[2] as Buffer;
  const [sourceNode, targetNode] = owners as readonly [UpstreamNode, UpstreamNode];
  for (;;) {
    const found = look(await operation.one(sourceNode, ['LINDEX', source, from.index]));
    const element = bulkPayload(found, 0, found.length);
    if (element === null) return found;
    if (element.length > maxBytes) throw new StepFailed(tooLarge(element.length, maxBytes), true);
    unlessError(await operation.one(targetNode, [to.push, target, element]));
    const removed = await operation.one(sourceNode, ['LREM', source, from.nearest, element]);
    if (numberIn(removed) === 1) return found;
    await operation.one(targetNode, ['LREM', target, to.nearest, element]);
    unlessError(removed);
    operation.again();
  }
}

function endOf(word: Buffer | undefined): ListEnd | null {
  switch (word?.toString('latin1').toLowerCase()) {
    case 'left':
      return LEFT;
    case 'right':
      return RIGHT;
    default:
      return null;
  }
}

function tooLarge(bytes: number, maxBytes: number): Buffer {
  return encodeError(`ERR the element has ${bytes} bytes, and cross-node-max-bytes is ${maxBytes}`);
}
