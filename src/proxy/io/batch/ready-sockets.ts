/** Sockets that are watched for something to read, by an epoll of our own. It wakes the event loop, which watches it. */
import type { System } from './system.js';

const ADD = 1;
const REMOVE = 2;
const CLOSE_ON_EXEC = 0x8_0000;
const IN = 1;
const UV_POLL = 8;
const UV_READABLE = 1;

export class ReadySockets {
  readonly #system: System;
  readonly #epoll: number;
  readonly #most: number;
  readonly #event: Int32Array;
  readonly #eventAddress: bigint;
  readonly #events: Int32Array;
  readonly #eventsAddress: bigint;
  /** libuv's handle, which is libuv's to write to. */
  protected readonly handle: Uint8Array;
  readonly #handleAddress: bigint;
  #watched = 0;

  /**
   * @param most sockets that one look tells of
   * @param onReady there is something to look at; called again until it is gone
   * @throws Error when the system does not let us
   */
  constructor(system: System, most: number, onReady: () => void) {
    const { calls, platform, loop } = system;
    this.#system = system;
    this.#most = most;
    this.#event = new Int32Array(platform.eventWords);
    this.#eventAddress = system.addressOf(this.#event);
    this.#events = new Int32Array(platform.eventWords * most);
    this.#eventsAddress = system.addressOf(this.#events);
    this.handle = new Uint8Array(Number(calls.uv_handle_size(UV_POLL)));
    this.#handleAddress = system.addressOf(this.handle);
    this.#epoll = calls.epoll_create1(CLOSE_ON_EXEC);
    const isWatched =
      this.#epoll >= 0 &&
      calls.uv_poll_init(loop, this.#handleAddress, this.#epoll) === 0 &&
      calls.uv_poll_start(this.#handleAddress, UV_READABLE, system.callback(onReady)) === 0;
    if (!isWatched) throw new Error('the event loop cannot watch further sockets');
    // It keeps the process alive as long as there are sockets, as they would by themselves.
    calls.uv_unref(this.#handleAddress);
  }

  /** @param number tells it from the others @returns whether it is watched */
  watch(fd: number, number: number): boolean {
    const { calls, platform } = this.#system;
    this.#event[0] = IN;
    this.#event[platform.dataWord] = number;
    if (calls.epoll_ctl(this.#epoll, ADD, fd, this.#eventAddress) !== 0) return false;
    if (this.#watched++ === 0) calls.uv_ref(this.#handleAddress);
    return true;
  }

  /** Of one that is watched, and still open. */
  leave(fd: number): void {
    const { calls } = this.#system;
    calls.epoll_ctl(this.#epoll, REMOVE, fd, this.#eventAddress);
    this.closing();
  }

  /** One that is watched is about to be closed: the system forgets it by itself. */
  closing(): void {
    if (--this.#watched === 0) this.#system.calls.uv_unref(this.#handleAddress);
  }

  /** Looks, and does not wait. @returns how many have something to read, or have ended; `at` tells which */
  look(): number {
    return this.#system.calls.epoll_wait(this.#epoll, this.#eventsAddress, this.#most, 0);
  }

  /** @param i 0 to one less than what `look` has returned @returns the number that it is watched by */
  at(i: number): number {
    const { eventWords, dataWord } = this.#system.platform;
    return this.#events[i * eventWords + dataWord] as number;
  }
}
