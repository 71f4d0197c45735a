import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { type Child, startChild } from './child.js';
import { atEnd } from './cleanup.js';
import { type ClientOptions, Clients } from './client.js';
import type { ServerHost } from './redis-process.js';
import { ROOT } from './root.js';
import { tempFolder } from './temp-folder.js';

export const MAIN = join(ROOT, 'dist/cli/main.js');

/** A second may be too short on a busy machine: its nodes would count as down. */
const PATIENCE = { RINGPROXY_CONNECT_TIMEOUT: '10s' };

/**
 * The environment of a proxy whose memory is compared with a bound: its garbage is collected before it takes much. By
 * itself V8 lets 50 MB of it lie, which looks like growth.
 */
export const SMALL_HEAP = { NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=2' };

const LOOPBACK: ServerHost = { address: '127.0.0.1', prefix: [] };
/** Beyond loopback the admin API wants one. */
const TOKEN = 'laboratory';

/** From pino's level of warnings on. */
const WARN = 40;

export interface RingproxyOptions {
  /** Bootstraps the ring: as for `--node`, or redis processes, which become `node1`, `node2`, … */
  readonly nodes?: readonly (string | { readonly address: string })[];
  /** Further flags. `--listen` and `--admin` are on free ports unless they are given here. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The text of a configuration file. */
  readonly config?: string;
  /** Warnings and errors that the test expects in the log; any other one fails it. */
  readonly allowLog?: readonly RegExp[];
  /** Where it runs; default: where the test does, on loopback. */
  readonly host?: ServerHost;
  /** Another build's program; default `dist/cli/main.js`. */
  readonly main?: string;
  /** The Node.js that runs it; default: the one that runs the test. */
  readonly node?: string;
}

/** A line of the program's log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

interface Ready {
  readonly event: 'ready';
  /** Null: clients connect by TLS alone. */
  readonly listen: string | null;
  readonly tls?: string;
  readonly admin: string | null;
  readonly pid: number;
  readonly proxy: string;
}

/** A real `ringproxy serve` process. When it ends with its test, a warning or error that was not expected fails it. */
export class RingproxyProcess {
  readonly child: Child;
  /** Where clients connect: `HOST:PORT` or a Unix socket. */
  readonly listen: string;
  /** The port of `listen`; 0 for a Unix socket. */
  readonly port: number;
  /** The port by TLS; 0: there is none. */
  readonly tlsPort: number;
  /** The URL of the admin API; empty when it is off. */
  readonly admin: string;
  /** What its admin API wants as a bearer token; empty: nothing. */
  readonly token: string;
  readonly id: string;
  /** Where it runs. */
  readonly host: string;
  readonly #allowed: RegExp[];
  readonly #clients: Clients;

  constructor(child: Child, ready: Ready, allowed: readonly RegExp[], host: ServerHost) {
    this.child = child;
    this.host = host.address;
    this.token = host === LOOPBACK ? '' : TOKEN;
    this.listen = ready.listen ?? '';
    this.port = Number(/:(\d+)$/.exec(this.listen)?.[1] ?? 0);
    this.tlsPort = Number(/:(\d+)$/.exec(ready.tls ?? '')?.[1] ?? 0);
    this.admin = ready.admin ?? '';
    this.id = ready.proxy;
    this.#allowed = [...allowed];
    this.#clients = new Clients(this.port === 0 ? { path: this.listen } : { port: this.port, host: this.host });
    atEnd(async () => {
      this.#clients.disconnect();
      await child.kill();
      this.expectCleanLog();
    });
  }

  get pid(): number {
    return this.child.pid;
  }

  /** The log so far. A line that is not JSON counts as an error. */
  get log(): LogLine[] {
    return this.child.stderr.filter((line) => line !== '').map(parseLogLine);
  }

  /** From here on warnings and errors like these are expected. */
  allowLog(...patterns: RegExp[]): void {
    this.#allowed.push(...patterns);
  }

  /** Waits for a line of the log. */
  logged(pattern: RegExp): Promise<LogLine> {
    return this.child.line((line) => (pattern.test(line) ? parseLogLine(line) : null));
  }

  /** A client of the proxy. */
  client(options: ClientOptions = {}): Redis {
    return this.#clients.connect(options);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.signal(signal);
  }

  /** Ends it with SIGTERM. @returns its exit code, or the signal that ended it */
  stop(): Promise<number | NodeJS.Signals> {
    this.#clients.disconnect();
    return this.child.stop(15_000);
  }

  /** @throws Error that lists the warnings, errors and stray output that no pattern allows */
  expectCleanLog(): void {
    const unexpected = this.child.stderr.filter(
      (line) => line !== '' && parseLogLine(line).level >= WARN && !this.#allowed.some((pattern) => pattern.test(line)),
    );
    // Standard output carries the ready line and nothing else.
    unexpected.push(...this.child.stdout.slice(1));
    if (unexpected.length > 0) throw new Error(`unexpected lines from ringproxy:\n${unexpected.join('\n')}`);
  }
}

/** Tests have several proxies on the same nodes, each alone, which those that last for long notice of each other. */
const SHARED_NODES = /Writes are lost at the next change of the ring by one of them/;

/** What such proxies say of each other's keys, where their rings place them otherwise: once they look, after some seconds. */
const OTHERS_KEYS = /that it does not own: ringproxy ring check says more/;

/** A configuration that has to do with where keys are. */
const PLACES_KEYS = /ring:|hash|distribution|vnodes|weight|nodes:/;

/** A proxy of this test file, and where its ring places keys. */
interface Placed {
  readonly nodes: readonly string[];
  /** What its configuration file says of that, and of other things. */
  readonly config: string;
  readonly proxy: RingproxyProcess;
}

const placed: Placed[] = [];

/** Proxies on the same servers that place keys otherwise may find those of the other one. */
function expectKeysOfOthers(own: Placed): void {
  for (const other of placed) {
    const isSameRing = other.nodes.join() === own.nodes.join() && other.config === own.config;
    const sharesServers = other.nodes.some((node) => own.nodes.some((each) => serverOf(each) === serverOf(node)));
    if (isSameRing || !sharesServers) continue;
    for (const { proxy } of [own, other]) proxy.allowLog(OTHERS_KEYS);
  }
  placed.push(own);
}

/** The address in `NAME=HOST:PORT*WEIGHT`. */
function serverOf(node: string): string {
  return node.replace(/^[^=]*=/, '').replace(/\*\d+$/, '');
}

/**
 * Starts `ringproxy serve` from the build, and waits until it is ready.
 * @throws Error with all its output when it ends before
 */
export async function startRingproxy(options: RingproxyOptions = {}): Promise<RingproxyProcess> {
  const host = options.host ?? LOOPBACK;
  const args = [...(options.args ?? [])];
  if (!args.includes('--listen')) args.push('--listen', `${host.address}:0`);
  if (!args.includes('--admin')) args.push('--admin', `${host.address}:0`);
  const ofHost = host === LOOPBACK ? {} : { RINGPROXY_ADMIN_TOKEN: TOKEN, RINGPROXY_PROTECTED_MODE: 'false' };
  const nodes = (options.nodes ?? []).map((node, index) =>
    typeof node === 'string' ? node : `node${index + 1}=${node.address}`,
  );
  for (const node of nodes) args.push('--node', node);
  if (options.config !== undefined) {
    const file = join(tempFolder('config'), 'ringproxy.yaml');
    writeFileSync(file, options.config);
    args.push('-c', file);
  }
  const child = await startChild(
    options.node ?? process.env.TEST_NODE ?? process.execPath,
    [options.main ?? MAIN, 'serve', ...args],
    {
      // The environment goes before the file.
      env: { ...(options.config?.includes('connect-timeout') ? {} : PATIENCE), ...ofHost, ...options.env },
      prefix: host.prefix,
    },
  );
  const ready = await child.line(parseReady);
  const proxy = new RingproxyProcess(child, ready, [...(options.allowLog ?? []), SHARED_NODES], host);
  const config = options.config !== undefined && PLACES_KEYS.test(options.config) ? options.config : '';
  expectKeysOfOthers({ nodes, config, proxy });
  return proxy;
}

function parseReady(line: string): Ready | null {
  const value = parseJson(line);
  return isReady(value) ? value : null;
}

function parseLogLine(line: string): LogLine {
  const value = parseJson(line);
  if (!isObject(value) || typeof value.level !== 'number') return { level: 50, msg: line };
  return { ...value, level: value.level, msg: String(value.msg ?? '') };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function isReady(value: unknown): value is Ready {
  return isObject(value) && value.event === 'ready' && 'listen' in value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
