/**
 * The requests of a lane whose replies are still to come, in the order of their frames. A fence waits until so many
 * of them were answered as were in flight when it was raised.
 */
import type { Request } from '../request/request.js';

interface LaneFence {
  /** How many must have been answered. */
  readonly at: number;
  readonly resolve: () => void;
}

export class LaneQueue {
  #head: Request | null = null;
  #tail: Request | null = null;
  #length = 0;
  #answered = 0;
  #fences: LaneFence[] = [];

  /** The request whose reply is to come next, or null. */
  get head(): Request | null {
    return this.#head;
  }

  get length(): number {
    return this.#length;
  }

  /** How many requests were answered. */
  get answered(): number {
    return this.#answered;
  }

  push(request: Request): void {
    request.nextOfLane = null;
    if (this.#tail === null) this.#head = request;
    else this.#tail.nextOfLane = request;
    this.#tail = request;
    this.#length++;
  }

  /** Takes out the head, which `head` is: it is answered. */
  shift(head: Request): void {
    this.#head = head.nextOfLane;
    if (this.#head === null) this.#tail = null;
    this.#length--;
    this.#answered++;
    if (this.#fences.length > 0) this.#passFences();
  }

  /** Puts a request back that was answered just now, in front of the others. */
  unshift(request: Request): void {
    if (this.#head === null) this.#tail = request;
    request.nextOfLane = this.#head;
    this.#head = request;
    this.#length++;
    this.#answered--;
  }

  /** Empties the queue. @returns what was its head, with the others behind it (`nextOfLane`) */
  takeAll(): Request | null {
    const head = this.#head;
    this.#head = null;
    this.#tail = null;
    this.#length = 0;
    return head;
  }

  /** The first request that matters, or null. */
  find(matters: (request: Request) => boolean): Request | null {
    let request = this.#head;
    while (request !== null && !matters(request)) request = request.nextOfLane;
    return request;
  }

  /** Settles when the last request was answered that is here now and matters, or `giveUpFences` is called. */
  answeredSoFar(matters: (request: Request) => boolean): Promise<void> {
    let count = 0;
    let last = 0;
    for (let request = this.#head; request !== null; request = request.nextOfLane) {
      count++;
      if (matters(request)) last = count;
    }
    if (last === 0) return Promise.resolve();
    return new Promise((resolve) => this.#fences.push({ at: this.#answered + last, resolve }));
  }

  /** Nothing is answered any more: nobody is to wait for it. */
  giveUpFences(): void {
    for (const fence of this.#fences.splice(0)) fence.resolve();
  }

  #passFences(): void {
    const passed = this.#fences.filter(({ at }) => at <= this.#answered);
    if (passed.length === 0) return;
    this.#fences = this.#fences.filter(({ at }) => at > this.#answered);
    for (const { resolve } of passed) resolve();
  }
}
