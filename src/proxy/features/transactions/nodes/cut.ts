/**
 * Cuts the queue of a transaction into the parts of its nodes. Each command goes to the node of its keys, what has no
 * keys to the first part. SELECT and what concerns every node (FLUSHALL, KEYS) go into each part at their place, so that
 * what stands behind them there runs behind them; a command like MSET whose keys have several owners is cut itself.
 *
 *   SET a 1   MSET a 2 b 2   PING   GET b        a: first part, b: second part
 *   ▼                 ▼
 *   SET a 1 | MSET a 2 | PING        MSET b 2 | GET b
 *
 * What runs on one node only, or takes steps otherwise (RENAME, SUNIONSTORE, SCAN), cuts the queue across when its keys are
 * on several: what stands behind it is a further stage.
 *
 *   SET a 1   RENAME a b   PING   GET b
 *   ▼
 *   SET a 1 || RENAME a b || PING | GET b
 *
 * Frames are read once more for it: where each begins and ends is not kept, which would cost those that need no cutting.
 */

import type { Command } from '../../../../commands/command.js';
import { findKeys, keyPositions } from '../../../../commands/keys.js';
import { args, COMPLETE, RequestFramer, readAside } from '../../../../resp/request-framer.js';
import type { ApartCall } from '../../../route/apart-commands.js';
import type { Router } from '../../../route/router.js';
import { scanInside } from '../../../route/scan/scan.js';
import type { ClientConnection } from '../../../session/client-connection.js';
import { abortedBy, apart } from '../before-exec.js';
import type { Transaction } from '../transaction.js';
import type { Part } from './part.js';
import type { Places } from './places.js';
import { elementMerge, SUM } from './reply-order.js';
import { Stage } from './stage.js';

const MOST_ARGS = 2_147_483_647;
const MOST_INLINE = 65_536;
const CRLF = 2;
const NO_PARTS = new Uint16Array(0);

/** Why it was not cut: EXEC's answer, or the client waits. */
export type Uncut = Buffer | 'waits';

export class Cutter {
  /** One at least. */
  readonly stages: Stage[];
  readonly #router: Router;
  readonly #client: ClientConnection;
  readonly #transaction: Transaction;
  readonly #places: Places;
  #stage: Stage;
  readonly #partOfKey: Uint16Array;
  readonly #framer: RequestFramer;
  /** The next command's position in the queue, and the next key's. */
  #position = 0;
  #key = 0;
  /** The next of what is told by its position. */
  #select = 0;
  #everywhere = 0;
  #readOfAll = 0;
  #overNodes = 0;
  #unseen = 0;
  /** Frames that stand one behind the other and go to one part are copied in one piece. */
  #run: Part | null = null;
  #runStart = 0;
  #runEnd = 0;

  /** @param client whose transaction it is */
  constructor(router: Router, client: ClientConnection, transaction: Transaction, places: Places) {
    this.#router = router;
    this.#client = client;
    this.#transaction = transaction;
    this.#places = places;
    this.#stage = new Stage(places.parts, 0);
    this.stages = [this.#stage];
    this.#partOfKey = places.partOfKey;
    this.#framer = new RequestFramer({
      maxArgs: MOST_ARGS,
      maxBulkLength: router.shared.options.maxBulkLength,
      maxInlineLength: MOST_INLINE,
      authenticated: true,
    });
  }

  /** It takes steps, since one of its commands does. */
  get isInSteps(): boolean {
    return this.stages.length > 1 || this.#stage.behind.length > 0;
  }

  /** Fills the parts. @returns null where it was cut */
  cut(): Uncut | null {
    // EXEC is looked at once more when it was taken: by MONITOR, and for what its client tracks.
    return readAside(() => this.#cutAll());
  }

  #cutAll(): Uncut | null {
    for (const [number, chunk] of this.#transaction.frames.take().entries()) {
      const uncut = this.#cutChunk(chunk, number);
      if (uncut !== null) return uncut;
      this.#endRun(chunk);
    }
    return null;
  }

  #cutChunk(chunk: Buffer, number: number): Uncut | null {
    const { frames, selects, everywhere, readsOfAll, overNodes, unseen } = this.#transaction;
    const framer = this.#framer;
    for (let at = 0; at < chunk.length; at = framer.consumed) {
      if (framer.next(chunk, at, chunk.length) !== COMPLETE) return apart('allow');
      const end = framer.consumed;
      const first = this.#key;
      let isOfOne = true;
      while (this.#key < frames.keyCount && frames.chunkOf(this.#key) === number && frames.offsetOf(this.#key) < end) {
        if (this.#partOfKey[this.#key] !== this.#partOfKey[first]) isOfOne = false;
        this.#key++;
      }
      const takesSteps = overNodes[this.#overNodes] === this.#position;
      if (takesSteps || (!isOfOne && !this.#isDivided(chunk))) {
        if (takesSteps) this.#overNodes++;
        const uncut = this.#behind(chunk, first);
        if (uncut !== null) return uncut;
        this.#position++;
        continue;
      }
      if (this.#stage.behind.length > 0) this.#beginStage(chunk);
      if (selects[this.#select]?.at === this.#position) {
        this.#select++;
        this.#toAll(chunk, at, end);
      } else if (everywhere[this.#everywhere]?.at === this.#position) {
        this.#everywhere++;
        this.#toAll(chunk, at, end);
      } else if (readsOfAll[this.#readOfAll]?.at === this.#position) {
        const how = readsOfAll[this.#readOfAll++]?.how ?? SUM;
        this.#order.addMerged(how, [...this.#parts.keys()], NO_PARTS);
        this.#copyToAll(chunk, at, end);
      } else if (unseen[this.#unseen] === this.#position) {
        this.#unseen++;
        this.#toUnseen(chunk, at, end);
      } else if (isOfOne) {
        const part = this.#key === first ? 0 : (this.#partOfKey[first] as number);
        this.#order.add(part);
        this.#to(this.#parts[part] as Part, chunk, at, end);
      } else this.#divide(chunk, first);
      this.#position++;
    }
    return null;
  }

  get #parts(): readonly Part[] {
    return this.#stage.parts;
  }

  get #order(): Stage['order'] {
    return this.#stage.order;
  }

  #beginStage(chunk: Buffer): void {
    this.#endRun(chunk);
    this.#stage = new Stage(
      this.#parts.map((part) => part.again()),
      this.#position,
    );
    this.stages.push(this.#stage);
  }

  /**
   * The command at hand takes steps, when what stands in front of it has run.
   * @param first its first key in the queue
   */
  #behind(chunk: Buffer, first: number): Uncut | null {
    const command = this.#rowAt(chunk);
    if (command === undefined) return apart('allow');
    const call = this.#prepare(command, first);
    if (call === 'waits') return call;
    if (!('carryOut' in call)) return abortedBy(call);
    this.#stage.behind.push({ call, outcome: null });
    return null;
  }

  #prepare(command: Command, first: number): ApartCall | Buffer | 'waits' {
    const router = this.#router;
    const framer = this.#framer;
    if (command.route === 'scan') return scanInside(router, framer, command);
    findKeys(command, args, framer.argc, framer.source);
    const owners = Array.from(this.#partOfKey.subarray(first, this.#key), (part) => (this.#parts[part] as Part).node);
    return router.apart.prepare(this.#client, framer, command, owners);
  }

  /** The row of the command at hand. */
  #rowAt(chunk: Buffer): Command | undefined {
    return this.#router.table.lookup(chunk, args.start[0] as number, args.end[0] as number);
  }

  /** Whether the command at hand, whose keys have several owners, is cut itself. */
  #isDivided(chunk: Buffer): boolean {
    const command = this.#rowAt(chunk);
    return command !== undefined && command.splitStep > 0 && elementMerge(command.merge) !== null;
  }

  #to(part: Part, chunk: Buffer, start: number, end: number): void {
    part.count++;
    if (this.#run === part) {
      this.#runEnd = end;
      return;
    }
    this.#endRun(chunk);
    this.#run = part;
    this.#runStart = start;
    this.#runEnd = end;
  }

  #endRun(chunk: Buffer): void {
    this.#run?.frames.addOwned(chunk, this.#runStart, this.#runEnd);
    this.#run = null;
  }

  #toAll(chunk: Buffer, start: number, end: number): void {
    this.#order.addOfAll();
    this.#copyToAll(chunk, start, end);
  }

  #copyToAll(chunk: Buffer, start: number, end: number): void {
    this.#endRun(chunk);
    for (const part of this.#parts) {
      part.count++;
      part.frames.addOwned(chunk, start, end);
    }
  }

  /** A frame of the proxy's own: it goes where the key is that it names. */
  #toUnseen(chunk: Buffer, start: number, end: number): void {
    const command = this.#rowAt(chunk);
    const keys = command === undefined ? 0 : findKeys(command, args, this.#framer.argc, chunk);
    const at = keyPositions.at[0] as number;
    const part = keys <= 0 ? 0 : this.#places.partOf(chunk, args.start[at] as number, args.end[at] as number);
    this.#order.addUnseen(part);
    this.#to(this.#parts[part] as Part, chunk, start, end);
  }

  /**
   * The command at hand has keys of several parts: each gets those that are its own.
   * @param first its first key in the queue
   */
  #divide(chunk: Buffer, first: number): void {
    const command = this.#rowAt(chunk);
    const step = command?.splitStep ?? 1;
    const merge = elementMerge(command?.merge ?? 'sum') ?? SUM;
    const { argc } = this.#framer;
    const keyParts = this.#partOfKey.subarray(first, this.#key);
    if (keyParts.length * step !== argc - 1) {
      // An odd number of arguments of MSET: any node has the right error for it.
      this.#order.add(0);
      this.#to(this.#parts[0] as Part, chunk, this.#framer.frameStart, this.#framer.frameEnd);
      return;
    }
    this.#endRun(chunk);
    const counts = new Map<number, number>();
    for (const part of keyParts) counts.set(part, (counts.get(part) ?? 0) + 1);
    const name = chunk.subarray(args.start[0], (args.end[0] as number) + CRLF);
    for (const [number, count] of counts) {
      const part = this.#parts[number] as Part;
      part.count++;
      const head = Buffer.from(`*${count * step + 1}\r\n$${name.length - CRLF}\r\n`);
      part.frames.add(head, 0, head.length);
      part.frames.add(name, 0, name.length);
    }
    for (let k = 0; k < keyParts.length; ) {
      const part = keyParts[k] as number;
      // A bulk's header begins where the one before it ended.
      const start = (args.end[k * step] as number) + CRLF;
      // Neighbours that go to one node are copied in one piece.
      do k++;
      while (k < keyParts.length && keyParts[k] === part);
      this.#parts[part]?.frames.addOwned(chunk, start, (args.end[k * step] as number) + CRLF);
    }
    this.#order.addMerged(merge, [...counts.keys()], keyParts);
  }
}
