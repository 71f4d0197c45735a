/** The proxies of the demo: one that is alone, or several that agree in an etcd. */
import { AdminClient } from '../../src/client/admin-client.js';
import { CliError } from '../cli-error.js';
import type { DemoNode, DemoProxy, DemoServers } from './servers.js';

/** As short as it may be: a proxy that was killed does not hold a change up for long. */
const FLEET_FLAGS = ['--coordination', 'etcd', '--member-ttl', '3s', '--etcd-endpoints'];

export class DemoProxies {
  readonly #servers: DemoServers;
  readonly #flags: readonly string[];
  /** Those that run, the oldest first. */
  #running: readonly DemoProxy[];

  private constructor(servers: DemoServers, flags: readonly string[], first: DemoProxy) {
    this.#servers = servers;
    this.#flags = flags;
    this.#running = [first];
  }

  /** @param count how many; several need an etcd, which is started, too */
  static async start(servers: DemoServers, nodes: readonly DemoNode[], count: number): Promise<DemoProxies> {
    const flags = count === 1 ? [] : [...FLEET_FLAGS, await servers.startEtcd()];
    // The first one makes the ring, the others learn it.
    const proxies = new DemoProxies(servers, flags, await servers.startProxy(nodes, { flags }));
    await Promise.all(Array.from({ length: count - 1 }, () => proxies.add()));
    return proxies;
  }

  get running(): readonly DemoProxy[] {
    return this.#running;
  }

  /** Where clients may go. */
  get ports(): number[] {
    return this.#running.map(({ port }) => port);
  }

  /** Any of them does. */
  get admin(): AdminClient {
    const [first] = this.#running;
    if (first === undefined) throw new CliError('no proxy is left', 'start the demo again');
    return new AdminClient({ admin: first.admin });
  }

  /** One more, which learns the ring. */
  async add(): Promise<DemoProxy> {
    const proxy = await this.#servers.startProxy([], { flags: this.#flags });
    this.#running = [...this.#running, proxy];
    return proxy;
  }

  /** The one that decides about the ring. */
  async coordinator(): Promise<DemoProxy> {
    const id = (await this.admin.proxies()).find(({ coordinator }) => coordinator)?.id;
    const proxy = this.#running.find((running) => running.id === id);
    if (proxy === undefined) throw new CliError('no proxy decides about the ring', 'try again in a moment');
    return proxy;
  }

  /** Ends one without a word: kill -9. */
  async kill(proxy: DemoProxy): Promise<void> {
    this.#running = this.#running.filter((running) => running !== proxy);
    await this.#servers.kill(proxy.child);
  }
}
