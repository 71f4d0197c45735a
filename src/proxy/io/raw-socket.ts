/**
 * Two short cuts through Node.js' sockets, each with the plain way beside it, both chosen by a probe when
 * the process starts. They save about 2 of 13 microseconds a command where each command has its own read
 * and its own write (see "What made the difference" in ARCHITECTURE.md).
 *
 * 1. Writing: the handle writes at once what the kernel takes, without the stream's bookkeeping
 *    (`handle-writes.ts`).
 * 2. Reading: `net.connect` takes a reusable receive buffer (`onread`, documented), but a server's
 *    accepted sockets do not. The same fields are set on them here. All clients share one receive buffer,
 *    since a chunk is handled before the next read.
 *
 * Nothing here may throw: when a field is not what Node.js 20 to 26 have, the plain way is taken.
 */
import net, { type OnReadOpts, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ReadHandle, Receiver } from './batch/batch-reads.js';
import type { BatchWriter } from './batch/batch-writes.js';
import { batches } from './batch/batches.js';
import type { Chunk } from './chunk.js';
import { findHandleWrites, type HandleWrites, type WriteHandle } from './handle-writes.js';
import type { SocketWriter, WriteListener } from './socket-writer.js';
import { systemError } from './system-error.js';

interface StreamHandle extends WriteHandle, ReadHandle {
  useUserBuffer(buffer: Uint8Array): void;
}

interface ReadFields {
  buffer: symbol;
  callback: symbol;
  generator: symbol;
}

const handleWrites = process.env.RINGPROXY_PLAIN_SOCKETS === '1' ? null : findHandleWrites();
const readFields = process.env.RINGPROXY_PLAIN_SOCKETS === '1' ? null : probeReadFields();

function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}

function probeReadFields(): ReadFields | null {
  const probe = new net.Socket();
  const symbols = Object.getOwnPropertySymbols(probe);
  probe.destroy();
  const named = (name: string): symbol | undefined => symbols.find((symbol) => symbol.description === name);
  const buffer = named('kBuffer');
  const callback = named('kBufferCb');
  const generator = named('kBufferGen');
  if (buffer === undefined || callback === undefined || generator === undefined) return null;
  return { buffer, callback, generator };
}

/** A socket lets go of its handle the moment that it is destroyed, and before the handle is closed. */
interface HandleHolder {
  readonly _handle: unknown;
}

/** Of a plain socket: what is written to the one below TLS would go out as it is. */
function handleOf(socket: Socket): StreamHandle | null {
  if (socket instanceof TLSSocket || !holdsHandle(socket)) return null;
  const handle = socket._handle;
  return isStreamHandle(handle) ? handle : null;
}

function holdsHandle<S extends Socket>(socket: S): socket is S & HandleHolder {
  return '_handle' in socket;
}

function isStreamHandle(value: unknown): value is StreamHandle {
  return isObject(value) && typeof value.writeBuffer === 'function' && typeof value.useUserBuffer === 'function';
}

const NOTHING = Buffer.alloc(0);
/** From so many bytes on a write is made at once, by itself. */
const TOGETHER_BYTES = 16_384;

class RawWriter implements SocketWriter, BatchWriter {
  readonly fd: number;
  readonly #socket: Socket & HandleHolder;
  readonly #handle: WriteHandle;
  readonly #writes: HandleWrites;
  readonly #listener: WriteListener;

  constructor(socket: Socket & HandleHolder, handle: StreamHandle, writes: HandleWrites, listener: WriteListener) {
    this.#socket = socket;
    this.#handle = handle;
    this.fd = handle.fd;
    this.#writes = writes;
    this.#listener = listener;
  }

  write(buffer: Uint8Array): boolean {
    const handle = this.#handle;
    // One that is closed must not be touched. `destroyed` tells the same out of three objects more.
    if (this.#socket._handle !== handle) return true;
    const outcome = this.#writes.write(handle, buffer);
    if (outcome === 0) return true;
    if (typeof outcome === 'number') {
      this.#socket.destroy(systemError('write', outcome));
      return true;
    }
    outcome.buffer = buffer;
    outcome.oncomplete = (status) => {
      if (status === 0) this.#listener.onWritten();
      else this.#socket.destroy(systemError('write', status));
    };
    return false;
  }

  writeChunk(chunk: Chunk, length: number): boolean {
    const writes = length < TOGETHER_BYTES ? batches()?.writes : undefined;
    if (writes === undefined || !this.isOpen) return this.write(chunk.beginning(length));
    writes.add(this, chunk, length);
    return false;
  }

  get isOpen(): boolean {
    return this.#socket._handle === this.#handle;
  }

  onOutcome(chunk: Chunk, length: number, outcome: number): void {
    if (outcome === length) this.#listener.onWritten();
    else if (outcome < 0) this.#socket.destroy(systemError('write', outcome));
    else if (this.write(chunk.bytes.subarray(outcome, length))) this.#listener.onWritten();
  }

  hurry(): void {
    batches()?.writes.flush();
  }

  /** An empty write sends nothing, and fails when a reset has come for what was sent. */
  isRefused(): boolean {
    const handle = this.#handle;
    if (this.#socket._handle !== handle) return true;
    const outcome = this.#writes.write(handle, NOTHING);
    if (typeof outcome !== 'number') outcome.oncomplete = () => {};
    else if (outcome !== 0) this.#socket.destroy(systemError('write', outcome));
    return this.#socket.destroyed;
  }
}

/** A writer that goes straight to the socket's handle, or null where this Node.js does not offer that. */
export function rawWriterFor(socket: Socket, listener: WriteListener): SocketWriter | null {
  if (handleWrites === null || !holdsHandle(socket)) return null;
  const handle = handleOf(socket);
  return handle === null ? null : new RawWriter(socket, handle, handleWrites, listener);
}

/**
 * Makes an accepted, still paused socket read into the receiver's buffer, which stays the same, and hand it each chunk;
 * the plain way is a `data` listener.
 */
export function readInto(socket: Socket, receiver: Receiver): void {
  const handle = readFields === null ? null : handleOf(socket);
  if (readFields === null || handle === null || !isObject(socket)) {
    socket.on('data', (chunk: Buffer) => receiver.onReceived(chunk.length, chunk));
    return;
  }
  const buffer = receiver.receiveBuffer;
  // Not by `Reflect.set`, which looks for the field anew each time.
  socket[readFields.buffer] = buffer;
  // What it returns is nothing, and only false would stop the reading.
  socket[readFields.callback] = (length: number, chunk: Uint8Array) => receiver.onReceived(length, chunk);
  handle.useUserBuffer(buffer);
  readTogether(socket, receiver);
}

/** The receiver as `net.connect` wants it, until the socket is read together with others. */
export function onreadOf(receiver: Receiver): OnReadOpts {
  return {
    buffer: () => receiver.receiveBuffer,
    callback: (length, chunk) => {
      receiver.onReceived(length, chunk);
      return true;
    },
  };
}

/** Where that is possible, the socket is read together with others from now on. */
export function readTogether(socket: Socket, receiver: Receiver): void {
  const handle = handleOf(socket);
  const reads = handle === null ? undefined : batches()?.reads;
  if (reads === undefined || handle === null || !(handle.fd >= 0)) return;
  const isReading = Reflect.get(handle, 'reading') === true;
  if (isReading) handle.readStop();
  reads.adopt(socket, handle, receiver);
  if (isReading) handle.readStart();
}

/** Which of the short cuts are in use, for the log and `ringproxy stats`. */
export function socketShortCuts(): { rawWrites: boolean; sharedReads: boolean; batches: boolean } {
  return { rawWrites: handleWrites !== null, sharedReads: readFields !== null, batches: batches() !== null };
}
