import { equalsIgnoreCase, MINUS } from '../../../src/resp/bytes.js';
import type { Ring } from '../../../src/ring/ring.js';
import type { NodeLink } from './node-link.js';
import { Pending, type Slot } from './pending.js';
import { ReplyFrame } from './reply-frame.js';
import type { RequestFrame } from './request-frame.js';

const MGET = Buffer.from('mget');
const MSET = Buffer.from('mset');
const OK = Buffer.from('+OK\r\n');

/** How many words belong to each key of a command of many keys; 0: it has one key. */
export function wordsAKey(chunk: Buffer, { words, starts, ends }: RequestFrame): number {
  const start = starts[0] as number;
  const end = ends[0] as number;
  if (end - start !== 4) return 0;
  if (words > 1 && equalsIgnoreCase(chunk, start, end, MGET)) return 1;
  return words > 2 && words % 2 === 1 && equalsIgnoreCase(chunk, start, end, MSET) ? 2 : 0;
}

/** The reply to a command of many keys, out of those of the nodes that own them. */
class Gathering {
  readonly slot: Slot;
  /** The index of each key's owner. */
  readonly owners: Uint16Array;
  readonly replies: (Buffer | undefined)[] = [];
  readonly isRead: boolean;
  missing = 0;

  constructor(slot: Slot, keys: number, isRead: boolean) {
    this.slot = slot;
    this.owners = new Uint16Array(keys);
    this.isRead = isRead;
  }

  done(owner: number, reply: Buffer): void {
    this.replies[owner] = reply;
    if (--this.missing > 0) return;
    const error = this.replies.find((part) => part?.[0] === MINUS);
    if (error !== undefined) this.#answer(error, true);
    else if (this.isRead) this.#answerValues();
    else this.#answer(OK, true);
  }

  /** Every owner's values are in the order of its keys: takes the next one of each key's owner. */
  #answerValues(): void {
    const frame = new ReplyFrame();
    const at = this.replies.map((reply) => (reply?.indexOf('\n') ?? 0) + 1);
    this.#answer(Buffer.from(`*${this.owners.length}\r\n`), false);
    for (let i = 0; i < this.owners.length; i++) {
      const owner = this.owners[i] as number;
      const reply = this.replies[owner] as Buffer;
      const start = at[owner] as number;
      const end = frame.read(reply, start, reply.length);
      at[owner] = end;
      this.slot.take(reply, start, end, i === this.owners.length - 1);
    }
  }

  #answer(bytes: Buffer, isLast: boolean): void {
    this.slot.take(bytes, 0, bytes.length, isLast);
  }
}

/** The part of a gathering that one node owes. */
class Part extends Pending {
  readonly #gathering: Gathering;
  readonly #owner: number;
  readonly #bytes: Buffer[] = [];

  constructor(gathering: Gathering, owner: number) {
    super();
    this.#gathering = gathering;
    this.#owner = owner;
  }

  override take(chunk: Buffer, start: number, end: number, isLast: boolean): void {
    this.#bytes.push(Buffer.from(chunk.subarray(start, end)));
    if (isLast) this.#gathering.done(this.#owner, Buffer.concat(this.#bytes));
  }
}

/** Sends each node its part of a command of many keys. @param perKey as `wordsAKey` tells */
export function split(
  slot: Slot,
  chunk: Buffer,
  { words, starts, ends }: RequestFrame,
  perKey: number,
  ring: Ring,
  nodes: readonly NodeLink[],
): void {
  const keys = (words - 1) / perKey;
  const gathering = new Gathering(slot, keys, perKey === 1);
  const counts = new Uint16Array(nodes.length);
  for (let key = 0; key < keys; key++) {
    const word = 1 + key * perKey;
    const owner = ring.ownerOf(chunk, starts[word] as number, ends[word] as number);
    gathering.owners[key] = owner;
    (counts[owner] as number)++;
  }
  for (let owner = 0; owner < nodes.length; owner++) {
    const count = counts[owner] as number;
    if (count === 0) continue;
    gathering.missing++;
    const head = `*${1 + count * perKey}\r\n$4\r\n${perKey === 1 ? 'MGET' : 'MSET'}\r\n`;
    const node = nodes[owner] as NodeLink;
    node.send(new Part(gathering, owner), Buffer.from(head), 0, head.length);
  }
  for (let key = 0; key < keys; key++) {
    const word = 1 + key * perKey;
    const { outlet } = nodes[gathering.owners[key] as number] as NodeLink;
    // From behind the word in front of it on: with the lengths of its words.
    outlet.append(chunk, (ends[word - 1] as number) + 2, (ends[word + perKey - 1] as number) + 2);
  }
}
