/**
 * How many connections the admin API has, and whose. Those who have shown that they belong here (other proxies of the
 * ring) do not count and are never ended for others, however many browsers, scrapers and strangers there are.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const MOST_CONNECTIONS = 512;
/** From so many connections on idle ones are not kept, so that others are let in. */
const CROWDED_CONNECTIONS = 384;
/** When it is crowded, one that has not sent a request for so many milliseconds makes room for others. */
const GREETED_MS = 1000;
/** Whoever is gone without a word is noticed after so many milliseconds. */
const ASKED_ALIVE_MS = 30_000;

export class ConnectionBounds {
  readonly #server: Server;
  /** All but those that are trusted. */
  #connections = 0;
  /** Those that have sent no request yet, the oldest first, with when they came. */
  readonly #silent = new Map<Socket, number>();
  /** Those that have been answered, and are not trusted. */
  readonly #idle = new Set<Socket>();
  readonly #trusted = new WeakSet<Socket>();

  constructor(server: Server) {
    this.#server = server;
    server.maxConnections = MOST_CONNECTIONS;
    server.on('connection', (socket: Socket) => this.#opened(socket));
    // By HTTPS requests come on the socket that the accepted one has become.
    server.on('secureConnection', (socket: Socket) => this.#secured(socket));
    // One too many was turned away: the next one is to be let in.
    server.on('drop', () => this.#makeRoom());
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#asked(request.socket, response));
  }

  /** Takes the connection of a request out of the bounds, for as long as it lasts. */
  trust(socket: Socket): void {
    if (this.#trusted.has(socket) || socket.destroyed) return;
    this.#trusted.add(socket);
    socket.setKeepAlive(true, ASKED_ALIVE_MS);
    this.#connections--;
    this.#server.maxConnections++;
    socket.once('close', () => {
      this.#server.maxConnections--;
    });
  }

  #opened(socket: Socket): void {
    this.#connections++;
    this.#silent.set(socket, performance.now());
    socket.once('close', () => {
      if (!this.#trusted.has(socket)) this.#connections--;
      this.#silent.delete(socket);
      this.#idle.delete(socket);
    });
    if (this.#connections >= CROWDED_CONNECTIONS) this.#makeRoom();
  }

  #secured(socket: Socket): void {
    const address = addressOf(socket);
    const accepted = [...this.#silent.keys()].find((candidate) => addressOf(candidate) === address);
    const since = accepted === undefined ? performance.now() : (this.#silent.get(accepted) ?? performance.now());
    if (accepted !== undefined) this.#silent.delete(accepted);
    this.#silent.set(socket, since);
    socket.once('close', () => {
      if (this.#trusted.has(socket)) this.#connections++;
      this.#silent.delete(socket);
      this.#idle.delete(socket);
    });
  }

  #asked(socket: Socket, response: ServerResponse): void {
    this.#silent.delete(socket);
    this.#idle.delete(socket);
    response.once('finish', () => {
      if (!this.#trusted.has(socket) && !socket.destroyed) this.#idle.add(socket);
    });
  }

  #makeRoom(): void {
    for (const socket of this.#idle) socket.destroy();
    this.#idle.clear();
    for (const [socket, since] of this.#silent) {
      if (performance.now() - since < GREETED_MS) break;
      socket.destroy();
    }
  }
}

function addressOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
