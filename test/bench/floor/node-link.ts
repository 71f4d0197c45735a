import type { Socket } from 'node:net';
import type { Address } from '../../../src/node/address.js';
import { openSocket } from '../../../src/node/dial.js';
import type { Receiver } from '../../../src/proxy/io/batch/batch-reads.js';
import { Outlet, type OutletPools } from '../../../src/proxy/io/outlet.js';
import { onreadOf, readTogether } from '../../../src/proxy/io/raw-socket.js';
import { createSocketWriter } from '../../../src/proxy/io/socket-writer.js';
import type { Turn } from '../../../src/proxy/io/turn.js';
import { Cut } from './cut.js';
import { type Pending, PendingQueue } from './pending.js';
import { ReplyFrame } from './reply-frame.js';

/** The pipelined connection to a node. */
export class NodeLink implements Receiver {
  readonly receiveBuffer: Buffer;
  readonly outlet: Outlet;
  readonly #socket: Socket;
  readonly #owed = new PendingQueue();
  readonly #frame = new ReplyFrame();
  /** The beginning of a line that is not whole. */
  readonly #cut = new Cut();

  /** @param receive what all links read into, one after the other */
  constructor(address: Address, receive: Buffer, turn: Turn, pools: OutletPools, onEnd: (error: Error) => void) {
    this.outlet = new Outlet(turn, pools, { onDrained: () => {} });
    this.receiveBuffer = receive;
    const socket = openSocket(address, undefined, onreadOf(this));
    this.#socket = socket;
    socket.once('connect', () => {
      readTogether(socket, this);
      this.outlet.attach(createSocketWriter(socket, this.outlet));
    });
    socket.on('error', onEnd);
    socket.on('end', () => onEnd(new Error('a node ended the connection')));
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Sends `chunk[start, end)`, a request or its beginning. @param pending takes its reply */
  send(pending: Pending, chunk: Uint8Array, start: number, end: number): void {
    this.outlet.append(chunk, start, end);
    this.#owed.push(pending);
  }

  onReceived(length: number, received: Buffer): void {
    const chunk = this.#cut.join(received, length);
    const end = chunk === received ? length : chunk.length;
    for (let at = 0; at < end; ) {
      const next = this.#frame.read(chunk, at, end);
      if (next > at) {
        const pending = this.#owed.first;
        if (pending === null) throw new Error('a node sent a reply to nothing');
        if (this.#frame.whole) this.#owed.shift();
        pending.take(chunk, at, next, this.#frame.whole);
      }
      if (next < end && !this.#frame.whole) {
        this.#cut.keep(chunk, next, end);
        return;
      }
      at = next;
    }
  }
}
