/**
 * Decides what becomes of a frame: which command it is, which nodes its keys are on, and by which lanes it
 * goes there. The first lines of `dispatch` are the path that nearly every command takes: one key at a
 * fixed place, one node, the frame forwarded as it came.
 */
import { arityError, unknownCommandError, unknownSubcommandError } from '../commands/arity.js';
import { UNKNOWN_COMMAND_ID } from '../commands/build.js';
import type { Command } from '../commands/command.js';
import { findKeys, keyPositions } from '../commands/keys.js';
import type { CommandTable } from '../commands/table.js';
import { error as encodeError } from '../resp/encode.js';
import { args, type RequestFramer } from '../resp/request-framer.js';
import { BlockedCommands } from './features/blocking/blocked-commands.js';
import { mayWait } from './features/blocking/blocking-frame.js';
import { Guard } from './features/clients/guard.js';
import { Pause } from './features/clients/pause.js';
import type { LocalContext } from './features/context.js';
import { LOCAL_COMMANDS } from './features/index.js';
import { Monitors } from './features/monitor/monitors.js';
import { refusalWhileSubscribed, waitsForSubscription } from './features/pubsub/commands.js';
import { PeerCounts } from './features/pubsub/peer-counts.js';
import { PeerSubscriptions } from './features/pubsub/peer-subscriptions.js';
import { PublishOrder } from './features/pubsub/publish-order.js';
import { PubSub } from './features/pubsub/pubsub.js';
import { ScriptStore } from './features/scripts/script-store.js';
import { Scripts } from './features/scripts/scripts.js';
import { runAdministration, runEverywhere } from './features/server/everywhere.js';
import { Tracking } from './features/tracking/tracking.js';
import { abortExec } from './features/transactions/exec.js';
import { queueCommand, refusalInside, runsAtOnce } from './features/transactions/queue.js';
import { ARRAY_READ, cacheReadFlags } from './measure/cache-reads.js';
import type { KeyGroups } from './measure/key-groups.js';
import { type KeysOfRequest, KNOWN_KEY, NO_KEYS_AT_ALL, type Request, UNKNOWN_KEYS } from './request/request.js';
import { askAnyNode } from './route/any-node.js';
import { AFTER_READS, HOLD, ON_TARGET, routeMovedKey } from './route/moving/moved-key.js';
import { APART, dispatchMovedKey, ownerOfSettled } from './route/moving/moving-keys.js';
import { refusalOf } from './route/refusal.js';
import { isReserved, RESERVED_REPLY } from './route/reserved.js';
import { planScan } from './route/scan/scan.js';
import { runSpecial } from './route/special.js';
import { splitByOwner } from './route/split.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from './route/waiting.js';
import { type ClientConnection, LATER, TAKEN } from './session/client-connection.js';
import type { RoutingSnapshot } from './snapshot.js';
import type { Lane } from './upstream/lane.js';
import type { UpstreamNode } from './upstream/upstream-node.js';

/** Whether the frame was handled, or must be offered again (`TAKEN`, `LATER`). */
export type Verdict = typeof TAKEN | typeof LATER;

const NOT_READY = encodeError('NODEDOWN the ring has no nodes yet');
const NO_AUTH = 'NOAUTH Authentication required.';
const CROSSSLOT = encodeError("CROSSSLOT Keys in request don't hash to the same node");
const NO_LANE = encodeError('TRYAGAIN the ring is changing');

/** More than any buffer has that is used again. */
const OWN_BUFFER_BYTES = 1_048_576;

export class Dispatcher {
  readonly unknownCommandId = UNKNOWN_COMMAND_ID;
  /** Null until the first ring is published. */
  snapshot: RoutingSnapshot | null = null;
  /** Index-aligned with the snapshot's nodes. */
  nodes: readonly UpstreamNode[] = [];
  table: CommandTable;
  /** Commands that wait at nodes. */
  readonly blocked = new BlockedCommands(this);
  /** What clients are subscribed to. */
  readonly pubsub: PubSub;
  /** Keeps what is published behind what was subscribed to before. */
  readonly publishOrder: PublishOrder;
  /** What the proxy's other processes have subscribed to; null: there are none. */
  readonly peerCounts: PeerCounts | null;
  /** Which clients are told of changes of which keys. */
  readonly tracking: Tracking;
  /** CLIENT PAUSE. */
  readonly pause: Pause;
  /** MONITOR. */
  readonly monitors: Monitors;
  /** What ends clients that look like an attack. */
  readonly guard: Guard;
  /** Scripts that clients have sent. */
  readonly scripts: Scripts;
  readonly #context: LocalContext;
  readonly #groups: KeyGroups | null;
  #cacheReads: Uint8Array;
  #changing = false;
  #attentive = false;
  /** Clients whose next command is on a moved key, while the ring is preparing to change. */
  readonly #fenced = new Set<ClientConnection>();

  constructor(table: CommandTable, context: LocalContext) {
    this.table = table;
    this.#context = context;
    const { clock, requests, options, turn } = context.shared;
    const { peers, board } = context;
    this.pubsub = new PubSub({ requests, clientOutputLimit: options.clientOutputLimit, board });
    this.peerCounts = peers === null ? null : new PeerCounts(peers);
    const peerSubscriptions = peers === null || board === null ? null : new PeerSubscriptions(peers, board);
    this.publishOrder = new PublishOrder(this.pubsub, peerSubscriptions);
    this.tracking = new Tracking(options.trackingTableMaxKeys, clock, async (client, keys) => {
      const answers = (await context.peers?.ask({ type: 'invalidated', client, keys })) ?? [];
      if (answers.includes(1)) return true;
      return answers.includes(null) ? null : false;
    });
    const attend = (): void => {
      this.#attentive = this.pause.active || this.monitors.active;
    };
    this.guard = new Guard(clock);
    this.pause = new Pause(attend);
    this.monitors = new Monitors(turn, context.peers, options.proxyId, attend);
    this.scripts = new Scripts(this, new ScriptStore(options.scriptCache, context.scriptPeers));
    this.#groups = context.shared.counters.groups;
    this.#cacheReads = cacheReadFlags(table);
  }

  get context(): LocalContext {
    return this.#context;
  }

  useTable(table: CommandTable): void {
    this.table = table;
    this.#cacheReads = cacheReadFlags(table);
  }

  publish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    this.snapshot = snapshot;
    this.nodes = nodes;
    this.#changing = snapshot.nextRing !== null;
    if (snapshot.moves !== null) {
      for (const client of this.#context.shared.clients) client.watch?.onPublish(snapshot, nodes);
    }
    const fenced = [...this.#fenced];
    this.#fenced.clear();
    for (const client of fenced) client.resumeSoon();
    this.blocked.onPublish();
    this.pubsub.onPublish(snapshot, nodes);
    this.tracking.onPublish(snapshot, nodes);
  }

  /** Clients are paused, or monitored: every command must be looked at more closely. */
  get isAttentive(): boolean {
    return this.#attentive;
  }

  /** Handles the complete frame that `framer` holds. */
  dispatch(client: ClientConnection, framer: RequestFramer): Verdict {
    const source = framer.source as Buffer;
    const command = this.table.lookup(source, args.start[0] as number, args.end[0] as number);
    const snapshot = this.snapshot;
    if (this.#groups !== null) this.#groups.note(command, framer.argc, source);
    if (command === undefined || !client.authenticated || snapshot === null || client.isUnusual || this.#attentive) {
      return this.#dispatchUnusual(client, framer, command);
    }
    client.lastCommand = command;
    const at = command.singleKeyAt;
    if (at === 0 || at >= framer.argc) return this.#dispatchByRoute(client, framer, command, source);
    if (client.snapshot !== snapshot && !this.bind(client)) return LATER;
    const start = args.start[at] as number;
    const end = args.end[at] as number;
    if (isReserved(source, start, end)) return this.refuse(client, command, RESERVED_REPLY);
    if (this.#changing) return dispatchMovedKey(this, client, framer, command, source, start, end);
    const hash = snapshot.ring.hashOf(source, start, end);
    return this.forward(client, command, snapshot.ring.ownerOfHash(hash), source, framer, KNOWN_KEY, hash | 0);
  }

  /**
   * The index of the node on which the key's commands run now.
   * @returns WAIT when the key is changing hands; the client is then resumed when that is done
   */
  ownerNow(
    client: ClientConnection,
    source: Buffer,
    start: number,
    end: number,
    database: number = client.kind.database,
  ): number {
    const { ring, nextRing, moves } = this.snapshot as RoutingSnapshot;
    const hash = ring.hashOf(source, start, end);
    const owner = ring.ownerOfHash(hash);
    if (nextRing === null) return owner;
    const next = nextRing.ownerOfHash(hash);
    if (next === owner) return owner;
    const settled = moves?.isSettled(owner, database, source, start, end) === true;
    switch (routeMovedKey(moves !== null, settled, false, client.sourceReads)) {
      case ON_TARGET:
        return next;
      case AFTER_READS:
        client.raiseBarrier();
        return WAIT;
      case HOLD:
        return this.holdForRing(client) ? WAIT : GAVE_UP;
      default:
        if (!client.hold()) return GAVE_UP;
        moves?.settle(owner, next, database, Buffer.from(source.subarray(start, end)), client);
        return WAIT;
    }
  }

  /** The client waits for the next snapshot. @returns false when it has waited for too long */
  holdForRing(client: ClientConnection): boolean {
    if (!client.hold()) return false;
    this.#fenced.add(client);
    return true;
  }

  /** Moved keys are held: they may begin to move, but do not yet. */
  get isFenced(): boolean {
    return this.#changing && this.snapshot?.moves === null;
  }

  /** Commands on moved keys that wait for the ring. */
  get heldClients(): number {
    return this.#fenced.size;
  }

  /**
   * Forwards the frame as it came to the node with this index.
   * @param keys what the fence is to know of its keys, with the `keyHash` of a known one
   */
  forward(
    client: ClientConnection,
    command: Command,
    node: number,
    source: Buffer,
    framer: RequestFramer,
    keys: KeysOfRequest = UNKNOWN_KEYS,
    keyHash = 0,
  ): Verdict {
    const lane = this.laneFor(client, node);
    if (lane === null) return this.refuse(client, command, this.#downReply(node));
    if (lane.full) {
      client.waitFor(lane);
      return LATER;
    }
    const request = this.sendOn(client, command, lane, source, framer);
    request.keys = keys;
    request.keyHash = keyHash;
    return TAKEN;
  }

  /** Puts the frame as it came on this lane. */
  sendOn(client: ClientConnection, command: Command, lane: Lane, source: Buffer, framer: RequestFramer): Request {
    const length = framer.frameEnd - framer.frameStart;
    // One so large was gathered in a buffer of its own, which nobody writes to any more: it is not copied.
    if (length > OWN_BUFFER_BYTES) lane.outlet.appendOwned(source.subarray(framer.frameStart, framer.frameEnd));
    else lane.outlet.append(source, framer.frameStart, framer.frameEnd);
    lane.node.counters.bytesOut += length;
    const request = this.#context.shared.requests.take();
    request.command = command.id;
    request.cacheRead = this.#cacheReads[command.id] as number;
    if (this.#groups !== null && request.cacheRead === ARRAY_READ) {
      request.keyGroups = this.#groups.ofKeys(source, framer.argc - 1, 1);
    }
    request.lane = lane;
    client.enqueue(request);
    lane.enqueue(request);
    return request;
  }

  /** The lane by which `client` talks to the node with this index; null while the node is down. */
  laneFor(client: ClientConnection, node: number): Lane | null {
    if (client.takesLargeReplies && client.pending === 0 && client.privateLanes.length === 0) client.lanes = [];
    const lane = client.lanes[node];
    if (lane?.accepting) return lane;
    return this.#pickLane(client, node, lane);
  }

  /** Answers an error of the proxy's own. */
  refuse(client: ClientConnection, command: Command, reply: Buffer): Verdict {
    client.transaction?.abort();
    client.reply(command.id, reply, true);
    return TAKEN;
  }

  nodeAt(index: number): UpstreamNode {
    return this.nodes[index] as UpstreamNode;
  }

  /** The node that answers commands without keys: the same one for as long as it is up. */
  anyNode(): number {
    for (let i = 0; i < this.nodes.length; i++) if (this.nodes[i]?.up === true) return i;
    return 0;
  }

  #dispatchUnusual(client: ClientConnection, framer: RequestFramer, command: Command | undefined): Verdict {
    const source = framer.source as Buffer;
    if (command === undefined) {
      if (this.guard.looksLikeHttp(source)) return this.guard.end(client);
      client.transaction?.abort();
      const text = unknownCommandError(source, args, framer.argc);
      client.reply(UNKNOWN_COMMAND_ID, encodeError(text, 'latin1'), true);
      return TAKEN;
    }
    if (!client.authenticated && !command.beforeAuth) return this.#refuseStranger(client, command, framer);
    client.lastCommand = command;
    if (this.#attentive && this.pause.holds(this, client, rowOf(command, framer), framer)) return LATER;
    const verdict = this.#dispatchByRoute(client, framer, command, source);
    if (verdict === TAKEN) this.#note(client, command, framer);
    return verdict;
  }

  /** The client has not said its password yet. As in Redis, what is wrong with the command itself is said first. */
  #refuseStranger(client: ClientConnection, command: Command, framer: RequestFramer): Verdict {
    const row = rowOf(command, framer);
    const reason = arityError(row, framer.argc) ?? NO_AUTH;
    if (command.transactionStep === 'runs') return abortExec(client, command, this, reason);
    return this.refuse(client, row, encodeError(reason));
  }

  /** The command was taken: those hear of it who want to. */
  #note(client: ClientConnection, command: Command, framer: RequestFramer): void {
    const { tracking } = client;
    if (tracking !== null) this.tracking.onCommand(client, tracking, rowOf(command, framer), framer);
    if (this.monitors.active) this.monitors.onCommand(client, rowOf(command, framer), framer);
  }

  /** The client has left. */
  forget(client: ClientConnection): void {
    this.tracking.stop(client);
    this.pause.forget(client);
    this.publishOrder.forget(client);
    if (client.monitors) this.monitors.forget(client);
  }

  #dispatchByRoute(client: ClientConnection, framer: RequestFramer, container: Command, source: Buffer): Verdict {
    let command = container;
    if (container.subcommands !== null && framer.argc > 1) {
      const sub = container.subcommands.lookup(source, args.start[1] as number, args.end[1] as number);
      if (sub === undefined) {
        const text = unknownSubcommandError(container, source, args);
        return this.refuse(client, container, encodeError(text, 'latin1'));
      }
      command = sub;
      client.lastCommand = sub;
    }
    if (client.subscriptions !== null) {
      if (waitsForSubscription(client, command)) {
        client.raiseBarrier();
        return LATER;
      }
      const refusal = refusalWhileSubscribed(client, command);
      if (refusal !== null) return this.refuse(client, command, refusal);
    }
    const { transaction } = client;
    if (command.route === 'refused') {
      const reply = refusalOf(command);
      return this.refuse(client, command, transaction === null ? reply : refusalInside(command, reply));
    }
    const wrongArity = arityError(command, framer.argc);
    if (wrongArity !== null) {
      if (transaction !== null && command.transactionStep === 'runs')
        return abortExec(client, command, this, wrongArity);
      return this.refuse(client, command, encodeError(wrongArity));
    }
    if (transaction !== null && !runsAtOnce(command)) return queueCommand(this, client, transaction, command, framer);
    if (command.route === 'proxy') {
      const run = LOCAL_COMMANDS.get(command.name);
      if (run === undefined) return this.refuse(client, command, refusalOf(command));
      return run(client, command, framer, this);
    }
    const snapshot = this.snapshot;
    if (snapshot === null) return this.refuse(client, command, NOT_READY);
    if (!this.bind(client)) return LATER;
    switch (command.route) {
      case 'owner':
        return this.runAtOwner(client, framer, command);
      case 'split':
        return splitByOwner(this, client, framer, command, snapshot);
      case 'scan':
        return planScan(this, client, framer, command, snapshot);
      case 'any':
        return askAnyNode(this, client, framer, command);
      case 'admin':
        return runAdministration(this, client, framer, command);
      case 'all':
        return runEverywhere(this, client, framer, command);
      default:
        return this.refuse(client, command, refusalOf(command));
    }
  }

  /** Sends the frame that `framer` holds to the node that owns its keys. There is a snapshot. */
  runAtOwner(client: ClientConnection, framer: RequestFramer, command: Command): Verdict {
    const source = framer.source as Buffer;
    const { ring } = this.snapshot as RoutingSnapshot;
    const count = findKeys(command, args, framer.argc, source);
    // A command whose keys cannot be told is answered by a node, with the error that Redis has for it.
    if (count <= 0) {
      // A script that declares no keys is not waited for by a fence: it could not be told what it touches.
      const none = count === 0 ? NO_KEYS_AT_ALL : UNKNOWN_KEYS;
      return this.#run(client, command, this.anyNode(), source, framer, none, 0);
    }
    let owner = -1;
    let keyHash = 0;
    let keys: KeysOfRequest = KNOWN_KEY;
    for (let i = 0; i < count; i++) {
      const at = keyPositions.at[i] as number;
      const start = args.start[at] as number;
      const end = args.end[at] as number;
      if (isReserved(source, start, end)) return this.refuse(client, command, RESERVED_REPLY);
      const hash = ring.hashOf(source, start, end);
      const node = ring.ownerOfHash(hash);
      if (i === 0) keyHash = hash | 0;
      else if (keyHash !== (hash | 0)) keys = UNKNOWN_KEYS;
      if (owner === -1) owner = node;
      else if (owner !== node) return this.refuse(client, command, CROSSSLOT);
    }
    if (this.#changing) owner = ownerOfSettled(this, client, source, count);
    switch (owner) {
      case WAIT:
        return LATER;
      case GAVE_UP:
        return this.refuse(client, command, GAVE_UP_REPLY);
      case APART:
        return this.refuse(client, command, CROSSSLOT);
      default:
        return this.#run(client, command, owner, source, framer, keys, keyHash);
    }
  }

  /** Forwards the frame; one that may wait at the node gets a lane of its own. */
  #run(
    client: ClientConnection,
    command: Command,
    owner: number,
    source: Buffer,
    framer: RequestFramer,
    keys: KeysOfRequest,
    keyHash: number,
  ): Verdict {
    if (command.waits !== null && mayWait(command, framer)) return this.blocked.begin(client, command, framer, owner);
    if (command.special !== null) return runSpecial(this, client, command, owner, source, framer, keys, keyHash);
    return this.forward(client, command, owner, source, framer, keys, keyHash);
  }

  #pickLane(client: ClientConnection, index: number, current: Lane | undefined): Lane | null {
    // A lane that takes no others still takes those of a client that has replies to come from it, since
    // commands of one client must reach a node in order.
    if (current !== undefined && !current.closed && client.hasPendingOn(current)) return current;
    const node = this.nodes[index];
    if (node === undefined) return null;
    if (client.takesLargeReplies) {
      const lane = node.takeForValues(client.kind, client);
      if (lane !== null) {
        client.privateLanes.push(lane);
        client.lanes[index] = lane;
        return lane;
      }
    }
    const lane = node.pick(client.kind);
    client.lanes[index] = lane ?? undefined;
    return lane;
  }

  #downReply(index: number): Buffer {
    return this.nodes[index]?.downReply ?? NO_LANE;
  }

  /**
   * The ring has changed since the client's last command: nodes have other indices. A lane stays the
   * client's for its node, since what it has in flight there must not be overtaken.
   * @returns false when reads of keys that were moving are not answered yet: they may still be asked of another
   * node, and what the client sent behind them must not run there first
   */
  bind(client: ClientConnection): boolean {
    const { snapshot } = this;
    if (client.snapshot === snapshot) return true;
    if (client.sourceReads > 0) {
      client.raiseBarrier();
      return false;
    }
    client.snapshot = snapshot;
    const before = client.lanes;
    client.lanes = before.length === 0 ? [] : this.nodes.map((node) => before.find((lane) => lane?.node === node));
    return true;
  }
}

/** The subcommand that `framer` holds; otherwise the command. */
function rowOf(command: Command, framer: RequestFramer): Command {
  if (command.subcommands === null || framer.argc < 2) return command;
  return command.subcommands.lookup(framer.source, args.start[1] as number, args.end[1] as number) ?? command;
}
