/**
 * In the primary: which worker a client goes to, where it stays.
 *
 * Clients are not alike: applications open connections in pairs, one that works and one that only waits for messages,
 * and whoever shared them out in turn would have all that work at one of two workers. So of workers with about as many
 * clients the one that has carried fewer commands lately takes the next, and of workers that are alike any one.
 */
import type { Socket } from 'node:net';
import { type ClientEvent, clientRejected } from '../../../proxy/events.js';

/** How many more clients than the one with the fewest a worker may have and count as having as many: parts of those. */
const CLIENTS_ALIKE = 1 / 4;
/** How many more commands count as as many: parts. */
const COMMANDS_ALIKE = 1 / 8;

const TOO_MANY_CLIENTS = '-ERR max number of clients reached\r\n';

/** A worker, as clients are given to it. */
export interface ClientTaker {
  readonly clients: number;
  /** Commands that it has carried lately. */
  readonly recentCommands: number;
  readonly started: boolean;
  readonly stalled: boolean;
  give(client: number, socket: Socket, tls: boolean): void;
}

export class ClientPlacement {
  readonly #workers: Iterable<ClientTaker>;
  readonly #maxClients: () => number;
  readonly #random: () => number;
  #nextClient = 1;
  #rejected = 0;
  #closed = false;

  /** @param workers those that live @param maxClients of all of them together */
  constructor(workers: Iterable<ClientTaker>, maxClients: () => number, random: () => number = Math.random) {
    this.#workers = workers;
    this.#maxClients = maxClients;
    this.#random = random;
  }

  /** How many were turned away. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Gives the client to a worker, or turns it away. @param tls it begins with TLS */
  place(socket: Socket, tls = false): void {
    const workers = [...this.#workers];
    const clients = workers.reduce((sum, worker) => sum + worker.clients, 0);
    const best = this.#choose(workers);
    if (best === null || this.#closed) {
      socket.destroy();
      return;
    }
    const client = this.#nextClient++;
    if (clients < this.#maxClients()) best.give(client, socket, tls);
    else this.#reject(client, socket, tls);
  }

  /** From now on nobody is taken. */
  close(): void {
    this.#closed = true;
  }

  #choose(workers: readonly ClientTaker[]): ClientTaker | null {
    // One that does not take what it was given, or is only starting, is the last choice.
    const ready = workers.filter(({ started, stalled }) => started && !stalled);
    const emptiest = lowest(ready.length > 0 ? ready : workers, ({ clients }) => clients, CLIENTS_ALIKE);
    const idlest = lowest(emptiest, ({ recentCommands }) => recentCommands, COMMANDS_ALIKE);
    const best = lowest(idlest, ({ clients }) => clients, 0);
    return best[Math.floor(this.#random() * best.length)] ?? null;
  }

  #reject(client: number, socket: Socket, tls: boolean): void {
    this.#rejected++;
    if (clientRejected.hasSubscribers) {
      const event: ClientEvent = { client, address: socket.remoteAddress ?? 'unix', reason: 'max-clients reached' };
      clientRejected.publish(event);
    }
    // What is not encrypted would make no sense to it.
    if (tls) {
      socket.destroy();
      return;
    }
    socket.on('error', () => {});
    socket.end(TOO_MANY_CLIENTS, () => socket.destroy());
    socket.resume();
  }
}

/** Those whose figure is the lowest, or above it by no more than `alike` times it. */
function lowest(
  workers: readonly ClientTaker[],
  figure: (worker: ClientTaker) => number,
  alike: number,
): readonly ClientTaker[] {
  const limit = Math.min(...workers.map(figure)) * (1 + alike);
  return workers.filter((worker) => figure(worker) <= limit);
}
