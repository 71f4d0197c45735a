/** Reads whose replies are looked at before they leave: which keys they ask for. */
import type { MissingReply } from '../../../commands/columns.js';
import { isMissingReply } from '../../../commands/missing-reply.js';
import { headerNumber } from '../../../resp/whole-reply.js';
import type { MissTaker } from '../../request/miss-taker.js';
import type { Request } from '../../request/request.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { nilsOf } from './array-wait.js';

/** Who decides what becomes of a miss. */
export interface MissHandler {
  /** The client is answered what its node has said of the key. */
  onAnswered(client: ClientConnection, key: Buffer, database: number): void;
  /** The value `buffer[start, end)` is on its way to the client. */
  onKeyFound(read: KeyRead, buffer: Buffer, start: number, end: number): void;
  onKeyMissed(read: KeyRead, request: Request): boolean;
  /** The key may be missing. @returns whether its client waits */
  onValueMissed(read: ValueRead, request: Request, buffer: Buffer, start: number, end: number): boolean;
  onKeysMissed(read: KeysRead, request: Request, buffer: Buffer, start: number, end: number): boolean;
}

/** GET. */
export class KeyRead implements MissTaker {
  readonly client: ClientConnection;
  readonly key: Buffer;
  readonly database: number;
  readonly #handler: MissHandler;

  /** @param key belongs to this from now on */
  constructor(handler: MissHandler, client: ClientConnection, key: Buffer) {
    this.#handler = handler;
    this.client = client;
    this.key = key;
    this.database = client.kind.database;
  }

  keeps(request: Request, buffer: Buffer, start: number, end: number): boolean {
    const type = buffer[start];
    const isMiss = type === UNDERSCORE || (type === DOLLAR && buffer[start + 1] === MINUS);
    if (isMiss && this.#handler.onKeyMissed(this, request)) return true;
    if (!isMiss && type === DOLLAR) this.#handler.onKeyFound(this, buffer, start, end);
    this.#handler.onAnswered(this.client, this.key, this.database);
    return false;
  }

  asksFor(key: Buffer, database: number): boolean {
    return isSameKey(this, key, database);
  }
}

/** A read whose answer does not say for certain that the key is missing (HGET, HMGET, LRANGE). */
export class ValueRead implements MissTaker {
  readonly client: ClientConnection;
  readonly key: Buffer;
  readonly database: number;
  /** As it was sent. */
  readonly frame: Buffer;
  /** What is answered when it is; null: nothing but nils. */
  readonly #missing: MissingReply | null;
  readonly #handler: MissHandler;

  /** @param key belongs to this from now on, as does `frame` */
  constructor(
    handler: MissHandler,
    client: ClientConnection,
    key: Buffer,
    frame: Buffer,
    missing: MissingReply | null,
  ) {
    this.#handler = handler;
    this.client = client;
    this.key = key;
    this.database = client.kind.database;
    this.frame = frame;
    this.#missing = missing;
  }

  keeps(request: Request, buffer: Buffer, start: number, end: number): boolean {
    const isMissing =
      this.#missing === null ? hasNilsAlone(buffer, start, end) : isMissingReply(this.#missing, buffer, start);
    if (isMissing && this.#handler.onValueMissed(this, request, buffer, start, end)) return true;
    this.#handler.onAnswered(this.client, this.key, this.database);
    return false;
  }

  asksFor(key: Buffer, database: number): boolean {
    return isSameKey(this, key, database);
  }
}

function isSameKey(read: KeyRead | ValueRead, key: Buffer, database: number): boolean {
  return read.database === database && read.key.equals(key);
}

/** Whether it is an array of nils. */
function hasNilsAlone(buffer: Buffer, start: number, end: number): boolean {
  return buffer[start] === STAR && nilsOf(buffer, start, end).length === headerNumber(buffer, start);
}

/** MGET. */
export class KeysRead implements MissTaker {
  readonly client: ClientConnection;
  readonly keys: readonly Buffer[];
  readonly database: number;
  readonly #handler: MissHandler;

  constructor(handler: MissHandler, client: ClientConnection, keys: readonly Buffer[]) {
    this.#handler = handler;
    this.client = client;
    this.keys = keys;
    this.database = client.kind.database;
  }

  keeps(request: Request, buffer: Buffer, start: number, end: number): boolean {
    if (buffer[start] === STAR && this.#handler.onKeysMissed(this, request, buffer, start, end)) return true;
    for (const key of this.keys) this.#handler.onAnswered(this.client, key, this.database);
    return false;
  }

  asksFor(key: Buffer, database: number): boolean {
    return this.database === database && this.keys.some((own) => own.equals(key));
  }
}

const UNDERSCORE = 0x5f;
const DOLLAR = 0x24;
const MINUS = 0x2d;
const STAR = 0x2a;
