/**
 * A network in which each process has a host of its own, so that any two of them can be cut apart, one way or both, and
 * be far from each other. The test itself is a host, too: `operator`.
 *
 *   host ── eth0 ═ port ──┐
 *   host ── eth0 ═ port ──┤ bridge ── the test's own interface
 *   host ── eth0 ═ port ──┘
 *
 * The bridge is in a namespace of its own. A host that is far has a delay line (delay-line.pl) in front of its port: `tc
 * netem` is not in every kernel.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../child.js';
import { atEnd } from '../cleanup.js';
import { requireProgram } from '../programs.js';
import { Namespace, runProgram } from './namespace.js';

const DELAY_LINE = join(dirname(fileURLToPath(import.meta.url)), 'delay-line.pl');

/** What a cut makes of packets: they vanish, or are answered with a refusal (TCP only). */
export type Cut = 'drop' | 'reject';

/** A host of a network. */
export interface Host {
  readonly name: string;
  readonly address: string;
  /** What stands in front of a program and its arguments, so that it runs there; empty: where the test runs. */
  readonly prefix: readonly string[];
}

/** Something that is wrong with the network. */
export interface Trouble {
  /** Packets that were concerned. */
  readonly packets: number;
  /** It is over. */
  heal(): void;
}

/** Which packets a rule concerns, and what becomes of them. */
interface Rule {
  readonly namespace: Namespace;
  readonly chain: 'INPUT' | 'OUTPUT';
  readonly words: readonly string[];
}

interface Place extends Host {
  readonly namespace: Namespace;
  /** Its end of the cable, at the bridge. */
  readonly port: string;
}

export class Network {
  readonly #bridge: Namespace;
  /** The first three parts of every address. */
  readonly #prefix: string;
  readonly #places: Place[] = [];
  readonly #lines = new Map<Place, Child>();
  readonly #troubles = new Set<Trouble>();
  #rules = 0;
  readonly operator: Host;

  private constructor(bridge: Namespace, prefix: string) {
    this.#bridge = bridge;
    this.#prefix = prefix;
    this.operator = { name: 'operator', address: `${prefix}.1`, prefix: [] };
  }

  /** It ends with the test (or file) that has made it. */
  static async make(): Promise<Network> {
    const bridge = await Namespace.make();
    bridge.run('ip', 'link', 'add', 'bridge', 'type', 'bridge');
    bridge.run('ip', 'link', 'set', 'bridge', 'up');
    // What is kept for measuring networks (RFC 2544) is nobody's: one of its networks that is not in use here.
    const routes = ip('-4', 'route', 'show');
    let prefix: string;
    do prefix = `198.18.${Math.floor(Math.random() * 256)}`;
    while (routes.includes(prefix));
    const network = new Network(bridge, prefix);
    const link = `rp${bridge.pid}`;
    ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'operator', 'netns', String(bridge.pid));
    // The processes in a namespace may outlive it for a moment, and with them this interface.
    atEnd(() => {
      ip('link', 'delete', link);
    });
    ip('address', 'add', `${network.operator.address}/24`, 'dev', link);
    ip('link', 'set', link, 'up');
    network.#attach('operator', 'bridge');
    return network;
  }

  /** Adds a host. */
  async host(name: string): Promise<Host> {
    const namespace = await Namespace.make();
    const number = this.#places.length + 2;
    const port = `port${number}`;
    const address = `${this.#prefix}.${number}`;
    this.#bridge.run('ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(namespace.pid));
    namespace.run('ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
    namespace.run('ip', 'link', 'set', 'eth0', 'up');
    this.#attach(port, 'bridge');
    const place = { name, address, prefix: namespace.prefix, namespace, port };
    this.#places.push(place);
    return place;
  }

  /** From now on nothing gets from any of the one side to any of the other, nor back. */
  cut(side: readonly Host[], other: readonly Host[], how: Cut = 'drop'): Trouble {
    return this.#rule([...this.#between(side, other), ...this.#between(other, side)].flatMap((way) => cutOf(way, how)));
  }

  /** From now on nothing gets from any of these to any of those; the way back is open. */
  cutOneWay(from: readonly Host[], to: readonly Host[]): Trouble {
    return this.#rule(this.#between(from, to).flatMap((way) => cutOf(way, 'drop')));
  }

  /** From now on so many of a hundred packets are lost on the way to and from the host. */
  lose(host: Host, percent: number): Trouble {
    const { namespace } = this.#placeOf(host);
    const words = ['-m', 'statistic', '--mode', 'random', '--probability', String(percent / 100), '-j', 'DROP'];
    return this.#rule([
      { namespace, chain: 'INPUT', words: ['-i', 'eth0', ...words] },
      { namespace, chain: 'OUTPUT', words: ['-o', 'eth0', ...words] },
    ]);
  }

  /** From now on whatever goes to the host, or comes from it, takes so many milliseconds longer. */
  async delay(host: Host, milliseconds: number): Promise<void> {
    const place = this.#placeOf(host);
    await this.#undelay(place);
    const number = place.port.slice('port'.length);
    const [near, far, own] = [`near${number}`, `far${number}`, `own${number}`];
    const args = [DELAY_LINE, near, far, String(milliseconds)];
    const line = await startChild('perl', args, { prefix: this.#bridge.prefix });
    await line.line((text) => (text === 'ready' ? true : null));
    this.#lines.set(place, line);
    this.#bridge.run('ip', 'link', 'add', own, 'type', 'bridge');
    this.#bridge.run('ip', 'link', 'set', own, 'up');
    this.#attach(near, own);
    this.#attach(far, 'bridge');
    this.#attach(place.port, own);
  }

  /** Whatever is wrong with the network is over. */
  async heal(): Promise<void> {
    for (const trouble of [...this.#troubles]) trouble.heal();
    for (const place of this.#places) await this.#undelay(place);
  }

  async #undelay(place: Place): Promise<void> {
    const line = this.#lines.get(place);
    if (line === undefined) return;
    this.#lines.delete(place);
    this.#attach(place.port, 'bridge');
    await line.kill();
    this.#bridge.run('ip', 'link', 'delete', place.port.replace('port', 'own'));
  }

  #attach(port: string, bridge: string): void {
    this.#bridge.run('ip', 'link', 'set', port, 'master', bridge, 'up');
  }

  #placeOf(host: Host): Place {
    const place = this.#places.find((candidate) => candidate === host);
    if (place === undefined) throw new Error(`${host.name} is no host of this network that a test can give trouble`);
    return place;
  }

  /** Nothing is ever changed where the test runs: what goes to the test is stopped where it comes from. */
  #between(from: readonly Host[], to: readonly Host[]): Rule[] {
    return from.flatMap((source) =>
      to
        .filter((target) => target !== source)
        .map(
          (target): Rule =>
            target === this.operator
              ? { namespace: this.#placeOf(source).namespace, chain: 'OUTPUT', words: ['-d', target.address] }
              : { namespace: this.#placeOf(target).namespace, chain: 'INPUT', words: ['-s', source.address] },
        ),
    );
  }

  #rule(rules: readonly Rule[]): Trouble {
    this.#rules++;
    const mark = `trouble ${this.#rules}`;
    const marked = rules.map(({ words, ...rule }) => ({
      ...rule,
      words: ['-m', 'comment', '--comment', mark, ...words],
    }));
    // Rules of one trouble take effect one after the other, within milliseconds.
    for (const { namespace, chain, words } of marked) namespace.run('iptables', '-w', '-A', chain, ...words);
    const trouble: Trouble = {
      get packets() {
        const namespaces = new Set(marked.map(({ namespace }) => namespace));
        return [...namespaces].reduce((sum, namespace) => sum + packetsOf(namespace, mark), 0);
      },
      heal: () => {
        if (!this.#troubles.delete(trouble)) return;
        for (const { namespace, chain, words } of marked) namespace.run('iptables', '-w', '-D', chain, ...words);
      },
    };
    this.#troubles.add(trouble);
    return trouble;
  }
}

function cutOf({ words, ...way }: Rule, how: Cut): Rule[] {
  if (how === 'drop') return [{ ...way, words: [...words, '-j', 'DROP'] }];
  // The refusal itself has to get back.
  const isRefusal = ['-p', 'tcp', '--tcp-flags', 'RST', 'RST'];
  const refuse = ['-p', 'tcp', '-j', 'REJECT', '--reject-with', 'tcp-reset'];
  return [
    { ...way, words: [...words, ...isRefusal, '-j', 'ACCEPT'] },
    { ...way, words: [...words, ...refuse] },
    { ...way, words: [...words, '-j', 'DROP'] },
  ];
}

/** Packets that the rules with this mark have seen and not let through. */
function packetsOf(namespace: Namespace, mark: string): number {
  const rules = namespace.run('iptables', '-w', '-L', '-v', '-x', '-n').split('\n');
  return rules
    .filter((line) => line.includes(`/* ${mark} */`) && !line.includes('ACCEPT'))
    .reduce((sum, line) => sum + Number(/^\s*(\d+)/.exec(line)?.[1] ?? 0), 0);
}

function ip(...args: string[]): string {
  return runProgram([requireProgram('ip'), ...args]);
}
