import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { type Child, startChild } from './child.js';
import { atEnd } from './cleanup.js';
import { Clients } from './client.js';
import { freePort } from './free-port.js';
import { type RedisProcess, type ServerHost, startRedis } from './redis-process.js';
import { tempFolder } from './temp-folder.js';

export const MASTER_NAME = 'cache';
const LOOPBACK: ServerHost = { address: '127.0.0.1', prefix: [] };

export interface SentinelOptions {
  /** Milliseconds of silence after which a Sentinel counts a server as down. */
  readonly downAfter?: number;
  /** Further lines of the Sentinels' configuration. */
  readonly lines?: readonly string[];
}

/** A real Sentinel, which ends with the test (or file) that started it. */
export class SentinelProcess {
  readonly port: number;
  readonly #host: ServerHost;
  readonly #clients: Clients;
  #child: Child | null = null;

  constructor(port: number, host: ServerHost = LOOPBACK) {
    this.port = port;
    this.#host = host;
    this.#clients = new Clients({ port, host: host.address });
    atEnd(() => this.stop());
  }

  get address(): string {
    return `${this.#host.address}:${this.port}`;
  }

  client(): Redis {
    return this.#clients.connect({});
  }

  async start(master: RedisProcess, quorum: number, { downAfter = 500, lines = [] }: SentinelOptions): Promise<void> {
    const folder = tempFolder('sentinel');
    const file = join(folder, 'sentinel.conf');
    const speaksTls = lines.some((line) => line.startsWith('tls-port'));
    const text = [
      ...(speaksTls ? [] : [`port ${this.port}`]),
      `bind ${this.#host.address}`,
      'protected-mode no',
      `dir ${folder}`,
      `sentinel monitor ${MASTER_NAME} ${hostOf(master)} ${master.port} ${quorum}`,
      `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfter}`,
      `sentinel failover-timeout ${MASTER_NAME} 2000`,
      ...lines,
    ];
    writeFileSync(file, `${text.join('\n')}\n`);
    this.#child = await startChild('redis-server', [file, '--sentinel'], {
      ...{ cwd: folder, prefix: this.#host.prefix, unbound: true },
    });
    await this.#child.line((line) => (line.includes('+monitor') ? true : null));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }

  async stop(): Promise<void> {
    this.#clients.disconnect();
    await this.#child?.kill();
    this.#child = null;
  }
}

/** A master with its replicas, and the Sentinels that look after it. */
export class Watched {
  readonly servers: readonly RedisProcess[];
  readonly sentinels: readonly SentinelProcess[];

  constructor(servers: readonly RedisProcess[], sentinels: readonly SentinelProcess[]) {
    this.servers = servers;
    this.sentinels = sentinels;
  }

  /** As a node's address. */
  get address(): string {
    return `sentinel://${this.sentinels.map(({ address }) => address).join(',')}/${MASTER_NAME}`;
  }

  /** The server that the first Sentinel takes for the master. */
  async master(): Promise<RedisProcess> {
    const [, port] = (await this.#asSentinel().call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME)) as string[];
    const found = this.servers.find((server) => server.port === Number(port));
    if (found === undefined) throw new Error(`no server listens on port ${port}`);
    return found;
  }

  /** Has the Sentinels fail over although nothing is wrong. */
  async failOver(): Promise<void> {
    await this.#asSentinel().call('SENTINEL', 'FAILOVER', MASTER_NAME);
  }

  #asSentinel(): Redis {
    const [first] = this.sentinels;
    if (first === undefined) throw new Error('there is no Sentinel');
    return first.client();
  }
}

export interface WatchedOptions extends SentinelOptions {
  /** Default: 1. */
  readonly replicas?: number;
  /** Default: 3. */
  readonly sentinels?: number;
  /** Of the servers. */
  readonly args?: readonly string[];
  /** Where replicas and Sentinels run; default: where the test does, on loopback. */
  readonly hosts?: { readonly replicas: readonly ServerHost[]; readonly sentinels: readonly ServerHost[] };
}

/** Starts a master, its replicas and Sentinels, and waits until all of them know each other. */
export async function startWatched(options: WatchedOptions = {}): Promise<Watched> {
  return watchOver(await startRedis({ args: options.args ?? [] }), options);
}

/** The same with a master that is there. */
export async function watchOver(master: RedisProcess, options: WatchedOptions = {}): Promise<Watched> {
  const { replicas = 1, sentinels: count = 3, args = [], hosts } = options;
  const slaves = await startReplicas(master, replicas, args, hosts?.replicas);
  const sentinels = await Promise.all(
    Array.from({ length: count }, async (_, i) => new SentinelProcess(await freePort(), hosts?.sentinels[i])),
  );
  for (const sentinel of sentinels) await sentinel.start(master, Math.floor(count / 2) + 1, options);
  await Promise.all(sentinels.map((sentinel) => knowsAll(sentinel.client(), replicas, count - 1)));
  return new Watched([master, ...slaves], sentinels);
}

/** Starts replicas, and waits until they have what the master has. */
export function startReplicas(
  master: RedisProcess,
  count: number,
  args: readonly string[] = [],
  hosts: readonly ServerHost[] = [],
): Promise<RedisProcess[]> {
  const of = ['--replicaof', hostOf(master), String(master.port), '--repl-diskless-sync-delay', '0'];
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const replica = await startRedis({
        args: [...of, ...args],
        ...(hosts[i] === undefined ? {} : { host: hosts[i] }),
      });
      await until(async () => (await replica.client().info('replication')).includes('master_link_status:up'));
      return replica;
    }),
  );
}

function hostOf({ address }: RedisProcess): string {
  return address.slice(0, address.lastIndexOf(':'));
}

function knowsAll(sentinel: Redis, replicas: number, others: number): Promise<void> {
  return until(async () => {
    const fields = (await sentinel.call('SENTINEL', 'MASTER', MASTER_NAME)) as string[];
    const field = (name: string): number => Number(fields[fields.indexOf(name) + 1]);
    return field('num-slaves') >= replicas && field('num-other-sentinels') >= others;
  });
}

/** Asks again and again: servers do not tell of themselves when they have come to know each other. */
export async function until(holds: () => Promise<boolean>, milliseconds = 15_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`it was not so within ${milliseconds} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
