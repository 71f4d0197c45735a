/**
 * SMOVE.
 *
 *   source    SISMEMBER source member
 *   target    SADD target member, WATCH target      on a connection of its own
 *   source    SREM source member      0: somebody has taken it meanwhile, so 0 is answered, and
 *   target    MULTI SREM target member EXEC      it is taken back, unless the target was written meanwhile
 *
 * The member is at both for a moment, and at neither at no time: what fails between leaves it at both.
 *
 * Of two clients that move the same member to the same set one wins. It has perhaps found the member there already, put
 * there by the other one, who is about to take it back: so it writes the member once more, which the other one's WATCH sees.
 */
import { request as encodeRequest } from '../../../../resp/encode.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { unlessError } from '../exec.js';
import type { Operation } from '../operation.js';
import { numberIn, ONE, ZERO } from '../replies.js';

export function moveMember(operation: Operation): Promise<Buffer> {
  return operation.inTurn(() => move(operation));
}

async function move(operation: Operation): Promise<Buffer> {
  const [, source, target, member] = operation.call.words as readonly [Buffer, Buffer, Buffer, Buffer];
  const [sourceNode, targetNode] = operation.call.owners as readonly [UpstreamNode, UpstreamNode];
  const isMember = unlessError(await operation.one(sourceNode, ['SISMEMBER', source, member]));
  if (numberIn(isMember) === 0) return notThere(operation);
  const session = await operation.session(targetNode);
  try {
    const [added, watched] = await session.watchBehind([encodeRequest(['SADD', target, member])], target);
    unlessError(added as Buffer);
    unlessError(watched as Buffer);
    const isNew = numberIn(added as Buffer) === 1;
    const removed = unlessError(await operation.one(sourceNode, ['SREM', source, member]));
    if (numberIn(removed) === 1) {
      if (!isNew) await writeAgain(operation, targetNode, target, member);
      return ONE;
    }
    if (isNew) await session.exec([encodeRequest(['SREM', target, member])]);
    return ZERO;
  } finally {
    session.end();
  }
}

/** As in Redis, a target of another type is an error only when there is something by the source's name. */
async function notThere(operation: Operation): Promise<Buffer> {
  const [, source, target] = operation.call.words as readonly [Buffer, Buffer, Buffer];
  const [sourceNode, targetNode] = operation.call.owners as readonly [UpstreamNode, UpstreamNode];
  if (numberIn(unlessError(await operation.one(sourceNode, ['EXISTS', source]))) === 0) return ZERO;
  unlessError(await operation.one(targetNode, ['SCARD', target]));
  return ZERO;
}

async function writeAgain(operation: Operation, node: UpstreamNode, target: Buffer, member: Buffer): Promise<void> {
  const [left] = await operation.exec(node, [
    encodeRequest(['PTTL', target]),
    encodeRequest(['SREM', target, member]),
    encodeRequest(['SADD', target, member]),
  ]);
  const ttl = numberIn(left as Buffer);
  // It may be the only member: then the set was made anew.
  if (ttl > 0) await operation.one(node, ['PEXPIRE', target, String(ttl)]);
}
