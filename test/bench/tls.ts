/**
 * What TLS costs: ringproxy that speaks it with its clients, against the programs that people put in front of a proxy for
 * that. What counts is the processor time of everything that the client's bytes go through: proxy and terminator.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { Authority } from '../support/certificates.js';
import { requireProgram } from '../support/programs.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { type RingproxyOptions, type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { type ProcessorTime, residentMemory } from './process-usage.js';
import { redisBenchmark } from './redis-benchmark.js';
import { count, markdown, type Row } from './report.js';
import type { RoundOptions } from './rounds.js';
import type { Runtime } from './runtime.js';
import { spread } from './statistics.js';
import { haproxy, stunnel, type Terminator } from './terminators.js';

interface TlsOptions extends RoundOptions {
  /** Pipeline depths; empty: all of them. */
  readonly depths: readonly number[];
}

/** Something that clients reach, by TLS or not, and all processes that their bytes go through up to the nodes. */
interface TlsTarget {
  readonly name: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly pids: readonly number[];
  stop(): Promise<unknown>;
}

interface TlsSample {
  readonly rate: number;
  readonly p99: number;
  /** Microseconds a command. */
  readonly processor: ProcessorTime;
}

const KEYS = 10_000;
const VALUE = 64;
const DEPTHS = [1, 16, 64];
const IDLE = 1000;
/** Of the kernel's clock for processes. */
const TICK_US = 10_000;
/** Connections that are opened at a time. */
const AT_ONCE = 50;
const OTHERS = [/does not own/, /none of this fleet/];

const execute = promisify(execFile);

/** Commands by TLS. @param print takes a table as soon as it is known */
export async function measureTls(
  nodes: readonly RedisProcess[],
  runtime: Runtime,
  options: TlsOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  const made = new TlsTargets(nodes, runtime);
  const targets = [
    ...[await made.plain(), await made.own(), await made.behind(haproxy), await made.behind(stunnel)],
    await made.toNodes(),
  ];
  const header = ['command', 'P', ...targets.map(({ name }) => name)];
  const rows: string[][] = [];
  for (const command of ['get', 'set']) {
    for (const depth of DEPTHS.filter((one) => options.depths.length === 0 || options.depths.includes(one))) {
      const samples = await rounds(targets, command, depth, made.authority.file, options);
      rows.push([command.toUpperCase(), String(depth), ...targets.map((target) => inWords(samples.get(target) ?? []))]);
    }
  }
  print('\nProcessor time a command in µs (user + system) of proxy and terminator; commands a second; p99 in ms\n');
  print(markdown(header, rows));
  for (const target of targets) await target.stop();
  return [];
}

/** Handshakes, and clients that are there and idle. */
export async function measureTlsConnections(
  nodes: readonly RedisProcess[],
  runtime: Runtime,
  print: (text: string) => void,
): Promise<Row[]> {
  const made = new TlsTargets(nodes, runtime);
  const rows: string[][] = [];
  for (const make of [() => made.own(), () => made.behind(haproxy), () => made.behind(stunnel), () => made.plain()]) {
    const target = await make();
    const memory = await idleMemory(target, made.authority.cert);
    const shaken = target.isTls ? await handshakes(target) : ['', '', ''];
    rows.push([target.name, ...shaken, `${(memory / 1024).toFixed(0)} KB`]);
    await target.stop();
  }
  const header = ['', 'handshakes/s', 'µs each', 'µs each, resumed', `memory of an idle client (${IDLE})`];
  print(`\n${markdown(header, rows)}`);
  return [];
}

/** Each in front of the same nodes, but the one whose nodes speak TLS. */
class TlsTargets {
  readonly authority = new Authority('benchmark');
  readonly #certificate = this.authority.issue('server', ['serverAuth', 'clientAuth']);
  readonly #nodes: readonly RedisProcess[];
  readonly #node: string;

  constructor(nodes: readonly RedisProcess[], runtime: Runtime) {
    this.#nodes = nodes;
    this.#node = runtime.path;
  }

  async plain(): Promise<TlsTarget> {
    const proxy = await this.#start({ nodes: this.#nodes });
    return { name: 'plain', port: proxy.port, isTls: false, pids: [proxy.pid], stop: () => proxy.stop() };
  }

  async own(): Promise<TlsTarget> {
    const { certFile, keyFile } = this.#certificate;
    const args = ['--tls-listen', '127.0.0.1:0', '--tls-cert', certFile, '--tls-key', keyFile];
    const proxy = await this.#start({ nodes: this.#nodes, args });
    return { name: 'ringproxy', port: proxy.tlsPort, isTls: true, pids: [proxy.pid], stop: () => proxy.stop() };
  }

  async behind(terminate: Terminator): Promise<TlsTarget> {
    const proxy = await this.#start({ nodes: this.#nodes });
    const front = await terminate(proxy.port, this.#certificate);
    const stop = () => Promise.all([front.stop(), proxy.stop()]);
    return { name: front.name, port: front.port, isTls: true, pids: [front.pid, proxy.pid], stop };
  }

  async toNodes(): Promise<TlsTarget> {
    const tls = { authority: this.authority, certificate: this.#certificate };
    const nodes = await Promise.all(this.#nodes.map(() => startRedis({ tls })));
    const proxy = await this.#start({ nodes, config: `node-tls: on\nnode-tls-ca: ${this.authority.file}\n` });
    return { name: 'plain, TLS to nodes', port: proxy.port, isTls: false, pids: [proxy.pid], stop: () => proxy.stop() };
  }

  #start(options: RingproxyOptions): Promise<RingproxyProcess> {
    return startRingproxy({ allowLog: OTHERS, node: this.#node, ...options });
  }
}

async function rounds(
  targets: readonly TlsTarget[],
  command: string,
  depth: number,
  ca: string,
  { rounds: most, seconds, clients }: RoundOptions,
): Promise<Map<TlsTarget, TlsSample[]>> {
  const samples = new Map<TlsTarget, TlsSample[]>(targets.map((target) => [target, []]));
  const load = { command, depth, clients, valueSize: VALUE, keys: KEYS };
  const run = ({ port, isTls }: TlsTarget, requests: number) =>
    redisBenchmark(port, { ...load, requests }, isTls ? { ca } : null);
  const requests = new Map<TlsTarget, number>();
  for (const target of targets) {
    const { rate } = await run(target, 2000 * depth);
    requests.set(target, Math.max(2000, Math.round(rate * seconds)));
  }
  for (let round = 0; round < most; round++) {
    for (const target of round % 2 === 0 ? targets : [...targets].reverse()) {
      const sent = requests.get(target) ?? 2000;
      const before = usedBy(target.pids);
      const { rate, p99 } = await run(target, sent);
      const after = usedBy(target.pids);
      const [user, system] = [(after.user - before.user) / sent, (after.system - before.system) / sent];
      samples.get(target)?.push({ rate, p99, processor: { total: user + system, user, system } });
    }
  }
  return samples;
}

/**
 * What processes have used so far, in microseconds. By the ticks of the whole process, coarse as they are: stunnel has a
 * thread for each connection, whose own figures end with it.
 */
function usedBy(pids: readonly number[]): { user: number; system: number } {
  // The program's name, which may hold spaces, ends with the last parenthesis; behind it the third field comes.
  const fields = pids.map((pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []);
  const of = (field: number): number => fields.reduce((all, of) => all + Number(of[field]), 0) * TICK_US;
  return { user: of(11), system: of(12) };
}

function inWords(samples: readonly TlsSample[]): string {
  const median = (pick: (sample: TlsSample) => number): number => spread(samples.map(pick)).median;
  const [total, user, system] = [
    median(({ processor }) => processor.total),
    median(({ processor }) => processor.user),
    median(({ processor }) => processor.system),
  ].map((value) => value.toFixed(value < 10 ? 2 : 1));
  return `**${total}** (${user} + ${system}); ${count(median(({ rate }) => rate))}; ${median(({ p99 }) => p99).toFixed(2)}`;
}

/** Bytes that a client takes which has had one command answered and is idle. */
async function idleMemory(target: TlsTarget, ca: string): Promise<number> {
  const memory = (): number => target.pids.reduce((all, pid) => all + residentMemory(pid), 0);
  // What the first ones make grow is not theirs.
  const clients = await Promise.all(Array.from({ length: AT_ONCE }, () => idleClient(target, ca)));
  const before = memory();
  while (clients.length < AT_ONCE + IDLE) {
    clients.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => idleClient(target, ca)))));
  }
  const after = memory();
  await Promise.all(
    clients.map(async (client) => {
      client.destroy();
      if (!client.closed) await once(client, 'close');
    }),
  );
  return (after - before) / IDLE;
}

async function idleClient({ port, isTls }: TlsTarget, ca: string): Promise<Socket> {
  const socket = isTls ? tls.connect({ port, host: '127.0.0.1', ca }) : net.connect(port, '127.0.0.1');
  await once(socket, isTls ? 'secureConnect' : 'connect');
  socket.write('*2\r\n$3\r\nGET\r\n$4\r\nidle\r\n');
  await once(socket, 'data');
  return socket;
}

/** By OpenSSL's own client, in one process. @returns handshakes a second, and processor time of each, new and resumed */
async function handshakes(target: TlsTarget): Promise<string[]> {
  const run = async (kind: '-new' | '-reuse'): Promise<{ rate: number; each: number }> => {
    const before = usedBy(target.pids);
    // A session of TLS 1.3 comes behind the handshake, and this client reads no more than that.
    const version = kind === '-new' ? '-tls1_3' : '-tls1_2';
    const args = ['s_time', '-connect', `127.0.0.1:${target.port}`, kind, version, '-time', '3'];
    const { stdout } = await execute(requireProgram('openssl'), args);
    const done = /(\d+) connections in (\d+) real seconds/.exec(stdout);
    const [connections, seconds] = [Number(done?.[1]), Number(done?.[2])];
    const after = usedBy(target.pids);
    const used = after.user + after.system - before.user - before.system;
    return { rate: connections / seconds, each: used / connections };
  };
  const [fresh, resumed] = [await run('-new'), await run('-reuse')];
  return [fresh.rate.toFixed(0), fresh.each.toFixed(0), resumed.each.toFixed(0)];
}
