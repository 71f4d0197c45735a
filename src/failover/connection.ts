/** A connection that is opened when it is needed, and again when it was lost: to a Sentinel, or to a server that is asked. */
import type { Redis } from 'ioredis';
import { connectNode } from '../node/client.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import { readsOnly } from '../node/standing.js';

const PASS = readsOnly('ringproxy-failover');

export class Connection {
  readonly #node: () => NodeEndpoint;
  readonly #timeout: number;
  readonly #onOpen: (redis: Redis) => Promise<void>;
  #redis: Redis | null = null;
  #closed = false;

  /**
   * @param node how it is reached, asked each time: its password may be another one by then
   * @param timeout milliseconds to connect, and for each command
   * @param onOpen called with each new connection, before it is used
   */
  constructor(
    node: () => NodeEndpoint,
    timeout: number,
    onOpen: (redis: Redis) => Promise<void> = () => Promise.resolve(),
  ) {
    this.#node = node;
    this.#timeout = timeout;
    this.#onOpen = onOpen;
  }

  /** @throws what connecting or `work` throws: the connection is not used any more then */
  async use<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = this.#redis ?? (await this.#open());
    try {
      return await work(redis);
    } catch (error) {
      this.#drop(redis);
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#redis !== null) this.#drop(this.#redis);
  }

  async #open(): Promise<Redis> {
    const redis = await connectNode(this.#node(), PASS, this.#timeout);
    redis.once('end', () => this.#drop(redis));
    try {
      if (this.#closed) throw new Error('it is not needed any more');
      await this.#onOpen(redis);
    } catch (error) {
      redis.disconnect();
      throw error;
    }
    this.#redis = redis;
    return redis;
  }

  #drop(redis: Redis): void {
    redis.disconnect();
    if (this.#redis === redis) this.#redis = null;
  }
}
