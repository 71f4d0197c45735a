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
 *
 * A client that pipelines never sees a key go back: what it reads of a key behind a read that waits waits as well, or else
 * the one that waits sees its miss.
 */
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { KeyGroup } from '../../caching/policy.js';
import type { Subscriber, Subscription } from '../../invalidations/invalidations.js';
import { KEY_READ, NO_READ } from '../../measure/cache-reads.js';
import type { KeyGroups } from '../../measure/key-groups.js';
import type { FilledKey } from '../../peers/peers.js';
import { DONE, KNOWN_KEY, NO_KEYS_AT_ALL, type Request, WAITING } from '../../request/request.js';
import { TAKEN, type Verdict } from '../../request/verdict.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { PASS, type PolicyFollower, type PolicyStep } from '../policies.js';
import { ArrayWait, nilsOf } from './array-wait.js';
import { type Fill, isLate } from './fill.js';
import type { Elsewhere } from './fills-elsewhere.js';
import { KeyWait } from './key-wait.js';
import { LastValues } from './last-values.js';
import { KeyRead, KeysRead, type MissHandler, ValueRead } from './misses.js';
import { type FillPorts, needsTurns, Turns } from './turns.js';
import { ValueWait } from './value-wait.js';

/** An MGET of more keys is not looked at. */
const MOST_KEYS = 1024;

export class FillWait implements PolicyStep, PolicyFollower, MissHandler, Subscriber {
  prefixes: readonly string[] = [];
  readonly #router: Router;
  readonly #groups: KeyGroups;
  readonly #turns: Turns;
  readonly #last: LastValues;
  readonly #subscription: Subscription;

  constructor(ports: FillPorts) {
    this.#router = ports.router;
    this.#groups = ports.router.shared.counters.groups;
    this.#turns = new Turns(ports);
    this.#last = new LastValues(ports.memory);
    this.prefixes = prefixesOf(this.#groups.groups);
    this.#subscription = ports.invalidations.subscribe(this);
  }

  /** A read of a key for which its client waits already is answered with that: it must not be answered before. */
  dispatch(client: ClientConnection, framer: RequestFramer, command: Command): Verdict | typeof PASS {
    const turns = this.#turns;
    if (!turns.clients.has(client) || !isKeyRead(command)) return PASS;
    const fill = this.#fillAt(framer, command.singleKeyAt, client.kind.database);
    if (fill === null || !turns.clients.waitsFor(client, fill) || !turns.hasRoom(fill)) return PASS;
    const request = client.begin(command.id);
    request.cacheRead = KEY_READ;
    turns.join(new KeyWait(client, request, this.#router, fill, this.#router.shared.clock.now));
    return TAKEN;
  }

  follow(client: ClientConnection, framer: RequestFramer, command: Command, request: Request | null): void {
    if (request === null || request.state !== WAITING) return;
    if (command.write || command.ttlBehind !== null) {
      if (this.#last.size > 0) this.#followLast(client, framer, command);
      // Of one that takes several steps the nodes tell when it has written.
      if (command.waits === null && request.steps === null) this.#followWrite(client, framer, command);
    } else if (isKeyRead(command)) {
      // Without a lane it waits already.
      const policy = this.#groups.policyAtHand;
      if (request.lane === null || policy === null || !needsTurns(policy)) return;
      request.misses = new KeyRead(this, client, copyOf(framer, command.singleKeyAt));
    } else if (command.awaitsFill === 'like missing' || command.awaitsFill === 'all nil') {
      if (request.lane === null || (this.#groups.policyAtHand?.fillWait ?? 0) === 0 || framer.argc > MOST_KEYS) return;
      const key = copyOf(framer, command.singleKeyAt);
      const frame = Buffer.from(framer.source.subarray(framer.frameStart, framer.frameEnd));
      request.misses = new ValueRead(this, client, key, frame, command.missingReply);
    } else if (command.awaitsFill === 'each' && framer.argc <= MOST_KEYS && this.#isOfFills(framer)) {
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
    if (command.awaitsFill === 'each') return;
    const { database } = client.kind;
    for (let k = 0; k < count; k++) {
      const fill = this.#fillAt(framer, keyPositions.at[k] as number, database);
      if (fill !== null) this.#turns.release(this.#turns.clients.waitsOf(client, fill), 'released');
    }
  }

  /** The client's reads see their misses. */
  releaseAll(client: ClientConnection): void {
    this.#turns.release(this.#turns.clients.allOf(client), 'released');
  }

  /** The client has left. */
  forget(client: ClientConnection): void {
    this.#turns.forget(client);
  }

  /** What another process is answered that is about to have a filler of its own. */
  answer(key: FilledKey, from: string): Elsewhere {
    return this.#turns.answer(key, from);
  }

  /** A client of another process that was to fill the key has left. */
  onLeftElsewhere(key: FilledKey): void {
    this.#turns.onLeftElsewhere(key);
  }

  onGroups(): void {
    const turns = this.#turns;
    this.prefixes = prefixesOf(this.#groups.groups);
    this.#subscription.listen(this.prefixes);
    for (const fill of turns.table) {
      if (fill.waits.size > 0 && turns.turnOf(fill.key) === 0) turns.release([...fill.waits], 'released');
    }
  }

  onInvalidated(keys: readonly Buffer[] | null): void {
    const { table } = this.#turns;
    if (keys === null) this.#last.clear();
    if (table.size === 0) return;
    this.#router.shared.clock.read();
    if (keys === null) {
      for (const fill of table) this.#turns.onChanged(fill);
      return;
    }
    for (const key of keys) for (const fill of table.of(key, 0, key.length)) this.#turns.onChanged(fill);
  }

  onFeedChanged(): void {
    // A feed that was lost has said so by null in the place of keys.
  }

  onKeyMissed({ client, key, database }: KeyRead, request: Request): boolean {
    const turns = this.#turns;
    if (request.silent || turns.turnOf(key) === 0) return false;
    const { clock } = this.#router.shared;
    const fill = turns.of(key, database);
    if (fill === null) return turns.refuse(key);
    if (!turns.mustWait(fill, client, request) && !(this.#fillWaitOf(key) > 0 && turns.mayAsk(fill, client)))
      return turns.begin(fill, client);
    if (fill.isFilledAt(clock.now) && this.#answerStale(fill, client, request)) return true;
    if (this.#fillWaitOf(key) === 0) return false;
    if (!turns.hasRoom(fill)) return turns.refuse(key);
    if (this.#isOvertaken(client, request, [key])) return turns.refuse(key, 'released');
    turns.join(new KeyWait(client, request, this.#router, fill, clock.now));
    if (isLate(fill, request)) turns.readLate(fill);
    else if (!fill.isFilledAt(clock.now)) turns.askElsewhere(fill);
    return true;
  }

  /**
   * Whether the key is there, nobody knows: it is looked at, unless somebody fills it, while the client waits as the others
   * do. Where it is, the read is sent once more.
   */
  onValueMissed(
    { client, key, database, frame }: ValueRead,
    request: Request,
    buffer: Buffer,
    start: number,
    end: number,
  ): boolean {
    const turns = this.#turns;
    if (request.silent || this.#fillWaitOf(key) === 0) return false;
    const { clock } = this.#router.shared;
    const fill = turns.of(key, database);
    if (fill === null || !turns.hasRoom(fill)) return turns.refuse(key);
    const isFilled = fill.isFilledAt(clock.now);
    // Who fills it sees what it is answered.
    if (isFilled && fill.filler === client) return false;
    if (this.#isOvertaken(client, request, [key])) return turns.refuse(key, 'released');
    const missing = Buffer.from(buffer.subarray(start, end));
    turns.join(new ValueWait(client, request, this.#router, fill, clock.now, frame, missing));
    if (!isFilled || isLate(fill, request)) turns.readLate(fill);
    return true;
  }

  /**
   * The client is answered what a node, or nobody, has said of the key: reads of it that wait in front of that must not be
   * answered what is later.
   */
  onAnswered(client: ClientConnection, key: Buffer, database: number): void {
    const { clients, table } = this.#turns;
    if (!clients.has(client)) return;
    const fill = table.find(key, 0, key.length, database);
    if (fill !== null) this.#turns.release(clients.waitsOf(client, fill), 'released');
  }

  onKeyFound({ key, database }: KeyRead, buffer: Buffer, start: number, end: number): void {
    const policy = this.#groups.policyOf(key, 0, key.length);
    if (policy === null || policy.stale === 0) return;
    this.#last.keep(key, database, buffer, start, end, this.#router.shared.clock.now);
  }

  /** The client begins to send a large value of the key. */
  onUpload(client: ClientConnection, source: Buffer, start: number, end: number): void {
    if (this.#last.size > 0) this.#last.drop(source.subarray(start, end), client.kind.database);
  }

  /** The client has sent EXEC. */
  onExec(client: ClientConnection): void {
    this.#last.onUnknown(client, this.#router.shared.clock.now);
  }

  /**
   * A GET of the client of the key `source[start, end)` could be answered from what is kept.
   * @param left milliseconds until the key expires
   * @returns whether the client is to see a miss instead, and fill the key before it expires
   */
  isEarly(client: ClientConnection, source: Buffer, start: number, end: number, left: number): boolean {
    return this.#turns.isEarly(client, source, start, end, left);
  }

  onKeysMissed(read: KeysRead, request: Request, buffer: Buffer, start: number, end: number): boolean {
    if (request.silent) return false;
    const turns = this.#turns;
    const { client, keys, database } = read;
    const fills: { readonly at: number; readonly fill: Fill }[] = [];
    let isFiller = false;
    for (const at of nilsOf(buffer, start, end)) {
      const key = keys[at];
      if (key === undefined || this.#fillWaitOf(key) === 0) continue;
      const fill = turns.of(key, database);
      if (fill === null || !turns.hasRoom(fill)) return turns.refuse(key);
      fills.push({ at, fill });
      if (turns.mustWait(fill, client, request)) continue;
      isFiller = true;
      turns.begin(fill, client);
    }
    const [first] = fills;
    // Whoever fills one of them must not wait for another.
    if (isFiller || first === undefined) return false;
    const missing = fills.map(({ fill }) => fill.key);
    if (this.#isOvertaken(client, request, missing)) return turns.refuse(first.fill.key, 'released');
    const { clock, requests } = this.#router.shared;
    const reply = Buffer.from(buffer.subarray(start, end));
    const whole = new ArrayWait(client, request, requests, reply, clock.now, (waits) => {
      for (const wait of waits) turns.leave(wait, null);
      for (const { fill } of waits) this.onAnswered(client, fill.key, database);
    });
    for (const { at, fill } of fills) turns.join(whole.element(at, fill));
    for (const { fill } of fills) if (isLate(fill, request)) turns.readLate(fill);
    return true;
  }

  /** Whether the client was answered the last value, since another one fills the key. */
  #answerStale({ key, database }: Fill, client: ClientConnection, request: Request): boolean {
    const policy = this.#groups.policyOf(key, 0, key.length);
    if (policy === null || policy.stale === 0) return false;
    const { now } = this.#router.shared.clock;
    const value = this.#last.find(client, key, database, now - policy.nearTtl - policy.stale);
    if (value === null) return false;
    this.#turns.refuse(key, 'stale');
    this.onAnswered(client, key, database);
    request.misses = null;
    client.onReply(request, value, 0, value.length);
    return true;
  }

  /** What the command at hand makes of last values. */
  #followLast(client: ClientConnection, framer: RequestFramer, command: Command): void {
    const source = framer.source as Buffer;
    const { database } = client.kind;
    const count = findKeys(command, args, framer.argc, source);
    if (count <= 0) {
      if (command.onAllKeys) this.#last.clear();
      else this.#last.onUnknown(client, this.#router.shared.clock.now);
      return;
    }
    const { ttlBehind, ttlGiven } = command;
    const removes = ttlBehind === null && (ttlGiven === null || ('at' in ttlGiven && ttlGiven.like === 'PEXPIRE'));
    for (let k = 0; k < count; k++) {
      const key = copyOf(framer, keyPositions.at[k] as number);
      if (removes) this.#last.onRemoved(client, key, database);
      else this.#last.drop(key, database);
    }
  }

  #followWrite(client: ClientConnection, framer: RequestFramer, command: Command): void {
    if (this.#turns.table.size === 0) return;
    const source = framer.source as Buffer;
    const count = findKeys(command, args, framer.argc, source);
    for (let k = 0; k < count; k++) {
      const at = keyPositions.at[k] as number;
      const fill = this.#fillAt(framer, at, client.kind.database);
      if (fill !== null) this.#turns.onWrite(fill, client, source, args.start[at] as number, args.end[at] as number);
    }
  }

  /** Whether the client has sent something behind the read that cannot wait, or concerns these keys: that it must not see. */
  #isOvertaken(client: ClientConnection, request: Request, keys: readonly Buffer[]): boolean {
    const rings = this.#router.snapshot?.rings;
    if (rings === undefined || client.isBehindBarrier) return true;
    const hashes = keys.map((key) => rings.hashOf(key, 0, key.length));
    for (let behind = request.nextOfClient; behind !== null; behind = behind.nextOfClient) {
      // What it was answered then is older than what is written now.
      if (behind.state === DONE && keys.some((key) => behind.misses?.asksFor(key, client.kind.database))) return true;
      // Other reads, and what the proxy has answered.
      const isRead = behind.cacheRead !== NO_READ || behind.misses !== null;
      if (isRead || (behind.lane === null && behind.state === DONE)) continue;
      const isApart = behind.keys === KNOWN_KEY ? !hashes.includes(behind.keyHash) : behind.keys === NO_KEYS_AT_ALL;
      if (!isApart || behind.runsCode) return true;
    }
    return false;
  }

  #fillAt({ source }: RequestFramer, at: number, database: number): Fill | null {
    return this.#turns.table.find(source as Buffer, args.start[at] as number, args.end[at] as number, database);
  }

  #fillWaitOf(key: Buffer): number {
    return this.#groups.policyOf(key, 0, key.length)?.fillWait ?? 0;
  }

  #isOfFills({ argc, source }: RequestFramer): boolean {
    for (let at = 1; at < argc; at++) {
      const policy = this.#groups.policyOf(source, args.start[at] as number, args.end[at] as number);
      if (policy !== null && policy.fillWait > 0) return true;
    }
    return false;
  }
}

/** GET: what it answers tells whether the key is there. */
function isKeyRead(command: Command): boolean {
  return command.awaitsFill === 'nil' && command.singleKeyAt > 0;
}

function copyOf({ source }: RequestFramer, at: number): Buffer {
  return Buffer.from(source.subarray(args.start[at], args.end[at]));
}

function prefixesOf(groups: readonly KeyGroup[]): string[] {
  const filled = groups.filter(({ policy }) => policy !== null && needsTurns(policy));
  return filled.flatMap(({ prefixes }) => prefixes.map((prefix) => Buffer.from(prefix).toString('latin1')));
}
