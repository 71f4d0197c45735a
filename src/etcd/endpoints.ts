/** The members of an etcd cluster as this proxy reaches them: which one is asked, and connections to each. */
import type { SecureContextOptions } from 'node:tls';
import { Pool } from 'undici';

/** What connections are made with by TLS, asked for anew with each renewal. */
export type EtcdTls = () => SecureContextOptions;

export interface Endpoint {
  /** Its origin, as it is configured. */
  readonly name: string;
  /** Another one after new certificates: it is looked up for each request. */
  pool: Pool;
  readonly isSecure: boolean;
  /** It has done what it was asked for at least once, with the certificates of the moment. */
  hasAnswered: boolean;
}

const CONNECTIONS = 8;

/** Requests go to one endpoint for as long as it does what it is asked for; then to the next one, round and round. */
export class Endpoints {
  readonly #all: readonly Endpoint[];
  readonly #tls: EtcdTls;
  readonly #connectMs: number;
  /** Those of before, for as long as something is asked on them: a watch may go on for long. */
  readonly #leaving = new Set<Pool>();
  #current: Endpoint;

  /**
   * @param origins at least one
   * @param connectMs how long a connection may take
   */
  constructor(origins: readonly string[], tls: EtcdTls, connectMs: number) {
    this.#tls = tls;
    this.#connectMs = connectMs;
    this.#all = origins.map((name) => ({
      name,
      pool: poolOf(name, tls(), connectMs),
      isSecure: name.startsWith('https:'),
      hasAnswered: false,
    }));
    const [first] = this.#all;
    if (first === undefined) throw new RangeError('etcd without endpoints');
    this.#current = first;
  }

  get current(): Endpoint {
    return this.#current;
  }

  get count(): number {
    return this.#all.length;
  }

  get names(): string[] {
    return this.#all.map(({ name }) => name);
  }

  /** This one has failed. Another request may have found that out before, and gone on to the next one already. */
  leave(failed: Endpoint): void {
    if (failed !== this.#current) return;
    this.#current = this.after(failed);
  }

  after(endpoint: Endpoint): Endpoint {
    return this.#all[(this.#all.indexOf(endpoint) + 1) % this.#all.length] ?? endpoint;
  }

  /** Connections from now on are made with what there is now; what is being asked is answered by those that there are. */
  renew(): void {
    for (const endpoint of this.#all) {
      if (!endpoint.isSecure) continue;
      const before = endpoint.pool;
      endpoint.pool = poolOf(endpoint.name, this.#tls(), this.#connectMs);
      endpoint.hasAnswered = false;
      this.#leaving.add(before);
      const end = (): void => void this.#leaving.delete(before);
      before.close().then(end, end);
    }
  }

  /** Ends all connections, and what is asked on them. */
  async close(): Promise<void> {
    const pools = [...this.#all.map(({ pool }) => pool), ...this.#leaving];
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
}

function poolOf(origin: string, tls: SecureContextOptions, connectMs: number): Pool {
  return new Pool(origin, {
    connections: CONNECTIONS,
    // A request that may be lost must not take others with it.
    pipelining: 1,
    // What a half-open connection costs is bounded by each request's time; a watch looks for itself.
    keepAliveTimeout: 30_000,
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    connect: { ...tls, timeout: connectMs, rejectUnauthorized: true },
  });
}
