/**
 * Client-side caching. Each node broadcasts the names of changed keys to one connection of the data plane, whichever
 * clients track; the data plane knows which of them have read which key, and tells them in their protocol.
 *
 * What must not happen is that a client keeps a value of whose change it is not told:
 * - A key is noted when its read is dispatched, so no change after the read is missed.
 * - A change is told behind the replies that its client waits for: the value of one of them may be the old one.
 * - What is read from a node that is not listened to (not yet, or not any more) is told as changed behind its reply.
 * - A connection that is lost, and a node that leaves, tell everybody to forget everything.
 */
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import {
  type Invalidations,
  MOST_LISTENED,
  type Subscriber,
  type Subscription,
} from '../../invalidations/invalidations.js';
import { coverOf } from '../../invalidations/prefixes.js';
import type { Clock } from '../../measure/clock.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { ClientStates } from '../../session/client-states.js';
import { IN_TRANSACTION, TRACKS } from '../../session/modes.js';
import { Broadcast } from './broadcast.js';
import { ClientTracking, type TrackingOptions } from './client-tracking.js';
import { KeyTable } from './key-table.js';
import { brokenRedirect, invalidation } from './messages.js';
import { keysWritten } from './own-writes.js';

/** What nobody needs is listened to this long. Milliseconds. */
const KEPT_MS = 60_000;
/** What a client is told behind its reply waits this long for it when its command waits at a node. Milliseconds. */
const BLOCKED_PATIENCE_MS = 100;
const EVERYTHING = '';
/** Keys of the table that are looked at in a tick. */
const SWEPT = 20_000;

/**
 * Tells a client of another process that these keys have changed.
 * @returns whether there is such a client; null: a process has not said
 */
export type TellElsewhere = (client: number, keys: readonly Buffer[] | null) => Promise<boolean | null>;

/** What tracking needs of others. */
export interface TrackingPorts {
  readonly invalidations: Invalidations;
  readonly tellElsewhere: TellElsewhere;
  /** Whether the client is subscribed to something. */
  readonly isSubscribed: (client: ClientConnection) => boolean;
}

export class Tracking implements Subscriber {
  readonly #clients = new ClientStates<ClientTracking>(TRACKS);
  readonly #keys: KeyTable;
  readonly #tellElsewhere: TellElsewhere;
  readonly #isSubscribed: (client: ClientConnection) => boolean;
  readonly #broadcast = new Broadcast();
  readonly #invalidations: Invalidations;
  /** Null: nobody tracks, or has for a while. */
  #subscription: Subscription | null = null;
  /** Clients whose CLIENT TRACKING ON waits for the nodes. */
  readonly #waiting = new Set<ClientConnection>();
  readonly #clock: Clock;
  #prefixes: readonly string[] = [];
  #unusedSince = 0;

  /** @param maxKeys bounds the table of keys; 0: it is not bounded */
  constructor(maxKeys: number, clock: Clock, { invalidations, tellElsewhere, isSubscribed }: TrackingPorts) {
    this.#clock = clock;
    this.#invalidations = invalidations;
    this.#tellElsewhere = tellElsewhere;
    this.#isSubscribed = isSubscribed;
    this.#keys = new KeyTable(maxKeys, (key, readers) => this.#tellReaders(Buffer.from(key, 'latin1'), readers));
  }

  /** What is known of a client that tracks; null: it does not. */
  of(client: ClientConnection): ClientTracking | null {
    return this.#clients.get(client);
  }

  /** Whether a client is to be told of changes. */
  get isUsed(): boolean {
    return this.#clients.size > 0;
  }

  /** From now on the table of keys has this bound; 0: none. */
  boundKeys(maxKeys: number): void {
    this.#keys.bound(maxKeys);
  }

  /** Fields of INFO. */
  get figures(): Readonly<Record<string, number>> {
    return {
      tracking_clients: this.#clients.size,
      tracking_total_keys: this.#keys.size,
      tracking_total_items: this.#keys.items,
      tracking_total_prefixes: this.#broadcast.size,
    };
  }

  /** Called about ten times a second. @param now by the clock */
  tick(now: number): void {
    this.#keys.sweep(SWEPT);
    for (const tracking of this.#clients.values()) {
      // One that waits at a node may wait for ever, and has asked for nothing that it could cache.
      if (tracking.client?.blocked === null) continue;
      const time = now - BLOCKED_PATIENCE_MS;
      for (let due = tracking.nextOlder(time); due !== undefined; due = tracking.nextOlder(time)) {
        this.#send(tracking, due.keys);
      }
    }
    if (this.#clients.size > 0) this.#unusedSince = now;
    else if (this.#subscription !== null && this.#waiting.size === 0 && now - this.#unusedSince > KEPT_MS) this.close();
  }

  close(): void {
    this.#prefixes = [];
    // Nothing that was read is looked after from now on.
    if (this.#subscription !== null) this.onInvalidated(null);
    this.#subscription?.end();
    this.#subscription = null;
  }

  /** @returns the error for a client that cannot have these options because all clients together have too much; or null */
  refusal(client: ClientConnection, options: TrackingOptions): string | null {
    return this.#broadcast.refusal(options, this.of(client)?.options ?? null);
  }

  /**
   * Begins to listen to what a client with these options needs.
   * @returns false when nodes are still to answer: the client is resumed when they have
   */
  prepare(client: ClientConnection, options: TrackingOptions): boolean {
    const needed = options.bcast ? options.prefixes : [EVERYTHING];
    const isAll = this.#prefixes[0] === EVERYTHING;
    const all = isAll ? this.#prefixes : coverOf([...this.#prefixes, ...needed]);
    this.#prefixes = all.length > MOST_LISTENED ? [EVERYTHING] : all;
    if (this.#subscription === null) this.#subscription = this.#invalidations.subscribe(this);
    else this.#subscription.listen(this.#prefixes);
    if (this.#invalidations.settled) return true;
    this.#waiting.add(client);
    return false;
  }

  /** The client is told of changes from now on. @param target the client that is told instead, if it is one of ours */
  start(client: ClientConnection, options: TrackingOptions, target: ClientConnection | null): void {
    const tracking = this.of(client) ?? new ClientTracking(client, options);
    tracking.options = options;
    tracking.target = target;
    tracking.redirectIsBroken = false;
    this.#clients.set(client, tracking);
    if (!options.bcast) return;
    tracking.mayCache = true;
    this.#broadcast.add(tracking, options.prefixes);
  }

  /** The client has left, or does not track any more. */
  stop(client: ClientConnection): void {
    const tracking = this.of(client);
    this.#waiting.delete(client);
    if (tracking === null) return;
    tracking.client = null;
    tracking.target = null;
    this.#clients.delete(client);
    tracking.forgetDeferred();
    tracking.ownWrites.clear();
    if (tracking.mayCache) this.#keys.noteLeft();
    this.#broadcast.remove(tracking, tracking.options.prefixes);
  }

  /** A command of a client that tracks was taken. @param command the subcommand, where there is one */
  onCommand(client: ClientConnection, command: Command, framer: RequestFramer): void {
    const tracking = this.of(client);
    if (tracking === null || command.keepsCaching) return;
    const reads = tracking.wantsKeys && isRead(command) ? keysOf(command, framer) : [];
    if (client.isIn(IN_TRANSACTION)) {
      if (command.transactionStep !== 'begins') tracking.queued.push(...reads);
      return;
    }
    if (command.transactionStep === 'runs') this.#noteKeys(tracking, tracking.queued);
    else if (command.transactionStep !== 'drops') this.#noteKeys(tracking, reads);
    tracking.queued = [];
    tracking.caching = false;
    if (tracking.options.noLoop && command.write && !tracking.failed) this.#noteWrites(tracking, command, framer);
    tracking.failed = false;
  }

  /**
   * Tells a client of what concerns another one. In RESP2 it must be subscribed to something, as in Redis.
   * @param keys null: all
   */
  tellInPlace(target: ClientConnection, keys: readonly Buffer[] | null): void {
    const { protocol } = target.kind;
    if (protocol === 3 || this.#isSubscribed(target)) target.push(invalidation(keys, protocol));
  }

  /** A command was answered with an error: what the client wrote has perhaps not happened. */
  onFailed(client: ClientConnection): void {
    const tracking = this.of(client);
    if (tracking === null) return;
    tracking.failed = true;
    if (!tracking.hasWritten) return;
    tracking.hasWritten = false;
    tracking.ownWrites.clear();
    this.#forgetAll(tracking);
  }

  /** Replies have left: what waited behind them follows. */
  onAnswered(client: ClientConnection): void {
    const tracking = this.of(client);
    if (tracking === null) return;
    const answered = client.enqueued - client.pending;
    for (let due = tracking.nextDue(answered); due !== undefined; due = tracking.nextDue(answered)) {
      this.#send(tracking, due.keys);
    }
  }

  onInvalidated(keys: readonly Buffer[] | null): void {
    if (keys === null) {
      this.#keys.clear();
      for (const tracking of [...this.#clients.values()]) this.#forgetAll(tracking);
      return;
    }
    for (const key of keys) this.#tellReaders(key, this.#keys.take(key.toString('latin1')));
    for (const [trackers, matching] of this.#broadcast.matching(keys)) {
      for (const tracking of [...trackers]) {
        const { ownWrites } = tracking;
        const told =
          ownWrites.size === 0 ? matching : matching.filter((key) => !ownWrites.delete(key.toString('latin1')));
        if (told.length > 0) this.#tell(tracking, told);
      }
    }
  }

  onFeedChanged(): void {
    if (!this.#invalidations.settled) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const client of waiting) client.resumeSoon();
  }

  /** What clients have asked for since nobody tracked; none begins with another. */
  get prefixes(): readonly string[] {
    return this.#prefixes;
  }

  /** The id of the client that is told instead; 0: none is, -1: the client does not track. */
  redirectOf(client: ClientConnection): number {
    return this.of(client)?.options.redirect ?? -1;
  }

  #noteKeys(tracking: ClientTracking, keys: readonly string[]): void {
    if (keys.length === 0) return;
    tracking.mayCache = true;
    for (const key of keys) {
      if (!this.#isHeard(key)) {
        this.#tell(tracking, [Buffer.from(key, 'latin1')]);
      } else if (!tracking.options.bcast) this.#keys.add(key, tracking);
    }
  }

  #isHeard(key: string): boolean {
    return this.#invalidations.allReady || this.#invalidations.isHeard(Buffer.from(key, 'latin1'));
  }

  #noteWrites(tracking: ClientTracking, command: Command, framer: RequestFramer): void {
    const { bcast, prefixes } = tracking.options;
    for (const key of keysWritten(command, framer, bcast)) {
      tracking.hasWritten = true;
      if (!bcast) this.#keys.remove(key, tracking);
      else if (!prefixes.some((prefix) => key.startsWith(prefix))) continue;
      else if (this.#isHeard(key)) tracking.ownWrites.add(key);
    }
  }

  #tellReaders(key: Buffer, readers: Iterable<ClientTracking>): void {
    for (const tracking of readers) this.#tell(tracking, [key]);
  }

  #forgetAll(tracking: ClientTracking): void {
    tracking.ownWrites.clear();
    if (!tracking.mayCache) return;
    tracking.mayCache = false;
    this.#tell(tracking, null);
  }

  /** @param keys null: all */
  #tell(tracking: ClientTracking, keys: readonly Buffer[] | null): void {
    const { client } = tracking;
    if (client === null) return;
    if (client.pending > 0) tracking.defer(keys, client.enqueued, this.#clock.now);
    else this.#send(tracking, keys);
  }

  #send(tracking: ClientTracking, keys: readonly Buffer[] | null): void {
    const { client, target, options } = tracking;
    if (client === null) return;
    if (options.redirect === 0) {
      if (client.kind.protocol === 3) client.push(invalidation(keys, 3));
    } else if (target === null) {
      void this.#tellElsewhere(options.redirect, keys).then((isThere) => {
        if (isThere === false) tellBroken(tracking);
      });
    } else if (target.closed) tellBroken(tracking);
    else this.tellInPlace(target, keys);
  }
}

/** The client that is told in the place of this one is gone. */
function tellBroken(tracking: ClientTracking): void {
  const { client, options } = tracking;
  tracking.redirectIsBroken = true;
  if (client?.kind.protocol === 3) client.push(brokenRedirect(options.redirect));
}

/** Whether what the command answers may be cached. Of code it is not known what it reads. */
function isRead(command: Command): boolean {
  const { special } = command;
  return command.readOnly || special === 'script' || special === 'digest' || special === 'code';
}

/** The keys of the command at hand, with one character for each byte. */
function keysOf(command: Command, framer: RequestFramer): string[] {
  const source = framer.source as Buffer;
  const count = findKeys(command, args, framer.argc, source);
  const keys: string[] = [];
  for (let i = 0; i < count; i++) {
    const at = keyPositions.at[i] as number;
    keys.push(source.toString('latin1', args.start[at], args.end[at]));
  }
  return keys;
}
