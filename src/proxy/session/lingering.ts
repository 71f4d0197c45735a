import type { Socket } from 'node:net';
import { DrainingSet } from '../io/draining-set.js';

/** Nothing has come for so long: the client has read the end, or does not look. Milliseconds. */
export const QUIET_MS = 1000;
/** A client that goes on sending is read for no longer than this. Milliseconds. */
const MOST_MS = 5000;

interface LingeringSocket {
  readonly socket: Socket;
  readonly since: number;
  readonly heardAt: () => number;
}

/**
 * Connections that the proxy has ended behind the last reply, whose clients may have sent more. To close one while something
 * of it is unread makes the kernel send a reset, which destroys what is still on its way to the client. So the end is said
 * first, and what comes is read, and thrown away, until the client ends too.
 */
export class Lingering {
  /** In the order in which they came. */
  readonly #sockets = new DrainingSet<LingeringSocket>();

  get size(): number {
    return this.#sockets.size;
  }

  /**
   * All has been written that is to be written to the socket. What it reads is no matter to anybody; its errors are.
   * @param heardAt when something has come, by the clock that `now` is of
   */
  add(socket: Socket, now: number, heardAt: () => number): void {
    const lingering: LingeringSocket = { socket, since: now, heardAt };
    this.#sockets.add(lingering);
    // Once both have ended it is closed by itself.
    socket.once('close', () => this.#sockets.delete(lingering));
    socket.end();
    socket.resume();
  }

  /** Called several times a second. */
  tick(now: number): void {
    for (const { socket, since, heardAt } of this.#sockets) {
      if (now - Math.max(since, heardAt()) > QUIET_MS || now - since > MOST_MS) socket.destroy();
    }
  }

  /** Somebody who comes needs its place. */
  cutOldest(): void {
    const [oldest] = this.#sockets;
    if (oldest === undefined) return;
    this.#sockets.delete(oldest);
    oldest.socket.destroy();
  }

  /** Settles when no connection is left. */
  drained(): Promise<void> {
    return this.#sockets.drained();
  }

  /** Ends all of them. */
  close(): void {
    for (const { socket } of this.#sockets) socket.destroy();
  }
}
