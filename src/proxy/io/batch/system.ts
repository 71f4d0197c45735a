/**
 * The few system calls that reading and writing many sockets at once takes, by `node:ffi`, which Node.js 26 has. It is
 * experimental there, so what it offers is looked at before it is used: where anything is missing, there is none of this.
 *
 * Addresses and counts are `bigint`s, as the machine's registers take them. Most are made once.
 */
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/** What is called: C's names. None of them waits, but for `usleep`. */
export interface SystemCalls {
  /** @returns -1 when it failed */
  syscall(number: bigint, first: bigint, second: bigint, third: bigint): number;
  socketpair(domain: number, type: number, protocol: number, fds: bigint): number;
  close(fd: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: bigint): number;
  epoll_wait(epoll: number, events: bigint, most: number, milliseconds: number): number;
  usleep(microseconds: number): number;
  prctl(option: number, value: bigint): number;
  uv_handle_size(type: number): bigint;
  uv_poll_init(loop: bigint, handle: bigint, fd: number): number;
  uv_poll_start(handle: bigint, events: number, callback: bigint): number;
  uv_ref(handle: bigint): void;
  uv_unref(handle: bigint): void;
}

/** What differs between processors. */
interface Platform {
  readonly ioSetup: bigint;
  readonly ioSubmit: bigint;
  /** Of `struct epoll_event`, in numbers of 32 bits: its size, and where its data begins. */
  readonly eventWords: number;
  readonly dataWord: number;
}

export interface System {
  readonly calls: SystemCalls;
  readonly platform: Platform;
  /** This thread's event loop. */
  readonly loop: bigint;
  /** Where these bytes are. They do not move, and are not freed as long as somebody holds them. */
  addressOf(view: ArrayBufferView): bigint;
  /** The system's memory there, as numbers of 32 bits. */
  wordsAt(address: bigint, bytes: number): Int32Array;
  /** Something that the event loop may call, on this thread. @param listener must not throw */
  callback(listener: () => void): bigint;
}

const PLATFORMS: Readonly<Record<string, Platform>> = {
  x64: { ioSetup: 206n, ioSubmit: 209n, eventWords: 3, dataWord: 1 },
  arm64: { ioSetup: 0n, ioSubmit: 2n, eventWords: 4, dataWord: 2 },
};

interface Signature {
  readonly arguments: readonly string[];
  readonly return: string;
}

const SIGNATURES: Readonly<Record<keyof SystemCalls, Signature>> = {
  syscall: { arguments: ['i64', 'u64', 'u64', 'u64'], return: 'i32' },
  socketpair: { arguments: ['i32', 'i32', 'i32', 'u64'], return: 'i32' },
  close: { arguments: ['i32'], return: 'i32' },
  epoll_create1: { arguments: ['i32'], return: 'i32' },
  epoll_ctl: { arguments: ['i32', 'i32', 'i32', 'u64'], return: 'i32' },
  epoll_wait: { arguments: ['i32', 'u64', 'i32', 'i32'], return: 'i32' },
  usleep: { arguments: ['u32'], return: 'i32' },
  prctl: { arguments: ['i32', 'u64'], return: 'i32' },
  uv_handle_size: { arguments: ['i32'], return: 'u64' },
  uv_poll_init: { arguments: ['u64', 'u64', 'i32'], return: 'i32' },
  uv_poll_start: { arguments: ['u64', 'i32', 'u64'], return: 'i32' },
  uv_ref: { arguments: ['u64'], return: 'void' },
  uv_unref: { arguments: ['u64'], return: 'void' },
};
/** Of what `uv_poll_start` calls: the handle, a status, and what it is ready for. */
const CALLBACK: Signature = { arguments: ['u64', 'i32', 'i32'], return: 'void' };

interface Library {
  getFunctions(signatures: typeof SIGNATURES): SystemCalls;
  registerCallback(signature: Signature, listener: () => void): bigint;
}

/** Of `node:ffi`, as far as it is used here. */
interface Ffi {
  readonly DynamicLibrary: new (path: null) => Library;
  getCurrentEventLoop(): bigint;
  getRawPointer(memory: ArrayBufferLike): bigint;
  toArrayBuffer(address: bigint, length: number, copy: boolean): ArrayBuffer;
}

/** @returns null where this Node.js or this platform does not have it */
export function findSystem(): System | null {
  const platform = process.platform === 'linux' ? PLATFORMS[process.arch] : undefined;
  // The loop of another thread must be empty when it ends; nobody would tell us.
  if (platform === undefined || !isMainThread) return null;
  try {
    const ffi = loadFfi();
    if (ffi === null) return null;
    const library = new ffi.DynamicLibrary(null);
    return {
      calls: library.getFunctions(SIGNATURES),
      platform,
      loop: ffi.getCurrentEventLoop(),
      addressOf: (view) => ffi.getRawPointer(view.buffer) + BigInt(view.byteOffset),
      wordsAt: (address, bytes) => new Int32Array(ffi.toArrayBuffer(address, bytes, false)),
      callback: (listener) => library.registerCallback(CALLBACK, listener),
    };
  } catch {
    return null;
  }
}

/** Without the warning that it is experimental, which nobody who runs a proxy can heed: there is another way beside it. */
function loadFfi(): Ffi | null {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    const found: unknown = createRequire(import.meta.url)('node:ffi');
    return isFfi(found) ? found : null;
  } finally {
    process.emitWarning = emitWarning;
  }
}

function isFfi(value: unknown): value is Ffi {
  if (typeof value !== 'object' || value === null) return false;
  const names: (keyof Ffi)[] = ['DynamicLibrary', 'getCurrentEventLoop', 'getRawPointer', 'toArrayBuffer'];
  return names.every((name) => typeof Reflect.get(value, name) === 'function');
}
