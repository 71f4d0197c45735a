/**
 * The data plane as one object: a listener, the clients, the nodes' lanes and the dispatcher between them.
 * The control plane gives it a ring (`publish`) and reads what it counted (`stats`).
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { CommandTable } from '../commands/table.js';
import { ValueStore } from '../fleet/values/store.js';
import { nodeKey, sameNode } from '../node/identity.js';
import { lastingBytes } from '../resp/words.js';
import { LATE, within } from '../time/within.js';
import type { TlsMaterial } from '../tls/material.js';
import { certificateName } from '../tls/shown-certificate.js';
import type { KeyGroup } from './caching/policy.js';
import { Dispatcher } from './dispatcher.js';
import { type ClientEvent, clientConnected, clientRejected } from './events.js';
import { answerPeer, onPeerNews } from './features/answer-peer.js';
import type { ScriptPeers } from './features/scripts/script-store.js';
import { Chunks } from './io/chunk.js';
import { ChunkPool } from './io/chunk-pool.js';
import { DrainingSet } from './io/draining-set.js';
import { FEW_BYTES, PLENTY_BYTES } from './io/outlet.js';
import { Turn } from './io/turn.js';
import { Clock } from './measure/clock.js';
import { CommandObserver } from './measure/command-observer.js';
import { Counters } from './measure/counters.js';
import { HotKeys } from './measure/hot-keys/hot-keys.js';
import { type HotReport, hotReport } from './measure/hot-keys/hot-report.js';
import { KeyGroups } from './measure/key-groups.js';
import type { CountedBy } from './measure/limit-counts.js';
import type { ReplicaCounts } from './measure/plane-stats.js';
import type { MeasuredPlane } from './measure/read-plane-stats.js';
import type { DataPlaneOptions } from './options.js';
import type { FleetPort } from './peers/fleet.js';
import type { PeerAnswer, PeerNews, PeerQuestion, Peers } from './peers/peers.js';
import type { SubscriptionBoard } from './peers/subscription-board.js';
import { HoldPool } from './request/hold.js';
import { RequestPool } from './request/request-pool.js';
import { Fence } from './route/fence/fence.js';
import { isReserved } from './route/reserved.js';
import { ClientConnection } from './session/client-connection.js';
import { Framers } from './session/framers.js';
import { Handshakes } from './session/handshakes.js';
import { ClientLimits, TOO_MANY_OF_ADDRESS, TOO_MANY_OF_USER } from './session/limits/client-limits.js';
import type { LimitPeers } from './session/limits/limit-peers.js';
import { Lingering } from './session/lingering.js';
import { Listener } from './session/listener.js';
import { DENIED, isLocalPeer } from './session/protected-mode.js';
import type { ClientShared } from './session/session-shared.js';
import { TlsDoor } from './session/tls-door.js';
import type { LiveSettings } from './settings.js';
import type { RoutedNode, RoutingSnapshot } from './snapshot.js';
import { UpstreamNode, type UpstreamShared } from './upstream/upstream-node.js';
import { type Login, Users } from './users/users.js';

/** So many that no two processes ever have the same name, here or at another proxy: each counts under its own. */
const ACTOR_BYTES = 9;
const FIRST_CHUNK_BYTES = 1024;
const FIRST_CHUNKS = 8192;
const CLIENT_CHUNK_BYTES = 16_384;
const CLIENT_CHUNKS = 512;
const LANE_CHUNK_BYTES = 65_536;
const LANE_CHUNKS = 64;
/** As large as what is gathered rather than streamed by default. */
const LARGE_CHUNK_BYTES = 262_144;
const LARGE_CHUNKS = 64;
const RECEIVE_BYTES = 262_144;
const LANE_TICK_MS = 100;
const CLIENT_TICKS = 10;
/** After a pause of its own this long the proxy first reads what has come meanwhile. */
const STOOD_STILL_MS = 5 * LANE_TICK_MS;
/** Clients that are not served take no more places than this until they have read why. */
const MOST_TURNED_AWAY = 256;

const TOO_MANY_CLIENTS = '-ERR max number of clients reached\r\n';

/** What the data plane is told by the control plane, asked for when a client wants to know. */
export interface DataPlaneHooks {
  /** Other processes of the proxy, which serve further clients; null: there are none. */
  readonly peers: Peers | null;
  /** Where clients of all processes are counted together; null: there is one process. */
  readonly limits: LimitPeers | null;
  /** What these are about to subscribe to; null: there are none. */
  readonly board: SubscriptionBoard | null;
  /** Other processes of the proxy, which know further scripts; null: there are none. */
  readonly scriptPeers: ScriptPeers | null;
  /** Other proxies of the ring; null: there are none. */
  readonly fleet: FleetPort | null;
  /** A node is back that was down: it serves again when this has settled, which it does in any case and soon. */
  beforeReturn(node: RoutedNode): Promise<void>;
  /** A script keeps the node busy, which answers `reply`; null: not any more. */
  onBusy(name: string, address: string, reply: Buffer | null): void;
  redisVersion(): string;
  /** Lines of INFO's section on the proxy, `name:value`. */
  proxyInfo(): string[];
  /** Clients of all processes of the proxy, as far as it is known how many others have. */
  allClients(): number;
}

export class DataPlane {
  readonly options: DataPlaneOptions;
  readonly counters: Counters;
  readonly clients = new DrainingSet<ClientConnection>();
  /** What this process has of the keys that every process of every proxy has. */
  readonly values: ValueStore;
  readonly #shared: ClientShared;
  readonly #upstream: UpstreamShared;
  readonly #dispatcher: Dispatcher;
  readonly #hotKeys: HotKeys;
  readonly #listener: Listener;
  readonly #limits: ClientLimits;
  readonly #tlsListener: Listener;
  readonly #door: TlsDoor | null;
  readonly #nodes = new Map<string, UpstreamNode>();
  /** Nodes that are no members any more, and may still answer. */
  readonly #leaving = new Set<UpstreamNode>();
  /** Why nothing is sent to nodes; null: it is. */
  #suspended: string | null = null;
  #resumesWithRing = false;
  readonly #observer: CommandObserver;
  #nextClientId = 1;
  #timer: NodeJS.Timeout | null = null;
  #ticks = 0;
  #tickedAt = 0;
  #closing = false;

  constructor(given: DataPlaneOptions, table: CommandTable, hooks: DataPlaneHooks) {
    // Its own, since some of them become others (`useSettings`).
    const options = { ...given };
    this.options = options;
    // Subcommands share their container's id, so ids are fewer than rows; one more is for unknown commands.
    this.counters = new Counters(table.size + 2, new KeyGroups(options.keyGroups));
    const turn = new Turn();
    const clock = new Clock();
    this.#limits = new ClientLimits(options, this.counters.limited, () => clock.read(), hooks.limits);
    const requests = new RequestPool();
    const large = new ChunkPool(LARGE_CHUNK_BYTES, LARGE_CHUNKS);
    const laneChunks = new Chunks(LANE_CHUNK_BYTES, LANE_CHUNKS);
    this.#shared = {
      options,
      turn,
      clock,
      counters: this.counters,
      requests,
      holds: new HoldPool(),
      clientPools: {
        few: 0,
        plenty: PLENTY_BYTES,
        first: new Chunks(FIRST_CHUNK_BYTES, FIRST_CHUNKS),
        usual: new Chunks(CLIENT_CHUNK_BYTES, CLIENT_CHUNKS),
        large,
      },
      receiveBuffer: lastingBytes(RECEIVE_BYTES),
      framers: new Framers(options.maxBulkLength),
      clients: this.clients,
      lingering: new Lingering(),
      users: new Users(options, table),
      handshakes: new Handshakes(this.counters.handshakes, clock),
      limits: this.#limits,
    };
    this.#upstream = {
      options,
      turn,
      clock,
      requests,
      lanePools: { few: FEW_BYTES, plenty: PLENTY_BYTES, first: laneChunks, usual: laneChunks, large },
      blockingReceive: lastingBytes(LANE_CHUNK_BYTES),
      beforeReturn: (name, address) => this.#beforeReturn(hooks, name, address),
      tellBusy: (name, address, reply) => hooks.onBusy(name, address, reply),
    };
    this.#hotKeys = new HotKeys({ random: Math.random, isHidden: isReserved, now: clock.now });
    this.values = new ValueStore({
      databases: options.databases,
      limit: options.replicatedMemory,
      actor: randomBytes(ACTOR_BYTES).toString('base64url'),
      wallNow: Date.now,
    });
    this.#classifyValues();
    this.#dispatcher = new Dispatcher(table, {
      shared: this.#shared,
      values: this.values,
      hotKeys: this.#hotKeys,
      redisVersion: () => hooks.redisVersion(),
      proxyInfo: () => hooks.proxyInfo(),
      allClients: () => Math.max(this.clients.size, hooks.allClients()),
      peers: hooks.peers,
      board: hooks.board,
      scriptPeers: hooks.scriptPeers,
      fleet: hooks.fleet,
    });
    this.#observer = new CommandObserver(() => this.table);
    this.counters.observer = this.#observer.wanted;
    this.#listener = new Listener((socket) => this.accept(socket, this.#nextClientId++));
    this.#door =
      options.tls === null
        ? null
        : new TlsDoor(options.tls, {
            admit: (socket, id) => this.accept(socket, id),
            turnAway: (socket, why) => {
              this.counters.clientsRejected++;
              this.#turnAway(socket, why);
            },
            handshakes: this.#shared.handshakes,
          });
    this.#tlsListener = new Listener((socket) => this.enter(socket, this.#nextClientId++));
  }

  /** Which keys are used most. */
  hotKeys(): HotReport {
    const { groups } = this.counters;
    return hotReport(this.#hotKeys.read(this.#shared.clock.read()), (key) => ({
      group: groups.groups.length === 0 ? null : groups.nameOf(groups.groupOf(key, 0, key.length)),
      near: this.#dispatcher.features.nearAuto?.isNear(key) === true,
    }));
  }

  /** Another process has found out that a script keeps the node busy, or (null) does not any more. */
  hearBusy(name: string, address: string, reply: Buffer | null): void {
    this.#nodes.get(nodeKey({ name, address }))?.busy.hear(reply, this.#shared.clock.read());
  }

  /** Another process, or another proxy, has sent SCRIPT FLUSH. @param kept digests of scripts that came later */
  flushScripts(kept?: ReadonlySet<string>): void {
    this.#dispatcher.features.scripts.flush(true, kept);
  }

  /** The body of a script that this process knows. @param digest SHA-1 in lower case */
  scriptBody(digest: string): Buffer | undefined {
    return this.#dispatcher.features.scripts.store.get(digest);
  }

  /** Another process asks on behalf of one of its clients. */
  answerPeer(question: PeerQuestion): Promise<PeerAnswer> {
    return answerPeer(this.#dispatcher.features, question);
  }

  /** Another process tells what concerns clients of this one. */
  onPeerNews(news: PeerNews): void {
    onPeerNews(this.#dispatcher.features, news);
  }

  get table(): CommandTable {
    return this.#dispatcher.router.table;
  }

  /** What is kept of near groups. */
  get near(): MeasuredPlane['near'] {
    return this.#dispatcher.features.near;
  }

  /** The replicas of nodes, as far as they are read from. */
  replicas(): ReplicaCounts[] {
    const now = this.#shared.clock.read();
    return [...this.#nodes.values()].flatMap((node) => {
      const all = this.#dispatcher.features.replicaReads.of(node)?.all;
      if (all === undefined) return [];
      const proven = all.filter((replica) => replica.isProven(now)).length;
      return [{ node: node.name, address: node.address, known: all.length, proven }];
    });
  }

  get nodes(): Iterable<UpstreamNode> {
    return this.#nodes.values();
  }

  get snapshot(): RoutingSnapshot | null {
    return this.#dispatcher.router.snapshot;
  }

  /** Begins to look after clients and lanes. */
  start(): void {
    this.#tickedAt = this.#shared.clock.read();
    this.#timer = setInterval(() => this.#tick(), LANE_TICK_MS);
  }

  /** Accepts clients by itself. @returns the address, with the port that was chosen for port 0; null: there is none */
  listen(): Promise<string | null> {
    const { listen } = this.options;
    return listen === null ? Promise.resolve(null) : this.#listener.listen(listen);
  }

  /** Accepts clients that speak TLS by itself. @returns the address; null: there is none */
  listenTls(): Promise<string | null> {
    const { tls } = this.options;
    return tls === null ? Promise.resolve(null) : this.#tlsListener.listen(tls.listen);
  }

  /** Takes a client that was accepted, if need be by another process. @param id unique among the clients of all processes */
  accept(socket: Socket, id: number): void {
    if (this.#closing) {
      socket.destroy();
      return;
    }
    const certificate = socket instanceof TLSSocket ? certificateName(socket) : null;
    const isLetIn = !this.options.protectedMode || !this.#shared.users.areOpen || certificate !== null;
    if (!isLetIn && !isLocalPeer(socket.remoteAddress)) {
      this.counters.clientsRejected++;
      this.#dispatcher.features.guard.tell(
        0,
        socket.remoteAddress ?? '',
        'came from beyond loopback in protected mode',
      );
      this.#turnAway(socket, DENIED);
      return;
    }
    if (this.clients.size >= this.options.maxClients) {
      this.#reject(socket, id);
      this.#turnAway(socket, TOO_MANY_CLIENTS);
      return;
    }
    const login = this.#loginOf(certificate);
    const user = login?.user.name ?? (this.#shared.users.areOpen ? this.#shared.users.default.name : null);
    const full = this.#fullFor(socket, user);
    if (full !== null) {
      this.counters.clientsRejected++;
      this.#dispatcher.features.guard.tell(0, socket.remoteAddress ?? '', `is one more than ${full.setting}`);
      this.#turnAway(socket, `-${full.text}\r\n`);
      return;
    }
    this.counters.clientsTotal++;
    const { lingering } = this.#shared;
    if (this.clients.size + lingering.size >= this.options.maxClients) lingering.cutOldest();
    const client = new ClientConnection(id, socket, this.#shared, this.#dispatcher);
    this.clients.add(client);
    if (login !== null) client.logIn(login);
    this.#limits.begin(client, user);
    this.#publishEvent(clientConnected, id, socket, '', certificate);
  }

  /** Who a client is by its certificate; null: that says nothing. */
  #loginOf(certificate: string | null): Login | null {
    if (certificate === null || this.options.tls?.clientUser !== 'cn') return null;
    return this.#shared.users.byCertificate(certificate);
  }

  /** Which limit keeps one client more out; null: none. @param user that it would be at once */
  #fullFor({ remoteAddress, remotePort }: Socket, user: string | null): { text: string; setting: string } | null {
    if (remoteAddress !== undefined && this.#limits.isAddressFull(`${remoteAddress}:${remotePort}`)) {
      return { text: TOO_MANY_OF_ADDRESS, setting: 'max-clients-per-address' };
    }
    if (user === null || !this.#limits.isUserFull(user)) return null;
    return { text: TOO_MANY_OF_USER, setting: 'max-clients-per-user' };
  }

  /** Other processes have so many clients of this address, or user. */
  setElsewhere(by: CountedBy, name: string, clients: number): void {
    this.#limits.setElsewhere(by, name, clients);
  }

  /** Takes a client that begins with TLS, if need be from another process. @param id as for `accept` */
  enter(socket: Socket, id: number): void {
    if (this.#door === null || this.#closing) {
      socket.destroy();
      return;
    }
    // As in Redis nobody is told by TLS that there are too many, since that would cost a handshake.
    if (this.clients.size + this.#door.entering >= this.options.maxClients) {
      this.#reject(socket, id);
      socket.destroy();
      return;
    }
    this.#door.enter(socket, id);
  }

  /** Clients whose handshake is under way. */
  get entering(): number {
    return this.#door?.entering ?? 0;
  }

  /** Who comes from now on is shown these certificates. */
  useCertificates(certificates: readonly TlsMaterial[]): void {
    this.#door?.use(certificates);
  }

  /** Connections that ended with commands in flight: these may run late, until the node has dropped the connection. */
  lateConnections(): { node: string; address: string; id: number; peer: string }[] {
    return [...this.#nodes.values()].flatMap((node) =>
      node.late.list().map(({ id, peer }) => ({ node: node.name, address: node.address, id, peer })),
    );
  }

  /** The nodes have dropped these. */
  forgetLate(late: readonly { readonly node: string; readonly address: string; readonly id: number }[]): void {
    for (const { node: name, address, id } of late) this.#nodes.get(nodeKey({ name, address }))?.late.forget(id);
  }

  /** From now on commands are routed by this snapshot; nodes that it does not have any more are closed. */
  publish(snapshot: RoutingSnapshot): void {
    const known = new Set<string>();
    const nodes = snapshot.nodes.map((spec) => {
      // A node that keeps its name but moves to another address is another one to talk to.
      const key = nodeKey(spec);
      known.add(key);
      let node = this.#nodes.get(key);
      if (node === undefined) {
        node = new UpstreamNode(spec, this.#upstream);
        this.#nodes.set(key, node);
        node.askRunId(snapshot.rings.isChanging);
        node.useProcess(spec.process);
        if (this.#suspended !== null) node.suspend(this.#suspended);
        else if (this.options.preconnect) node.preconnect();
      }
      node.useLogin(spec);
      node.askRunId(snapshot.rings.isChanging);
      node.useProcess(spec.process);
      node.giveUp(spec.isGivenUp === true, this.#suspended === null);
      if (spec.master !== undefined) node.useMaster(spec.master);
      return node;
    });
    this.#dispatcher.publish(snapshot, nodes);
    for (const [key, node] of this.#nodes) {
      if (known.has(key)) continue;
      this.#nodes.delete(key);
      node.leave();
      this.#leaving.add(node);
    }
    for (const node of this.#leaving) if (node.connections === 0) this.#leaving.delete(node);
    if (this.#resumesWithRing) this.#speakAgain();
  }

  /**
   * This proxy may not speak to nodes any more: every connection to one ends at once, and commands are answered with an
   * error. @param why a sentence, for whoever sends a command
   */
  suspend(why: string): void {
    this.#suspended = why;
    this.#resumesWithRing = false;
    for (const node of [...this.#nodes.values(), ...this.#leaving]) node.suspend(why);
  }

  /** It may again, from the next snapshot on: the ring that it has may be one of the past. */
  resume(): void {
    this.#resumesWithRing = this.#suspended !== null;
  }

  #speakAgain(): void {
    this.#suspended = null;
    this.#resumesWithRing = false;
    for (const node of this.#nodes.values()) node.resume();
  }

  /**
   * Waits until every command that is in flight now on a key that changes hands was answered (see `route/fence/fence.ts`).
   * @param timeout milliseconds
   * @returns what was slower than that, for people: nodes, and what of whom is in flight there
   */
  async fence(timeout: number): Promise<string[]> {
    const { router, features } = this.#dispatcher;
    const { pubsub, blocking } = features;
    const { snapshot } = router;
    if (snapshot === null) return [];
    blocking.release();
    const fence = new Fence({
      snapshot,
      table: this.table,
      nodes: () => [...this.#nodes.values(), ...features.replicaReads.nodes()],
    });
    // Between the steps of a command that takes several nothing of it is in flight.
    const { running } = features.crossNode;
    const stepsEnded = running.ended(snapshot);
    // Nodes that join must be listened to before anything is published there.
    const [slow, ended, heard] = await Promise.all([
      fence.raise(timeout),
      within(timeout, stepsEnded),
      within(timeout, pubsub.ready()),
    ]);
    // Whoever has subscribed anew since then waits for its own confirmation, and holds nothing up here.
    const silent = heard === LATE ? pubsub.slowNodes : [];
    const unheard = silent.map((node) => `${node.name} (${node.shownAddress}): it is not listened to yet`);
    const unended = ended === LATE ? running.slowest(snapshot) : null;
    return [...slow, ...(unended === null ? [] : [unended]), ...unheard];
  }

  /** Clients whose next command waits until the ring has prepared its change. */
  get heldClients(): number {
    return this.#dispatcher.router.heldClients;
  }

  /** From now on these settings are in force. Who has come in stays. */
  useSettings(settings: LiveSettings): void {
    const before = rightsIn(this.options);
    Object.assign(this.options, settings);
    this.#dispatcher.router.offer();
    if (rightsIn(this.options) !== before) {
      this.#shared.users.use(this.options, this.table);
      this.#dispatcher.features.onUsers();
    }
    this.#limits.refresh(this.clients);
  }

  /** From now on these are the groups of keys, and this is how each is cached. */
  useGroups(groups: readonly KeyGroup[]): void {
    this.counters.groups.use(groups);
    this.#classifyValues();
    this.#dispatcher.features.policies.onGroups();
    this.#dispatcher.features.nearAuto?.onGroups();
  }

  /** Commands that the nodes know beyond those of the table at hand (modules, newer versions). */
  useTable(table: CommandTable): void {
    this.#dispatcher.router.useTable(table);
    this.#shared.users.use(this.options, table);
    this.#dispatcher.features.onUsers();
  }

  /**
   * Stops: no new clients, what is in flight is answered, then everything is closed.
   * @param timeout milliseconds after which clients that still wait are cut
   */
  async close(timeout: number): Promise<void> {
    this.#closing = true;
    this.#listener.stop();
    this.#tlsListener.stop();
    this.#door?.close();
    this.#dispatcher.features.pause.set(0, true);
    const { lingering, clock } = this.#shared;
    const endsAt = clock.read() + timeout;
    for (const client of [...this.clients]) client.stop();
    await within(timeout, this.clients.drained());
    for (const client of [...this.clients]) client.close('the proxy stops');
    await within(Math.max(0, endsAt - clock.read()), lingering.drained());
    lingering.close();
    this.#dispatcher.features.pubsub.close();
    this.#dispatcher.features.tracking.close();
    this.#dispatcher.features.invalidations.close();
    this.#dispatcher.features.blocking.close();
    this.#dispatcher.features.pause.close();
    this.#dispatcher.features.replicaReads.close();
    for (const node of this.#nodes.values()) node.close('is not served any more: the proxy stops');
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#limits.close();
  }

  /** Tells a client that it is not served, and why. */
  #turnAway(socket: Socket, reply: string): void {
    const { lingering, clock } = this.#shared;
    socket.on('error', () => {});
    if (lingering.size >= MOST_TURNED_AWAY) {
      socket.end(reply, () => socket.destroy());
      socket.resume();
      return;
    }
    const now = clock.read();
    socket.write(reply);
    lingering.add(socket, now, () => now);
  }

  #reject(socket: Socket, id: number): void {
    this.counters.clientsRejected++;
    this.#publishEvent(clientRejected, id, socket, 'max-clients reached');
  }

  /** Values are counted for the groups of their keys. */
  #classifyValues(): void {
    const { groups } = this.counters;
    this.values.classifyBy((key) => {
      const bytes = Buffer.from(key, 'latin1');
      return groups.groupOf(bytes, 0, bytes.length);
    });
  }

  async #beforeReturn(hooks: DataPlaneHooks, name: string, address: string): Promise<void> {
    const node = this.snapshot?.nodes.find((candidate) => sameNode(candidate, { name, address }));
    if (node !== undefined) await hooks.beforeReturn(node);
  }

  #publishEvent(
    channel: typeof clientRejected,
    client: number,
    socket: Socket,
    reason: string,
    certificate: string | null = null,
  ): void {
    if (!channel.hasSubscribers) return;
    const address = socket.remoteAddress ?? 'unix';
    const shown = certificate === null ? {} : { certificate };
    const event: ClientEvent = { client, address, reason, ...shown };
    channel.publish(event);
  }

  #tick(): void {
    const now = this.#shared.clock.read();
    const stoodStill = this.#tickedAt !== 0 && now - this.#tickedAt > STOOD_STILL_MS;
    // Not twice in a row: one that is always late must look at the time, too.
    this.#tickedAt = stoodStill ? 0 : now;
    // Timers run before sockets are read: nobody is late because this process was.
    if (stoodStill) return;
    this.counters.observer = this.#observer.wanted;
    for (const node of this.#nodes.values()) node.tick(now);
    for (const node of this.#leaving) {
      node.tick(now);
      if (node.connections === 0) this.#leaving.delete(node);
    }
    this.#shared.lingering.tick(now);
    this.#hotKeys.tick(now);
    this.#dispatcher.features.blocking.tick(now);
    this.#dispatcher.features.pubsub.tick();
    this.#dispatcher.features.invalidations.tick();
    this.#dispatcher.features.tracking.tick(now);
    this.values.tick();
    this.#dispatcher.features.near.tick(now);
    this.#dispatcher.features.nearAuto?.tick(now);
    this.#dispatcher.features.replicaReads.tick(now);
    if (++this.#ticks % CLIENT_TICKS !== 0) return;
    this.#limits.tick();
    for (const client of this.clients) client.tick(now);
  }
}

/** All that decides what users may do, as a text that is another one when something of it is. */
function rightsIn({ users, usersFile, password, userScripts }: LiveSettings): string {
  return JSON.stringify([users, usersFile, password, userScripts]);
}
