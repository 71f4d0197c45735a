/** Looks after the nodes of the ring: what their probes say, and what the data plane finds of them. */
import { type NodeEndpoint, shownAddress } from '../node/endpoint.js';
import { RESTARTED } from '../node/failure.js';
import { type NodeIdentity, nodeKey } from '../node/identity.js';
import { ClientTrouble } from './client-trouble.js';
import {
  type MonitorOptions,
  type NodeEmptiedEvent,
  type NodeHealth,
  NodeMonitor,
  type NodeRestartedEvent,
  nodeEmptied,
  nodeRestarted,
} from './node-monitor.js';

export class NodeMonitors {
  readonly #options: MonitorOptions;
  readonly #onCommands: (reply: unknown) => void;
  readonly #onRestart: () => void;
  readonly #trouble: ClientTrouble;
  readonly #monitors = new Map<string, NodeMonitor>();
  /** From which clients are served, by `nodeKey`. */
  #served: ReadonlySet<string> = new Set();

  /**
   * @param onCommands is given each node's reply to COMMAND, each time a connection to it is made
   * @param onRestart told when a node is found to be another process than the one that may serve
   */
  constructor(options: MonitorOptions, onCommands: (reply: unknown) => void, onRestart: () => void = () => {}) {
    this.#options = options;
    this.#onCommands = onCommands;
    this.#onRestart = onRestart;
    this.#trouble = new ClientTrouble((node, why) => {
      if (why === RESTARTED) this.#monitors.get(nodeKey(node))?.connectAnew();
    });
  }

  /**
   * From now on these are looked after, and no others.
   * @param nodes from which clients are served
   * @param ejected that may come back
   */
  watch(nodes: readonly NodeEndpoint[], ejected: readonly NodeEndpoint[]): void {
    this.#trouble.keep(nodes);
    this.#served = new Set(nodes.map(nodeKey));
    const wanted = new Map([...nodes, ...ejected].map((node) => [nodeKey(node), node]));
    for (const [identity, monitor] of this.#monitors) {
      const node = wanted.get(identity);
      // Another server may have taken a node's place.
      if (node !== undefined && (node.master?.address === null || shownAddress(node) === shownAddress(monitor.node))) {
        if (node.master?.address !== null) this.#use(monitor, node);
        continue;
      }
      monitor.stop();
      this.#monitors.delete(identity);
    }
    for (const [identity, node] of wanted) {
      if (this.#monitors.has(identity)) continue;
      const monitor = new NodeMonitor(
        node,
        this.#options,
        this.#onCommands,
        (keys) => this.#onSnapshot(node, keys),
        this.#onRestart,
      );
      this.#monitors.set(identity, monitor);
      monitor.start();
    }
  }

  #use(monitor: NodeMonitor, node: NodeEndpoint): void {
    const found = monitor.otherProcess;
    monitor.use(node);
    if (node.master !== undefined || found === null || found !== node.process || !nodeEmptied.hasSubscribers) return;
    const { name, address } = node;
    const summary = `node ${name} (${address}), which was restarted, was emptied, and serves again`;
    const event: NodeEmptiedEvent = { node: name, address, summary };
    nodeEmptied.publish(event);
  }

  /** One that is ejected is emptied before it serves. */
  #onSnapshot(node: NodeEndpoint, keysLoaded: number): void {
    if (node.master?.address === null || !this.#served.has(nodeKey(node)) || !nodeRestarted.hasSubscribers) return;
    const { name, address } = node;
    const summary = `node ${name} (${address}) was restarted, and serves what it has read from a snapshot (keys: ${keysLoaded}): values may be older than those that clients were told were written`;
    const event: NodeRestartedEvent = { node: name, address, keysLoaded, summary };
    nodeRestarted.publish(event);
  }

  /** @returns null when it is not looked after */
  healthOf(node: NodeIdentity): NodeHealth | null {
    const health = this.#monitors.get(nodeKey(node))?.health;
    if (health === undefined) return null;
    const reason = health.reason ?? this.#trouble.of(node);
    const silence = health.up ? this.#trouble.silenceOf(node) : null;
    if (silence === null) return { ...health, reason };
    // Whoever answers probes, and no client, is down.
    return { ...health, up: false, error: silence.why, downSince: silence.since, reason };
  }

  /** The process that is there and may not serve; null: none is known. */
  otherProcessOf(node: NodeEndpoint): string | null {
    const monitor = this.#monitors.get(nodeKey(node));
    // Of a node that has failed over, the former master says nothing.
    return monitor === undefined || shownAddress(monitor.node) !== shownAddress(node) ? null : monitor.otherProcess;
  }

  /** Of the server process that its probes have seen last, or null. */
  runIdOf(node: NodeIdentity): string | null {
    return this.#monitors.get(nodeKey(node))?.health.runId ?? null;
  }

  /** A node that nobody has found down counts as up. */
  isUp(node: NodeIdentity): boolean {
    return this.#monitors.get(nodeKey(node))?.health.up !== false;
  }

  /** The oldest of the servers' versions; null: none has said it yet. */
  get oldestVersion(): string | null {
    const versions = [...this.#monitors.values()].flatMap((monitor) => monitor.health.version ?? []);
    versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    return versions[0] ?? null;
  }

  stop(): void {
    for (const monitor of this.#monitors.values()) monitor.stop();
    this.#trouble.stop();
  }
}
