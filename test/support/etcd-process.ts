import type { Child } from './child.js';
import { startChild } from './child.js';
import { atEnd } from './cleanup.js';
import { freePort } from './free-port.js';
import type { ServerHost } from './redis-process.js';
import { tempFolder } from './temp-folder.js';

const LOOPBACK: ServerHost = { address: '127.0.0.1', prefix: [] };

export interface EtcdOptions {
  /** Where each member runs; default: where the test does, on loopback. */
  readonly hosts?: readonly ServerHost[];
  /** Further flags of every member. */
  readonly args?: readonly string[];
}

/** A member of an etcd cluster: a real `etcd` that ends with the test (or file) that started it. */
export class EtcdProcess {
  readonly name: string;
  readonly host: ServerHost;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly #folder = tempFolder('etcd');
  #args: readonly string[] = [];
  #child: Child | null = null;

  constructor(name: string, host: ServerHost, clientPort: number, peerPort: number) {
    this.name = name;
    this.host = host;
    this.clientPort = clientPort;
    this.peerPort = peerPort;
    atEnd(() => this.kill());
  }

  /** Where clients reach it. */
  get endpoint(): string {
    return `http://${this.host.address}:${this.clientPort}`;
  }

  /** Where other members reach it. */
  get peerUrl(): string {
    return `http://${this.host.address}:${this.peerPort}`;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  get log(): readonly string[] {
    return this.#child?.stderr ?? [];
  }

  /** Starts it, as a member of these. It serves when most of them do. */
  async start(members: readonly EtcdProcess[] = [this], args: readonly string[] = []): Promise<void> {
    this.#args = [
      ...['--name', this.name, '--data-dir', this.#folder, '--logger', 'zap', '--log-outputs', 'stderr'],
      ...['--listen-client-urls', this.endpoint, '--advertise-client-urls', this.endpoint],
      ...['--listen-peer-urls', this.peerUrl, '--initial-advertise-peer-urls', this.peerUrl],
      ...['--initial-cluster', members.map((member) => `${member.name}=${member.peerUrl}`).join(',')],
      ...args,
    ];
    await this.restart();
  }

  /** Ends it with SIGKILL. What it has acknowledged is on its disk. */
  async kill(): Promise<void> {
    await this.#child?.kill();
    this.#child = null;
  }

  /** Starts it again, with what it had. Settles when it serves clients. */
  async restart(): Promise<void> {
    await this.kill();
    this.#child = await startChild('etcd', this.#args, { prefix: this.host.prefix, unbound: true });
    await this.#child.line((line) => (/serving client traffic/.test(line) ? true : null));
  }

  /** Sends a signal: SIGSTOP and SIGCONT to stall it. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }
}

/** A cluster of one member or several. */
export class EtcdCluster {
  readonly members: readonly EtcdProcess[];

  constructor(members: readonly EtcdProcess[]) {
    this.members = members;
  }

  get endpoints(): string[] {
    return this.members.map((member) => member.endpoint);
  }

  /** Ends all members. */
  async kill(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
  }

  /** Ends what runs, and starts all members again, with what they had. */
  async restart(): Promise<void> {
    await Promise.all(this.members.map((member) => member.restart()));
  }
}

/** Starts an etcd of so many members. Settles when all of them serve. */
export async function startEtcd(count = 1, options: EtcdOptions = {}): Promise<EtcdCluster> {
  const members: EtcdProcess[] = [];
  for (let i = 0; i < count; i++) {
    const host = options.hosts?.[i] ?? LOOPBACK;
    members.push(new EtcdProcess(`etcd${i + 1}`, host, await freePort(), await freePort()));
  }
  await Promise.all(members.map((member) => member.start(members, options.args)));
  return new EtcdCluster(members);
}
