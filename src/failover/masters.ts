/**
 * Where the masters of all followed nodes are. A node that is at its address is none of these. When one fails over, its
 * keys get an error for as long as the hand-over takes; then the new master serves. The ring does not change by that.
 */
import type { Mastership, NodeEndpoint, Speech } from '../node/endpoint.js';
import { type Followed, parseFollowed } from '../node/followed.js';
import { type NodeIdentity, nodeKey } from '../node/identity.js';
import type { Timers } from '../time/timers.js';
import { within } from '../time/within.js';
import { type Agreed, Agreement, type AgreementPort, servedLast, TENURE_MS } from './agreement.js';
import { goesOn, type Served, type Server } from './continuity.js';
import { type EmptyingPorts, MasterEmptying } from './emptying.js';
import { type NodeFailoverEvent, type NodeMasterEvent, nodeFailover, nodeMasterDoubtful } from './events.js';
import { Follower } from './follower.js';
import { describeLoss, type HandOverPorts, handOver } from './hand-over.js';
import { createSource, ReplicationProbe } from './sources.js';
import type { Found } from './votes.js';

export interface MastersOptions {
  /** Milliseconds. */
  readonly interval: number;
  readonly timeout: number;
  /** How Sentinels are spoken to. */
  readonly sentinels: () => Speech;
  readonly timers: Timers;
  /** Whether a master is emptied before it serves where what it has may be of the past. */
  readonly empties: () => boolean;
}

export interface MastersPorts<Node> {
  /** How to log in at a node's servers. */
  login(node: Node): Speech;
  /** From now on `of` gives something else. */
  changed(): void;
  /** @see HandOverPorts.cut */
  cut(): Promise<void>;
  /** @see HandOverPorts.drop @param more proxies beside those that are known */
  drop(server: NodeEndpoint, more?: readonly string[]): Promise<void>;
  /** @see EmptyingPorts.empty */
  empty(server: NodeEndpoint, mayRemove: (runId: string) => Promise<void>): Promise<string>;
  /** A master of the node was emptied, and serves. */
  emptied(node: Node, server: string): void;
  warn(message: string): void;
  /** Where it is recorded what the proxies of the ring agree on. */
  readonly agreement: AgreementPort;
}

/** What is shown of a followed node. */
export interface MasterView {
  readonly address: string | null;
  readonly source: Followed['kind'];
  readonly epoch: number | null;
  readonly failovers: number;
  /** Null: it cannot be told for one of them, or there was none. */
  readonly lostBytes: number;
  /** Of the failovers: to a server whose history did not go on from the one that served. */
  readonly unrelated: number;
  /** How often a master was emptied before it served. */
  readonly emptied: number;
  /** What is strange, or why there is no master; empty: nothing. */
  readonly reason: string;
}

interface Entry<Node> {
  readonly node: Node;
  readonly key: string;
  readonly followed: Followed;
  readonly follower: Follower;
  /** Who serves; null: nobody yet. */
  serving: Found | null;
  /** A hand-over is under way, also the first one. */
  isHandingOver: boolean;
  /** Settles when the last one that has begun is over. */
  handingOver: Promise<void>;
  mastership: Mastership;
  failovers: number;
  lostBytes: number;
  unrelated: number;
  emptied: number;
  /** Who serves, as it was recorded; null: nothing is. */
  servedAs: Served | null;
  /** By which record it serves; 0: by none. */
  servesBy: number;
  /** Another process was found where it serves. */
  isRestarted: boolean;
  /** The record by which a master was to be emptied. */
  emptiesBy: number;
  /** Which history goes on from which: of masters that were found, and may not have served. */
  readonly between: Map<string, string>;
  /** Followed although no member, until then (by the timers' clock). */
  guestUntil: number;
  /** Of the ring: what is found is recorded. */
  isMember: boolean;
  /** What is recorded, as it is known here; null: nothing. */
  agreed: Agreed | null;
  /** Nobody vouches for the master that serves: it does not, for the moment. */
  isDoubted: boolean;
  /** Of the ring, and not ejected from it: what it has counts. */
  isServed: boolean;
  /** It is being looked whether what is recorded still holds. */
  isNoting: boolean;
  /** When that was looked at last, by the timers' clock. */
  notedAt: number;
}

/** A node that is asked about before it is a member is followed for so long. Milliseconds. */
const GUEST_MS = 120_000;
/** How often it is looked whether masters are vouched for. Milliseconds. */
const DOUBT_MS = 100;
/** Between two looks at whether what is recorded is as it should be. Milliseconds. */
const NOTED_MS = 2000;
/** Until what is recorded is asked for again. Milliseconds. */
const RECALL_MS = 200;
/** So many histories of masters that did not serve are remembered. */
const BETWEEN = 16;

export class Masters<Node extends NodeIdentity> {
  readonly #options: MastersOptions;
  readonly #ports: MastersPorts<Node>;
  readonly #entries = new Map<string, Entry<Node>>();
  readonly #agreement: Agreement;
  #stopDoubting: (() => void) | null = null;
  #closed = false;

  constructor(options: MastersOptions, ports: MastersPorts<Node>) {
    this.#options = options;
    this.#ports = ports;
    this.#agreement = new Agreement(ports.agreement, options.timers, (key, stored) => {
      const entry = this.#entries.get(key);
      if (entry?.isMember) this.#take(entry, stored?.record ?? null);
    });
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
    const { unrelated, emptied } = entry;
    return {
      ...{ address, source: followed.kind, epoch: serving?.epoch ?? null, failovers, lostBytes, unrelated, emptied },
      reason: address === null ? mastership.why : follower.why,
    };
  }

  /**
   * Which process may serve, where that is asked: see `NodeEndpoint.process`.
   * @returns empty: it is not recorded yet, or nobody serves
   */
  processOf(node: NodeIdentity): string {
    const entry = this.#entries.get(nodeKey(node));
    const address = entry?.mastership.address ?? null;
    return address !== null && entry?.agreed?.address === address ? (entry.agreed.runId ?? '') : '';
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
    for (const [key, entry] of this.#entries) {
      if (members.has(key) || entry.guestUntil > now) continue;
      entry.follower.close();
      this.#entries.delete(key);
      if (entry.isMember) this.#agreement.forget(key);
    }
    for (const node of nodes) {
      const entry = this.#follow(node, 0, true);
      if (entry !== null) entry.isServed = serving.has(entry.key);
    }
  }

  /** Waits, no longer than so many milliseconds, until it is known where the masters of these are, or that it is not. */
  async known(nodes: readonly Node[], milliseconds: number): Promise<void> {
    const guestUntil = this.#options.timers.now() + GUEST_MS;
    const entries = nodes.flatMap((node) => this.#follow(node, guestUntil, false) ?? []);
    const answers = entries.map(async (entry) => {
      await entry.follower.firstAnswer();
      await entry.handingOver;
    });
    await within(milliseconds, Promise.all(answers), this.#options.timers);
  }

  /** Something is wrong with the node, or it says that it is no master: looks at once. */
  look(node: NodeIdentity): void {
    this.#entries.get(nodeKey(node))?.follower.look();
  }

  close(): void {
    this.#closed = true;
    this.#stopDoubting?.();
    this.#agreement.close();
    for (const { follower } of this.#entries.values()) follower.close();
  }

  #follow(node: Node, guestUntil: number, isMember: boolean): Entry<Node> | null {
    const key = nodeKey(node);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.guestUntil = Math.max(known.guestUntil, guestUntil);
      if (isMember && !known.isMember) {
        known.isMember = true;
        void this.#note(known);
      }
      return known;
    }
    const followed = parseFollowed(node.address);
    if (followed === null || this.#closed) return null;
    const { interval, timeout, sentinels, timers } = this.#options;
    const follower: Follower = new Follower({
      source: createSource(followed, {
        ...{ node: node.name, timeout, sentinels, serverLogin: () => this.#ports.login(node) },
        onNews: () => follower.look(),
      }),
      probe: (address) => this.#probe(node, address),
      ...{ interval, timers },
      onFound: () => this.#onNews(entry),
      onStrange: (why) => this.#onStrange(entry, why),
    });
    const entry: Entry<Node> = {
      ...{ node, key, followed, follower, serving: null, isHandingOver: false, mastership: UNASKED },
      handingOver: Promise.resolve(),
      ...{ failovers: 0, lostBytes: 0, unrelated: 0, emptied: 0, guestUntil, isMember, isServed: isMember },
      ...{
        agreed: null,
        servedAs: null,
        servesBy: 0,
        isRestarted: false,
        emptiesBy: 0,
        between: new Map<string, string>(),
        isDoubted: false,
      },
      ...{ isNoting: false, notedAt: Number.NEGATIVE_INFINITY },
    };
    this.#entries.set(key, entry);
    this.#stopDoubting ??= timers.every(DOUBT_MS, () => this.#doubt());
    void this.#begin(entry);
    return entry;
  }

  /** Begins with what is recorded, if anything: nothing that is older counts. */
  async #begin(entry: Entry<Node>): Promise<void> {
    const { follower, key } = entry;
    const { timers } = this.#options;
    while (!this.#closed && this.#entries.get(key) === entry) {
      try {
        const stored = await this.#agreement.load(key);
        if (stored !== null) {
          const { address, epoch, history } = stored.record;
          entry.agreed = stored.record;
          follower.remember({ address, epoch }, history);
          // Others are there already.
          if (entry.isMember && (await this.#agreement.hasOthers())) this.#take(entry, stored.record);
        }
        break;
      } catch {
        if (!this.#agreement.isBinding) break;
        await new Promise<void>((resolve) => timers.after(RECALL_MS, resolve));
      }
    }
    follower.look();
  }

  /** What is recorded is another master, or nothing any more. */
  #take(entry: Entry<Node>, record: Agreed | null): void {
    if (record !== null && record.serial < (entry.agreed?.serial ?? 0)) return;
    const process = this.processOf(entry.node);
    entry.agreed = record;
    if (record === null) {
      entry.follower.forget();
      return;
    }
    if (record.emptying !== undefined) entry.emptiesBy = record.serial;
    if (record.settled && record.address === entry.serving?.address) entry.servedAs = servedLast(record);
    entry.follower.adopt({ address: record.address, epoch: record.epoch }, record.history);
    // Nobody has a connection to a process that is gone, but others wait for this proxy's word.
    if (this.#isToLeave(entry)) this.#onNews(entry);
    else if (this.processOf(entry.node) !== process) this.#ports.changed();
  }

  /** Another process is behind the master's address than the one that has served. */
  #isToLeave({ agreed, serving, servesBy, isRestarted }: Entry<Node>): boolean {
    if (isRestarted) return true;
    return agreed?.emptying !== undefined && agreed.address === serving?.address && agreed.serial > servesBy;
  }

  #onNews(entry: Entry<Node>): void {
    if (!entry.isHandingOver) entry.handingOver = this.#onFound(entry);
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
    entry.isHandingOver = true;
    // Another failover may be found while one is carried out.
    while (!this.#closed) {
      const { found } = entry.follower;
      if (found === null || (found.address === entry.serving?.address && !this.#isToLeave(entry))) break;
      const event =
        entry.serving === null ? await this.#enter(entry, found) : await this.#handOver(entry, entry.serving, found);
      if (event === 'not yet') continue;
      entry.serving = found;
      const { agreed } = entry;
      const isRecorded = agreed?.address === found.address;
      entry.servesBy = agreed?.serial ?? 0;
      entry.isRestarted = false;
      entry.servedAs = isRecorded && agreed.settled ? servedLast(agreed) : null;
      if (isRecorded && agreed.serial === entry.emptiesBy) {
        entry.emptied++;
        this.#ports.emptied(entry.node, found.address);
      }
      if (entry.follower.found?.address === found.address) {
        entry.isDoubted = false;
        entry.mastership = { address: found.address, why: '' };
        this.#ports.changed();
      }
      if (event !== null) nodeFailover.publish(event);
    }
    entry.isHandingOver = false;
  }

  /** The first one that this process follows. */
  async #enter(entry: Entry<Node>, found: Found): Promise<null | 'not yet'> {
    if (!entry.isMember) return null;
    const agreed = await this.#settle(entry, found, null, false);
    if (entry.follower.found?.address !== found.address) return 'not yet';
    return agreed === null || agreed.address === found.address ? null : 'not yet';
  }

  async #handOver(entry: Entry<Node>, serving: Found, found: Found): Promise<NodeFailoverEvent | null | 'not yet'> {
    const { address: from } = serving;
    const { address: to, epoch } = found;
    const { node, follower } = entry;
    const { timers } = this.#options;
    const begun = timers.now();
    const before = follower.seen;
    const { servedAs } = entry;
    const isSame = from === to;
    entry.mastership = { address: null, why: isSame ? RESTARTED : `fails over from ${from} to ${to}` };
    this.#ports.changed();
    if (entry.isMember) {
      // Others may only hear that this proxy has left when it has.
      await this.#ports.cut().catch(() => {});
      const agreed = await this.#settle(entry, found, from, false);
      if (follower.found?.address !== to || (agreed !== null && agreed.address !== to)) {
        // On to a third one, or back to where it was, to which connections are opened anew.
        if (follower.found?.address === from) entry.serving = null;
        return 'not yet';
      }
      if (isSame) return null;
    }
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
    const related = await this.#isRelated(entry, to, servedAs);
    const emptied = entry.agreed?.address === to && entry.agreed.serial === entry.emptiesBy;
    entry.failovers++;
    entry.lostBytes += loss.bytes ?? 0;
    if (related === false) entry.unrelated++;
    const dropped = fenced
      ? 'the former one has dropped the connections of this ring'
      : 'the former one does not answer, and is not spoken to any more';
    return {
      ...{ node: node.name, address: node.address, from, to, epoch, fenced },
      ...{ lostBytes: loss.bytes, lostKnown: loss.known, seconds: (timers.now() - begun) / 1000 },
      ...{ related, emptied },
      summary: `node ${node.name} (${node.address}) has failed over from ${from} to ${to}: ${dropped}; ${describeLoss(loss)}${describeRelation(related, emptied)}`,
    };
  }

  /** @returns whether the new master goes on from who served; null: it cannot be told */
  async #isRelated(entry: Entry<Node>, address: string, served: Served | null): Promise<boolean | null> {
    if (served === null) return null;
    const probe = this.#probe(entry.node, address);
    const server = await within(this.#options.timeout, probe.identify(), this.#options.timers);
    probe.close();
    return server === null || typeof server === 'symbol' ? null : goesOn({ address, ...server }, served, entry.between);
  }

  async #settle(entry: Entry<Node>, found: Found, former: string | null, serves: boolean): Promise<Agreed | null> {
    const { node, follower, key, between } = entry;
    const { address } = found;
    const { timers, empties } = this.#options;
    const probe = this.#probe(node, address);
    const look = async (): Promise<Server | null> => {
      const said = await probe.identify();
      if (said === null) return null;
      const server = { address, ...said };
      const served = entry.agreed === null ? null : servedLast(entry.agreed);
      // It may be gone before anybody can record that it went on from there.
      if (served !== null && address !== served.address && goesOn(server, served, between)) note(server, between);
      follower.remember(found, said.replication.history);
      return server;
    };
    follower.remember(found, '');
    const emptying = new MasterEmptying(key, this.#ports.agreement, timers, this.#emptyingPorts(entry));
    const candidate = { found, look, between, former, serves, serial: entry.agreed?.serial ?? 0 };
    const agreed = await this.#agreement
      .settle(key, candidate, {
        isWanted: () => !this.#closed && this.#entries.get(key) === entry && entry.follower.found?.address === address,
        waits: (proxies) => this.#tellOfWait(entry, former, address, proxies),
        empties: entry.isServed && empties(),
        restarted: () => {
          entry.isRestarted = true;
          this.#onNews(entry);
        },
        empty: (stored) => emptying.step(stored),
      })
      .finally(() => probe.close());
    if (agreed !== null) this.#take(entry, agreed);
    return agreed;
  }

  #emptyingPorts(entry: Entry<Node>): EmptyingPorts {
    const { node } = entry;
    return {
      drop: (address, proxies) => this.#ports.drop(this.#server(node, address), proxies),
      empty: (address, mayRemove) => this.#ports.empty(this.#server(node, address), mayRemove),
      told: (why) => {
        if (entry.mastership.address !== null) return;
        const { address } = entry.follower.found ?? entry.serving ?? { address: 'its master' };
        const tale = `is not served by ${address} yet, which has not followed the master that served last: it ${why}`;
        if (why === '' || entry.mastership.why === tale) return;
        entry.mastership = { address: null, why: tale };
        this.#ports.changed();
        this.#ports.warn(`node ${node.name} (${node.address}) ${tale}`);
      },
    };
  }

  #tellOfWait(entry: Entry<Node>, from: string | null, to: string, proxies: readonly string[] | null): void {
    if (entry.mastership.address !== null) return;
    const what = from === null ? `begins with ${to}` : `fails over from ${from} to ${to}`;
    const whom =
      proxies === null
        ? 'that cannot be recorded yet, so others may still be at the former one'
        : `waits until the former one is left by ${proxies.length === 1 ? 'the proxy' : 'the proxies'} ${proxies.join(', ')}`;
    entry.mastership = { address: null, why: `${what}: ${whom}` };
    this.#ports.changed();
  }

  /** Keeps what is recorded as it is: the epoch of Sentinels and the history of a master may become others. */
  async #note(entry: Entry<Node>): Promise<void> {
    const { follower, serving, agreed } = entry;
    if (entry.isNoting || entry.isHandingOver || serving === null || !entry.isMember) return;
    const { found, seen } = follower;
    if (found === null || found.address !== serving.address) return;
    const isAsRecorded =
      agreed?.address === found.address &&
      agreed.epoch === found.epoch &&
      agreed.runId !== undefined &&
      (seen === null || agreed.history === seen.history);
    const now = this.#options.timers.now();
    if (isAsRecorded || now - entry.notedAt < NOTED_MS) return;
    entry.notedAt = now;
    entry.isNoting = true;
    await this.#settle(entry, found, null, true).catch(() => {});
    entry.isNoting = false;
  }

  /** A master that nobody vouches for any more may have become a former one, by which others do not go any more. */
  #doubt(): void {
    const isSure = this.#agreement.isWaitedFor;
    const now = this.#options.timers.now();
    for (const entry of this.#entries.values()) {
      const { serving, follower } = entry;
      if (serving === null || entry.isHandingOver || !entry.isMember) continue;
      const age = now - follower.vouchedAt;
      if (!isSure && age > TENURE_MS / 3) follower.look();
      const isDoubtful = !isSure && age > TENURE_MS;
      if (isDoubtful === entry.isDoubted) {
        if (isSure) void this.#note(entry);
      } else if (isDoubtful) {
        entry.isDoubted = true;
        const why = `may have another master than ${serving.address}: neither the other proxies nor those who know where it is can be asked`;
        entry.mastership = { address: null, why };
        this.#ports.changed();
      } else void this.#trustAgain(entry, serving, isSure);
    }
  }

  async #trustAgain(entry: Entry<Node>, serving: Found, isSure: boolean): Promise<void> {
    if (entry.isNoting) return;
    entry.isNoting = true;
    try {
      const stored = isSure ? await this.#agreement.load(entry.key) : null;
      if (stored !== null) this.#take(entry, stored.record);
      if (entry.isHandingOver || entry.serving !== serving || entry.follower.found?.address !== serving.address) return;
      entry.isDoubted = false;
      entry.mastership = { address: serving.address, why: '' };
      this.#ports.changed();
    } catch {
      // It is asked again.
    } finally {
      entry.isNoting = false;
    }
  }
}

/** Remembers which history the server's goes on from. */
function note({ replication: { history, formerHistory } }: Server, between: Map<string, string>): void {
  if (formerHistory !== '') between.set(history, formerHistory);
  for (const oldest of between.keys()) {
    if (between.size <= BETWEEN) break;
    between.delete(oldest);
  }
}

function describeRelation(related: boolean | null, emptied: boolean): string {
  if (emptied) return '; it had not followed the former one, so it was emptied before it serves';
  if (related !== false) return '';
  return '; it has NOT followed the former one: values may be older than those that clients were told were written';
}

const RESTARTED =
  'has a master that was restarted, and what that has may be of the past: it serves again once it is emptied';
const UNASKED: Mastership = { address: null, why: 'has no master that is known yet' };
