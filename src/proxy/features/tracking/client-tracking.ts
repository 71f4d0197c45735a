import type { ClientConnection } from '../../session/client-connection.js';

/** What a client has asked for with CLIENT TRACKING ON. */
export interface TrackingOptions {
  /** The id of the client that is told instead; 0: none. */
  readonly redirect: number;
  readonly bcast: boolean;
  readonly optIn: boolean;
  readonly optOut: boolean;
  readonly noLoop: boolean;
  /** With BCAST, one at least; with one character for each byte. */
  readonly prefixes: readonly string[];
}

/** A message that waits until the client has the replies that it may have been waiting for. */
interface Deferred {
  /** How many of its requests must have been answered. */
  readonly at: number;
  /** By the clock. */
  readonly since: number;
  readonly keys: readonly Buffer[] | null;
}

/** What waits for a client beyond this is told as a change of all keys. */
const MOST_DEFERRED_KEYS = 10_000;
const MOST_DEFERRED_BYTES = 1_048_576;

/** A client that is told which of its keys have changed. */
export class ClientTracking {
  /** Null: it does not track any more. Tables may remember it for a while. */
  client: ClientConnection | null;
  options: TrackingOptions;
  /** The client that `redirect` names, where it is one of this process. */
  target: ClientConnection | null = null;
  /** The client that `redirect` names is gone. */
  redirectIsBroken = false;
  /** CLIENT CACHING was sent: it holds for the next command, or transaction. */
  caching = false;
  /** It may have cached something since it was told to forget everything. */
  mayCache = false;
  /** The command at hand was answered with an error. */
  failed = false;
  /** Keys of what it reads in the transaction that is queued. */
  queued: string[] = [];
  /** With NOLOOP: keys that it has written to and the change of which was not heard yet (BCAST). */
  readonly ownWrites = new Set<string>();
  /** With NOLOOP: it has written, and is not told of that. */
  hasWritten = false;
  #deferred: Deferred[] = [];
  #deferredKeys = 0;
  #deferredBytes = 0;

  constructor(client: ClientConnection, options: TrackingOptions) {
    this.client = client;
    this.options = options;
  }

  /** Whether what the command at hand reads may be cached. */
  get wantsKeys(): boolean {
    if (this.options.optIn) return this.caching;
    return !(this.options.optOut && this.caching);
  }

  defer(keys: readonly Buffer[] | null, at: number, since: number): void {
    this.#deferredKeys += keys?.length ?? 1;
    for (const key of keys ?? []) this.#deferredBytes += key.length;
    const isTooMuch = this.#deferredKeys > MOST_DEFERRED_KEYS || this.#deferredBytes > MOST_DEFERRED_BYTES;
    if (isTooMuch) this.forgetDeferred();
    this.#deferred.push({ at, since, keys: isTooMuch ? null : keys });
  }

  forgetDeferred(): void {
    this.#deferred = [];
    this.#deferredKeys = 0;
    this.#deferredBytes = 0;
  }

  /** The next message that need not wait any more. @param answered how many of the client's requests were answered */
  nextDue(answered: number): Deferred | undefined {
    const first = this.#deferred[0];
    return first !== undefined && first.at <= answered ? this.#next() : undefined;
  }

  /** The next message that has waited since `time` or longer. */
  nextOlder(time: number): Deferred | undefined {
    const first = this.#deferred[0];
    return first !== undefined && first.since <= time ? this.#next() : undefined;
  }

  #next(): Deferred | undefined {
    const next = this.#deferred.shift();
    if (this.#deferred.length === 0) this.forgetDeferred();
    return next;
  }
}
