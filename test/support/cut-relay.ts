import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { atEnd } from './cleanup.js';

/** A network between a program and a server on loopback that can be cut, in several ways. */
export class CutRelay {
  readonly #server: net.Server;
  readonly #ways = new Set<readonly [Socket, Socket]>();
  #state: 'open' | 'refusing' | 'silent' = 'open';
  /** Connections that were made. */
  count = 0;

  private constructor(port: number) {
    this.#server = net.createServer((client) => {
      this.count++;
      client.on('error', () => {});
      if (this.#state === 'refusing') {
        client.destroy();
        return;
      }
      const server = net.connect({ port, host: '127.0.0.1', noDelay: true });
      server.on('error', () => {});
      const way = [client, server] as const;
      this.#ways.add(way);
      const end = (): void => {
        this.#ways.delete(way);
        client.destroy();
        server.destroy();
      };
      client.on('close', end);
      server.on('close', end);
      client.pipe(server);
      server.pipe(client);
      if (this.#state === 'silent') hush(way);
    });
  }

  /** @param port of the server. It ends with the test (or file) that started it. */
  static async start(port: number): Promise<CutRelay> {
    const relay = new CutRelay(port);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    atEnd(() => {
      relay.#server.close();
      relay.cut();
    });
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends all connections; new ones go through. */
  cut(): void {
    for (const [client, server] of [...this.#ways]) {
      client.destroy();
      server.destroy();
    }
  }

  /** Ends all connections, and each new one at once. */
  refuse(): void {
    this.#state = 'refusing';
    this.cut();
  }

  /** From now on nothing comes through, and nobody is told: as when a machine is gone. Also on new connections, if so wanted. */
  silence(scope: 'these' | 'all'): void {
    if (scope === 'all') this.#state = 'silent';
    for (const way of this.#ways) hush(way);
  }

  /** New connections go through; those that were silenced are ended. */
  heal(): void {
    this.#state = 'open';
    this.cut();
  }
}

function hush([client, server]: readonly [Socket, Socket]): void {
  client.unpipe(server);
  server.unpipe(client);
  client.resume();
  server.resume();
}
