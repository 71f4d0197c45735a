import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { track, trackFolder } from './cleanup.js';
import { freePort } from './free-port.js';

export interface RedisOptions {
  readonly port?: number;
  readonly args?: readonly string[];
}

/** A real `redis-server` on loopback that ends with the test. */
export class RedisProcess {
  readonly port: number;
  readonly #args: readonly string[];
  readonly #folder: string;
  #child: ChildProcess | null = null;
  #clients: Redis[] = [];

  constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
    this.#folder = trackFolder(mkdtempSync(join(tmpdir(), 'ringproxy-redis-')));
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** Starts the server and waits until it says that it is ready. */
  start(): Promise<void> {
    const child = track(
      spawn(
        'redis-server',
        ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...this.#args],
        { cwd: this.#folder, stdio: ['ignore', 'pipe', 'inherit'] },
      ),
    );
    this.#child = child;
    return new Promise((resolve, reject) => {
      let log = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        log += chunk.toString();
        if (log.includes('Ready to accept connections')) resolve();
      });
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`redis-server on port ${this.port} ended with ${code}:\n${log}`)));
    });
  }

  /** A client of the server itself, past the proxy. */
  client(): Redis {
    const client = new Redis({ port: this.port, host: '127.0.0.1', retryStrategy: () => 20 });
    client.on('error', () => {});
    this.#clients.push(client);
    return client;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    this.#clients = [];
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  }

  /** Ends the server and starts it again, empty, on the same port. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisProcess> {
  const redis = new RedisProcess(options.port ?? (await freePort()), options.args ?? []);
  await redis.start();
  return redis;
}

export function startRedises(count: number, options: RedisOptions = {}): Promise<RedisProcess[]> {
  return Promise.all(Array.from({ length: count }, () => startRedis(options)));
}
