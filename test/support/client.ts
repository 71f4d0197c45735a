import { Redis, type RedisOptions } from 'ioredis';

export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** The ioredis clients of one server: they reconnect at once, and end together. */
export class Clients {
  readonly #target: { port: number; host: string } | { path: string };
  #open: Redis[] = [];

  constructor(target: { port: number; host: string } | { path: string }) {
    this.#target = target;
  }

  connect(options: ClientOptions): Redis {
    const client = new Redis({ ...this.#target, retryStrategy: () => 20, ...options });
    // Without a listener ioredis writes to the console; commands fail by themselves.
    client.on('error', () => {});
    this.#open.push(client);
    return client;
  }

  disconnect(): void {
    for (const client of this.#open) client.disconnect();
    this.#open = [];
  }
}
