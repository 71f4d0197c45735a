/**
 * `fill-wait`: of the clients that miss a key, one sees the miss and is to write the key; the others wait for that.
 *
 *   nil ─▶ first miss: its client is the filler, and sees it
 *      └─▶ further ones wait ──▶ the key was written: they get what the proxy reads behind that
 *                           └──▶ the filler's turn is over, it has left, or what it did has left the key missing: the
 *                                next one of them is the filler
 *
 * A turn is as long as `fill-wait`, and nobody waits for more than two. Writes are seen as they are sent here (the read
 * goes right behind on the same lane), and those of others by what nodes say of changed keys.
 */
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { bulkIsNull } from '../../../resp/inspect.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { KeyGroup } from '../../caching/policy.js';
import type { Invalidations, Subscriber, Subscription } from '../../invalidations/invalidations.js';
import { KEY_READ, NO_READ } from '../../measure/cache-reads.js';
import type { FillOutcome } from '../../measure/fill-counts.js';
import type { KeyGroups } from '../../measure/key-groups.js';
import type { FilledKey } from '../../peers/peers.js';
import { DONE, KNOWN_KEY, NO_KEYS_AT_ALL, type Request, WAITING } from '../../request/request.js';
import { TAKEN, type Verdict } from '../../request/verdict.js';
import type { Router } from '../../route/router.js';
import { sendBehind } from '../../route/send-behind.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { PASS, type PolicyFollower, type PolicyStep } from '../policies.js';
import { ArrayWait, nilsOf } from './array-wait.js';
import type { Fill, Wait } from './fill.js';
import { FillRead, type FillReader } from './fill-read.js';
import { FillTable } from './fill-table.js';
import type { Elsewhere, FillsElsewhere } from './fills-elsewhere.js';
import { KeyWait, readFrame } from './key-wait.js';
import { KeyRead, KeysRead, type MissHandler } from './misses.js';
import { WaitingClients } from './waiting-clients.js';

/** A read that was sent so long after a write may still have run before it, on another connection. Milliseconds. */
const GRACE_MS = 100;
/** Turns that a client waits for at most. */
const MOST_TURNS = 2;
/** Beyond these bounds reads miss as they do without `fill-wait`. */
const MOST_WAITING = 100_000;
const MOST_WAITING_FOR_KEY = 10_000;
/** An MGET of more keys is not looked at. */
const MOST_KEYS = 1024;

export interface FillPorts {
  readonly router: Router;
  readonly invalidations: Invalidations;
  /** The proxy's other processes; null: there are none. */
  readonly elsewhere: FillsElsewhere | null;
}

export class FillWait implements PolicyStep, PolicyFollower, MissHandler, FillReader, Subscriber {
  prefixes: readonly string[] = [];
  readonly #router: Router;
  readonly #groups: KeyGroups;
  readonly #subscription: Subscription;
  readonly #table: FillTable;
  readonly #clients = new WaitingClients();
  readonly #invalidations: Invalidations;
  readonly #elsewhere: FillsElsewhere | null;

  constructor({ router, invalidations, elsewhere }: FillPorts) {
    this.#invalidations = invalidations;
    this.#elsewhere = elsewhere;
    this.#router = router;
    this.#groups = router.shared.counters.groups;
    const { clock } = router.shared;
    this.#table = new FillTable((fill) => {
      const { now } = clock;
      if (fill.waits.size > 0 || fill.isFilledAt(now) || now <= fill.writtenAt + GRACE_MS) return false;
      this.#clients.endFiller(fill);
      return true;
    });
    this.prefixes = prefixesOf(this.#groups.groups);
    this.#subscription = invalidations.subscribe(this);
  }

  /** A read of a key for which its client waits already is answered with that: it must not be answered before. */
  dispatch(client: ClientConnection, framer: RequestFramer, command: Command): Verdict | typeof PASS {
    if (!this.#clients.has(client) || !isKeyRead(command)) return PASS;
    const fill = this.#fillAt(framer, command.singleKeyAt, client.kind.database);
    if (fill === null || !this.#clients.waitsFor(client, fill) || !this.#hasRoom(fill)) return PASS;
    const request = client.begin(command.id);
    request.cacheRead = KEY_READ;
    this.#join(new KeyWait(client, request, this.#router.shared.requests, fill, this.#router.shared.clock.now));
    return TAKEN;
  }

  follow(client: ClientConnection, framer: RequestFramer, command: Command, request: Request | null): void {
    if (request === null || request.state !== WAITING) return;
    if (command.write || command.ttlBehind !== null) {
      if (command.waits === null) this.#followWrite(client, framer, command);
    } else if (isKeyRead(command)) {
      // Without a lane it waits already.
      if (request.lane === null || (this.#groups.policyAtHand?.fillWait ?? 0) === 0) return;
      request.misses = new KeyRead(this, client, copyOf(framer, command.singleKeyAt));
    } else if (command.cacheRead === 'array' && framer.argc <= MOST_KEYS && this.#isOfFills(framer)) {
      const keys = Array.from({ length: framer.argc - 1 }, (_, i) => copyOf(framer, i + 1));
      request.misses = new KeysRead(this, client, keys);
    }
  }

  /** A command of a client that waits: what it does to the keys must not be seen by its reads before it. */
  onCommand(client: ClientConnection, framer: RequestFramer, command: Command): void {
    if (isKeyRead(command)) return;
    const isCode = command.ttlBehind?.isAny === true && command.special !== null;
    const count = isCode ? 0 : findKeys(command, args, framer.argc, framer.source);
    if (count <= 0) {
      if (command.write || isCode || command.transactionStep === 'runs') this.releaseAll(client);
      return;
    }
    if (command.readOnly && command.cacheRead === 'array') return;
    const { database } = client.kind;
    for (let k = 0; k < count; k++) {
      const fill = this.#fillAt(framer, keyPositions.at[k] as number, database);
      if (fill !== null) this.#release(this.#clients.waitsOf(client, fill), 'released');
    }
  }

  /** The client's reads see their misses. */
  releaseAll(client: ClientConnection): void {
    this.#release(this.#clients.allOf(client), 'released');
  }

  /** The client has left. */
  forget(client: ClientConnection): void {
    for (const wait of this.#clients.allOf(client)) {
      this.#leave(wait, 'left');
      wait.onLeft();
    }
    const left: Fill[] = [];
    this.#router.shared.clock.read();
    for (const fill of this.#clients.takeFilledBy(client)) {
      if (fill.filler !== client) continue;
      this.#nextFiller(fill, 'next');
      if (fill.state === 'none') left.push(fill);
    }
    if (left.length > 0) this.#elsewhere?.tellLeft(left);
  }

  onGroups(): void {
    this.prefixes = prefixesOf(this.#groups.groups);
    this.#subscription.listen(this.prefixes);
    for (const fill of this.#table) {
      if (fill.waits.size > 0 && this.#turnOf(fill.key) === 0) this.#release([...fill.waits], 'released');
    }
  }

  onInvalidated(keys: readonly Buffer[] | null): void {
    if (this.#table.size === 0) return;
    this.#router.shared.clock.read();
    if (keys === null) {
      for (const fill of this.#table) this.#onChanged(fill);
      return;
    }
    for (const key of keys) for (const fill of this.#table.of(key, 0, key.length)) this.#onChanged(fill);
  }

  onFeedChanged(): void {
    // A feed that was lost has said so by null in the place of keys.
  }

  onKeyMissed({ client, key, database }: KeyRead, request: Request): boolean {
    if (request.silent || this.#turnOf(key) === 0) return false;
    const { clock, requests } = this.#router.shared;
    const fill = this.#table.find(key, 0, key.length, database) ?? this.#table.add(key, database);
    if (fill === null) return this.#refuse(key);
    if (!this.#mustWait(fill, client, request) && !this.#mayAsk(fill, client)) return this.#begin(fill, client);
    if (!this.#hasRoom(fill)) return this.#refuse(key);
    if (this.#isOvertaken(client, request, [key])) return this.#refuse(key, 'released');
    this.#join(new KeyWait(client, request, requests, fill, clock.now));
    if (isLate(fill, request)) this.#readLate(fill);
    else if (!fill.isFilledAt(clock.now)) this.#askElsewhere(fill);
    return true;
  }

  onKeysMissed(
    { client, keys, database }: KeysRead,
    request: Request,
    reply: Buffer,
    start: number,
    end: number,
  ): boolean {
    if (request.silent) return false;
    const fills: { readonly at: number; readonly fill: Fill }[] = [];
    let isFiller = false;
    for (const at of nilsOf(reply, start, end)) {
      const key = keys[at];
      if (key === undefined || this.#turnOf(key) === 0) continue;
      const fill = this.#table.find(key, 0, key.length, database) ?? this.#table.add(key, database);
      if (fill === null || !this.#hasRoom(fill)) return this.#refuse(key);
      fills.push({ at, fill });
      if (this.#mustWait(fill, client, request)) continue;
      isFiller = true;
      this.#begin(fill, client);
    }
    // Whoever fills one of them must not wait for another.
    if (isFiller || fills.length === 0) return false;
    const missing = fills.map(({ fill }) => fill.key);
    if (this.#isOvertaken(client, request, missing)) return this.#refuse(missing[0] as Buffer, 'released');
    const { clock, requests } = this.#router.shared;
    const whole = new ArrayWait(
      client,
      request,
      requests,
      Buffer.from(reply.subarray(start, end)),
      clock.now,
      (waits) => {
        for (const wait of waits) this.#leave(wait, null);
      },
    );
    for (const { at, fill } of fills) this.#join(whole.element(at, fill));
    for (const { fill } of fills) if (isLate(fill, request)) this.#readLate(fill);
    return true;
  }

  /** What another process is answered that is about to have a filler of its own. */
  answer({ key, database }: FilledKey, from: string): Elsewhere {
    const own = this.#elsewhere?.own ?? '';
    const now = this.#router.shared.clock.read();
    const bytes = Buffer.from(key);
    const fill = this.#table.find(bytes, 0, bytes.length, database) ?? this.#table.add(bytes, database);
    if (fill === null) return 'no';
    // Of two that ask each other at once, it is the one whose name comes first.
    if (fill.isFilledAt(now) && fill.state !== 'elsewhere' && (fill.state === 'here' || own < from)) return 'yes';
    if (now <= fill.writtenAt + GRACE_MS) return 'written';
    if (fill.state !== 'asked') this.#beElsewhere(fill);
    return 'no';
  }

  /** A client of another process that was to fill the key has left. */
  onLeftElsewhere({ key, database }: FilledKey): void {
    this.#router.shared.clock.read();
    const bytes = Buffer.from(key);
    const fill = this.#table.find(bytes, 0, bytes.length, database);
    if (fill?.state === 'elsewhere') this.#nextFiller(fill, 'next');
  }

  onRead(read: FillRead, buffer: Buffer, start: number, end: number): void {
    const { fill, writer, otherwise } = read;
    fill.reads--;
    if (!bulkIsNull(buffer, start)) {
      this.#finish(fill, (wait) => wait.onReply(buffer, start, end));
      return;
    }
    if (otherwise !== null) {
      this.#ask(new FillRead(this, this.#router.shared.requests, fill, writer, null), otherwise);
      return;
    }
    if (fill.isOutdated) {
      this.#read(fill);
      return;
    }
    const isOver = writer !== null && writer === fill.filler;
    if (isOver || !fill.isFilledAt(this.#router.shared.clock.now)) this.#nextFiller(fill, 'next');
  }

  onLargeRead({ fill, node }: FillRead): void {
    fill.reads--;
    this.#finish(fill, (wait) => (node === null ? wait.onMiss() : wait.onLarge(node)));
  }

  onReadFailed({ fill }: FillRead): void {
    // Those who wait have their time.
    fill.reads--;
  }

  /** The keys of the command at hand have fills: who waits for them gets what is read behind it. */
  #followWrite(client: ClientConnection, framer: RequestFramer, command: Command): void {
    if (this.#table.size === 0) return;
    const source = framer.source as Buffer;
    const { requests, clock } = this.#router.shared;
    const count = findKeys(command, args, framer.argc, source);
    for (let k = 0; k < count; k++) {
      const at = keyPositions.at[k] as number;
      const fill = this.#fillAt(framer, at, client.kind.database);
      if (fill === null) continue;
      fill.writtenAt = clock.now;
      if (fill.waits.size === 0) {
        if (fill.filler !== client) continue;
        this.#clients.endFiller(fill);
        endTurn(fill);
        continue;
      }
      const read = new FillRead(this, requests, fill, client, null);
      const frame = readFrame(fill.key);
      const start = args.start[at] as number;
      const lane = sendBehind(this.#router, client, source, start, args.end[at] as number, frame, frame.length, read);
      if (lane === null) continue;
      read.node = lane.node;
      fill.reads++;
    }
  }

  /** Whether the client has sent something behind the read that cannot wait, or concerns these keys: that it must not see. */
  #isOvertaken(client: ClientConnection, request: Request, keys: readonly Buffer[]): boolean {
    const rings = this.#router.snapshot?.rings;
    if (rings === undefined || client.isBehindBarrier) return true;
    const hashes = keys.map((key) => rings.hashOf(key, 0, key.length));
    for (let behind = request.nextOfClient; behind !== null; behind = behind.nextOfClient) {
      // Other reads, and what the proxy has answered.
      const isRead = behind.cacheRead !== NO_READ || behind.misses !== null;
      if (isRead || (behind.lane === null && behind.state === DONE)) continue;
      const isApart = behind.keys === KNOWN_KEY ? !hashes.includes(behind.keyHash) : behind.keys === NO_KEYS_AT_ALL;
      if (!isApart || behind.runsCode) return true;
    }
    return false;
  }

  /** Whether another client fills the key, or has done so since the request was sent. */
  #mustWait(fill: Fill, client: ClientConnection, request: Request): boolean {
    if (fill.isFilledAt(this.#router.shared.clock.now)) return fill.filler !== client;
    return isLate(fill, request);
  }

  /** Whether the other processes are to be asked before the client fills the key, and could tell when it is written. */
  #mayAsk(fill: Fill, client: ClientConnection): boolean {
    return this.#elsewhere !== null && fill.filler !== client && this.#invalidations.isHeard(fill.key);
  }

  #askElsewhere(fill: Fill): void {
    this.#clients.endFiller(fill);
    fill.state = 'asked';
    fill.filler = null;
    fill.until = this.#router.shared.clock.now + this.#turnOf(fill.key);
    this.#elsewhere?.ask(fill, (found) => {
      if (fill.state !== 'asked') return;
      this.#router.shared.clock.read();
      endTurn(fill);
      if (found === 'no') this.#nextFiller(fill, 'first');
      else if (found === 'yes') this.#beElsewhere(fill);
      else this.#readLate(fill);
    });
  }

  #beElsewhere(fill: Fill): void {
    this.#clients.endFiller(fill);
    fill.state = 'elsewhere';
    fill.filler = null;
    fill.until = this.#router.shared.clock.now + this.#turnOf(fill.key);
    this.#setTimer(fill);
  }

  /** The client sees the miss, and is to write the key. @returns false: its reply leaves */
  #begin(fill: Fill, client: ClientConnection): false {
    if (fill.filler === client) return false;
    this.#take(fill, client);
    this.#count(fill.key, 'first');
    return false;
  }

  #take(fill: Fill, client: ClientConnection): void {
    this.#clients.endFiller(fill);
    fill.state = 'here';
    fill.filler = client;
    fill.until = this.#router.shared.clock.now + this.#turnOf(fill.key);
    if (fill.waits.size > 0 || this.#elsewhere !== null) this.#clients.noteFiller(fill);
  }

  /** The one who has waited longest is the filler now. */
  #nextFiller(fill: Fill, outcome: FillOutcome): void {
    for (const wait of [...fill.waits]) {
      // Who sends nothing more writes nothing.
      if (!wait.client.inputHasEnded) break;
      this.#release([wait], 'released');
    }
    const [wait] = fill.waits;
    if (wait === undefined || this.#turnOf(fill.key) === 0) {
      this.#clients.endFiller(fill);
      endTurn(fill);
      return;
    }
    this.#leave(wait, outcome);
    this.#take(fill, wait.client);
    wait.onMiss();
    this.#setTimer(fill);
  }

  #join(wait: Wait): void {
    const { fill } = wait;
    fill.waits.add(wait);
    this.#clients.add(wait);
    this.#clients.noteFiller(fill);
    this.#setTimer(fill);
  }

  #leave(wait: Wait, outcome: FillOutcome | null): void {
    const { fill } = wait;
    if (!fill.waits.delete(wait)) return;
    this.#clients.delete(wait);
    if (outcome !== null) this.#count(fill.key, outcome);
    if (fill.waits.size > 0) return;
    // Other processes may wait for it still.
    if (this.#elsewhere === null) this.#clients.endFiller(fill);
    if (fill.timer !== null) clearTimeout(fill.timer);
    fill.timer = null;
  }

  #release(waits: readonly Wait[], outcome: FillOutcome): void {
    for (const wait of waits) {
      if (!wait.fill.waits.has(wait)) continue;
      this.#leave(wait, outcome);
      wait.onMiss();
    }
  }

  /** The key is there. */
  #finish(fill: Fill, answer: (wait: Wait) => void): void {
    fill.isOutdated = false;
    fill.writtenAt = this.#router.shared.clock.now;
    this.#clients.endFiller(fill);
    endTurn(fill);
    for (const wait of [...fill.waits]) {
      if (!fill.waits.has(wait)) continue;
      this.#leave(wait, 'filled');
      answer(wait);
    }
  }

  /** Somebody has changed the key, or may have. */
  #onChanged(fill: Fill): void {
    fill.writtenAt = this.#router.shared.clock.now;
    if (fill.waits.size === 0) {
      if (fill.state === 'elsewhere') endTurn(fill);
      return;
    }
    if (fill.reads > 0) fill.isOutdated = true;
    else this.#read(fill);
  }

  /** A read may have run before a write that was seen since: what is read now has run behind it. */
  #readLate(fill: Fill): void {
    if (fill.reads === 0) this.#read(fill);
  }

  /** Reads the key where it is. */
  #read(fill: Fill): void {
    const { snapshot, nodes, shared } = this.#router;
    fill.isOutdated = false;
    if (snapshot === null) return;
    const { rings, moves } = snapshot;
    const { key, database } = fill;
    const hash = rings.hashOf(key, 0, key.length);
    const owner = rings.ownerOf(hash);
    const next = rings.isChanging && moves !== null ? rings.nextOwnerOf(hash) : owner;
    // As reads of clients do: a moved key is not written where it was any more.
    const hasMoved = next !== owner && moves?.isSettled(owner, database, key, 0, key.length) === true;
    const node = nodes[hasMoved ? next : owner];
    const otherwise = next === owner || hasMoved ? null : (nodes[next] ?? null);
    if (node !== undefined) this.#ask(new FillRead(this, shared.requests, fill, null, otherwise), node);
  }

  #ask(read: FillRead, node: UpstreamNode): void {
    const { fill } = read;
    const { snapshot, shared } = this.#router;
    const [first] = fill.waits;
    const lane = node.pick({ protocol: first?.client.kind.protocol ?? 2, database: fill.database });
    if (lane === null || snapshot === null) return;
    const request = shared.requests.take();
    request.streamTo(read);
    request.keys = KNOWN_KEY;
    request.keyHash = snapshot.rings.hashOf(fill.key, 0, fill.key.length);
    request.startedAt = shared.clock.now;
    read.node = node;
    fill.reads++;
    const frame = readFrame(fill.key);
    lane.send(request, frame, 0, frame.length);
  }

  #setTimer(fill: Fill): void {
    const [first] = fill.waits;
    if (first === undefined) return;
    const { now } = this.#router.shared.clock;
    const last = first.since + MOST_TURNS * this.#turnOf(fill.key);
    const at = fill.isFilledAt(now) ? Math.min(fill.until, last) : last;
    if (fill.timer !== null && fill.timerAt <= at) return;
    if (fill.timer !== null) clearTimeout(fill.timer);
    fill.timerAt = at;
    fill.timer = setTimeout(() => this.#onTimer(fill), Math.max(1, at - now));
  }

  #onTimer(fill: Fill): void {
    fill.timer = null;
    const now = this.#router.shared.clock.read();
    const longest = MOST_TURNS * this.#turnOf(fill.key);
    for (const wait of [...fill.waits]) {
      if (now - wait.since < longest) break;
      this.#release([wait], 'timeout');
    }
    if (fill.waits.size > 0 && now >= fill.until) this.#nextFiller(fill, 'next');
    this.#setTimer(fill);
  }

  #fillAt({ source }: RequestFramer, at: number, database: number): Fill | null {
    return this.#table.find(source as Buffer, args.start[at] as number, args.end[at] as number, database);
  }

  #isOfFills({ argc, source }: RequestFramer): boolean {
    for (let at = 1; at < argc; at++) {
      const policy = this.#groups.policyOf(source, args.start[at] as number, args.end[at] as number);
      if (policy !== null && policy.fillWait > 0) return true;
    }
    return false;
  }

  #turnOf(key: Buffer): number {
    return this.#groups.policyOf(key, 0, key.length)?.fillWait ?? 0;
  }

  #hasRoom(fill: Fill): boolean {
    return fill.waits.size < MOST_WAITING_FOR_KEY && this.#clients.waits < MOST_WAITING;
  }

  #refuse(key: Buffer, outcome: FillOutcome = 'full'): false {
    this.#count(key, outcome);
    return false;
  }

  #count(key: Buffer, outcome: FillOutcome): void {
    this.#groups.filled(this.#groups.groupOf(key, 0, key.length), outcome);
  }
}

/** GET: what it answers tells whether the key is there. */
function isKeyRead(command: Command): boolean {
  return command.cacheRead === 'key' && command.missingReply === 'no key' && command.singleKeyAt > 0;
}

/** Whether the read may have run before a write that was seen since. */
function isLate(fill: Fill, request: Request): boolean {
  return request.startedAt <= fill.writtenAt + GRACE_MS;
}

function endTurn(fill: Fill): void {
  fill.state = 'none';
  fill.filler = null;
}

function copyOf({ source }: RequestFramer, at: number): Buffer {
  return Buffer.from(source.subarray(args.start[at], args.end[at]));
}

function prefixesOf(groups: readonly KeyGroup[]): string[] {
  const filled = groups.filter(({ policy }) => policy !== null && policy.fillWait > 0);
  return filled.flatMap(({ prefixes }) => prefixes.map((prefix) => Buffer.from(prefix).toString('latin1')));
}
