/**
 * A node as the data plane sees it: its lanes by kind, whether it answers, and the error that its keys get
 * while it does not.
 */
import type { Address } from '../../node/address.js';
import { addressOf } from '../../node/dial.js';
import { type Login, type Mastership, shownAddress } from '../../node/endpoint.js';
import { RESTARTED } from '../../node/failure.js';
import type { NodeTls } from '../../node/tls.js';
import { error as encodeError, request as encodeRequest } from '../../resp/encode.js';
import type { OutletPools } from '../io/outlet.js';
import type { Turn } from '../io/turn.js';
import type { Clock } from '../measure/clock.js';
import { NodeCounters } from '../measure/counters.js';
import type { DataPlaneOptions } from '../options.js';
import { NO_KEYS_AT_ALL, type Request } from '../request/request.js';
import type { RequestPool } from '../request/request-pool.js';
import type { Requester } from '../request/requester.js';
import type { RoutedNode } from '../snapshot.js';
import { BusyState } from './busy-state.js';
import { Lane } from './lane.js';
import type { LaneEnd } from './lane-end.js';
import type { LaneKind } from './lane-kind.js';
import { LanePool } from './lane-pool.js';
import { Drop, dropFrame, LateConnections } from './late-connections.js';
import { NodeReports } from './node-reports.js';
import { Reconnect } from './reconnect.js';
import { SILENT_MS, Silence } from './silence.js';
import { cutOff, Suspension } from './suspension.js';
import { Trouble } from './trouble.js';
import { Unanswered } from './unanswered.js';

/** What all nodes of a data plane have in common. */
export interface UpstreamShared {
  readonly options: DataPlaneOptions;
  readonly turn: Turn;
  readonly clock: Clock;
  readonly lanePools: OutletPools;
  readonly requests: RequestPool;
  /** All lanes of commands that wait at a node read into this: there may be thousands of them. */
  readonly blockingReceive: Buffer;
  /** A node is back that was down: it serves again when this has settled. */
  readonly beforeReturn: (name: string, address: string) => Promise<void>;
  /** Tells the other processes that a script keeps the node busy, or (null) that none does any more. */
  readonly tellBusy: (name: string, address: string, reply: Buffer | null) => void;
}

/** Milliseconds. */
const TURNED_AWAY_MS = 1000;
/** Whoever reads from a replica that does not answer is answered by the master, and waits no longer for that. Milliseconds. */
const REPLICA_MS = 300;
/** While a node runs one script, further ones wait: their lanes need not all be retired. */
const MOST_BEHIND_CODE = 8;
/** How much of the private lanes large values may use. */
const VALUES_PART = 0.75;

export class UpstreamNode {
  readonly id: number;
  readonly name: string;
  readonly address: string;
  #login: Login;
  /** Its address may be one that says who knows where its master is. */
  readonly isFollowed: boolean;
  /** It is a replica of a node, by itself: it is only read from, and nobody is told what becomes of it. */
  readonly isReplica: boolean;
  readonly tls: NodeTls | undefined;
  readonly shared: UpstreamShared;
  readonly counters = new NodeCounters();
  #target: Address | null;
  #shownAddress: string;
  /** Its connections are being ended, since another server takes its place. */
  #isHandedOver = false;
  #up = true;
  #asksRunId = false;
  #process: string | undefined;
  #hasServed = false;
  #downReply: Buffer;

  /** Connections that ended with commands in flight. */
  readonly late = new LateConnections();

  readonly busy: BusyState;

  /** Whether this proxy may speak to it at all. */
  readonly suspension: Suspension;

  readonly #silence = new Silence();
  /** What its error replies say of it. */
  readonly trouble = new Trouble((reason) => this.#reports.trouble(reason));
  readonly #unanswered = new Unanswered((reason) => this.#reports.silence(reason));
  readonly #reports: NodeReports;
  /** Commands that never were answered. */
  #lost = 0;

  readonly #lanes: Lane[][] = [];
  /** Every lane that is open, shared ones and private ones. */
  readonly #open = new Set<Lane>();
  /** Lanes that serve one client at a time. */
  readonly privateLanes: LanePool;
  /** Lanes for commands that wait at the node. */
  readonly blockingLanes: LanePool;
  readonly #kinds: LaneKind[] = [];
  #next = 0;
  readonly #reconnect = new Reconnect(() => this.#tryAgain());
  #turnedAwayAt = Number.NEGATIVE_INFINITY;
  #closed = false;
  #isGivenUp = false;
  /** It has answered after it was down, and does not serve yet. */
  #returning = false;
  /** Lanes that a script holds up which takes long. */
  #behindCode = 0;

  constructor(node: RoutedNode, shared: UpstreamShared, isReplica = false) {
    const { id, name, address, username, password, tls } = node;
    this.id = id;
    this.name = name;
    this.address = address;
    this.#login = { username, password };
    this.isFollowed = node.master !== undefined;
    this.isReplica = isReplica;
    this.#target = targetOf(node);
    this.#shownAddress = shownAddress(node);
    this.tls = tls;
    this.shared = shared;
    this.busy = new BusyState((reply) => shared.tellBusy(name, address, reply));
    this.suspension = new Suspension(this);
    this.#reports = new NodeReports(name, address, !isReplica);
    this.#up = this.#target !== null;
    this.#downReply = this.#describeDown(this.#up ? 'has not been reached yet' : (node.master?.why ?? ''));
    const { nodePrivateConnections, nodeBlockingConnections } = shared.options;
    this.privateLanes = new LanePool(nodePrivateConnections, (index, pool) => this.#openPrivate(index, pool, null));
    this.blockingLanes = new LanePool(nodeBlockingConnections, (index, pool) =>
      this.#openPrivate(index, pool, shared.blockingReceive),
    );
  }

  /** By which connections log in that are opened from now on. */
  get login(): Login {
    return this.#login;
  }

  /** Connections that have logged in go on. */
  useLogin({ username, password }: Login): void {
    if (username === this.#login.username && password === this.#login.password) return;
    this.#login = { username, password };
    this.#turnedAwayAt = Number.NEGATIVE_INFINITY;
    if (!this.#reconnect.isScheduled) return;
    // It may be down for the former password alone.
    this.#reconnect.reset();
    this.#scheduleRetry();
  }

  /** For how long a command may have no answer. Milliseconds. */
  get requestTimeout(): number {
    const { requestTimeout } = this.shared.options;
    return this.isReplica ? Math.min(requestTimeout, REPLICA_MS) : requestTimeout;
  }

  /** Since when something is in flight here, or may be, by the clock; Infinity: nothing is. What waits at the node does not count. */
  get busySince(): number {
    let since = Number.POSITIVE_INFINITY;
    for (const lane of this.#open) if (lane.patience === 0) since = Math.min(since, lane.head?.startedAt ?? since);
    return since;
  }

  /** Where new connections go; null: its master is not known. */
  get target(): Address | null {
    return this.#target;
  }

  /** Where it is now, for people. */
  get shownAddress(): string {
    return this.#shownAddress;
  }

  /** False while the node cannot be reached, or may not be spoken to: its commands fail at once instead of waiting. */
  get up(): boolean {
    return this.#up && this.suspension.reply === null;
  }

  /** Whether the node can be reached, as far as it is known. */
  get isReachable(): boolean {
    return this.#up;
  }

  /** What a command for this node is answered while it is not up. */
  get downReply(): Buffer {
    return this.suspension.reply ?? this.#downReply;
  }

  /** This proxy may not speak to it until `resume`. @param why a sentence, for whoever sends a command */
  suspend(why: string): void {
    this.#reconnect.cancel();
    this.suspension.begin(why);
    for (const lane of [...this.#open]) lane.cutOff(cutOff(why));
  }

  /**
   * Another server is the node from now on, or (no address) none for a while: connections end at once, and what is in
   * flight on them has no known outcome.
   */
  useMaster(master: Mastership): void {
    const { name, address } = this;
    const target = targetOf({ name, address, master });
    const isSame = master.address !== null && master.address === this.#shownAddress && this.#target !== null;
    if (this.#closed || isSame) return;
    const hadNone = this.#target === null;
    const wasUp = this.#up;
    this.#target = target;
    // Whoever hears that a command has failed may send the next one at once.
    this.#up = target !== null;
    this.#reconnect.cancel();
    this.#reconnect.reset();
    if (target === null) this.#downReply = this.#describeDown(master.why);
    if (!hadNone) this.#handOver(target === null ? master.why : `has failed over to ${master.address}`);
    this.#shownAddress = master.address ?? this.#shownAddress;
    if (target === null) {
      if (wasUp) this.#reports.down(master.why);
      return;
    }
    if (!wasUp) this.#reports.up();
    if (this.suspension.reply === null && this.shared.options.preconnect) this.preconnect();
  }

  #handOver(why: string): void {
    this.#isHandedOver = true;
    this.#hasServed = false;
    for (const lane of [...this.#open]) lane.cutOff(why);
    this.suspension.cutAll();
    this.#isHandedOver = false;
    this.#turnedAwayAt = Number.NEGATIVE_INFINITY;
    // Their numbers are those of another server's connections.
    this.late.forgetAll();
    this.busy.end();
  }

  /** This proxy may speak to it again, unless the ring has given it up. */
  resume(): void {
    if (this.#isGivenUp) return;
    this.suspension.end();
    if (this.#closed) return;
    if (!this.#up) this.#scheduleRetry();
    else if (this.shared.options.preconnect) this.preconnect();
  }

  /**
   * It leaves the ring without its keys: nothing that it may yet answer counts. Or it does not after all.
   * @param maySpeak whether this proxy may speak to nodes now
   */
  giveUp(isGivenUp: boolean, maySpeak: boolean): void {
    if (isGivenUp === this.#isGivenUp) return;
    this.#isGivenUp = isGivenUp;
    if (isGivenUp) this.suspend('it is being taken out of the ring, and its keys are given up');
    else if (maySpeak) this.resume();
  }

  /** The ring gives it up: nothing that it may yet answer counts. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** New connections tell which process they lead to: the ring changes, or not any process may serve. */
  get asksRunId(): boolean {
    return this.#asksRunId || this.#process !== undefined;
  }

  /** @see NodeEndpoint.process */
  get process(): string | undefined {
    return this.#process;
  }

  /** This process alone may serve from now on: connections to another one end, and none is made. */
  useProcess(process: string | undefined): void {
    const before = this.#process ?? '';
    if (process === this.#process) return;
    this.#process = process;
    if (process === undefined || process === '') return;
    for (const lane of [...this.#open]) {
      if (!lane.ready || lane.runId === process) continue;
      if (lane.runId !== '') lane.end('closed', RESTARTED);
      else {
        // It was opened before anybody asked.
        this.#forget(lane);
        lane.retire();
      }
    }
    if (before !== '') this.suspension.cutAll();
    if (this.#up || !this.#reconnect.isScheduled || this.suspension.reply !== null) return;
    this.#reconnect.reset();
    this.#scheduleRetry();
  }

  /** What is open leads to a process that is not the node any more. @param lane that has found another one */
  onOtherProcess(lane: Lane): void {
    for (const other of [...this.#open]) if (other !== lane && other.ready) other.end('closed', RESTARTED);
    this.suspension.cutAll();
  }

  /** @param asks whether new connections are to tell which process they lead to */
  askRunId(asks: boolean): void {
    this.#asksRunId = asks;
  }

  /** It is up, and has not answered for a moment: what can do without it does not wait for it. */
  get silent(): boolean {
    return this.#silence.lasts(this.#open, this.shared.clock.now);
  }

  /** What is said of a node that is not waited for any longer. */
  get silentReply(): Buffer {
    return this.#describeDown(`has not answered within ${SILENT_MS} ms`);
  }

  /** @param reply an error reply: of the node's, or of the proxy's on the node */
  withoutName(reply: Buffer): string {
    const text = reply.toString('utf8', 1).trimEnd();
    const name = `NODEDOWN node ${this.name} (${this.#shownAddress}) `;
    return text.startsWith(name) ? text.slice(name.length) : text;
  }

  get inflight(): number {
    let sum = 0;
    // Commands that wait at the node are no queue.
    for (const lane of this.#open) if (lane.patience === 0) sum += lane.inflight;
    return sum;
  }

  get connections(): number {
    return this.#open.size;
  }

  kindIndex(kind: LaneKind): number {
    return (kind.protocol - 2) * this.shared.options.databases + kind.database;
  }

  /**
   * A shared lane for commands of this kind, opened when there is none yet.
   * @returns null while the node is down
   */
  pick(kind: LaneKind): Lane | null {
    if (!this.up || this.#closed) return null;
    const index = this.kindIndex(kind);
    let lanes = this.#lanes[index];
    if (lanes === undefined) {
      lanes = [];
      this.#lanes[index] = lanes;
    }
    // What is read of a replica by one connection is read in order.
    const most = this.isReplica ? 1 : this.shared.options.nodeConnections;
    const wantsMore = lanes.length < most && this.#takesMore(lanes);
    if (wantsMore) return this.#openShared(lanes, kind, index);
    return this.#nextOf(lanes);
  }

  /** The next one by turns; while this proxy waits for leave to speak, one that had it before. */
  #nextOf(lanes: readonly Lane[]): Lane | null {
    for (let tried = 1; tried <= lanes.length; tried++) {
      this.#next = (this.#next + 1) % lanes.length;
      const lane = lanes[this.#next];
      if (lane !== undefined && (!lane.isLooking || tried === lanes.length)) return lane;
    }
    return null;
  }

  /** Whether a connection to its server has been usable: then the settings fit, whatever is wrong now. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** Whether shared connections to the node work: when it turns away another one, it is not down. */
  get hasReadyLane(): boolean {
    for (const lane of this.#open) if (lane.ready && lane.pool === null) return true;
    return false;
  }

  /**
   * A node that has had enough of connections is not asked for a further one all the time, and commands do not wait for
   * leave to speak by a further one.
   */
  #takesMore(lanes: readonly Lane[]): boolean {
    if (lanes.length === 0) return true;
    const { standing } = this.shared.options;
    return this.shared.clock.now - this.#turnedAwayAt > TURNED_AWAY_MS && standing.holds(standing.id);
  }

  /**
   * A lane that only `client` uses, for what changes a connection's state.
   * @returns null when the node is down or has as many private lanes as it may
   */
  takePrivate(kind: LaneKind, client: Requester): Lane | null {
    return this.#takeFrom(this.privateLanes, kind, client);
  }

  /**
   * A lane that only `client` uses, for large values. Those have another way when there is none, which a WATCH has not,
   * and slow clients may keep them for long: so they get a part of the private lanes only.
   * @returns null when the node is down or has as many of these lanes as it may
   */
  takeForValues(kind: LaneKind, client: Requester): Lane | null {
    const { nodePrivateConnections } = this.shared.options;
    if (this.privateLanes.inUse >= Math.max(1, Math.floor(nodePrivateConnections * VALUES_PART))) return null;
    return this.#takeFrom(this.privateLanes, kind, client);
  }

  /**
   * A lane for a command that may wait at the node for as long as it likes.
   * @returns null when the node is down or has as many of these lanes as it may
   */
  takeBlocking(kind: LaneKind, client: Requester): Lane | null {
    return this.#takeFrom(this.blockingLanes, kind, client);
  }

  /** Gives back a lane of one client; one that still has replies to come is closed, since they are nobody's. */
  releasePrivate(lane: Lane): void {
    if (lane.closed) return;
    if (lane.inflight > 0 || !lane.accepting || lane.pool === null) {
      lane.end('closed', 'the client left');
      return;
    }
    lane.pool.give(lane, this.shared.clock.now);
  }

  /** Opens the lane that most clients will use, so that the first command does not wait for it. */
  preconnect(): void {
    this.pick({ protocol: 2, database: 0 });
  }

  /** Counts the answer to a request. */
  answered(request: Request, failed: boolean): void {
    const counters = this.counters;
    counters.commands++;
    if (failed) counters.errors++;
    counters.time.record(this.shared.clock.now - request.startedAt);
  }

  /** The same of a request that got none: its connection has ended. */
  unanswered(request: Request): void {
    this.#lost++;
    this.answered(request, true);
  }

  /** How many commands it has answered. */
  get #answers(): number {
    return this.counters.commands - this.#lost;
  }

  onLaneReady(lane: Lane): void {
    lane.pool?.onReady(lane);
    this.#hasServed = true;
    this.#reconnect.reset();
    if (this.#up || this.#returning) return;
    this.#returning = true;
    void this.#return(lane);
  }

  /** The process behind the node may be another one, and lack the functions that clients have loaded. */
  async #return(lane: Lane): Promise<void> {
    await this.shared.beforeReturn(this.name, this.address);
    this.#returning = false;
    if (this.#closed || this.#up || this.#target === null) return;
    // Gone again meanwhile.
    if (lane.closed) return this.#markDown('cut the connection');
    this.#up = true;
    this.#reports.up();
  }

  /** The lane carries a large reply and is not shared any longer. */
  onLaneRetired(lane: Lane): void {
    this.#forget(lane);
  }

  /** A script no longer holds up one of the lanes. */
  onCodeEnd(): void {
    if (--this.#behindCode === 0) this.busy.end();
  }

  onLaneEnd(lane: Lane, reason: LaneEnd, why: string, wasReady: boolean): void {
    this.#forget(lane);
    this.#open.delete(lane);
    if (wasReady && lane.inflight > 0 && lane.connectionId >= 0 && !this.#isHandedOver && !this.isReplica)
      this.#onLate(lane);
    lane.pool?.forget(lane);
    if (lane.isBehindCode) this.onCodeEnd();
    if (this.#closed || reason === 'closed' || reason === 'refused') return;
    if (reason === 'timeout') this.#unanswered.noteTimeout(this.#answers, this.requestTimeout, this.shared.clock.now);
    if (reason === 'turned-away') {
      this.#turnedAwayAt = this.shared.clock.now;
      this.trouble.noteTurnedAway(why, this.#turnedAwayAt);
      return;
    }
    if (reason === 'no-leave') {
      this.#turnedAwayAt = this.shared.clock.now;
      if (this.up || this.suspension.reply !== null) return;
    }
    if (wasReady) this.counters.reconnects++;
    if (reason === 'lost') {
      // The node may just have restarted: one attempt at once decides whether it is down.
      if (this.#up && !this.#reconnect.isScheduled) this.pick({ protocol: 2, database: 0 });
      return;
    }
    this.#markDown(why);
  }

  /** Called about ten times a second. */
  tick(now: number): void {
    for (const lane of this.#open) {
      lane.lookAgain();
      lane.checkTimeout(now);
      if (lane.inflight > 0 && this.#behindCode < MOST_BEHIND_CODE && lane.noticeLongCode(now)) {
        this.#behindCode++;
        this.#askWhetherBusy(now);
      }
      lane.checkPause(now);
      // A shared lane that was given to one large reply has done its duty when that is through.
      if (!lane.closed && !lane.accepting && lane.owner === null && lane.inflight === 0)
        lane.end('closed', 'is retired');
    }
    if (this.busy.tick(now, this.#behindCode > 0)) this.#askWhetherBusy(now);
    this.#silence.tick(this.#open, now);
    this.trouble.tick(now);
    this.#unanswered.tick(this.#answers, this.requestTimeout, now);
    this.privateLanes.tick(now);
    this.blockingLanes.tick(now);
  }

  /** A script of a client of the proxy's takes long, so the node may say nothing at all. */
  get runsLongCode(): boolean {
    return this.#behindCode > 0 || this.busy.runsCodeOfOthers;
  }

  lanes(): Iterable<Lane> {
    return this.#open;
  }

  /** The node is no member any more: nothing new is sent to it, what is in flight is still answered. */
  leave(): void {
    this.#closed = true;
    this.#reconnect.cancel();
    this.#downReply = this.#describeDown('has left the ring');
    for (const lane of [...this.#open]) lane.retire();
  }

  /** Ends every lane, because the node left the ring or the proxy stops. */
  close(why: string): void {
    this.#closed = true;
    this.#reconnect.cancel();
    this.#downReply = this.#describeDown(why);
    for (const lane of [...this.#open]) lane.end('closed', why);
  }

  /** A node says that it is busy once a script has run for its `busy-reply-threshold`. */
  #askWhetherBusy(now: number): void {
    const lane = this.pick({ protocol: 2, database: 0 });
    if (lane === null) return;
    const probe = this.busy.ask(now, this.shared.requests, () => this.#behindCode > 0);
    lane.ask(PING, probe, NO_KEYS_AT_ALL);
  }

  /** Lanes that are still to be opened drop it by themselves. */
  #onLate({ connectionId, peer, pool }: Lane): void {
    const { requests } = this.shared;
    const writes = pool !== this.blockingLanes;
    this.late.add(connectionId, peer, writes);
    if (!writes || this.#closed || this.suspension.reply !== null) return;
    const frame = dropFrame(connectionId, peer);
    for (const lane of this.#open) {
      // One that a client has for itself may be in the middle of a frame; one that nobody has is opened anew.
      if (lane.pool !== null && lane.owner === null) lane.end('closed', 'was idle when another connection was lost');
      if (lane.pool !== null) continue;
      lane.ask(frame, new Drop(this.late, connectionId, requests));
    }
  }

  #openShared(lanes: Lane[], kind: LaneKind, index: number): Lane {
    const lane = new Lane(this, kind, index, null);
    lanes.push(lane);
    this.#open.add(lane);
    lane.open();
    return lane;
  }

  #takeFrom(pool: LanePool, kind: LaneKind, client: Requester): Lane | null {
    if (!this.up || this.#closed) return null;
    const index = this.kindIndex(kind);
    this.#kinds[index] = kind;
    return pool.take(index, client);
  }

  #openPrivate(index: number, pool: LanePool, receive: Buffer | null): Lane {
    const lane = new Lane(this, this.#kinds[index] as LaneKind, index, pool, receive);
    this.#open.add(lane);
    lane.open();
    return lane;
  }

  #forget(lane: Lane): void {
    const lanes = this.#lanes[lane.kindIndex];
    const at = lanes?.indexOf(lane) ?? -1;
    if (at >= 0) lanes?.splice(at, 1);
  }

  #markDown(why: string): void {
    this.#downReply = this.#describeDown(why);
    if (this.#up) {
      this.#up = false;
      this.#reports.down(why);
    }
    if (!this.#reconnect.isScheduled && this.suspension.reply === null) this.#scheduleRetry();
  }

  #scheduleRetry(): void {
    if (this.#target !== null) this.#reconnect.schedule(this.shared.options.reconnectBackoffMax);
  }

  #tryAgain(): void {
    if (this.#closed || this.#up) return;
    const kind: LaneKind = { protocol: 2, database: 0 };
    const index = this.kindIndex(kind);
    const lanes = this.#lanes[index] ?? [];
    this.#lanes[index] = lanes;
    this.#openShared(lanes, kind, index);
  }

  #describeDown(why: string): Buffer {
    return encodeError(`NODEDOWN node ${this.name} (${this.#shownAddress}) ${why}`);
  }
}

const PING = Buffer.from(encodeRequest(['PING']));

/** Null: it is not known which server is the node's master. */
function targetOf(node: Pick<RoutedNode, 'name' | 'address' | 'master'>): Address | null {
  return node.master?.address === null ? null : addressOf(node);
}
