/**
 * Writing to a socket's handle, past the stream and its bookkeeping. How a handle is written to is nobody's
 * documented interface, and has changed. So Node.js is watched writing, once, when the process starts: a
 * socket is made on a handle of ours, and what it does to the handle decides which of these ways is taken.
 *
 * - Node.js 26 hands the handle no request. The handle returns what became of the write, or a request that
 *   tells later, made only when the kernel has not taken all bytes at once.
 * - Node.js 20 to 24 hand it a request. The handle returns a status; whether the write goes on shows in the
 *   request, which only then has an id of an asynchronous operation. It is used up only then.
 *
 * Nothing here may throw: where neither is seen, there is no such way.
 */
import net from 'node:net';

/** A write that goes on after the call: it needs its bytes until it completes. */
export interface PendingWrite {
  /** Keeps the bytes alive for the kernel. */
  buffer: Uint8Array | null;
  /** @param status 0, or a negative number of the system's */
  oncomplete: ((status: number) => void) | null;
}

/** What the kernel's side of a socket offers; it must not be touched once the socket is destroyed. */
export interface WriteHandle {
  writeBuffer(request: object | null, buffer: Uint8Array): number | PendingWrite;
}

/** A way to write to any handle of this process. */
export interface HandleWrites {
  /** @returns 0 when the kernel has taken all bytes, a negative number of the system's, or the write that goes on */
  write(handle: WriteHandle, buffer: Uint8Array): number | PendingWrite;
}

/** The way that this Node.js has, or null. */
export function findHandleWrites(): HandleWrites | null {
  try {
    const request = watchWrite(0);
    if (request !== null) return isObject(request) ? GivenRequests.like(request) : null;
    return returnsAreRequests() ? new ReturnedRequests() : null;
  } catch {
    return null;
  }
}

/** @returns whether Node.js takes what a handle returns for a request */
function returnsAreRequests(): boolean {
  let taken = false;
  watchWrite({
    writeStatus: null,
    set oncomplete(_listener: unknown) {
      taken = true;
    },
    // Looked at instead when the process' last write to any handle has failed: that is told elsewhere, and not reset.
    get error() {
      taken = true;
      return undefined;
    },
  });
  return taken;
}

/** Has Node.js write to a handle that returns `outcome`. @returns the request that it gave to the handle */
function watchWrite(outcome: unknown): unknown {
  let given: unknown;
  const handle = {
    writeBuffer(request: unknown): unknown {
      given = request;
      return outcome;
    },
    close(): void {},
  };
  // With `handle` a server makes its sockets, too.
  const options = { handle, readable: false, manualStart: true };
  const socket = new net.Socket(options);
  socket.on('error', () => {});
  socket.write(Buffer.alloc(1));
  socket.destroy();
  return given;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

interface ReturnedRequest extends PendingWrite {
  /** The outcome of a write that completed within the call, else null. */
  readonly writeStatus?: number | null;
}

/** Node.js 26: `writeBuffer(null, …)`. */
class ReturnedRequests implements HandleWrites {
  write(handle: WriteHandle, buffer: Uint8Array): number | PendingWrite {
    const outcome: number | ReturnedRequest = handle.writeBuffer(null, buffer);
    return typeof outcome === 'number' ? outcome : (outcome.writeStatus ?? outcome);
  }
}

interface GivenRequest extends PendingWrite {
  /** -1 unless a write goes on by it. */
  getAsyncId(): number;
}

/** Node.js 20 to 24: `writeBuffer(request, …)`. */
class GivenRequests implements HandleWrites {
  readonly #make: () => GivenRequest;
  /** Serves the writes of all sockets until one of them goes on. */
  #spare: GivenRequest;

  private constructor(make: () => GivenRequest) {
    this.#make = make;
    this.#spare = make();
  }

  /** @returns null when requests like this one do not tell whether a write goes on */
  static like(request: object): GivenRequests | null {
    const make = (): GivenRequest => Reflect.construct(request.constructor, []);
    const made = make();
    return typeof made.getAsyncId === 'function' && made.getAsyncId() === -1 ? new GivenRequests(make) : null;
  }

  write(handle: WriteHandle, buffer: Uint8Array): number | PendingWrite {
    const request = this.#spare;
    const status = handle.writeBuffer(request, buffer);
    if (status !== 0) return status;
    if (request.getAsyncId() === -1) return 0;
    this.#spare = this.#make();
    return request;
  }
}
