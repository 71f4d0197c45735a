/** Makes EXEC's reply of those of the parts, and of what took steps: their elements in the order of the queue. */
import { MINUS } from '../../../../resp/bytes.js';
import { error as encodeError, integer } from '../../../../resp/encode.js';
import { bulkPayload, headerNumber, lineEnd, replyEnd } from '../../../../resp/whole-reply.js';
import { visibleKeys } from '../../../route/merge/concat.js';
import type { Placement } from '../../../route/merge/placement.js';
import type { Scratch } from '../../../route/merge/scratch.js';
import type { Elements } from '../after-run.js';
import { ByteChunks } from '../byte-chunks.js';
import type { Transaction } from '../transaction.js';
import type { Part } from './part.js';
import {
  ARRAY,
  CONCAT,
  type ElementMerge,
  FIRST,
  MERGED,
  OF_ALL,
  RANDOM,
  ReplyOrder,
  SUM,
  UNSEEN,
} from './reply-order.js';
import type { Stage } from './stage.js';

const PLUS = 0x2b;
const CR = 0x0d;
const NOTHING = new Float64Array();

/** One element: `buffer[start, end)`. */
interface Element {
  readonly part: Part;
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

export class JoinedReplies {
  /** The reply. */
  readonly bytes = new ByteChunks();
  /** The database that the last SELECT which went well has chosen, or -1. */
  selected = -1;
  /** Of the stage at hand. */
  #parts: readonly Part[] = [];
  readonly #transaction: Transaction;
  readonly #elements: Elements;
  readonly #placement: Placement;
  /** Where the next element of each part begins. */
  #next = NOTHING;
  /** Elements that stand one behind the other are copied in one piece. */
  #run: Part | null = null;
  #runStart = 0;
  #runEnd = 0;

  /**
   * @param elements what stands at some positions instead of what the nodes have answered, unless that is an error
   * @param placement which keys of a node clients see
   */
  constructor(stages: readonly Stage[], transaction: Transaction, elements: Elements, placement: Placement) {
    this.#placement = placement;
    this.#transaction = transaction;
    this.#elements = elements;
    const count = stages.reduce((sum, { order, behind }) => sum + order.seen + behind.length, 0);
    const header = Buffer.from(`*${count}\r\n`);
    this.bytes.add(header, 0, header.length);
    for (const stage of stages) this.#joinStage(stage);
  }

  #joinStage({ parts, order, behind, first }: Stage): void {
    this.#parts = parts;
    this.#next = Float64Array.from(parts, (part) => (part.outcome === 'ran' ? lineEnd(part.reply, 0) : 0));
    this.#join(order.entries, first);
    this.#endRun();
    for (const { outcome } of behind) if (outcome !== null) this.#put(outcome.reply);
  }

  /** @returns the first part that has answered fewer elements than it has commands; undefined: none */
  static short(parts: readonly Part[]): Part | undefined {
    return parts.find(({ outcome, reply, count }) => outcome === 'ran' && headerNumber(reply, 0) !== count);
  }

  /** @param first where the first command stands in the queue */
  #join(entries: Uint16Array, first: number): void {
    const { selects } = this.#transaction;
    let select = selects.findIndex((one) => one.at >= first);
    let at = 0;
    for (let position = first; at < entries.length; position++) {
      const entry = entries[at++] as number;
      if (entry < MERGED) {
        this.#take(entry, position);
      } else if (entry === UNSEEN) {
        this.#skip(entries[at++] as number);
      } else if (entry === OF_ALL) {
        const chosen = this.#ofAll(position);
        if (selects[select]?.at === position) {
          if (chosen[0] === PLUS) this.selected = selects[select]?.database ?? -1;
          select++;
        }
        this.#put(chosen);
      } else at = this.#merged(entries, at);
    }
  }

  /** The next element of this part is the command's at this position. */
  #take(number: number, position: number): void {
    const part = this.#parts[number] as Part;
    const { buffer, start, end } = this.#element(number);
    const own = this.#elements.size === 0 ? undefined : this.#elements.get(position);
    if (own !== undefined && buffer[start] !== MINUS) {
      this.#put(own);
    } else if (part.outcome !== 'ran') {
      this.#endRun();
      this.bytes.add(buffer, start, end);
    } else if (this.#run === part && this.#runEnd === start) {
      this.#runEnd = end;
    } else {
      this.#endRun();
      this.#run = part;
      this.#runStart = start;
      this.#runEnd = end;
    }
  }

  #skip(number: number): void {
    this.#element(number);
  }

  /** What concerns every node: the first part's answer, unless another one's is an error. */
  #ofAll(position: number): Buffer {
    const tolerance = this.#transaction.everywhere.find(({ at }) => at === position)?.tolerance;
    const all = this.#parts.map((_, number) => this.#element(number));
    const mattering = all.filter(
      ({ part }, i) => i === 0 || !(tolerance === 'errors' || (tolerance === 'down' && part.outcome !== 'ran')),
    );
    const elsewhere = this.#elements.get(position);
    const own = bytesOf(all[0] as Element);
    return errorOf(mattering) ?? elsewhere ?? own;
  }

  /** @param at behind MERGED @returns the index behind the entry */
  #merged(entries: Uint16Array, at: number): number {
    const how = entries[at] as ElementMerge;
    const parts = entries.subarray(at + 2, at + 2 + (entries[at + 1] as number));
    const found = new Map<number, Element>();
    for (const number of parts) found.set(number, this.#element(number));
    const all = [...found.values()];
    let behind = at + 2 + parts.length;
    let keyParts = entries.subarray(behind, behind);
    if (how === ARRAY) {
      keyParts = entries.subarray(behind + 2, behind + 2 + ReplyOrder.long(entries, behind));
      behind += 2 + keyParts.length;
    }
    const failure = errorOf(all);
    if (how === RANDOM) this.#putDrawn(all, failure);
    else if (failure !== null) this.#put(failure);
    else if (how === CONCAT) this.#putKeys(all);
    else if (how === SUM)
      this.#put(integer(all.reduce((sum, { buffer, start }) => sum + headerNumber(buffer, start), 0)));
    else if (how === FIRST) this.#put(bytesOf(all[0] as Element));
    else this.#putArray(found, keyParts);
    return behind;
  }

  /** The keys that the parts have answered, without those that clients do not see. */
  #putKeys(all: readonly Element[]): void {
    const visible = ({ part, buffer, start, end }: Element, out: Pick<Scratch, 'append'> | null): number =>
      visibleKeys(buffer, start, end, out, this.#placement, part.index);
    this.#put(Buffer.from(`*${all.reduce((sum, element) => sum + visible(element, null), 0)}\r\n`));
    const append = (buffer: Uint8Array, start: number, end: number): void => this.bytes.add(buffer, start, end);
    for (const element of all) visible(element, { append });
  }

  /** One of the keys that the parts drew. @param failure the error where nobody has drawn one */
  #putDrawn(all: readonly Element[], failure: Buffer | null): void {
    const drawn = all.filter(({ part, buffer, start, end }) => {
      const key = buffer[start] === MINUS ? null : bulkPayload(buffer, start, end);
      return key !== null && this.#placement.shows(part.index, key);
    });
    const one =
      drawn[Math.floor(Math.random() * drawn.length)] ?? all.find(({ buffer, start }) => buffer[start] !== MINUS);
    this.#put(drawn.length === 0 && failure !== null ? failure : bytesOf(one ?? (all[0] as Element)));
  }

  #putArray(found: ReadonlyMap<number, Element>, keyParts: Uint16Array): void {
    this.#put(Buffer.from(`*${keyParts.length}\r\n`));
    const next = new Map<number, number>();
    for (const [number, { buffer, start }] of found) next.set(number, lineEnd(buffer, start));
    for (const number of keyParts) {
      const { buffer, end } = found.get(number) as Element;
      const start = next.get(number) as number;
      const behind = replyEnd(buffer, start, end);
      this.bytes.addOwned(buffer, start, behind);
      next.set(number, behind);
    }
  }

  /** The next element of this part; where it has none, its error. */
  #element(number: number): Element {
    const part = this.#parts[number] as Part;
    const buffer = part.reply;
    if (part.outcome !== 'ran') return { part, buffer, start: 0, end: buffer.length };
    const start = this.#next[number] as number;
    const end = replyEnd(buffer, start, buffer.length);
    this.#next[number] = end;
    return { part, buffer, start, end };
  }

  #put(element: Buffer): void {
    this.#endRun();
    this.bytes.addOwned(element, 0, element.length);
  }

  #endRun(): void {
    if (this.#run !== null) this.bytes.addOwned(this.#run.reply, this.#runStart, this.#runEnd);
    this.#run = null;
  }
}

function bytesOf({ buffer, start, end }: Element): Buffer {
  return buffer.subarray(start, end);
}

/** The first error; a node's own gets the node's name behind it, unless all say the same. @returns null: there is none */
function errorOf(elements: readonly Element[]): Buffer | null {
  const first = elements.find(({ buffer, start }) => buffer[start] === MINUS);
  if (first === undefined) return null;
  const text = bytesOf(first);
  const isOfAll = elements.every((element) => bytesOf(element).equals(text));
  if (isOfAll || first.part.outcome !== 'ran') return text;
  const line = text.toString('latin1', 1, text.indexOf(CR));
  return encodeError(`${line} (node ${first.part.node.name})`, 'latin1');
}
