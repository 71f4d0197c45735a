/**
 * Where the masters of all followed nodes are. A node that is at its address is none of these. The ring does not change
 * when one fails over.
 */
import type { Mastership } from '../node/endpoint.js';
import { parseFollowed } from '../node/followed.js';
import { type NodeIdentity, nodeKey } from '../node/identity.js';
import { within } from '../time/within.js';
import { Agreement } from './agreement.js';
import { FollowedMaster, UNASKED } from './followed-master.js';
import type { MastersOptions, MastersPorts, MasterView } from './options.js';

/** A node that is asked about before it is a member is followed for so long. Milliseconds. */
const GUEST_MS = 120_000;
/** How often it is looked whether masters are vouched for. Milliseconds. */
const DOUBT_MS = 100;

export class Masters<Node extends NodeIdentity> {
  readonly #options: MastersOptions;
  readonly #ports: MastersPorts<Node>;
  readonly #masters = new Map<string, FollowedMaster<Node>>();
  readonly #agreement: Agreement;
  #stopDoubting: (() => void) | null = null;
  #closed = false;

  constructor(options: MastersOptions, ports: MastersPorts<Node>) {
    this.#options = options;
    this.#ports = ports;
    this.#agreement = new Agreement(ports.agreement, options.timers, (key, stored) => {
      const master = this.#masters.get(key);
      if (master?.isMember) master.take(stored?.record ?? null);
    });
  }

  /** Where the node's master is; undefined: the node is at its address. */
  of(node: NodeIdentity): Mastership | undefined {
    const master = this.#masters.get(nodeKey(node));
    if (master !== undefined) return master.mastership;
    return parseFollowed(node.address) === null ? undefined : UNASKED;
  }

  /** @returns null when the node is not followed */
  view(node: NodeIdentity): MasterView | null {
    return this.#masters.get(nodeKey(node))?.view ?? null;
  }

  /**
   * Which process may serve, where that is asked: see `NodeEndpoint.process`.
   * @returns empty: it is not recorded yet, or nobody serves
   */
  processOf(node: NodeIdentity): string {
    return this.#masters.get(nodeKey(node))?.process ?? '';
  }

  /**
   * From now on these are followed, as far as they are to be, and of others only guests.
   * @param ejected nodes that are emptied before they come back, whatever they have
   */
  watch(served: readonly Node[], ejected: readonly Node[] = []): void {
    const nodes = [...served, ...ejected];
    const members = new Set(nodes.map(nodeKey));
    const serving = new Set(served.map(nodeKey));
    const now = this.#options.timers.now();
    for (const [key, master] of this.#masters) {
      if (members.has(key) || master.isGuest(now)) continue;
      master.close();
      this.#masters.delete(key);
      if (master.isMember) this.#agreement.forget(key);
    }
    for (const node of nodes) {
      const master = this.#follow(node, 0, true);
      if (master !== null) master.isServed = serving.has(nodeKey(node));
    }
  }

  /** Waits, no longer than so many milliseconds, until it is known where the masters of these are, or that it is not. */
  async known(nodes: readonly Node[], milliseconds: number): Promise<void> {
    const guestUntil = this.#options.timers.now() + GUEST_MS;
    const masters = nodes.flatMap((node) => this.#follow(node, guestUntil, false) ?? []);
    await within(milliseconds, Promise.all(masters.map((master) => master.known())), this.#options.timers);
  }

  /** Something is wrong with the node, or it says that it is no master: looks at once. */
  look(node: NodeIdentity): void {
    this.#masters.get(nodeKey(node))?.look();
  }

  close(): void {
    this.#closed = true;
    this.#stopDoubting?.();
    this.#agreement.close();
    for (const master of this.#masters.values()) master.close();
  }

  #follow(node: Node, guestUntil: number, isMember: boolean): FollowedMaster<Node> | null {
    const key = nodeKey(node);
    const known = this.#masters.get(key);
    if (known !== undefined) {
      known.keep(guestUntil);
      if (isMember) known.join();
      return known;
    }
    const followed = parseFollowed(node.address);
    if (followed === null || this.#closed) return null;
    const { timers } = this.#options;
    const master = new FollowedMaster(
      node,
      followed,
      this.#options,
      this.#ports,
      this.#agreement,
      isMember,
      guestUntil,
    );
    this.#masters.set(key, master);
    this.#stopDoubting ??= timers.every(DOUBT_MS, () => this.#doubt());
    return master;
  }

  #doubt(): void {
    const isSure = this.#agreement.isWaitedFor;
    for (const master of this.#masters.values()) master.doubt(isSure);
  }
}
