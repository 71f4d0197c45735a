/**
 * In the primary: which worker a client goes to, where it stays.
 *
 * Clients are not alike: applications open connections in pairs, one that works and one that only waits for messages,
 * and whoever shared them out in turn would have all that work at one of two workers. So of workers with about as many
 * clients the one that has carried fewer commands lately takes the next, and of workers that are alike any one.
 */
import type { Socket } from 'node:net';
import { type ClientEvent, clientRejected } from '../../../proxy/events.js';
import { addressKey } from '../../../proxy/session/limits/address-key.js';
import { TOO_MANY_OF_ADDRESS } from '../../../proxy/session/limits/client-limits.js';
import type { GivenClient } from './channel.js';

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
  give(client: GivenClient, socket: Socket): void;
}

/** Counts the clients of addresses. */
export interface AddressBook<Worker> {
  isFull(by: 'address', address: string): boolean;
  enter(by: 'address', address: string, worker: Worker): void;
}

/** Clients that were turned away. */
export interface TurnedAway {
  /** All of them. */
  readonly clients: number;
  /** Those of an address that had as many as it may. */
  readonly ofAddress: number;
}

export class ClientPlacement<Worker extends ClientTaker = ClientTaker> {
  readonly #workers: Iterable<Worker>;
  readonly #book: AddressBook<Worker>;
  readonly #maxClients: () => number;
  readonly #random: () => number;
  #nextClient = 1;
  #rejected = 0;
  #rejectedOfAddress = 0;
  #closed = false;

  /** @param workers those that live @param maxClients of all of them together */
  constructor(
    workers: Iterable<Worker>,
    maxClients: () => number,
    book: AddressBook<Worker>,
    random: () => number = Math.random,
  ) {
    this.#workers = workers;
    this.#book = book;
    this.#maxClients = maxClients;
    this.#random = random;
  }

  get turnedAway(): TurnedAway {
    return { clients: this.#rejected, ofAddress: this.#rejectedOfAddress };
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
    const id = this.#nextClient++;
    const address = socket.remoteAddress === undefined ? '' : addressKey(socket.remoteAddress);
    if (clients >= this.#maxClients()) this.#reject(id, socket, tls, TOO_MANY_CLIENTS, 'max-clients');
    else if (address !== '' && this.#book.isFull('address', address)) {
      this.#rejectedOfAddress++;
      this.#reject(id, socket, tls, `-${TOO_MANY_OF_ADDRESS}\r\n`, 'max-clients-per-address');
    } else {
      if (address !== '') this.#book.enter('address', address, best);
      best.give({ id, tls, address }, socket);
    }
  }

  /** From now on nobody is taken. */
  close(): void {
    this.#closed = true;
  }

  #choose(workers: readonly Worker[]): Worker | null {
    // One that does not take what it was given, or is only starting, is the last choice.
    const ready = workers.filter(({ started, stalled }) => started && !stalled);
    const emptiest = lowest(ready.length > 0 ? ready : workers, ({ clients }) => clients, CLIENTS_ALIKE);
    const idlest = lowest(emptiest, ({ recentCommands }) => recentCommands, COMMANDS_ALIKE);
    const best = lowest(idlest, ({ clients }) => clients, 0);
    return best[Math.floor(this.#random() * best.length)] ?? null;
  }

  #reject(client: number, socket: Socket, tls: boolean, reply: string, limit: string): void {
    this.#rejected++;
    if (clientRejected.hasSubscribers) {
      const event: ClientEvent = { client, address: socket.remoteAddress ?? 'unix', reason: `${limit} reached` };
      clientRejected.publish(event);
    }
    // What is not encrypted would make no sense to it.
    if (tls) {
      socket.destroy();
      return;
    }
    socket.on('error', () => {});
    socket.end(reply, () => socket.destroy());
    socket.resume();
  }
}

/** Those whose figure is the lowest, or above it by no more than `alike` times it. */
function lowest<Worker extends ClientTaker>(
  workers: readonly Worker[],
  figure: (worker: Worker) => number,
  alike: number,
): readonly Worker[] {
  const limit = Math.min(...workers.map(figure)) * (1 + alike);
  return workers.filter((worker) => figure(worker) <= limit);
}
