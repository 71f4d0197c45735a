import net, { type Server, type Socket } from 'node:net';
import type { Address } from '../../node/address.js';

/**
 * The socket that clients connect to. Accepted sockets are handed on paused, so that their way of reading
 * can be chosen first.
 */
export class Listener {
  readonly #server: Server;

  constructor(onSocket: (socket: Socket) => void) {
    this.#server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, onSocket);
  }

  /**
   * @returns the address that clients can use: `HOST:PORT`, or the Unix socket's path
   * @throws the system's error, such as EADDRINUSE
   */
  listen(target: Address): Promise<string> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      const onListening = (): void => {
        server.off('error', reject);
        resolve(this.#describe());
      };
      // A burst of connections (a restarted application) must not be refused: the backlog is the largest usual one.
      if ('path' in target) server.listen({ path: target.path, backlog: 1024 }, onListening);
      else server.listen({ host: target.host, port: target.port, backlog: 1024 }, onListening);
    });
  }

  /** Accepts no further connections; those that are open stay. */
  stop(): void {
    this.#server.close();
  }

  #describe(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') return address ?? '';
    return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
  }
}
