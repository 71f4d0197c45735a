/** The members of an etcd cluster as this proxy reaches them: which one is asked, and connections to each. */
import { Pool } from 'undici';

/** PEM; empty: none, and the system's certificate authorities. */
export interface EtcdTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Endpoint {
  /** Its origin, as it is configured. */
  readonly name: string;
  readonly pool: Pool;
  readonly isSecure: boolean;
  /** It has done what it was asked for at least once. */
  hasAnswered: boolean;
}

const CONNECTIONS = 8;

/** Requests go to one endpoint for as long as it does what it is asked for; then to the next one, round and round. */
export class Endpoints {
  readonly #all: readonly Endpoint[];
  #current: Endpoint;

  /**
   * @param origins at least one
   * @param connectMs how long a connection may take
   */
  constructor(origins: readonly string[], tls: EtcdTls, connectMs: number) {
    this.#all = origins.map((name) => ({
      name,
      pool: poolOf(name, tls, connectMs),
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

  /** Ends all connections, and what is asked on them. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map(({ pool }) => pool.destroy()));
  }
}

function poolOf(origin: string, { ca, cert, key }: EtcdTls, connectMs: number): Pool {
  return new Pool(origin, {
    connections: CONNECTIONS,
    // A request that may be lost must not take others with it.
    pipelining: 1,
    // What a half-open connection costs is bounded by each request's time; a watch looks for itself.
    keepAliveTimeout: 30_000,
    connect: {
      timeout: connectMs,
      ...(ca === '' ? {} : { ca }),
      ...(cert === '' ? {} : { cert }),
      ...(key === '' ? {} : { key }),
    },
  });
}
