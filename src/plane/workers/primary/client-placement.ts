/** In the primary: which worker a client goes to. */
import type { Socket } from 'node:net';
import { type ClientEvent, clientRejected } from '../../../proxy/events.js';

const TOO_MANY_CLIENTS = '-ERR max number of clients reached\r\n';

/** A worker, as clients are given to it. */
export interface ClientTaker {
  readonly clients: number;
  readonly started: boolean;
  readonly stalled: boolean;
  give(client: number, socket: Socket): void;
}

export class ClientPlacement {
  readonly #workers: Iterable<ClientTaker>;
  readonly #maxClients: number;
  #nextClient = 1;
  #rejected = 0;
  #closed = false;

  /** @param workers those that live @param maxClients of all of them together */
  constructor(workers: Iterable<ClientTaker>, maxClients: number) {
    this.#workers = workers;
    this.#maxClients = maxClients;
  }

  /** How many were turned away. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Gives the client to the worker with the fewest, or turns it away. */
  place(socket: Socket): void {
    let clients = 0;
    let best: ClientTaker | null = null;
    for (const worker of this.#workers) {
      clients += worker.clients;
      if (best === null || loadOf(worker) < loadOf(best)) best = worker;
    }
    if (best === null || this.#closed) {
      socket.destroy();
      return;
    }
    const client = this.#nextClient++;
    if (clients < this.#maxClients) best.give(client, socket);
    else this.#reject(client, socket);
  }

  /** From now on nobody is taken. */
  close(): void {
    this.#closed = true;
  }

  #reject(client: number, socket: Socket): void {
    this.#rejected++;
    if (clientRejected.hasSubscribers) {
      const event: ClientEvent = { client, address: socket.remoteAddress ?? 'unix', reason: 'max-clients reached' };
      clientRejected.publish(event);
    }
    socket.on('error', () => {});
    socket.end(TOO_MANY_CLIENTS, () => socket.destroy());
    socket.resume();
  }
}

/** A worker that does not take what it was given, or is only starting, is the last choice. */
function loadOf(worker: ClientTaker): number {
  return worker.stalled || !worker.started ? Number.MAX_SAFE_INTEGER : worker.clients;
}
