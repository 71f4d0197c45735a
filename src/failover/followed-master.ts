/**
 * Where the master of one node is that is followed. When it fails over, its keys get an error for as long as the hand-over
 * takes; then the new master serves.
 */
import type { Mastership, NodeEndpoint } from '../node/endpoint.js';
import type { Followed } from '../node/followed.js';
import { type NodeIdentity, nodeKey } from '../node/identity.js';
import { within } from '../time/within.js';
import { type Agreed, type Agreement, servedLast, TENURE_MS } from './agreement.js';
import { goesOn, type Served, type Server } from './continuity.js';
import { type EmptyingPorts, MasterEmptying } from './emptying.js';
import { type NodeFailoverEvent, type NodeMasterEvent, nodeFailover, nodeMasterDoubtful } from './events.js';
import { Follower } from './follower.js';
import { describeLoss, type HandOverPorts, handOver } from './hand-over.js';
import type { MastersOptions, MastersPorts, MasterView } from './options.js';
import { createSource, ReplicationProbe } from './sources.js';
import type { Found } from './votes.js';

/** Between two looks at whether what is recorded is as it should be. Milliseconds. */
const NOTED_MS = 2000;
/** Until what is recorded is asked for again. Milliseconds. */
const RECALL_MS = 200;
/** So many histories of masters that did not serve are remembered. */
const BETWEEN = 16;

export class FollowedMaster<Node extends NodeIdentity> {
  readonly #node: Node;
  readonly #key: string;
  readonly #followed: Followed;
  readonly #options: MastersOptions;
  readonly #ports: MastersPorts<Node>;
  readonly #agreement: Agreement;
  readonly #follower: Follower;
  /** Of the ring, and not ejected from it: what it has counts. */
  isServed: boolean;
  #isMember: boolean;
  /** Followed although no member, until then (by the timers' clock). */
  #guestUntil: number;
  /** Who serves; null: nobody yet. */
  #serving: Found | null = null;
  /** A hand-over is under way, also the first one. */
  #isHandingOver = false;
  /** Settles when the last one that has begun is over. */
  #handingOver: Promise<void> = Promise.resolve();
  #mastership: Mastership = UNASKED;
  #failovers = 0;
  #lostBytes = 0;
  #unrelated = 0;
  #emptied = 0;
  /** What is recorded, as it is known here; null: nothing. */
  #agreed: Agreed | null = null;
  /** Who serves, as it was recorded; null: nothing is. */
  #servedAs: Served | null = null;
  /** By which record it serves; 0: by none. */
  #servesBy = 0;
  /** The record by which a master was to be emptied. */
  #emptiesBy = 0;
  /** Another process was found where it serves. */
  #isRestarted = false;
  /** Which history goes on from which: of masters that were found, and may not have served. */
  readonly #between = new Map<string, string>();
  /** Nobody vouches for the master that serves: it does not, for the moment. */
  #isDoubted = false;
  /** It is being looked whether what is recorded still holds. */
  #isNoting = false;
  /** When that was looked at last, by the timers' clock. */
  #notedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** @param guestUntil how long it is followed where it is no member of the ring, by the timers' clock */
  constructor(
    node: Node,
    followed: Followed,
    options: MastersOptions,
    ports: MastersPorts<Node>,
    agreement: Agreement,
    isMember: boolean,
    guestUntil: number,
  ) {
    this.#node = node;
    this.#key = nodeKey(node);
    this.#followed = followed;
    this.#options = options;
    this.#ports = ports;
    this.#agreement = agreement;
    this.#isMember = isMember;
    this.isServed = isMember;
    this.#guestUntil = guestUntil;
    const { interval, timeout, sentinels, timers } = options;
    this.#follower = new Follower({
      source: createSource(followed, {
        ...{ node: node.name, timeout, sentinels, serverLogin: () => ports.login(node) },
        onNews: () => this.look(),
      }),
      probe: (address) => this.#probe(address),
      ...{ interval, timers },
      onFound: () => this.#onNews(),
      onStrange: (why) => this.#onStrange(why),
    });
    void this.#begin();
  }

  get mastership(): Mastership {
    return this.#mastership;
  }

  get view(): MasterView {
    const { address } = this.#mastership;
    return {
      ...{ address, source: this.#followed.kind, epoch: this.#serving?.epoch ?? null },
      ...{ failovers: this.#failovers, lostBytes: this.#lostBytes },
      ...{ unrelated: this.#unrelated, emptied: this.#emptied },
      reason: address === null ? this.#mastership.why : this.#follower.why,
    };
  }

  /** The run id of the process that may serve; empty: it is not recorded yet, or nobody serves. */
  get process(): string {
    const { address } = this.#mastership;
    return address !== null && this.#agreed?.address === address ? (this.#agreed.runId ?? '') : '';
  }

  /** Of the ring: what is found is recorded. */
  get isMember(): boolean {
    return this.#isMember;
  }

  /** It is a member from now on. */
  join(): void {
    if (this.#isMember) return;
    this.#isMember = true;
    void this.#note();
  }

  /** @param until by the timers' clock */
  keep(until: number): void {
    this.#guestUntil = Math.max(this.#guestUntil, until);
  }

  /** Whether it is followed although it is no member. */
  isGuest(now: number): boolean {
    return this.#guestUntil > now;
  }

  /** Settles when it is known where the master is, or that it is not. */
  async known(): Promise<void> {
    await this.#follower.firstAnswer();
    await this.#handingOver;
  }

  /** Something is wrong with the node, or it says that it is no master: looks at once. */
  look(): void {
    this.#follower.look();
  }

  close(): void {
    this.#closed = true;
    this.#follower.close();
  }

  /** What is recorded is another master, or nothing any more. */
  take(record: Agreed | null): void {
    if (record !== null && record.serial < (this.#agreed?.serial ?? 0)) return;
    const process = this.process;
    this.#agreed = record;
    if (record === null) {
      this.#follower.forget();
      return;
    }
    if (record.emptying !== undefined) this.#emptiesBy = record.serial;
    if (record.settled && record.address === this.#serving?.address) this.#servedAs = servedLast(record);
    this.#follower.adopt({ address: record.address, epoch: record.epoch }, record.history);
    // Nobody has a connection to a process that is gone, but others wait for this proxy's word.
    if (this.#isToLeave) this.#onNews();
    else if (this.process !== process) this.#ports.changed();
  }

  /**
   * A master that nobody vouches for any more may have become a former one, by which others do not go any more.
   * @param isSure the other proxies wait for this one's word
   */
  doubt(isSure: boolean): void {
    const serving = this.#serving;
    if (serving === null || this.#isHandingOver || !this.#isMember) return;
    const age = this.#options.timers.now() - this.#follower.vouchedAt;
    if (!isSure && age > TENURE_MS / 3) this.look();
    const isDoubtful = !isSure && age > TENURE_MS;
    if (isDoubtful === this.#isDoubted) {
      if (isSure) void this.#note();
    } else if (isDoubtful) {
      this.#isDoubted = true;
      const why = `may have another master than ${serving.address}: neither the other proxies nor those who know where it is can be asked`;
      this.#mastership = { address: null, why };
      this.#ports.changed();
    } else void this.#trustAgain(serving, isSure);
  }

  /** Begins with what is recorded, if anything: nothing that is older counts. */
  async #begin(): Promise<void> {
    const { timers } = this.#options;
    while (!this.#closed) {
      try {
        const stored = await this.#agreement.load(this.#key);
        if (stored !== null) {
          const { address, epoch, history } = stored.record;
          this.#agreed = stored.record;
          this.#follower.remember({ address, epoch }, history);
          // Others are there already.
          if (this.#isMember && (await this.#agreement.hasOthers())) this.take(stored.record);
        }
        break;
      } catch {
        if (!this.#agreement.isBinding) break;
        await new Promise<void>((resolve) => timers.after(RECALL_MS, resolve));
      }
    }
    this.#follower.look();
  }

  /** Another process is behind the master's address than the one that has served. */
  get #isToLeave(): boolean {
    if (this.#isRestarted) return true;
    const agreed = this.#agreed;
    return (
      agreed?.emptying !== undefined && agreed.address === this.#serving?.address && agreed.serial > this.#servesBy
    );
  }

  #onNews(): void {
    if (!this.#isHandingOver) this.#handingOver = this.#onFound();
  }

  #server(address: string): NodeEndpoint {
    return { name: this.#node.name, address, ...this.#ports.login(this.#node) };
  }

  #probe(address: string): ReplicationProbe {
    return new ReplicationProbe(() => this.#server(address), this.#options.timeout);
  }

  #onStrange(why: string): void {
    const node = this.#node;
    if (this.#serving === null) {
      this.#mastership = { address: null, why };
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

  async #onFound(): Promise<void> {
    this.#isHandingOver = true;
    // Another failover may be found while one is carried out.
    while (!this.#closed) {
      const { found } = this.#follower;
      if (found === null || (found.address === this.#serving?.address && !this.#isToLeave)) break;
      const event = this.#serving === null ? await this.#enter(found) : await this.#handOver(this.#serving, found);
      if (event === 'not yet') continue;
      this.#serving = found;
      const agreed = this.#agreed;
      const isRecorded = agreed?.address === found.address;
      this.#servesBy = agreed?.serial ?? 0;
      this.#isRestarted = false;
      this.#servedAs = isRecorded && agreed.settled ? servedLast(agreed) : null;
      if (isRecorded && agreed.serial === this.#emptiesBy) {
        this.#emptied++;
        this.#ports.emptied(this.#node, found.address);
      }
      if (this.#follower.found?.address === found.address) {
        this.#isDoubted = false;
        this.#mastership = { address: found.address, why: '' };
        this.#ports.changed();
      }
      if (event !== null) nodeFailover.publish(event);
    }
    this.#isHandingOver = false;
  }

  /** The first one that this process follows. */
  async #enter(found: Found): Promise<null | 'not yet'> {
    if (!this.#isMember) return null;
    const agreed = await this.#settle(found, null, false);
    if (this.#follower.found?.address !== found.address) return 'not yet';
    return agreed === null || agreed.address === found.address ? null : 'not yet';
  }

  async #handOver(serving: Found, found: Found): Promise<NodeFailoverEvent | null | 'not yet'> {
    const { address: from } = serving;
    const { address: to, epoch } = found;
    const node = this.#node;
    const follower = this.#follower;
    const { timers } = this.#options;
    const begun = timers.now();
    const before = follower.seen;
    const servedAs = this.#servedAs;
    const isSame = from === to;
    this.#mastership = { address: null, why: isSame ? RESTARTED : `fails over from ${from} to ${to}` };
    this.#ports.changed();
    if (this.#isMember) {
      // Others may only hear that this proxy has left when it has.
      await this.#ports.cut().catch(() => {});
      const agreed = await this.#settle(found, from, false);
      if (follower.found?.address !== to || (agreed !== null && agreed.address !== to)) {
        // On to a third one, or back to where it was, to which connections are opened anew.
        if (follower.found?.address === from) this.#serving = null;
        return 'not yet';
      }
      if (isSame) return null;
    }
    const ports: HandOverPorts = {
      cut: () => this.#ports.cut(),
      drop: (address) => this.#ports.drop(this.#server(address)),
      read: async (address) => {
        const probe = this.#probe(address);
        return probe.read().finally(() => probe.close());
      },
      timers,
    };
    const { fenced, loss } = await handOver(from, to, before, ports);
    const related = await this.#isRelated(to, servedAs);
    const emptied = this.#agreed?.address === to && this.#agreed.serial === this.#emptiesBy;
    this.#failovers++;
    this.#lostBytes += loss.bytes ?? 0;
    if (related === false) this.#unrelated++;
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
  async #isRelated(address: string, served: Served | null): Promise<boolean | null> {
    if (served === null) return null;
    const probe = this.#probe(address);
    const server = await within(this.#options.timeout, probe.identify(), this.#options.timers);
    probe.close();
    return server === null || typeof server === 'symbol' ? null : goesOn({ address, ...server }, served, this.#between);
  }

  async #settle(found: Found, former: string | null, serves: boolean): Promise<Agreed | null> {
    const between = this.#between;
    const follower = this.#follower;
    const { address } = found;
    const { timers, empties } = this.#options;
    const probe = this.#probe(address);
    const look = async (): Promise<Server | null> => {
      const said = await probe.identify();
      if (said === null) return null;
      const server = { address, ...said };
      const served = this.#agreed === null ? null : servedLast(this.#agreed);
      // It may be gone before anybody can record that it went on from there.
      if (served !== null && address !== served.address && goesOn(server, served, between)) note(server, between);
      follower.remember(found, said.replication.history);
      return server;
    };
    follower.remember(found, '');
    const emptying = new MasterEmptying(this.#key, this.#ports.agreement, timers, this.#emptyingPorts);
    const candidate = { found, look, between, former, serves, serial: this.#agreed?.serial ?? 0 };
    const agreed = await this.#agreement
      .settle(this.#key, candidate, {
        isWanted: () => !this.#closed && follower.found?.address === address,
        waits: (proxies) => this.#tellOfWait(former, address, proxies),
        empties: this.isServed && empties(),
        restarted: () => {
          this.#isRestarted = true;
          this.#onNews();
        },
        empty: (stored) => emptying.step(stored),
      })
      .finally(() => probe.close());
    if (agreed !== null) this.take(agreed);
    return agreed;
  }

  get #emptyingPorts(): EmptyingPorts {
    const node = this.#node;
    return {
      drop: (address, proxies) => this.#ports.drop(this.#server(address), proxies),
      empty: (address, mayRemove) => this.#ports.empty(this.#server(address), mayRemove),
      told: (why) => {
        if (this.#mastership.address !== null) return;
        const { address } = this.#follower.found ?? this.#serving ?? { address: 'its master' };
        const tale = `is not served by ${address} yet, which has not followed the master that served last: it ${why}`;
        if (why === '' || this.#mastership.why === tale) return;
        this.#mastership = { address: null, why: tale };
        this.#ports.changed();
        this.#ports.warn(`node ${node.name} (${node.address}) ${tale}`);
      },
    };
  }

  #tellOfWait(from: string | null, to: string, proxies: readonly string[] | null): void {
    if (this.#mastership.address !== null) return;
    const what = from === null ? `begins with ${to}` : `fails over from ${from} to ${to}`;
    const whom =
      proxies === null
        ? 'that cannot be recorded yet, so others may still be at the former one'
        : `waits until the former one is left by ${proxies.length === 1 ? 'the proxy' : 'the proxies'} ${proxies.join(', ')}`;
    this.#mastership = { address: null, why: `${what}: ${whom}` };
    this.#ports.changed();
  }

  /** Keeps what is recorded as it is: the epoch of Sentinels and the history of a master may become others. */
  async #note(): Promise<void> {
    const serving = this.#serving;
    const agreed = this.#agreed;
    if (this.#isNoting || this.#isHandingOver || serving === null || !this.#isMember) return;
    const { found, seen } = this.#follower;
    if (found === null || found.address !== serving.address) return;
    const isAsRecorded =
      agreed?.address === found.address &&
      agreed.epoch === found.epoch &&
      agreed.runId !== undefined &&
      (seen === null || agreed.history === seen.history);
    const now = this.#options.timers.now();
    if (isAsRecorded || now - this.#notedAt < NOTED_MS) return;
    this.#notedAt = now;
    this.#isNoting = true;
    await this.#settle(found, null, true).catch(() => {});
    this.#isNoting = false;
  }

  async #trustAgain(serving: Found, isSure: boolean): Promise<void> {
    if (this.#isNoting) return;
    this.#isNoting = true;
    try {
      const stored = isSure ? await this.#agreement.load(this.#key) : null;
      if (stored !== null) this.take(stored.record);
      if (this.#isHandingOver || this.#serving !== serving || this.#follower.found?.address !== serving.address) return;
      this.#isDoubted = false;
      this.#mastership = { address: serving.address, why: '' };
      this.#ports.changed();
    } catch {
      // It is asked again.
    } finally {
      this.#isNoting = false;
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
/** Of a node that nobody has asked about. */
export const UNASKED: Mastership = { address: null, why: 'has no master that is known yet' };
