import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import type { Child } from './child.js';
import { startChild } from './child.js';
import { atEnd } from './cleanup.js';
import { freePort } from './free-port.js';
import { findReferee } from './programs.js';
import type { ServerHost } from './redis-process.js';
import { tempFolder } from './temp-folder.js';

/** Whether the tests that need etcd can run: some systems do not package it. */
export const hasEtcd = findReferee('etcd') !== null;

const LOOPBACK: ServerHost = { address: '127.0.0.1', prefix: [] };

export interface EtcdOptions {
  /** Where each member runs; default: where the test does, on loopback. */
  readonly hosts?: readonly ServerHost[];
  /** Further flags of every member. */
  readonly args?: readonly string[];
  /** Files in PEM. Clients come by TLS, and show a certificate that the authority has signed. */
  readonly tls?: EtcdTlsFiles;
}

export interface EtcdTlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A member of an etcd cluster: a real `etcd` that ends with the test (or file) that started it. */
export class EtcdProcess {
  readonly name: string;
  readonly host: ServerHost;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly #folder = tempFolder('etcd');
  readonly #tls: EtcdTlsFiles | null;
  #args: readonly string[] = [];
  #child: Child | null = null;

  constructor(name: string, host: ServerHost, clientPort: number, peerPort: number, tls: EtcdTlsFiles | null = null) {
    this.name = name;
    this.host = host;
    this.clientPort = clientPort;
    this.peerPort = peerPort;
    this.#tls = tls;
    atEnd(() => this.kill());
  }

  /** Where clients reach it. */
  get endpoint(): string {
    return `${this.#tls === null ? 'http' : 'https'}://${this.host.address}:${this.clientPort}`;
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
      ...(this.#tls === null ? [] : tlsFlags(this.#tls)),
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

  /** Starts it again, without what it had. */
  async empty(): Promise<void> {
    await this.kill();
    for (const entry of readdirSync(this.#folder)) rmSync(join(this.#folder, entry), { recursive: true });
    await this.restart();
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

  /**
   * A call of the JSON gateway, at the first member that answers; not by TLS.
   * @throws Error with etcd's own words
   */
  async call(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
    let failure: unknown = new Error('no member');
    for (const { endpoint } of this.members) {
      try {
        const options = { method: 'POST', headers, body: JSON.stringify(body), headersTimeout: 3000 } as const;
        const answer = await request(`${endpoint}${path}`, options);
        const text = await answer.body.text();
        if (answer.statusCode === 200) return JSON.parse(text);
        failure = new Error(text);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** Waits until it decides: a majority answers. @throws Error when it does not */
  async decides(patienceMs = 60_000): Promise<void> {
    for (const end = Date.now() + patienceMs; ; ) {
      try {
        await this.call('/v3/kv/range', { key: 'AA==' });
        return;
      } catch (error) {
        if (Date.now() > end) throw error;
        await delay(50);
      }
    }
  }

  /** The member that leads. @throws Error when nobody does */
  async leader(): Promise<EtcdProcess> {
    for (const member of this.members) {
      const options = { method: 'POST', body: '{}', headersTimeout: 1000 } as const;
      const status = await request(`${member.endpoint}/v3/maintenance/status`, options).then(
        ({ body }) => body.json(),
        () => null,
      );
      if (leads(status)) return member;
    }
    throw new Error('nobody leads');
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
    members.push(new EtcdProcess(`etcd${i + 1}`, host, await freePort(), await freePort(), options.tls));
  }
  await Promise.all(members.map((member) => member.start(members, options.args)));
  return new EtcdCluster(members);
}

function tlsFlags({ ca, cert, key }: EtcdTlsFiles): string[] {
  return ['--client-cert-auth', '--trusted-ca-file', ca, '--cert-file', cert, '--key-file', key];
}

/** @param status as a member tells it of itself */
function leads(status: unknown): boolean {
  if (typeof status !== 'object' || status === null || !('leader' in status) || !('header' in status)) return false;
  const { header, leader } = status;
  return typeof header === 'object' && header !== null && 'member_id' in header && header.member_id === leader;
}
