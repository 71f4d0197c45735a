/**
 * One call of SCAN: asks the node whose turn it is and, where that has no more keys and fewer than COUNT were looked
 * at, those behind it, so that a small cache is done in one call. It does what as many calls of the client would do.
 *
 * COUNT bounds the work, as in Redis, and not the matches: the keys of a node count whether they match or not. A call
 * also ends after MOST_MS, when the ring has changed, and in front of a node that does not answer: its cursor says
 * where the next call goes on.
 */
import { array, bulk, request as encodeRequest } from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import { headerNumber } from '../../../resp/whole-reply.js';
import type { ReplySink } from '../../request/reply-sink.js';
import type { Request } from '../../request/request.js';
import type { RoutedNode, RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { LocalPage } from '../local-keys.js';
import { Placement } from '../merge/placement.js';
import { readScanReply } from '../merge/scan.js';
import type { Router } from '../router.js';
import { localCursor } from './scan-walk.js';

/** No further node is asked after so long. Milliseconds. */
const MOST_MS = 50;
const DEFAULT_COUNT = 10;
const ERROR_BYTE = 0x2d;
const INTEGER_BYTE = 0x3a;
const DBSIZE = Buffer.from(encodeRequest(['DBSIZE']));
/** Which part of a step a request is. */
const SIZE = 1;

export interface LocalKeysPage {
  readonly cursor: string;
  /** As bulks. */
  readonly keys: readonly Buffer[];
}

/** The walk that a call is a part of. */
export interface Walk {
  readonly snapshot: RoutingSnapshot;
  /** From the node whose turn it is to the last one. */
  readonly nodes: readonly RoutedNode[];
  /** @returns the client's cursor for what `node` has behind its own cursor `inNode` */
  cursorIn(inNode: bigint, node: RoutedNode): string;
  /** The client's cursor behind the last node. */
  readonly end: string;
  /** Keys that no node has, and the client's cursor behind them; null: there are none. */
  readonly local: ((page: LocalPage) => LocalKeysPage) | null;
}

/** Options of SCAN as far as the proxy has to know them; null: a node has the right error for them. */
export interface ScanOptions {
  readonly count: number;
  /** Keys are left out of the reply that were looked at. */
  readonly filters: boolean;
  /** Null: all. */
  readonly match: Buffer | null;
  /** In lower case; null: any. */
  readonly type: string | null;
  /** Without COUNT. */
  readonly words: readonly (string | Uint8Array)[];
}

export function readScanOptions(framer: RequestFramer): ScanOptions | null {
  const source = framer.source as Buffer;
  const words: (string | Uint8Array)[] = [];
  let count = DEFAULT_COUNT;
  let match: Buffer | null = null;
  let type: string | null = null;
  for (let i = 2; i < framer.argc; i += 2) {
    if (i + 1 >= framer.argc) return null;
    const word = source.toString('latin1', args.start[i], args.end[i]).toLowerCase();
    const value = source.subarray(args.start[i + 1], args.end[i + 1]);
    if (word === 'count') {
      const text = value.toString('latin1');
      if (!/^[1-9]\d{0,14}$/.test(text)) return null;
      count = Number(text);
    } else if (word === 'match' || word === 'type') {
      const copy = Buffer.from(value);
      if (word === 'match') match = copy;
      else type = copy.toString('latin1').toLowerCase();
      words.push(word, copy);
    } else return null;
  }
  return { count, filters: match !== null || type !== null, match, type, words };
}

/** Whose call it is. */
export interface ScanCaller {
  /** The lane to the node with this index; null while that is down, or where the call must not go on. */
  laneTo(index: number): Lane | null;
  /** Nobody waits for the answer any more. */
  readonly hasLeft: boolean;
  /** Further nodes may be asked when the first one has answered. */
  onMayGoOn(): void;
  /** The answer is `buffer[start, end)`. */
  answer(buffer: Buffer, start: number, end: number): void;
}

export class ScanCall implements ReplySink {
  readonly #router: Router;
  readonly #caller: ScanCaller;
  /** Its id. */
  readonly #command: number;
  readonly #walk: Walk;
  readonly #placement: Placement;
  readonly #options: ScanOptions | null;
  /** What goes behind the cursor when the options are not understood. */
  readonly #words: readonly Uint8Array[];
  readonly #startedAt: number;
  /** Which of the walk's nodes is being asked. */
  #at = 0;
  /** How many more keys may be looked at. */
  #left: number;
  /** Keys of the node that is being asked; Infinity: not known. */
  #size = Number.POSITIVE_INFINITY;
  #inNode = 0n;
  #visible = 0;
  readonly #keys: Buffer[] = [];

  /** @param command its id @param framer holds it */
  constructor(router: Router, caller: ScanCaller, command: number, framer: RequestFramer, walk: Walk) {
    this.#router = router;
    this.#caller = caller;
    this.#command = command;
    this.#walk = walk;
    this.#placement = new Placement(walk.snapshot.rings, router.localKeys);
    this.#options = readScanOptions(framer);
    this.#left = this.#options?.count ?? 0;
    const source = framer.source as Buffer;
    this.#words = Array.from({ length: framer.argc - 2 }, (_, i) =>
      Buffer.from(source.subarray(args.start[i + 2], args.end[i + 2])),
    );
    this.#startedAt = router.shared.clock.now;
    if (this.#mayGoOn) caller.onMayGoOn();
  }

  /** Asks the walk's first node, by this lane. @param inNode the node's cursor */
  begin(lane: Lane, inNode: bigint): void {
    this.#ask(lane, inNode);
  }

  onReply(part: Request, buffer: Buffer, start: number, end: number): void {
    const isSize = part.part === SIZE;
    this.#give(part);
    if (isSize) {
      if (buffer[start] === INTEGER_BYTE) this.#size = headerNumber(buffer, start);
      return;
    }
    if (buffer[start] === ERROR_BYTE) {
      this.#fail(buffer, start, end);
      return;
    }
    const node = this.#walk.nodes[this.#at] as RoutedNode;
    const index = this.#walk.snapshot.nodes.indexOf(node);
    const { cursor, count, visible, keys } = readScanReply(buffer, start, end, this.#placement, index);
    this.#visible += visible;
    this.#keys.push(keys);
    if (cursor !== 0n) {
      this.#finish(this.#walk.cursorIn(cursor, node));
      return;
    }
    this.#left -= this.#lookedAt(count);
    const next = this.#walk.nodes[this.#at + 1];
    if (next === undefined) this.#finishWithLocalKeys();
    else if (!this.#goOn()) this.#finish(this.#walk.cursorIn(0n, next));
  }

  onFailure(part: Request, reply: Buffer): void {
    const isSize = part.part === SIZE;
    this.#give(part);
    if (!isSize) this.#fail(reply, 0, reply.length);
  }

  get #mayGoOn(): boolean {
    return this.#options !== null && this.#at + 1 < this.#walk.nodes.length;
  }

  /** How many keys the node has looked at, which has no more. @param found keys in its reply */
  #lookedAt(found: number): number {
    if (this.#options?.filters !== true) return found;
    // It may have looked at others in earlier calls.
    return this.#inNode === 0n ? Math.max(found, Math.min(this.#size, this.#left)) : this.#left;
  }

  /** Asks the next node. @returns false when that is for the client's next call */
  #goOn(): boolean {
    const { snapshot } = this.#walk;
    const { shared } = this.#router;
    if (!this.#mayGoOn || this.#left <= 0 || this.#caller.hasLeft) return false;
    // With another ring, nodes are walked in another order.
    if (this.#router.snapshot !== snapshot) return false;
    if (shared.clock.now - this.#startedAt >= MOST_MS) return false;
    const index = snapshot.nodes.indexOf(this.#walk.nodes[this.#at + 1] as RoutedNode);
    if (this.#router.nodeAt(index).silent) return false;
    const lane = this.#caller.laneTo(index);
    if (lane === null || lane.full) return false;
    this.#at++;
    this.#ask(lane, 0n);
    return true;
  }

  #ask(lane: Lane, inNode: bigint): void {
    const options = this.#options;
    this.#inNode = inNode;
    this.#size = Number.POSITIVE_INFINITY;
    // Of a node that filters its reply does not tell how many keys it has looked at.
    if (options?.filters === true && inNode === 0n && this.#mayGoOn) this.#send(lane, DBSIZE, SIZE);
    const words = options === null ? this.#words : [...options.words, 'COUNT', String(this.#left)];
    this.#send(lane, encodeRequest(['SCAN', inNode.toString(), ...words]), 0);
  }

  #send(lane: Lane, frame: Buffer, which: number): void {
    const { shared } = this.#router;
    const part = shared.requests.take();
    part.answerTo(this);
    part.part = which;
    part.command = this.#command;
    part.startedAt = shared.clock.now;
    lane.send(part, frame, 0, frame.length);
  }

  #give(part: Request): void {
    this.#router.shared.requests.give(part);
  }

  /** The node has not answered, or with the error `buffer[start, end)`: what others have answered before counts. */
  #fail(buffer: Buffer, start: number, end: number): void {
    if (this.#at > 0) this.#finish(this.#walk.cursorIn(0n, this.#walk.nodes[this.#at] as RoutedNode));
    else this.#caller.answer(buffer, start, end);
  }

  /** Behind the last node come keys that no node has. */
  #finishWithLocalKeys(): void {
    const { end, local } = this.#walk;
    if (local === null || end !== '0') this.#finish(end);
    else if (this.#options === null || this.#left <= 0) this.#finish(localCursor(0));
    else {
      const { cursor, keys } = local({ from: 0, ...this.#options, count: this.#left });
      this.#visible += keys.length;
      this.#keys.push(...keys);
      this.#finish(cursor);
    }
  }

  #finish(cursor: string): void {
    const header = Buffer.from(`*${this.#visible}\r\n`);
    const reply = array([bulk(cursor), Buffer.concat([header, ...this.#keys])]);
    this.#caller.answer(reply, 0, reply.length);
  }
}
