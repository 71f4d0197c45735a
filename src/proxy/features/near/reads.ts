/** Reads of one key: answered from what is kept, or sent on and kept. */
import type { Command } from '../../../commands/command.js';
import { nullBulk } from '../../../resp/encode.js';
import { bulkIsNull } from '../../../resp/inspect.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import { keptHash, type Rings } from '../../../ring/rings.js';
import type { CachePolicy } from '../../caching/policy.js';
import { KNOWN_KEY, type Request } from '../../request/request.js';
import { LATER, TAKEN, type Verdict } from '../../request/verdict.js';
import { isReserved } from '../../route/reserved.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { TRACKS, WATCHES } from '../../session/modes.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { PASS } from '../policies.js';
import { type FillOrder, Fills } from './fills.js';
import type { Keeper } from './keeper.js';
import { NO_SLOT } from './near-nodes.js';
import { NO_KIND, type NodeRead, NodeReadPool } from './node-read.js';
import type { NearPorts } from './ports.js';
import { Fingerprints } from './store/fingerprints.js';
import { FRESH, type Judgement, judge, OVER, UNHEARD, UNSURE } from './store/judge.js';
import { keyHashOf, kindOf, type NearStore, readHashOf } from './store/near-store.js';
import { BORN_AT, GENERATION, GROUP, KEY_ENDS_AT, KEY_HASH, NODE, NONE, RING_HASH } from './store/record.js';
import type { Waiters } from './waiters.js';

/** Reads that are remembered, to know the second one. */
const SEEN = 65_536;
/**
 * Who reads what was kept so lately, and is not sure yet, goes to its node: that is sooner there, and nobody waits. One that
 * is in doubt for longer would be put in doubt by such reads of the same key in other forms again and again: it is waited
 * for. Milliseconds.
 */
const YOUNG_MS = 20;
/** Requests of a client that are looked at, whether one of them reads the key: it is taken for granted with more. */
const MOST_LOOKED_AT = 64;
/** A client in these modes is answered by nodes alone. */
const ALWAYS_ASKS = TRACKS | WATCHES;

export class Reads {
  readonly #ports: NearPorts;
  readonly #keeper: Keeper;
  readonly #waiters: Waiters;
  readonly #fills: Fills;
  readonly #nodeReads: NodeReadPool;
  /** A read is kept the second time that it comes. */
  readonly #seen = new Fingerprints(SEEN);

  constructor(ports: NearPorts, keeper: Keeper, waiters: Waiters) {
    this.#ports = ports;
    this.#keeper = keeper;
    this.#waiters = waiters;
    this.#fills = new Fills(ports.router, keeper);
    this.#nodeReads = new NodeReadPool(keeper);
  }

  /** There is another snapshot: which node is a key's, is looked at once more. */
  onPublish(): void {
    this.#fills.generation++;
  }

  /** Called every few seconds: reads that came once and not again are forgotten. */
  forgetSeen(): void {
    this.#seen.turn();
  }

  /** Whether the client may be answered from what is kept. */
  mayServe(client: ClientConnection): boolean {
    return !client.isIn(ALWAYS_ASKS);
  }

  /** Answers the command at hand, which reads one key, if its reply is kept and sure. @returns whether it is */
  serve(client: ClientConnection, framer: RequestFramer, command: Command, source: Buffer, store: NearStore): boolean {
    if (!this.mayServe(client)) return false;
    const kind = kindOf(command.id, client.kind.protocol, client.kind.database);
    const start = (args.end[0] as number) + 2;
    const end = framer.frameEnd;
    const record = store.find(readHashOf(kind, source, start, end), kind, source, start, end);
    if (record === NONE || this.judge(store, record) !== FRESH) return false;
    if (this.#awaits(client, store, record)) return false;
    this.#serve(client, command, store, record);
    return true;
  }

  /** The command at hand reads one key of a near group, and may be kept. */
  read(
    client: ClientConnection,
    framer: RequestFramer,
    command: Command,
    source: Buffer,
    store: NearStore,
    policy: CachePolicy,
  ): Verdict | typeof PASS {
    const { protocol, database } = client.kind;
    const kind = kindOf(command.id, protocol, database);
    const start = (args.end[0] as number) + 2;
    const end = framer.frameEnd;
    const hash = readHashOf(kind, source, start, end);
    const serves = this.mayServe(client);
    const record = serves ? store.find(hash, kind, source, start, end) : NONE;
    // A frame of nothing but a key is told by it.
    const isKeyAlone = framer.argc === 2;
    let mayKeep = serves;
    if (record !== NONE) {
      switch (this.judge(store, record)) {
        case FRESH:
          if (this.#awaits(client, store, record)) {
            if (!isKeyAlone) {
              client.raiseBarrier();
              return LATER;
            }
            mayKeep = false;
            break;
          }
          if (policy.earlyRefresh && this.#isEarly(client, command, source, store, record)) return TAKEN;
          return this.#serve(client, command, store, record);
        case UNSURE:
          if (isKeyAlone && this.#isYoung(store, record)) {
            mayKeep = false;
            break;
          }
          if (this.#waiters.wait(client, this.#ports.router.shared.clock.now)) return LATER;
          mayKeep = false;
          break;
        case UNHEARD:
          mayKeep = false;
          break;
        case OVER:
          store.end(record);
          break;
      }
    }
    if (this.#waiters.size > 0) this.#waiters.forget(client);
    const at = command.singleKeyAt;
    const keyStart = args.start[at] as number;
    const keyEnd = args.end[at] as number;
    const keyHash = keyHashOf(source, keyStart, keyEnd);
    const { groups } = this.#ports.router.shared.counters;
    groups.nearRead(groups.atHand, false);
    const read = this.#nodeReads.take();
    read.hash = hash;
    read.kind = isKeyAlone ? kind : NO_KIND;
    read.keyHash = keyHash;
    groups.companion = read;
    if (mayKeep && at === 1 && this.admits(hash, keyHash))
      return this.#fill(client, framer, command, source, policy, read, kind);
    return PASS;
  }

  judge(store: NearStore, record: number): Judgement {
    const state = judge(store, this.#keeper.nodes, record, this.#ports.router.shared.clock.now);
    if (store.numbers[record + GENERATION] === this.#fills.generation || state === OVER) return state;
    return this.#isInPlace(store, record) ? state : OVER;
  }

  /** The same as `#awaits`; the client then waits for the replies that are to come. */
  waitsForOwn(client: ClientConnection, store: NearStore, record: number): boolean {
    if (!this.#awaits(client, store, record)) return false;
    client.raiseBarrier();
    return true;
  }

  /**
   * Whether a node's reply that is of the same key is still to come to the client: what is kept may be older, and must not
   * stand behind it.
   */
  #awaits(client: ClientConnection, { numbers }: NearStore, record: number): boolean {
    const keyHash = numbers[record + KEY_HASH] as number;
    if (client.pending === 0 || !this.#keeper.inFlight.reads(keyHash)) return false;
    let left = MOST_LOOKED_AT;
    for (let request: Request | null = client.head; request !== null; request = request.nextOfClient) {
      if (left-- === 0 || request.companion?.reads(keyHash)) return true;
    }
    return false;
  }

  #isYoung({ times }: NearStore, record: number): boolean {
    return this.#ports.router.shared.clock.now - (times[(record + BORN_AT) >> 1] as number) < YOUNG_MS;
  }

  /** Counts a read that is answered from here. */
  count(store: NearStore, record: number): void {
    store.touch(record);
    this.#ports.router.shared.counters.groups.nearRead(store.numbers[record + GROUP] as number, true);
  }

  /** Whether a read that is not kept is to be kept now: it has come before, nobody else does, and no write to its key is on its way. */
  admits(hash: number, keyHash: number): boolean {
    const { inFlight } = this.#keeper;
    if (inFlight.writes(keyHash) || inFlight.fills(hash)) return false;
    if (this.#seen.has(hash)) return true;
    this.#seen.add(hash);
    return false;
  }

  /** Reads the key, which `source` has as a bulk in [start, end), and keeps it as what GET answers. */
  fillOwn(client: ClientConnection, source: Buffer, start: number, end: number, order: FillOrder): void {
    const { router } = this.#ports;
    const { rings } = router.snapshot ?? { rings: null };
    if (rings === null) return;
    const owner = this.#keeperOf(rings, order.ringHash);
    if (owner < 0) return;
    const lane = router.laneFor(client, owner);
    if (lane === null || lane.full) return;
    this.#fills.own(lane, order, source, start, end);
  }

  /** Where the key is, when what is read there may be kept. @returns the node's index; -1: it may not */
  #keeperOf(rings: Rings, ringHash: number): number {
    const hash = keptHash(ringHash);
    if (rings.movesAway(hash)) return -1;
    const owner = rings.ownerOf(hash);
    return this.#isHeard(this.#ports.router.nodeAt(owner)) ? owner : -1;
  }

  #isHeard(node: UpstreamNode): boolean {
    const { nodes } = this.#keeper;
    const slot = nodes.slotOf(node);
    if (slot === NO_SLOT || !this.#ports.invalidations.isReady(node)) return false;
    return this.#ports.router.shared.clock.now < (nodes.trustedUntil[slot] as number);
  }

  /** The ring is another one than when the record was looked at last: whether its key is on the same node, and stays. */
  #isInPlace({ numbers }: NearStore, record: number): boolean {
    const { router } = this.#ports;
    const { rings } = router.snapshot ?? { rings: null };
    if (rings === null) return false;
    const hash = keptHash(numbers[record + RING_HASH] as number);
    if (rings.movesAway(hash)) return false;
    const node = router.nodeAt(rings.ownerOf(hash));
    if (this.#keeper.nodes.slotOf(node) !== numbers[record + NODE]) return false;
    numbers[record + GENERATION] = this.#fills.generation;
    return true;
  }

  /** Whether the client was answered that the key is not there, though it is: it is to fill it before it expires. */
  #isEarly(client: ClientConnection, command: Command, source: Buffer, store: NearStore, record: number): boolean {
    if (command.missingReply !== 'no key' || command.cacheRead !== 'key') return false;
    const left = (store.times[(record + KEY_ENDS_AT) >> 1] as number) - this.#ports.router.shared.clock.now;
    const at = command.singleKeyAt;
    if (!this.#ports.isEarly(client, source, args.start[at] as number, args.end[at] as number, left)) return false;
    client.reply(command.id, nullBulk(client.kind.protocol));
    return true;
  }

  #serve(client: ClientConnection, command: Command, store: NearStore, record: number): Verdict {
    if (this.#waiters.size > 0) this.#waiters.forget(client);
    this.count(store, record);
    const { counters } = this.#ports.router.shared;
    const from = store.replyStart(record);
    if (command.cacheRead === 'key') counters.read(counters.groups.atHand, !bulkIsNull(store.bytes, from));
    client.replyCopy(command.id, store.bytes, from, store.replyEnd(record));
    return TAKEN;
  }

  #fill(
    client: ClientConnection,
    framer: RequestFramer,
    command: Command,
    source: Buffer,
    { nearTtl, fillWait, stale, earlyRefresh }: CachePolicy,
    read: NodeRead,
    kind: number,
  ): Verdict | typeof PASS {
    const { router } = this.#ports;
    const { rings } = router.snapshot ?? { rings: null };
    const start = args.start[1] as number;
    const end = args.end[1] as number;
    if (rings === null || isReserved(source, start, end)) return PASS;
    const ringHash = rings.hashOf(source, start, end);
    const owner = this.#keeperOf(rings, ringHash);
    if (owner < 0) return PASS;
    const lane = router.laneFor(client, owner);
    if (lane === null || lane.full) return PASS;
    const { groups } = router.shared.counters;
    const leavesOut = fillWait > 0 || stale > 0 || earlyRefresh ? command.missingReply : null;
    const { hash, keyHash } = read;
    const order = { hash, kind, keyHash, ringHash, group: groups.atHand, most: nearTtl, leavesOut };
    const rest = (args.end[0] as number) + 2;
    read.fill = this.#fills.ask(lane, order, source, rest, end + 2, framer.frameEnd);
    return router.forward(client, command, owner, source, framer, KNOWN_KEY, ringHash);
  }
}
