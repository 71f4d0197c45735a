/**
 * RENAME and RENAMENX.
 *
 *   source    MEMORY USAGE, then WATCH DUMP PTTL
 *   target    RESTORE target ttl value REPLACE      RENAMENX without REPLACE: BUSYKEY means that it is there
 *   source    MULTI UNLINK source EXEC              aborted, since somebody wrote it: again from WATCH
 *
 * The value is at both for a moment, and at neither at no time: what fails between leaves it at both.
 */
import { request as encodeRequest, OK } from '../../../../resp/encode.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { unlessError } from '../exec.js';
import { dumpFrames, expectFew, restoreFrame, restoreNewFrame, type Value, valueIn } from '../lent-values.js';
import type { Operation } from '../operation.js';
import { NO_SUCH_KEY, ONE, ZERO } from '../replies.js';
import type { Session } from '../session.js';
import { StepFailed } from '../step-failed.js';
import { notTaken } from '../taken-dumps.js';

const BUSY_KEY = 'BUSYKEY';
const NOTHING_DONE = Promise.resolve(false);

/** A key, its node, and a connection to that for this command alone. */
interface End {
  readonly key: Buffer;
  readonly node: UpstreamNode;
}

/** RENAME: what the new name had is gone. */
export async function rename(operation: Operation): Promise<Buffer> {
  // What the new name had is gone, so what it has now stays.
  await moveValue(
    operation,
    (target, value) => overwrite(operation, target, value),
    () => NOTHING_DONE,
  );
  return OK;
}

/** RENAMENX: only when there is nothing by the new name. */
export async function renameUnlessThere(operation: Operation): Promise<Buffer> {
  let ours: Value | null = null;
  const put = async (target: End, value: Value): Promise<boolean> => {
    const taken = ours === null ? await fill(operation, target, value) : await renew(operation, target, ours, value);
    ours = value;
    return taken;
  };
  // There was nothing by the new name: so nothing is lost when there is nothing again.
  const takeBack = (target: End): Promise<boolean> => (ours === null ? NOTHING_DONE : remove(operation, target, ours));
  const moved = await moveValue(operation, put, takeBack);
  return moved ? ONE : ZERO;
}

/**
 * @param put gives the target a value
 * @param takeBack takes it away again, since somebody else has removed the source, or renamed it; false: it did not
 * @returns false when `put` did not, and so nothing was done
 */
async function moveValue(
  operation: Operation,
  put: (target: End, value: Value) => Promise<boolean>,
  takeBack: (target: End) => Promise<boolean>,
): Promise<boolean> {
  const { words, owners } = operation.call;
  const source: End = { key: words[1] as Buffer, node: owners[0] as UpstreamNode };
  const target: End = { key: words[2] as Buffer, node: owners[1] as UpstreamNode };
  return operation.inTurn(async () => {
    const session = await operation.session(source.node);
    try {
      let isThere = false;
      for (;;) {
        await expectFew(operation, [source]);
        const value = await watched(session, source.key);
        if (value === null) {
          // Somebody has removed it, or it has expired, while it was under way: then it is where it was to be.
          if (isThere && !(await takeBack(target))) return true;
          throw new StepFailed(NO_SUCH_KEY);
        }
        if (!(await put(target, value))) return false;
        isThere = true;
        const removed = await session.exec([encodeRequest(['UNLINK', source.key])]);
        if (removed !== null) {
          for (const reply of removed) unlessError(reply);
          return true;
        }
        operation.again();
      }
    } finally {
      session.end();
    }
  });
}

async function watched(session: Session, key: Buffer): Promise<Value | null> {
  const [dump, pttl] = await session.watch([key], dumpFrames(key));
  return valueIn(dump as Buffer, pttl as Buffer);
}

async function overwrite(operation: Operation, { key, node }: End, value: Value): Promise<boolean> {
  const [reply] = await operation.ask(node, [restoreFrame(key, value)]);
  unlessErrorOf(node, reply as Buffer);
  return true;
}

async function fill(operation: Operation, { key, node }: End, value: Value): Promise<boolean> {
  const [reply] = await operation.ask(node, [restoreNewFrame(key, value)]);
  if ((reply as Buffer).toString('latin1', 1, 1 + BUSY_KEY.length) === BUSY_KEY) return false;
  unlessErrorOf(node, reply as Buffer);
  return true;
}

/** The source has another value by now, and so has the target, unless somebody wrote that as well. */
async function renew(operation: Operation, { key, node }: End, ours: Value, value: Value): Promise<boolean> {
  const session = await operation.session(node);
  try {
    const there = await watched(session, key);
    if (there === null) {
      const made = await session.exec([restoreNewFrame(key, value)]);
      return made !== null;
    }
    if (!there.payload.equals(ours.payload)) return false;
    return (await session.exec([restoreFrame(key, value)])) !== null;
  } finally {
    session.end();
  }
}

/** @returns false, and nothing was done, when the key has another value than ours */
async function remove(operation: Operation, { key, node }: End, ours: Value): Promise<boolean> {
  const session = await operation.session(node);
  try {
    const there = await watched(session, key);
    if (there === null) return true;
    if (!there.payload.equals(ours.payload)) return false;
    return (await session.exec([encodeRequest(['UNLINK', key])])) !== null;
  } finally {
    session.end();
  }
}

/** @throws StepFailed when the node does not take the value */
function unlessErrorOf(node: UpstreamNode, reply: Buffer): void {
  if (reply.toString('latin1', 0, 4) === '-ERR') throw new StepFailed(notTaken(node, reply), true);
  unlessError(reply);
}
