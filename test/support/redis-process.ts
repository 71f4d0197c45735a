import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Authority, Certificate } from './certificates.js';
import { type Child, startChild } from './child.js';
import { atEnd } from './cleanup.js';
import { type ClientOptions, Clients } from './client.js';
import { freePort } from './free-port.js';
import { tempFolder } from './temp-folder.js';

export interface RedisOptions {
  /** Default: a free one. */
  readonly port?: number;
  readonly args?: readonly string[];
  /** Where it runs; default: where the test does, on loopback. */
  readonly host?: ServerHost;
  /** It speaks nothing but TLS. */
  readonly tls?: RedisTls;
}

export interface RedisTls {
  /** Signs what clients show. */
  readonly authority: Authority;
  /** What it shows, as a server and as a client of other nodes. */
  readonly certificate: Certificate;
  /** Whether clients must show a certificate; default: no. */
  readonly authClients?: 'yes' | 'no' | 'optional';
  /** Whether it speaks TLS with other nodes, as MIGRATE does; default: no. */
  readonly cluster?: boolean;
}

/** A host of a network of the test's own. */
export interface ServerHost {
  readonly address: string;
  /** What stands in front of a program, so that it runs there. */
  readonly prefix: readonly string[];
}

const LOOPBACK: ServerHost = { address: '127.0.0.1', prefix: [] };

/** A real `redis-server`, without persistence, that ends with the test (or file) that started it. */
export class RedisProcess {
  readonly port: number;
  readonly #args: readonly string[];
  readonly #host: ServerHost;
  readonly #tls: RedisTls | null;
  readonly #folder: string;
  #child: Child | null = null;
  readonly #clients: Clients;

  constructor(port: number, args: readonly string[], host: ServerHost, tls: RedisTls | null = null) {
    this.port = port;
    this.#args = tls === null ? args : [...tlsArgs(port, tls), ...args];
    this.#host = host;
    this.#tls = tls;
    this.#clients = new Clients({ port, host: host.address });
    this.#folder = tempFolder('redis');
    atEnd(() => this.stop());
  }

  get address(): string {
    return `${this.#host.address}:${this.port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** What the server wrote to its log. */
  get log(): readonly string[] {
    return this.#child?.stdout ?? [];
  }

  /** Starts the server and waits until it says that it is ready. */
  async start(): Promise<void> {
    await this.#spawn([], 'Ready to accept connections');
  }

  /**
   * Ends the server and starts it again with the keys that it has, which it loads slowly: it says -LOADING meanwhile.
   * @param delay microseconds for each key
   */
  async restartLoading(delay: number): Promise<void> {
    await this.client().save();
    await this.#child?.kill();
    await this.startLoading(delay);
  }

  /** Starts it, once it has ended, with the keys of its snapshot, which it loads slowly: it says -LOADING meanwhile. */
  async startLoading(delay: number): Promise<void> {
    await this.#spawn(loadingSlowly(delay), 'Loading RDB produced');
  }

  /** What it would find on its disk at its next start is gone. */
  forgetDisk(): void {
    rmSync(join(this.#folder, 'dump.rdb'), { force: true });
  }

  /** Ends the server and starts it again with further flags, until it is started anew. */
  async restartWith(more: readonly string[]): Promise<void> {
    await this.#child?.kill();
    await this.#spawn(more, 'Ready to accept connections');
  }

  async #spawn(more: readonly string[], said: string): Promise<void> {
    const { address, prefix } = this.#host;
    const settings = ['--port', String(this.port), '--bind', address, '--save', '', '--appendonly', 'no'];
    // Bound to an address of its own, it would serve nobody else without a password.
    settings.push('--protected-mode', 'no');
    this.#child = await startChild('redis-server', [...settings, ...this.#args, ...more], {
      cwd: this.#folder,
      prefix,
      unbound: true,
    });
    await this.#child.line((line) => (line.includes(said) ? true : null));
  }

  /** A client of the server itself, past the proxy. */
  client(options: ClientOptions = {}): Redis {
    if (this.#tls === null) return this.#clients.connect(options);
    const { authority, certificate } = this.#tls;
    const { cert, key } = certificate;
    return this.#clients.connect({ tls: { ca: authority.cert, cert, key }, ...options });
  }

  /** Sends a signal: SIGKILL, or SIGSTOP and SIGCONT to stall the server. */
  kill(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }

  /** Ends the server and its clients. */
  async stop(): Promise<void> {
    this.#clients.disconnect();
    await this.#child?.kill();
    this.#child = null;
  }

  /** Ends the server and starts it again, empty, on the same port. Clients of before reconnect by themselves. */
  async restart(): Promise<void> {
    await this.#child?.kill();
    await this.start();
  }
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisProcess> {
  for (let attempt = 1; ; attempt++) {
    const redis = new RedisProcess(
      options.port ?? (await freePort()),
      options.args ?? [],
      options.host ?? LOOPBACK,
      options.tls,
    );
    try {
      await redis.start();
      return redis;
    } catch (error) {
      // Between finding a free port and listening on it another process may have taken it.
      if (options.port !== undefined || attempt === 5 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

export function startRedises(count: number, options: RedisOptions = {}): Promise<RedisProcess[]> {
  return Promise.all(Array.from({ length: count }, () => startRedis(options)));
}

/** @param delay microseconds for each key */
function loadingSlowly(delay: number): string[] {
  return ['--key-load-delay', String(delay), '--loading-process-events-interval-bytes', '1024'];
}

function tlsArgs(port: number, { authority, certificate, authClients = 'no', cluster = false }: RedisTls): string[] {
  return [
    ...['--port', '0', '--tls-port', String(port), '--tls-ca-cert-file', authority.file],
    ...['--tls-cert-file', certificate.certFile, '--tls-key-file', certificate.keyFile],
    ...['--tls-auth-clients', authClients, '--tls-cluster', cluster ? 'yes' : 'no'],
  ];
}
