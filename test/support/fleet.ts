/**
 * A fleet: real nodes, a real etcd, and several real proxies that agree by it. Each of them can be killed, stalled and
 * started again; each process may have a host of its own in a network (`netns`).
 */
import { readFileSync } from 'node:fs';
import type { RingView } from '../../src/admin/api.js';
import { type EtcdCluster, startEtcd } from './etcd-process.js';
import { JumpingClock } from './jumping-clock.js';
import type { Host, Network } from './netns/network.js';
import { type RedisProcess, startRedis } from './redis-process.js';
import { type AdminApi, ringOf } from './ring-api.js';
import { type RingproxyProcess, startRingproxy } from './ringproxy-process.js';
import { tempFolder } from './temp-folder.js';

/** How often the proxies are asked how far they are. */
const ASK_MS = 20;
/** When to give up waiting for the fleet: a busy machine is no failure. */
const PATIENCE_MS = 60_000;
/** A proxy that does not answer its admin API for so long does not answer. */
const ANSWER_MS = 2000;

/** What a fleet tells while parts of it are killed, and what its members say of each other then. */
export const TROUBLE = [
  /upstream:down/,
  /node:health/,
  /upstream:impaired/,
  /the ring that exists wins/,
  /etcd/i,
  /fleet/i,
  /fence/i,
  /coordinator/i,
  /lease/i,
  /paused/,
  /member/i,
  /prox(?:y|ies)/i,
  /job/i,
  /mover/i,
  /given up/,
] as const;

export interface FleetOptions {
  /** Nodes of the first ring; default 3. */
  readonly nodes?: number;
  /** Further ones, which are not in the ring; default 0. */
  readonly spares?: number;
  /** Flags of all of them. */
  readonly nodeArgs?: readonly string[];
  /** Stands for a node towards the proxies, such as a relay in front of it. */
  readonly inFront?: (node: RedisProcess) => Promise<string>;
  /** Members of etcd; default 1. */
  readonly etcd?: 1 | 3;
  /** Default 3. */
  readonly proxies?: number;
  /** Of each proxy; default 1. */
  readonly workers?: number;
  readonly consistency?: 'strict' | 'available';
  /** Further settings of every proxy, as in its file. */
  readonly config?: string;
  /** Warnings and errors that the test expects in the proxies' logs. */
  readonly allowLog?: readonly RegExp[];
  /** Each process gets a host of its own in it. Default: all run on loopback. */
  readonly network?: Network;
  /** Each proxy has a time of day of its own, which can jump. */
  readonly clocks?: boolean;
}

/** A proxy of the fleet; started again, it is another process, and another member. */
export class FleetProxy implements AdminApi {
  /** Of the proxy, not of the member: `proxy1`. */
  readonly name: string;
  /** Where it runs; null: where the test does. */
  readonly place: Host | null;
  /** Its time of day; null: the machine's. */
  readonly clock: JumpingClock | null;
  readonly #start: (args: readonly string[]) => Promise<RingproxyProcess>;
  readonly #stateDir = tempFolder('state');
  #process: RingproxyProcess | null = null;

  constructor(
    name: string,
    place: Host | null,
    clock: JumpingClock | null,
    start: (args: readonly string[]) => Promise<RingproxyProcess>,
  ) {
    this.name = name;
    this.place = place;
    this.clock = clock;
    this.#start = start;
  }

  /** The process that runs now, or has run last. */
  get process(): RingproxyProcess {
    if (this.#process === null) throw new Error(`${this.name} has not been started`);
    return this.#process;
  }

  get running(): boolean {
    return this.#process?.child.running ?? false;
  }

  get host(): string {
    return this.process.host;
  }

  get port(): number {
    return this.process.port;
  }

  get admin(): string {
    return this.process.admin;
  }

  get token(): string {
    return this.process.token;
  }

  /** The member's id: another one after each start, and after it was fenced off. */
  async id(): Promise<string> {
    return (await this.view()).coordination.proxy;
  }

  view(): Promise<RingView> {
    return ringOf(this);
  }

  /** As `view`; null when it does not answer. */
  async viewOrNull(): Promise<RingView | null> {
    if (!this.running) return null;
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), ANSWER_MS));
    // One that joins anew has no ring for a moment, and says so.
    const view = this.view().then((said) => ('generation' in said ? said : null));
    return Promise.race([view.catch(() => null), late]);
  }

  /** Starts it, or starts it again on its state directory and its ports. */
  async start(): Promise<void> {
    const at = this.#process === null ? [] : ['--listen', this.#process.listen, '--admin', hostOf(this.#process.admin)];
    this.#process = await this.#start(['--state-dir', this.#stateDir, ...at]);
  }

  /** Ends it with SIGKILL. */
  async kill(): Promise<void> {
    await this.process.child.kill();
  }

  /** Ends it with SIGTERM: it leaves the fleet. */
  async stop(): Promise<void> {
    await this.process.stop();
  }

  /** Its process stands still, with its workers, until `goOn`. */
  stall(): void {
    for (const pid of this.#pids()) process.kill(pid, 'SIGSTOP');
  }

  goOn(): void {
    for (const pid of this.#pids()) process.kill(pid, 'SIGCONT');
  }

  #pids(): number[] {
    return [this.process.pid, ...childrenOf(this.process.pid)];
  }
}

export class Fleet {
  readonly nodes: readonly RedisProcess[];
  readonly spares: readonly RedisProcess[];
  /** The hosts of nodes, then of spares, then of etcd's members; empty on loopback. */
  readonly places: { readonly nodes: readonly Host[]; readonly etcd: readonly Host[] };
  readonly etcd: EtcdCluster;
  readonly proxies: FleetProxy[] = [];
  readonly #options: FleetOptions;
  /** Addresses by which the proxies know the nodes. */
  readonly #addresses: ReadonlyMap<RedisProcess, string>;

  constructor(
    options: FleetOptions,
    nodes: readonly RedisProcess[],
    addresses: ReadonlyMap<RedisProcess, string>,
    etcd: EtcdCluster,
    places: Fleet['places'],
  ) {
    this.#options = options;
    this.nodes = nodes.slice(0, options.nodes ?? 3);
    this.spares = nodes.slice(options.nodes ?? 3);
    this.#addresses = addresses;
    this.etcd = etcd;
    this.places = places;
  }

  get running(): FleetProxy[] {
    return this.proxies.filter((proxy) => proxy.running);
  }

  /** The address by which the proxies know a node. */
  addressOf(node: RedisProcess | undefined): string {
    return (node === undefined ? undefined : this.#addresses.get(node)) ?? '';
  }

  /** Starts one more proxy. The first one makes the ring, the others learn it. */
  async join(): Promise<FleetProxy> {
    const proxy = await this.prepare();
    await proxy.start();
    return proxy;
  }

  /** One more proxy, which is not started yet. */
  async prepare(): Promise<FleetProxy> {
    const { network, workers = 1, consistency = 'strict', config = '', allowLog = [] } = this.#options;
    const name = `proxy${this.proxies.length + 1}`;
    const place = (await network?.host(name)) ?? null;
    const isFirst = this.proxies.length === 0;
    const clock = this.#options.clocks === true ? new JumpingClock() : null;
    const proxy = new FleetProxy(name, place, clock, (args) =>
      startRingproxy({
        nodes: isFirst ? this.nodes.map((node, i) => `node${i + 1}=${this.addressOf(node)}`) : [],
        config,
        env: clock?.env ?? {},
        allowLog,
        ...(place === null ? {} : { host: place }),
        args: [
          ...['--coordination', 'etcd', '--etcd-endpoints', this.etcd.endpoints.join(','), '--ring-name', 'laboratory'],
          ...['--consistency', consistency, '--workers', String(workers), '--peer-token', 'of-the-laboratory'],
          ...args,
        ],
      }),
    );
    this.proxies.push(proxy);
    return proxy;
  }

  /**
   * Waits until every proxy that runs says so.
   * @param who whose views count; default: all that run
   * @throws Error with what they say, when that takes too long
   */
  async everyone(what: string, reached: (view: RingView) => boolean, who?: readonly FleetProxy[]): Promise<void> {
    await this.#await(what, who ?? this.running, (views) => views.every((view) => view !== null && reached(view)));
  }

  /** Waits until one of the proxies says so. @returns what it says */
  async someone(what: string, reached: (view: RingView) => boolean): Promise<RingView> {
    const views = await this.#await(what, null, (all) => all.some((view) => view !== null && reached(view)));
    return views.find((view): view is RingView => view !== null && reached(view)) as RingView;
  }

  /** Waits until no change is under way, as every proxy that runs sees it, and all of them have the same generation. */
  async settled(): Promise<RingView> {
    const views = await this.#await('no change under way', null, (all) => {
      // What is tried again, or waited for, is told of as well.
      for (const view of all)
        if (view?.change?.error && view.change.paused) throw new Error(`the change stands still: ${view.change.error}`);
      const [first] = all;
      return all.every((view) => view !== null && view.change === null && view.generation === first?.generation);
    });
    return views[0] as RingView;
  }

  /** Looks at what no change may be under way for; again where one has begun meanwhile. */
  async whileSettled<T>(look: () => Promise<T>): Promise<T> {
    for (;;) {
      const { generation } = await this.settled();
      const seen = await look();
      // One that was given up has moved nothing.
      if ((await this.settled()).generation === generation) return seen;
    }
  }

  /** The proxy that coordinates; it is waited for. */
  async coordinator(): Promise<FleetProxy> {
    const isIt = (view: RingView): string | undefined =>
      view.proxies.find((proxy) => proxy.coordinator && proxy.alive)?.id;
    const view = await this.someone('a coordinator', (seen) => isIt(seen) !== undefined);
    return this.byId(isIt(view) ?? '');
  }

  /** The proxy that is this member now. @throws Error when none is */
  async byId(id: string): Promise<FleetProxy> {
    for (const proxy of this.running) if ((await proxy.viewOrNull())?.coordination.proxy === id) return proxy;
    throw new Error(`no proxy that answers is the member ${id}`);
  }

  async #await(
    what: string,
    who: readonly FleetProxy[] | null,
    reached: (views: readonly (RingView | null)[]) => boolean,
  ): Promise<(RingView | null)[]> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const asked = who ?? this.running;
      const views = await Promise.all(asked.map((proxy) => proxy.viewOrNull()));
      if (reached(views)) return views;
      if (performance.now() > deadline) {
        const said = asked.map((proxy, i) => `${proxy.name}: ${describe(views[i] ?? null)}`);
        throw new Error(`waited for ${what} in vain:\n${said.join('\n')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
  }
}

/** Starts nodes, an etcd, and proxies. They end with the test (or file) that started them. */
export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const { network } = options;
  const count = (options.nodes ?? 3) + (options.spares ?? 0);
  const places = { nodes: await hosts(network, 'node', count), etcd: await hosts(network, 'etcd', options.etcd ?? 1) };
  const [nodes, etcd] = await Promise.all([
    Promise.all(
      Array.from({ length: count }, (_, i) => {
        const host = places.nodes[i];
        return startRedis({ args: options.nodeArgs ?? [], ...(host === undefined ? {} : { host }) });
      }),
    ),
    startEtcd(options.etcd ?? 1, { hosts: places.etcd }),
  ]);
  const addresses = new Map<RedisProcess, string>();
  for (const node of nodes) addresses.set(node, (await options.inFront?.(node)) ?? node.address);
  const fleet = new Fleet(options, nodes, addresses, etcd, places);
  const size = options.proxies ?? 3;
  for (let i = 0; i < size; i++) await fleet.prepare();
  const [first, ...others] = fleet.proxies;
  await first?.start();
  await Promise.all(others.map((proxy) => proxy.start()));
  await fleet.everyone('all proxies in the fleet', (view) => view.proxies.filter(({ alive }) => alive).length === size);
  return fleet;
}

async function hosts(network: Network | undefined, name: string, count: number): Promise<Host[]> {
  const made: Host[] = [];
  if (network !== undefined) for (let i = 1; i <= count; i++) made.push(await network.host(`${name}${i}`));
  return made;
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

function hostOf(url: string): string {
  return new URL(url).host;
}

function describe(view: RingView | null): string {
  if (view === null) return 'does not answer';
  const { generation, phase, change, proxies, coordination } = view;
  return JSON.stringify({ generation, phase, change, proxies, coordination });
}
