/**
 * Keys that were missed, and whose turn it is to fill each: a filler has `fill-wait` milliseconds; when they are over,
 * when it leaves, or when what it has written leaves the key missing, the one who has waited longest is the next.
 */
import { bulkIsNull } from '../../../resp/inspect.js';
import type { CachePolicy } from '../../caching/policy.js';
import type { Invalidations } from '../../invalidations/invalidations.js';
import type { FillOutcome } from '../../measure/fill-counts.js';
import type { KeyGroups } from '../../measure/key-groups.js';
import type { FilledKey } from '../../peers/peers.js';
import type { Request } from '../../request/request.js';
import type { Router } from '../../route/router.js';
import { sendBehind } from '../../route/send-behind.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { type Fill, GRACE_MS, hasReadSince, isLate, type Wait } from './fill.js';
import { askNode, FillRead, type FillReader, readWhereItIs } from './fill-read.js';
import { FillTable } from './fill-table.js';
import { FillTimes } from './fill-times.js';
import type { Elsewhere, FillsElsewhere } from './fills-elsewhere.js';
import { readFrame } from './key-wait.js';
import { WaitingClients } from './waiting-clients.js';

/** How long a turn is in groups without `fill-wait`, where nobody waits for it. */
const TURN_MS = 1000;
/** Turns that a client waits for at most. */
const MOST_TURNS = 2;
/** Beyond these bounds reads miss as they do without `fill-wait`. */
const MOST_WAITING = 100_000;
const MOST_WAITING_FOR_KEY = 10_000;

export interface FillPorts {
  readonly router: Router;
  readonly invalidations: Invalidations;
  /** The proxy's other processes; null: there are none. */
  readonly elsewhere: FillsElsewhere | null;
  /** Bytes that last values may take. */
  readonly memory: number;
  /** From 0 up to 1, which it never is. */
  readonly random: () => number;
}

/** Whether it matters who fills keys of the group. */
export function needsTurns({ fillWait, stale, earlyRefresh }: CachePolicy): boolean {
  return fillWait > 0 || stale > 0 || earlyRefresh;
}

export class Turns implements FillReader {
  readonly table: FillTable;
  readonly clients = new WaitingClients();
  readonly times: FillTimes;
  readonly #router: Router;
  readonly #groups: KeyGroups;
  readonly #invalidations: Invalidations;
  readonly #elsewhere: FillsElsewhere | null;

  constructor({ router, invalidations, elsewhere, random }: FillPorts) {
    this.times = new FillTimes(random);
    this.#router = router;
    this.#groups = router.shared.counters.groups;
    this.#invalidations = invalidations;
    this.#elsewhere = elsewhere;
    const { clock } = router.shared;
    this.table = new FillTable((fill) => {
      const { now } = clock;
      if (fill.waits.size > 0 || fill.isFilledAt(now) || now <= fill.writtenAt + GRACE_MS) return false;
      this.clients.endFiller(fill);
      return true;
    });
  }

  /** The fill of this key; null: there are as many as may be, or its name is too long. */
  of(key: Buffer, database: number): Fill | null {
    return this.table.find(key, 0, key.length, database) ?? this.table.add(key, database);
  }

  /** Whether another client fills the key, or has done so since the request was sent. */
  mustWait(fill: Fill, client: ClientConnection, request: Request): boolean {
    if (fill.isFilledAt(this.#router.shared.clock.now)) return fill.filler !== client;
    return isLate(fill, request);
  }

  /** Whether the other processes are to be asked before the client fills the key, and could tell when it is written. */
  mayAsk(fill: Fill, client: ClientConnection): boolean {
    return this.#elsewhere !== null && fill.filler !== client && this.#invalidations.isHeard(fill.key);
  }

  /** The client sees the miss, and is to write the key. @returns false: its reply leaves */
  begin(fill: Fill, client: ClientConnection): false {
    if (fill.filler === client && fill.isFilledAt(this.#router.shared.clock.now)) return false;
    this.#take(fill, client);
    this.#count(fill.key, 'first');
    return false;
  }

  /** Nobody here fills the key: perhaps somebody does in another process. */
  askElsewhere(fill: Fill): void {
    this.clients.endFiller(fill);
    fill.state = 'asked';
    fill.isConceded = false;
    fill.filler = null;
    fill.until = this.#router.shared.clock.now + this.turnOf(fill.key);
    this.#elsewhere?.ask(fill, (found) => {
      if (fill.state !== 'asked') return;
      this.#router.shared.clock.read();
      if (found === 'written') {
        // Until it has been read, others that ask are answered as while the question is open.
        fill.isSaidWritten = true;
        this.readLate(fill);
      } else if (found === 'yes' || fill.isConceded) this.#beElsewhere(fill);
      else this.#nextFiller(fill, 'first');
    });
  }

  /** It waits from now on. */
  join(wait: Wait): void {
    const { fill } = wait;
    fill.waits.add(wait);
    this.clients.add(wait);
    this.clients.noteFiller(fill);
    this.#setTimer(fill);
  }

  /** It does not wait any more. @param outcome null: it counts as a part of another one */
  leave(wait: Wait, outcome: FillOutcome | null): void {
    const { fill } = wait;
    if (!fill.waits.delete(wait)) return;
    this.clients.delete(wait);
    if (outcome !== null) this.#count(fill.key, outcome);
    if (fill.waits.size > 0) return;
    // Other processes may wait for it still.
    if (this.#elsewhere === null) this.clients.endFiller(fill);
    if (fill.timer !== null) clearTimeout(fill.timer);
    fill.timer = null;
  }

  /** They see the miss. */
  release(waits: readonly Wait[], outcome: FillOutcome): void {
    for (const wait of waits) {
      if (!wait.fill.waits.has(wait)) continue;
      this.leave(wait, outcome);
      wait.onMiss();
    }
  }

  /** The read does not wait. @returns false: its reply leaves */
  refuse(key: Buffer, outcome: FillOutcome = 'full'): false {
    this.#count(key, outcome);
    return false;
  }

  /** Whether one more may wait. */
  hasRoom(fill: Fill): boolean {
    return fill.waits.size < MOST_WAITING_FOR_KEY && this.clients.waits < MOST_WAITING;
  }

  /** How long a filler of this key has, in milliseconds; 0: nobody's turn is known. */
  turnOf(key: Buffer): number {
    const policy = this.#groups.policyOf(key, 0, key.length);
    if (policy === null) return 0;
    if (policy.fillWait > 0) return policy.fillWait;
    return needsTurns(policy) ? TURN_MS : 0;
  }

  /** The client has left. */
  forget(client: ClientConnection): void {
    for (const wait of this.clients.allOf(client)) {
      this.leave(wait, 'left');
      wait.onLeft();
    }
    const left: Fill[] = [];
    this.#router.shared.clock.read();
    for (const fill of this.clients.takeFilledBy(client)) {
      if (fill.filler !== client) continue;
      this.#nextFiller(fill, 'next');
      if (fill.state === 'none') left.push(fill);
    }
    if (left.length > 0) this.#elsewhere?.tellLeft(left);
  }

  /**
   * The client has sent a command that may write the key, `source[start, end)`: who waits for it gets what is read
   * behind it.
   */
  onWrite(fill: Fill, client: ClientConnection, source: Buffer, start: number, end: number): void {
    const { requests, clock } = this.#router.shared;
    if (fill.filler === client) this.times.note(fill.key, clock.now - fill.since);
    fill.writtenAt = clock.now;
    if (fill.waits.size === 0) {
      if (fill.filler === client) this.#end(fill);
      return;
    }
    const read = new FillRead(this, requests, fill, client, null);
    const frame = readFrame(fill.key);
    const lane = sendBehind(this.#router, client, source, start, end, frame, frame.length, read);
    if (lane === null) return;
    read.node = lane.node;
    fill.reads++;
  }

  /** Somebody has changed the key, or may have. */
  onChanged(fill: Fill): void {
    fill.writtenAt = this.#router.shared.clock.now;
    if (fill.waits.size === 0) {
      if (fill.state === 'elsewhere') this.#end(fill);
      return;
    }
    if (fill.reads > 0) fill.isOutdated = true;
    else this.#read(fill);
  }

  /** A read may have run before a write that was seen since: what is read now has run behind it. */
  readLate(fill: Fill): void {
    if (fill.reads === 0) this.#read(fill);
  }

  /** What another process is answered that is about to have a filler of its own. */
  answer({ key, database }: FilledKey, from: string): Elsewhere {
    const own = this.#elsewhere?.own ?? '';
    const now = this.#router.shared.clock.read();
    const bytes = Buffer.from(key);
    const fill = this.of(bytes, database);
    if (fill === null) return 'no';
    // Of two that ask each other at once, it is the one whose name comes first.
    if (fill.isFilledAt(now) && fill.state !== 'elsewhere' && (fill.state === 'here' || own < from)) return 'yes';
    if (fill.state === 'asked') fill.isConceded = true;
    // A key that has expired counts as written, too: it was changed, and how is not said.
    if (now <= fill.writtenAt + GRACE_MS) return 'written';
    if (fill.state !== 'asked') this.#beElsewhere(fill);
    return 'no';
  }

  /** A client of another process that was to fill the key has left. */
  onLeftElsewhere({ key, database }: FilledKey): void {
    this.#router.shared.clock.read();
    const bytes = Buffer.from(key);
    const fill = this.table.find(bytes, 0, bytes.length, database);
    if (fill?.state === 'elsewhere') this.#nextFiller(fill, 'next');
  }

  /** Whether the client, which reads a key that is there, is to fill it anew: it sees a miss then. */
  isEarly(client: ClientConnection, source: Buffer, start: number, end: number, left: number): boolean {
    if (!this.times.isDue(source, start, end, left)) return false;
    const fill = this.of(Buffer.from(source.subarray(start, end)), client.kind.database);
    if (fill === null || fill.isFilledAt(this.#router.shared.clock.now)) return false;
    this.#take(fill, client);
    this.#count(fill.key, 'early');
    return true;
  }

  onRead(read: FillRead, buffer: Buffer, start: number, end: number): void {
    const { fill, writer, otherwise } = read;
    fill.reads--;
    if (!bulkIsNull(buffer, start)) {
      this.#finish(read, (wait) => wait.onReply(buffer, start, end));
      return;
    }
    if (otherwise !== null) {
      const next = new FillRead(this, this.#router.shared.requests, fill, writer, null);
      if (!askNode(this.#router, next, otherwise)) this.#onUnread(fill);
      return;
    }
    if (fill.isOutdated) {
      this.#read(fill);
      return;
    }
    const isOver = writer !== null && writer === fill.filler;
    if (isOver) this.#nextFiller(fill, 'next');
    else if (this.#isOpen(fill)) this.#fillAnew(fill);
  }

  onLargeRead(read: FillRead): void {
    read.fill.reads--;
    this.#finish(read, null);
  }

  onReadFailed({ fill }: FillRead): void {
    fill.reads--;
    this.#onUnread(fill);
  }

  #beElsewhere(fill: Fill): void {
    this.clients.endFiller(fill);
    fill.state = 'elsewhere';
    fill.filler = null;
    fill.until = this.#router.shared.clock.now + this.turnOf(fill.key);
    this.#setTimer(fill);
  }

  #take(fill: Fill, client: ClientConnection): void {
    this.clients.endFiller(fill);
    const { now } = this.#router.shared.clock;
    fill.state = 'here';
    fill.filler = client;
    fill.since = now;
    fill.until = now + this.turnOf(fill.key);
    if (fill.waits.size > 0 || this.#elsewhere !== null) this.clients.noteFiller(fill);
  }

  /** The one who has waited longest is the filler now. */
  #nextFiller(fill: Fill, outcome: FillOutcome): void {
    for (const wait of [...fill.waits]) {
      // Who sends nothing more writes nothing.
      if (!wait.client.inputHasEnded) break;
      this.release([wait], 'released');
    }
    const [wait] = fill.waits;
    if (wait === undefined || this.turnOf(fill.key) === 0) {
      this.#end(fill);
      return;
    }
    this.leave(wait, outcome);
    this.#take(fill, wait.client);
    wait.onMiss();
    // Whoever fills it must not wait for itself.
    this.release(this.clients.waitsOf(wait.client, fill), 'released');
    this.#setTimer(fill);
  }

  /** The key is missing, and nobody here fills it. */
  #fillAnew(fill: Fill): void {
    const wasAsked = fill.isSaidWritten;
    fill.isSaidWritten = false;
    if (wasAsked && fill.isConceded) {
      this.#beElsewhere(fill);
      return;
    }
    const [wait] = fill.waits;
    if (wait !== undefined && !wasAsked && this.mayAsk(fill, wait.client)) this.askElsewhere(fill);
    else this.#nextFiller(fill, 'first');
  }

  /** The key is there. @param share answers what was read; null: that is too large to be shared */
  #finish({ fill, node }: FillRead, share: ((wait: Wait) => void) | null): void {
    fill.isOutdated = false;
    fill.isSaidWritten = false;
    fill.writtenAt = this.#router.shared.clock.now;
    this.#end(fill);
    for (const wait of [...fill.waits]) {
      if (fill.waits.has(wait)) this.#answer(this.clients.waitsOf(wait.client, fill), node, share);
    }
  }

  /** @param own what one client waits for, in the order of its commands */
  #answer(own: readonly Wait[], node: UpstreamNode | null, share: ((wait: Wait) => void) | null): void {
    // What is read anew is later than what was read now: then nothing behind it is answered with that, or was with less.
    const isShared = share !== null && own.every(({ takes }) => takes !== 'nothing');
    const canBeReadAnew = node !== null && own.every(({ takes }) => takes !== 'element');
    const readAnew = canBeReadAnew ? (wait: Wait): void => wait.onThere(node) : null;
    const answer = isShared ? share : readAnew;
    for (const wait of own) {
      // One that sees a miss may have ended others.
      if (!wait.fill.waits.has(wait)) continue;
      if (answer === null || hasReadSince(wait)) {
        this.release([wait], 'released');
        continue;
      }
      this.leave(wait, 'filled');
      answer(wait);
    }
  }

  #setTimer(fill: Fill): void {
    const [first] = fill.waits;
    if (first === undefined) return;
    const { now } = this.#router.shared.clock;
    const last = first.since + MOST_TURNS * this.turnOf(fill.key);
    const at = fill.isFilledAt(now) ? Math.min(fill.until, last) : last;
    if (fill.timer !== null && fill.timerAt <= at) return;
    if (fill.timer !== null) clearTimeout(fill.timer);
    fill.timerAt = at;
    fill.timer = setTimeout(() => this.#onTimer(fill), Math.max(1, at - now));
  }

  #onTimer(fill: Fill): void {
    fill.timer = null;
    const now = this.#router.shared.clock.read();
    const longest = MOST_TURNS * this.turnOf(fill.key);
    for (const wait of [...fill.waits]) {
      if (now - wait.since < longest) break;
      this.release([wait], 'timeout');
    }
    if (fill.waits.size > 0 && now >= fill.until) this.#nextFiller(fill, 'next');
    this.#setTimer(fill);
  }

  #count(key: Buffer, outcome: FillOutcome): void {
    this.#groups.filled(this.#groups.groupOf(key, 0, key.length), outcome);
  }

  /** Nobody fills it any more. */
  #end(fill: Fill): void {
    this.clients.endFiller(fill);
    fill.state = 'none';
    fill.filler = null;
  }

  #read(fill: Fill): void {
    fill.isOutdated = false;
    if (!readWhereItIs(this.#router, this, fill)) this.#onUnread(fill);
  }

  /** The key cannot be read now: those who wait for nobody go on. */
  #onUnread(fill: Fill): void {
    if (this.#isOpen(fill)) this.#nextFiller(fill, 'next');
  }

  /** Whether nobody fills the key, as far as is known: nobody at all, or it was said to be written and is only read anew. */
  #isOpen(fill: Fill): boolean {
    return !fill.isFilledAt(this.#router.shared.clock.now) || (fill.state === 'asked' && fill.isSaidWritten);
  }
}
