import type { Socket } from 'node:net';
import type { Receiver } from '../../../src/proxy/io/batch/batch-reads.js';
import { Outlet, type OutletPools } from '../../../src/proxy/io/outlet.js';
import { readInto } from '../../../src/proxy/io/raw-socket.js';
import { createSocketWriter } from '../../../src/proxy/io/socket-writer.js';
import type { Turn } from '../../../src/proxy/io/turn.js';
import { Cut } from './cut.js';
import { Slot } from './pending.js';
import { CUT, MALFORMED, RequestFrame } from './request-frame.js';

/** Sends a request on to where it belongs, and has its reply given to `slot`. */
export type Forward = (slot: Slot, chunk: Buffer, start: number, end: number, frame: RequestFrame) => void;

/** Framing leaves nothing behind: all clients share one. */
const frame = new RequestFrame();

/** A connection of a client: requests in, replies out in their order. */
export class FloorClient implements Receiver {
  readonly receiveBuffer: Buffer;
  readonly #outlet: Outlet;
  readonly #socket: Socket;
  readonly #forward: Forward;
  /** The beginning of a request that is not whole. */
  readonly #cut = new Cut();
  #first: Slot | null = null;
  #last: Slot | null = null;

  /** @param receive what all clients read into, one after the other */
  constructor(socket: Socket, receive: Buffer, turn: Turn, pools: OutletPools, forward: Forward) {
    this.#socket = socket;
    this.#forward = forward;
    this.#outlet = new Outlet(turn, pools, { onDrained: () => {} });
    this.#outlet.attach(createSocketWriter(socket, this.#outlet));
    socket.on('error', () => {});
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#outlet.close());
    this.receiveBuffer = receive;
    readInto(socket, this);
    socket.resume();
  }

  /** `chunk[start, end)` is of the reply that `slot` stands for. */
  onReply(slot: Slot, chunk: Buffer, start: number, end: number, isLast: boolean): void {
    if (slot !== this.#first) {
      slot.held ??= [];
      slot.held.push(Buffer.from(chunk.subarray(start, end)));
      slot.isWhole = isLast;
      return;
    }
    this.#outlet.append(chunk, start, end);
    if (!isLast) return;
    this.#next(slot.next);
    this.#outlet.expectMore(this.#first !== null);
  }

  /** It is the turn of this one, and of those behind it as far as they have their replies. */
  #next(slot: Slot | null): void {
    for (let turn = slot; ; turn = turn.next) {
      this.#first = turn;
      if (turn === null) {
        this.#last = null;
        return;
      }
      for (const bytes of turn.held ?? []) this.#outlet.append(bytes, 0, bytes.length);
      turn.held = null;
      if (!turn.isWhole) return;
    }
  }

  onReceived(length: number, received: Buffer): void {
    const chunk = this.#cut.join(received, length);
    const end = chunk === received ? length : chunk.length;
    for (let at = 0; at < end; ) {
      const next = frame.read(chunk, at, end);
      if (next === MALFORMED) {
        this.#socket.destroy();
        return;
      }
      if (next === CUT) {
        this.#cut.keep(chunk, at, end);
        return;
      }
      const slot = new Slot(this);
      if (this.#last === null) this.#first = slot;
      else this.#last.next = slot;
      this.#last = slot;
      this.#forward(slot, chunk, at, next, frame);
      at = next;
    }
  }
}
