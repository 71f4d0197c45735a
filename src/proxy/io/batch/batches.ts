/**
 * Reading and writing many sockets at once, where this Node.js and this system can (Linux, Node.js 26): chosen by a trial
 * when the first socket comes. Everywhere else each socket is read and written by itself.
 */
import { BatchReads } from './batch-reads.js';
import { BatchWrites } from './batch-writes.js';
import { eventLoop } from './event-loop.js';
import { BatchContext, KernelBatch, placeOf } from './kernel-batch.js';
import { Pace } from './pace.js';
import { findSystem, type System } from './system.js';

const MOST_OPERATIONS = 64;
const UNIX_SOCKETS = 1;
/** SOCK_STREAM that does not block and is not handed on to other programs. */
const STREAM = 0x8_0801;
const TIMER_SLACK = 29;
const EXACTLY = 1n;

export interface Batches {
  readonly system: System;
  readonly reads: BatchReads;
  readonly writes: BatchWrites;
}

let found: Batches | null | undefined;

/** This process', or null where sockets are not read and written together. */
export function batches(): Batches | null {
  if (found === undefined) found = process.env.RINGPROXY_PLAIN_SOCKETS === '1' ? null : open();
  return found;
}

function open(): Batches | null {
  const system = findSystem();
  if (system === null) return null;
  try {
    const context = new BatchContext(system, MOST_OPERATIONS);
    if (!passesBytes(context)) return null;
    const reads = new BatchReads(context, eventLoop.onReadable);
    const writes = new BatchWrites(context);
    const pace = new Pace(() => reads.takeSeen());
    // Of a wait of microseconds the kernel makes 50 more, if it is not told.
    system.calls.prctl(TIMER_SLACK, EXACTLY);
    let beganAt = 0;
    eventLoop.join({
      read: () => {
        beganAt = performance.now();
        reads.read();
      },
      finish: (hasRead) => {
        writes.flush();
        if (!hasRead) return;
        const wait = pace.after(beganAt, performance.now(), reads.last);
        if (wait > 0) system.calls.usleep(wait);
      },
    });
    return { system, reads, writes };
  } catch {
    return null;
  }
}

/** Whether what is written to a socket in a batch is read from its other end in one. */
function passesBytes(context: BatchContext): boolean {
  const { system } = context;
  const ends = new Int32Array(2);
  if (system.calls.socketpair(UNIX_SOCKETS, STREAM, 0, system.addressOf(ends)) !== 0) return false;
  const [one = 0, other = 0] = ends;
  const sent = Buffer.from('ringproxy reads and writes several sockets by one call');
  const got = Buffer.alloc(sent.length);
  const batch = new KernelBatch(context, 2);
  batch.write(one, placeOf(system, sent), sent.length);
  batch.read(other, placeOf(system, got), got.length);
  batch.run();
  const isPassed = batch.results.every((result) => result === sent.length) && got.equals(sent);
  system.calls.close(one);
  system.calls.close(other);
  return isPassed;
}
