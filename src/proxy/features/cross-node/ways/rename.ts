/**
 * RENAME and RENAMENX.
 *
 *   both      MEMORY USAGE
 *   source    WATCH DUMP PTTL
 *   target    MULTI DUMP PTTL RESTORE target ttl value REPLACE EXEC WATCH      what it had is kept here, where it is small
 *   source    MULTI UNLINK source EXEC      aborted, since somebody wrote it: again from WATCH
 *
 * RENAMENX restores without REPLACE: BUSYKEY means that it is there.
 *
 * When somebody else has removed the source meanwhile, or renamed it, there is no such key any more, and the target has again
 * what it had (MULTI RESTORE EXEC), unless it was written meanwhile, as its WATCH tells: so of several clients that rename a
 * key one has done it. Without that watch two that rename one key to the same name could not tell whose value it is. Between
 * RESTORE and WATCH come only those who wait at the node for the target (BLPOP): what they take is of what was given.
 *
 * The value is at both for a moment, and at neither at no time: what fails between leaves it at both.
 */
import { request as encodeRequest, OK } from '../../../../resp/encode.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { unlessError } from '../exec.js';
import { dumpFrames, expectFew, restoreFrame, restoreNewFrame, type Value, valueIn } from '../lent-values.js';
import type { Operation } from '../operation.js';
import { isNil, NO_SUCH_KEY, numberIn, ONE, ZERO } from '../replies.js';
import type { Session } from '../session.js';
import { StepFailed } from '../step-failed.js';
import { notTaken } from '../taken-dumps.js';

const BUSY_KEY = 'BUSYKEY';
/** Of a target that has more it is not kept what it had: to dump that costs its node time, and it is hardly ever needed. Bytes. */
const MOST_KEPT = 1_048_576;

/** A key, its node, and a connection to that for this command alone. */
interface End {
  readonly key: Buffer;
  readonly node: UpstreamNode;
  readonly session: Session;
}

/** What the target had before it was given something; `unknown`: it was too much to keep it. */
type Had = Value | null | 'unknown';

/** RENAME: what the new name had is gone. */
export async function rename(operation: Operation): Promise<Buffer> {
  await moveValue(operation, overwrite);
  return OK;
}

/** RENAMENX: only when there is nothing by the new name. */
export async function renameUnlessThere(operation: Operation): Promise<Buffer> {
  return (await moveValue(operation, fill)) ? ONE : ZERO;
}

/** Gives the target a value, and watches it. @returns what it had; undefined: it is there, and must stay as it is */
type Give = (operation: Operation, target: End, value: Value, isSmall: boolean) => Promise<Had | undefined>;

/** @returns false when the target must stay as it is, and so nothing was done */
function moveValue(operation: Operation, give: Give): Promise<boolean> {
  return operation.inTurn(async () => {
    const ends = await open(operation);
    const [source, target] = ends;
    try {
      let had: Had | undefined;
      for (;;) {
        const [isSmall] = await Promise.all([hasLittle(operation, target), expectFew(operation, [source])]);
        const value = await look(source);
        if (value === null) return await onGone(target, had);
        if (had === undefined || !(await renew(target, value))) {
          had = await give(operation, target, value, isSmall);
        }
        if (had === undefined) return false;
        const removed = await source.session.exec([encodeRequest(['UNLINK', source.key])]);
        if (removed !== null) {
          for (const reply of removed) unlessError(reply);
          return true;
        }
        operation.again();
      }
    } finally {
      for (const { session } of ends) session.end();
    }
  });
}

/** Connections to both, in an order that all have: nobody waits for a connection that waits for one of ours. */
async function open(operation: Operation): Promise<[End, End]> {
  const { words, owners } = operation.call;
  const [from, to] = owners as readonly [UpstreamNode, UpstreamNode];
  const first = from.name < to.name ? from : to;
  const one = await operation.session(first);
  let other: Session;
  try {
    other = await operation.session(first === from ? to : from);
  } catch (error) {
    one.end();
    throw error;
  }
  return [
    { key: words[1] as Buffer, node: from, session: first === from ? one : other },
    { key: words[2] as Buffer, node: to, session: first === from ? other : one },
  ];
}

/** Watches it as it is. @returns null: it is not there */
async function look({ session, key }: End): Promise<Value | null> {
  const [dump, pttl] = await session.watch([key], dumpFrames(key));
  return valueIn(dump as Buffer, pttl as Buffer);
}

/** Somebody has removed the source, or renamed it, or it has expired. @throws StepFailed but where it is not known what the target had */
async function onGone({ session, key }: End, had: Had | undefined): Promise<true> {
  // Then the value stays where it was to be.
  if (had === 'unknown') return true;
  if (had !== undefined) {
    const before = had === null ? encodeRequest(['UNLINK', key]) : restoreFrame(key, had);
    for (const reply of (await session.exec([before])) ?? []) unlessError(reply);
  }
  throw new StepFailed(NO_SUCH_KEY);
}

/** The source has another value by now: so has the target. @returns false: somebody has written the target meanwhile */
async function renew({ session, node, key }: End, value: Value): Promise<boolean> {
  const replies = await session.execAndWatch([restoreFrame(key, value)], key);
  for (const reply of replies ?? []) unlessErrorOf(node, reply);
  return replies !== null;
}

/** Whether what it has can be kept. */
async function hasLittle(operation: Operation, { node, key }: End): Promise<boolean> {
  const usage = await operation.one(node, ['MEMORY', 'USAGE', key]);
  // An error comes from a node that does not tell.
  return isNil(usage) || (numberIn(usage) > 0 && numberIn(usage) <= MOST_KEPT);
}

async function overwrite(operation: Operation, target: End, value: Value, isSmall: boolean): Promise<Had> {
  const { session, node, key } = target;
  const keeping = isSmall ? dumpFrames(key) : [];
  for (;;) {
    const replies = await session.execAndWatch([...keeping, restoreFrame(key, value)], key);
    if (replies !== null) {
      unlessErrorOf(node, replies.at(-1) as Buffer);
      return isSmall ? valueIn(replies[0] as Buffer, replies[1] as Buffer) : 'unknown';
    }
    operation.again();
  }
}

async function fill(operation: Operation, { session, node, key }: End, value: Value): Promise<null | undefined> {
  for (;;) {
    const replies = await session.execAndWatch([restoreNewFrame(key, value)], key);
    if (replies !== null) {
      const restored = replies[0] as Buffer;
      if (restored.toString('latin1', 1, 1 + BUSY_KEY.length) === BUSY_KEY) return undefined;
      unlessErrorOf(node, restored);
      return null;
    }
    operation.again();
  }
}

/** @throws StepFailed when the node does not take the value */
function unlessErrorOf(node: UpstreamNode, reply: Buffer): void {
  if (reply.toString('latin1', 0, 4) === '-ERR') throw new StepFailed(notTaken(node, reply), true);
  unlessError(reply);
}
