import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Chunk } from './chunk.js';
import { rawWriterFor } from './raw-socket.js';

/** Who is told what becomes of a write that the kernel did not take at once. */
export interface WriteListener {
  onWritten(): void;
}

/** Writes buffers to a socket, one at a time. */
export interface SocketWriter {
  /**
   * Writes `buffer`.
   * @returns true when the kernel has taken all of it and the buffer may be reused; false when it is still
   * needed: `onWritten` of the listener follows, and no other write is allowed before. A socket that fails
   * is destroyed by its own error handling, and `onWritten` may never come.
   */
  write(buffer: Uint8Array): boolean;
  /** Like `write` for the first `length` bytes of a chunk, which may wait for other sockets' writes in this turn. */
  writeChunk(chunk: Chunk, length: number): boolean;
  /** Nothing waits for other sockets' writes any more. */
  hurry(): void;
  /**
   * Whether the other side is known to have closed both directions: nobody reads what was written last. No write may be
   * under way. Of one on this host that shows at once; of another host's when it has answered that write.
   */
  isRefused(): boolean;
}

/** The plain way: through the stream's own machinery. */
class StreamWriter implements SocketWriter {
  readonly #socket: Socket;
  readonly #onWritten: () => void;

  constructor(socket: Socket, listener: WriteListener) {
    this.#socket = socket;
    this.#onWritten = () => listener.onWritten();
  }

  write(buffer: Uint8Array): boolean {
    const socket = this.#socket;
    if (socket.destroyed || !socket.writable) return true;
    if (socket.write(buffer) && socket.writableLength === 0) return true;
    if (socket.writableLength === 0) return true;
    // An empty write's callback comes when everything in front of it is through.
    socket.write('', this.#onWritten);
    return false;
  }

  writeChunk(chunk: Chunk, length: number): boolean {
    return this.write(chunk.beginning(length));
  }

  hurry(): void {}

  isRefused(): boolean {
    return this.#socket.destroyed;
  }
}

/** By TLS nothing is ever taken at once: what is encrypted is told of in a later turn. */
class TlsWriter implements SocketWriter {
  readonly #socket: TLSSocket;
  readonly #onWritten: (error?: Error | null) => void;

  constructor(socket: TLSSocket, listener: WriteListener) {
    this.#socket = socket;
    this.#onWritten = (error) => {
      if (error === undefined || error === null) listener.onWritten();
    };
  }

  write(buffer: Uint8Array): boolean {
    const socket = this.#socket;
    if (socket.destroyed || !socket.writable) return true;
    socket.write(buffer, this.#onWritten);
    return false;
  }

  writeChunk(chunk: Chunk, length: number): boolean {
    return this.write(chunk.beginning(length));
  }

  hurry(): void {}

  isRefused(): boolean {
    return this.#socket.destroyed;
  }
}

/** The fastest writer that this version of Node.js offers for the socket (see `raw-socket.ts`). */
export function createSocketWriter(socket: Socket, listener: WriteListener): SocketWriter {
  if (socket instanceof TLSSocket) return new TlsWriter(socket, listener);
  return rawWriterFor(socket, listener) ?? new StreamWriter(socket, listener);
}
