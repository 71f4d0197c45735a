/**
 * Where a client's command goes: the ring of the moment, the nodes, and the client's lanes to them. Whatever sends a
 * client's frame to a node does it here.
 */
import type { Command } from '../../commands/command.js';
import { type OfferedCommands, offerCommands } from '../../commands/offered.js';
import type { CommandTable } from '../../commands/table.js';
import { error as encodeError } from '../../resp/encode.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import { type KeyHash, NO_HASH } from '../../ring/rings.js';
import { ARRAY_READ, cacheReadFlags } from '../measure/cache-reads.js';
import type { KeyGroups } from '../measure/key-groups.js';
import type { ReadMark } from '../measure/marks.js';
import { type KeysOfRequest, type Request, UNKNOWN_KEYS } from '../request/request.js';
import { LATER, TAKEN, type Verdict } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { ClientShared } from '../session/session-shared.js';
import type { RoutingSnapshot } from '../snapshot.js';
import type { Lane } from '../upstream/lane.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import type { ApartCommands } from './apart-commands.js';
import type { LocalKeys } from './local-keys.js';
import { AFTER_READS, HOLD, ON_TARGET, routeMovedKey } from './moving/moved-key.js';
import { GAVE_UP, WAIT } from './waiting.js';

const NO_LANE = encodeError('TRYAGAIN the ring is changing');

const REFUSED: ApartCommands = { run: () => LATER, refusalInside: () => NO_LANE, prepare: () => NO_LANE };

/** More than any buffer has that is used again. */
const OWN_BUFFER_BYTES = 1_048_576;

export class Router {
  readonly shared: ClientShared;
  table: CommandTable;
  /** Those of the table that clients are offered under their own names. */
  offered: CommandTable;
  /** Those that they are offered under others; null: none. */
  renamed: OfferedCommands['renamed'] = null;
  /** Null until the first ring is published. */
  snapshot: RoutingSnapshot | null = null;
  /** Index-aligned with the snapshot's nodes. */
  nodes: readonly UpstreamNode[] = [];
  /** Keys that no node has; null: there are none. */
  localKeys: LocalKeys | null = null;
  /** Takes commands whose keys have several owners; set before the first snapshot is. */
  apart: ApartCommands = REFUSED;
  /** The ring changes: an owner may be another one than it was. */
  isChanging = false;
  readonly #groups: KeyGroups;
  readonly #onRefused: (client: ClientConnection) => void;
  #cacheReads: Uint8Array;
  /** Clients whose next command is on a moved key, while the ring is preparing to change. */
  readonly #fenced = new Set<ClientConnection>();

  /** @param onRefused is told whose command the proxy has answered with an error of its own */
  constructor(shared: ClientShared, table: CommandTable, onRefused: (client: ClientConnection) => void) {
    this.shared = shared;
    this.table = table;
    this.offered = table;
    this.offer();
    this.#groups = shared.counters.groups;
    this.#onRefused = onRefused;
    this.#cacheReads = cacheReadFlags(table);
  }

  /** Commands that nodes know beyond those of the table at hand (modules, newer versions). */
  useTable(table: CommandTable): void {
    this.table = table;
    this.offer();
    this.#cacheReads = cacheReadFlags(table);
  }

  /** The settings say which commands clients are offered. */
  offer(): void {
    const { denyCommands, renameCommands } = this.shared.options;
    const { table, renamed } = offerCommands(this.table, denyCommands, renameCommands);
    this.offered = table;
    this.renamed = renamed;
  }

  /** From now on commands go by this snapshot. Those that have waited for it are offered again, at the end of the turn. */
  publish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    this.snapshot = snapshot;
    this.nodes = nodes;
    this.isChanging = snapshot.rings.isChanging;
    const fenced = [...this.#fenced];
    this.#fenced.clear();
    for (const client of fenced) client.resumeSoon();
  }

  /** Moved keys are held: they may begin to move, but do not yet. */
  get isFenced(): boolean {
    return this.isChanging && this.snapshot?.moves === null;
  }

  /** Commands on moved keys that wait for the ring. */
  get heldClients(): number {
    return this.#fenced.size;
  }

  /**
   * The index of the node on which the key's commands run now.
   * @returns WAIT when the key is changing hands, GAVE_UP when it has for too long; the client is then resumed when
   * that is done
   */
  ownerNow(
    client: ClientConnection,
    source: Buffer,
    start: number,
    end: number,
    database: number = client.kind.database,
  ): number {
    const { rings, moves } = this.snapshot as RoutingSnapshot;
    const hash = rings.hashOf(source, start, end);
    const owner = rings.ownerOf(hash);
    if (!rings.isChanging) return owner;
    const next = rings.nextOwnerOf(hash);
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
        if (!client.hold(this.waitsFor)) return GAVE_UP;
        moves?.settle(owner, next, database, Buffer.from(source.subarray(start, end)), client);
        return WAIT;
    }
  }

  /** What a client waits for that is held now. */
  get waitsFor(): 'fence' | 'settle' {
    return this.snapshot?.moves === null ? 'fence' : 'settle';
  }

  /** The client waits for the next snapshot. @returns false when it has waited for too long */
  holdForRing(client: ClientConnection): boolean {
    if (!client.hold(this.waitsFor)) return false;
    this.#fenced.add(client);
    return true;
  }

  /**
   * The ring has changed since the client's last command: nodes have other indices.
   * @returns false when reads of keys that were moving are not answered yet: they may still be asked of another
   * node, and what the client sent behind them must not run there first
   */
  bind(client: ClientConnection): boolean {
    const { snapshot } = this;
    if (client.lanes.snapshot === snapshot) return true;
    if (client.sourceReads > 0) {
      client.raiseBarrier();
      return false;
    }
    if (snapshot !== null) client.lanes.rebind(snapshot, this.nodes);
    return true;
  }

  /** The lane by which `client` talks to the node with this index; null while the node is down. */
  laneFor(client: ClientConnection, node: number): Lane | null {
    return client.lanes.to(node, this.nodes);
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
    keyHash: KeyHash = NO_HASH,
  ): Verdict {
    const lane = client.lanes.to(node, this.nodes);
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
    const request = this.shared.requests.take();
    request.command = command.id;
    request.cacheRead = this.#cacheReads[command.id] as ReadMark;
    if (this.#groups.active && request.cacheRead === ARRAY_READ) {
      request.keyGroups = this.#groups.ofKeys(source, framer.argc - 1, 1);
    }
    request.lane = lane;
    client.enqueue(request);
    lane.enqueue(request);
    return request;
  }

  /** Answers an error of the proxy's own. */
  refuse(client: ClientConnection, command: Command, reply: Buffer): Verdict {
    this.#onRefused(client);
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

  #downReply(index: number): Buffer {
    return this.nodes[index]?.downReply ?? NO_LANE;
  }
}
