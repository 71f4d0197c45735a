/**
 * MSETNX.
 *
 *   every node    WATCH keys, EXISTS keys              one is there: 0, and nothing was done
 *   one by one    MULTI MSET keys and values EXEC      aborted, since somebody wrote one: what was done is undone, and again
 *
 * Undone is what still has our value. Nodes have an order, so of two clients with keys in common one is first at the first
 * node, and the other one finds out there. What fails between is undone as well, as far as nodes can be reached.
 */
import { error as encodeError, request as encodeRequest } from '../../../../resp/encode.js';
import { bulkPayload } from '../../../../resp/whole-reply.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { unlessError } from '../exec.js';
import type { Operation } from '../operation.js';
import { elementsIn, numberIn, ONE, ZERO } from '../replies.js';
import type { Session } from '../session.js';
import { StepFailed } from '../step-failed.js';

/** Keys of one node, and what they are to have. */
interface Part {
  readonly node: UpstreamNode;
  readonly keys: Buffer[];
  readonly values: Buffer[];
}

/** A part, and a connection to its node for this command alone. */
interface Opened {
  readonly part: Part;
  readonly session: Session;
}

export async function setAllOrNone(operation: Operation): Promise<Buffer> {
  const { command, words } = operation.call;
  if (words.length % 2 === 0) {
    throw new StepFailed(encodeError(`ERR wrong number of arguments for '${command.name}' command`));
  }
  const opened: Opened[] = [];
  try {
    // One after the other in an order that all have: nobody waits for a connection that waits for one of ours.
    for (const part of partsOf(operation)) opened.push({ part, session: await operation.session(part.node) });
    for (;;) {
      const found = await Promise.all(opened.map(countExisting));
      if (found.some((count) => count > 0)) return ZERO;
      if (await setAll(operation, opened)) return ONE;
      operation.again();
    }
  } finally {
    for (const { session } of opened) session.end();
  }
}

function partsOf({ call }: Operation): Part[] {
  const parts = new Map<UpstreamNode, Part>();
  for (const [i, at] of call.keys.entries()) {
    const node = call.owners[i] as UpstreamNode;
    const part = parts.get(node) ?? { node, keys: [], values: [] };
    parts.set(node, part);
    part.keys.push(call.words[at] as Buffer);
    part.values.push(call.words[at + 1] as Buffer);
  }
  return [...parts.values()].sort((a, b) => (a.node.name < b.node.name ? -1 : 1));
}

async function countExisting({ part, session }: Opened): Promise<number> {
  const [existing] = await session.watch(part.keys, [encodeRequest(['EXISTS', ...part.keys])]);
  return numberIn(unlessError(existing as Buffer));
}

/** @returns false when somebody has written one of the keys: none of them has our value then */
async function setAll(operation: Operation, opened: readonly Opened[]): Promise<boolean> {
  for (const [done, { part, session }] of opened.entries()) {
    const frame = encodeRequest(['MSET', ...part.keys.flatMap((key, i) => [key, part.values[i] as Buffer])]);
    try {
      const replies = await session.exec([frame]);
      if (replies !== null) {
        for (const reply of replies) unlessError(reply);
        continue;
      }
    } catch (error) {
      // Of this node it is not known whether it has set them.
      await undo(operation, opened.slice(0, done + 1));
      throw error;
    }
    await undo(operation, opened.slice(0, done));
    return false;
  }
  return true;
}

/** Removes the keys of these nodes that have our values. */
async function undo(operation: Operation, opened: readonly Opened[]): Promise<void> {
  await Promise.all(
    opened.map(async ({ part }) => {
      try {
        await removeOurs(operation, part);
      } catch (error) {
        // What cannot be reached keeps them; whoever undoes has an error to tell already, or finds them in the next round.
        if (!(error instanceof StepFailed)) throw error;
      }
    }),
  );
}

async function removeOurs(operation: Operation, { node, keys, values }: Part): Promise<void> {
  const ours = new Map(keys.map((key, i) => [key.toString('latin1'), values[i] as Buffer]));
  const names = [...ours.keys()].map((key) => Buffer.from(key, 'latin1'));
  const session = await operation.session(node);
  try {
    for (;;) {
      const [reply] = await session.watch(names, [encodeRequest(['MGET', ...names])]);
      const there = elementsIn(unlessError(reply as Buffer));
      const left = names.filter((_, i) => {
        const element = there[i] as Buffer;
        return bulkPayload(element, 0, element.length)?.equals(
          ours.get((names[i] as Buffer).toString('latin1')) as Buffer,
        );
      });
      if (left.length === 0 || (await session.exec([encodeRequest(['UNLINK', ...left])])) !== null) return;
      operation.again();
    }
  } finally {
    session.end();
  }
}
