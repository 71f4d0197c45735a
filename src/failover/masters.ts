/**
 * Where the masters of all followed nodes are. A node that is at its address is none of these. When one fails over, its
 * keys get an error for as long as the hand-over takes; then the new master serves. The ring does not change by that.
 */
import type { Login, Mastership, NodeEndpoint, Speech } from '../node/endpoint.js';
import { type Followed, parseFollowed } from '../node/followed.js';
import { type NodeIdentity, nodeKey } from '../node/identity.js';
import type { Timers } from '../time/timers.js';
import { within } from '../time/within.js';
import { type NodeFailoverEvent, type NodeMasterEvent, nodeFailover, nodeMasterDoubtful } from './events.js';
import { Follower } from './follower.js';
import { describeLoss, type HandOverPorts, handOver } from './hand-over.js';
import { createSource, ReplicationProbe } from './sources.js';
import type { Found } from './votes.js';

export interface MastersOptions {
  /** Milliseconds. */
  readonly interval: number;
  readonly timeout: number;
  readonly sentinelLogin: () => Login;
  readonly timers: Timers;
}

export interface MastersPorts<Node> {
  /** How to log in at a node's servers. */
  login(node: Node): Speech;
  /** From now on `of` gives something else. */
  changed(): void;
  /** @see HandOverPorts.cut */
  cut(): Promise<void>;
  /** @see HandOverPorts.drop */
  drop(server: NodeEndpoint): Promise<void>;
}

/** What is shown of a followed node. */
export interface MasterView {
  readonly address: string | null;
  readonly source: Followed['kind'];
  readonly epoch: number | null;
  readonly failovers: number;
  /** Null: it cannot be told for one of them, or there was none. */
  readonly lostBytes: number;
  /** What is strange, or why there is no master; empty: nothing. */
  readonly reason: string;
}

interface Entry<Node> {
  readonly node: Node;
  readonly followed: Followed;
  readonly follower: Follower;
  /** Who serves; null: nobody yet. */
  serving: Found | null;
  /** A hand-over is under way. */
  isHandingOver: boolean;
  mastership: Mastership;
  failovers: number;
  lostBytes: number;
  /** Followed although no member, until then (by the timers' clock). */
  guestUntil: number;
}

/** A node that is asked about before it is a member is followed for so long. Milliseconds. */
const GUEST_MS = 120_000;

export class Masters<Node extends NodeIdentity> {
  readonly #options: MastersOptions;
  readonly #ports: MastersPorts<Node>;
  readonly #entries = new Map<string, Entry<Node>>();
  #closed = false;

  constructor(options: MastersOptions, ports: MastersPorts<Node>) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Where the node's master is; undefined: the node is at its address. */
  of(node: NodeIdentity): Mastership | undefined {
    const entry = this.#entries.get(nodeKey(node));
    if (entry !== undefined) return entry.mastership;
    return parseFollowed(node.address) === null ? undefined : UNASKED;
  }

  /** @returns null when the node is not followed */
  view(node: NodeIdentity): MasterView | null {
    const entry = this.#entries.get(nodeKey(node));
    if (entry === undefined) return null;
    const { followed, follower, mastership, serving, failovers, lostBytes } = entry;
    const { address } = mastership;
    return {
      ...{ address, source: followed.kind, epoch: serving?.epoch ?? null, failovers, lostBytes },
      reason: address === null ? mastership.why : follower.why,
    };
  }

  /** From now on these are followed, as far as they are to be, and of others only guests. */
  watch(nodes: readonly Node[]): void {
    const members = new Set(nodes.map(nodeKey));
    const now = this.#options.timers.now();
    for (const [key, entry] of this.#entries) {
      if (members.has(key) || entry.guestUntil > now) continue;
      entry.follower.close();
      this.#entries.delete(key);
    }
    for (const node of nodes) this.#follow(node, 0);
  }

  /** Waits, no longer than so many milliseconds, until it is known where the masters of these are, or that it is not. */
  async known(nodes: readonly Node[], milliseconds: number): Promise<void> {
    const guestUntil = this.#options.timers.now() + GUEST_MS;
    const entries = nodes.flatMap((node) => this.#follow(node, guestUntil) ?? []);
    const answers = Promise.all(entries.map(({ follower }) => follower.firstAnswer()));
    await within(milliseconds, answers, this.#options.timers);
  }

  /** Something is wrong with the node, or it says that it is no master: looks at once. */
  look(node: NodeIdentity): void {
    this.#entries.get(nodeKey(node))?.follower.look();
  }

  close(): void {
    this.#closed = true;
    for (const { follower } of this.#entries.values()) follower.close();
  }

  #follow(node: Node, guestUntil: number): Entry<Node> | null {
    const key = nodeKey(node);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.guestUntil = Math.max(known.guestUntil, guestUntil);
      return known;
    }
    const followed = parseFollowed(node.address);
    if (followed === null || this.#closed) return null;
    const { interval, timeout, sentinelLogin, timers } = this.#options;
    const follower: Follower = new Follower({
      source: createSource(followed, {
        ...{ node: node.name, timeout, sentinelLogin, serverLogin: () => this.#ports.login(node) },
        onNews: () => follower.look(),
      }),
      probe: (address) => this.#probe(node, address),
      ...{ interval, timers },
      onFound: () => void this.#onFound(entry),
      onStrange: (why) => this.#onStrange(entry, why),
    });
    const entry: Entry<Node> = {
      ...{ node, followed, follower, serving: null, isHandingOver: false, mastership: UNASKED },
      ...{ failovers: 0, lostBytes: 0, guestUntil },
    };
    this.#entries.set(key, entry);
    follower.look();
    return entry;
  }

  #server(node: Node, address: string): NodeEndpoint {
    return { name: node.name, address, ...this.#ports.login(node) };
  }

  #probe(node: Node, address: string): ReplicationProbe {
    return new ReplicationProbe(() => this.#server(node, address), this.#options.timeout);
  }

  #onStrange(entry: Entry<Node>, why: string): void {
    const { node, serving } = entry;
    if (serving === null) {
      entry.mastership = { address: null, why };
      this.#ports.changed();
    }
    if (!nodeMasterDoubtful.hasSubscribers) return;
    const summary = why === '' ? 'it is known again where its master is' : why;
    const event: NodeMasterEvent = {
      ...{ node: node.name, address: node.address, reason: why },
      summary: `node ${node.name} (${node.address}): ${summary}`,
    };
    nodeMasterDoubtful.publish(event);
  }

  async #onFound(entry: Entry<Node>): Promise<void> {
    if (entry.isHandingOver) return;
    entry.isHandingOver = true;
    // Another failover may be found while one is carried out.
    while (!this.#closed) {
      const { found } = entry.follower;
      if (found === null || found.address === entry.serving?.address) break;
      const event = entry.serving === null ? null : await this.#handOver(entry, entry.serving, found);
      entry.serving = found;
      if (entry.follower.found?.address === found.address) {
        entry.mastership = { address: found.address, why: '' };
        this.#ports.changed();
      }
      if (event !== null) nodeFailover.publish(event);
    }
    entry.isHandingOver = false;
  }

  async #handOver(
    entry: Entry<Node>,
    { address: from }: Found,
    { address: to, epoch }: Found,
  ): Promise<NodeFailoverEvent> {
    const { node, follower } = entry;
    const { timers } = this.#options;
    const begun = timers.now();
    const before = follower.seen;
    entry.mastership = { address: null, why: `fails over from ${from} to ${to}` };
    this.#ports.changed();
    const ports: HandOverPorts = {
      cut: () => this.#ports.cut(),
      drop: (address) => this.#ports.drop(this.#server(node, address)),
      read: async (address) => {
        const probe = this.#probe(node, address);
        return probe.read().finally(() => probe.close());
      },
      timers,
    };
    const { fenced, loss } = await handOver(from, to, before, ports);
    entry.failovers++;
    entry.lostBytes += loss.bytes ?? 0;
    const dropped = fenced
      ? 'the former one has dropped the connections of this ring'
      : 'the former one does not answer, and is not spoken to any more';
    return {
      ...{ node: node.name, address: node.address, from, to, epoch, fenced },
      ...{ lostBytes: loss.bytes, lostKnown: loss.known, seconds: (timers.now() - begun) / 1000 },
      summary: `node ${node.name} (${node.address}) has failed over from ${from} to ${to}: ${dropped}; ${describeLoss(loss)}`,
    };
  }
}

const UNASKED: Mastership = { address: null, why: 'has no master that is known yet' };
