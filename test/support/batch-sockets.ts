/**
 * Sockets for tests of how many are read and written at once. What is written to one end of a pair is at the other one
 * when the write returns, so such a test decides itself what comes together.
 */
import net, { type Socket } from 'node:net';
import { BatchReads, type ReadHandle, type Receiver } from '../../src/proxy/io/batch/batch-reads.js';
import { BatchContext } from '../../src/proxy/io/batch/kernel-batch.js';
import { findSystem, type System } from '../../src/proxy/io/batch/system.js';
import { atEnd } from './cleanup.js';

const UNIX_SOCKETS = 1;
/** SOCK_STREAM that does not block and is not handed on to other programs. */
const STREAM = 0x8_0801;
const MOST_OPERATIONS = 64;
const BUFFER_BYTES = 65_536;

const found = findSystem();
let shared: BatchContext | null = null;
/** The event loop has their memory until the process ends. */
const kept: BatchReads[] = [];

/** Whether this Node.js can; test/proxy/io/batch/system.test.ts tells where it must. */
export const hasBatches = found !== null;

export function theSystem(): System {
  if (found === null) throw new Error(`no system calls on Node.js ${process.version}`);
  return found;
}

export function theContext(): BatchContext {
  shared ??= new BatchContext(theSystem(), MOST_OPERATIONS);
  return shared;
}

/** The system, and whether something that is watched keeps the process alive. */
export function watchedSystem(): { system: System; isAlive(): boolean } {
  const system = theSystem();
  let isAlive = true;
  const calls = {
    ...system.calls,
    uv_ref: (handle: bigint) => {
      isAlive = true;
      system.calls.uv_ref(handle);
    },
    uv_unref: (handle: bigint) => {
      isAlive = false;
      system.calls.uv_unref(handle);
    },
  };
  return { system: { ...system, calls }, isAlive: () => isAlive };
}

/** @param onReadable null: who asks for it calls `read` */
export function batchReads(onReadable: (() => void) | null = null, context = theContext()): BatchReads {
  const reads = new BatchReads(context, onReadable ?? (() => {}));
  kept.push(reads);
  return reads;
}

/** Those that are read when there is something to read. */
export function drivenReads(): BatchReads {
  let isAwaited = false;
  const reads = batchReads(() => {
    if (isAwaited) return;
    isAwaited = true;
    setImmediate(() => {
      isAwaited = false;
      reads.read();
    });
  });
  return reads;
}

/** The numbers of two connected sockets; whoever asks closes them. */
export function descriptors(): [number, number] {
  const { calls, addressOf } = theSystem();
  const ends = new Int32Array(2);
  if (calls.socketpair(UNIX_SOCKETS, STREAM, 0, addressOf(ends)) !== 0) throw new Error('no sockets');
  const [one = -1, other = -1] = ends;
  return [one, other];
}

/** The same, closed with the test. */
export function openDescriptors(): [number, number] {
  const { calls } = theSystem();
  const ends = descriptors();
  atEnd(() => {
    for (const fd of ends) calls.close(fd);
  });
  return ends;
}

/** A socket that does not read yet. */
export function socketOf(fd: number, receiver?: Receiver): Socket {
  const onread = receiver && {
    buffer: Buffer.alloc(BUFFER_BYTES),
    callback: (length: number, chunk: Uint8Array) => {
      receiver.onReceived(length, chunk);
      return true;
    },
  };
  const options = { fd, readable: true, writable: true, allowHalfOpen: true, manualStart: true, onread };
  const socket = new net.Socket(options);
  socket.on('error', () => {});
  atEnd(() => {
    socket.destroy();
  });
  return socket;
}

export function handleOf(socket: Socket): ReadHandle {
  return Reflect.get(socket, '_handle');
}

/** A pair of sockets, one of which is read with others. */
export interface ReadSocket {
  readonly socket: Socket;
  readonly peer: Socket;
  readonly fd: number;
  /** What came, and how it ended. */
  readonly told: string[];
}

/** @param onText told of what comes */
export function readSocket(reads: BatchReads, onText: (text: string) => void = () => {}): ReadSocket {
  const [own, other] = descriptors();
  const told: string[] = [];
  const receiver: Receiver = {
    receiveBuffer: Buffer.alloc(BUFFER_BYTES),
    onReceived: (length, chunk) => {
      const text = Buffer.from(chunk.subarray(0, length)).toString('latin1');
      told.push(text);
      onText(text);
    },
  };
  const socket = socketOf(own, receiver);
  socket.on('end', () => told.push('end'));
  socket.on('error', (error: NodeJS.ErrnoException) => told.push(String(error.code)));
  reads.adopt(socket, handleOf(socket), receiver);
  socket.resume();
  return { socket, peer: socketOf(other), fd: own, told };
}
