/** MGET whose missing keys are all being filled: its reply stands here, and elements take the places of the nils. */
import { bulkIsNull } from '../../../resp/inspect.js';
import { headerNumber, lineEnd, replyEnd } from '../../../resp/whole-reply.js';
import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Fill, Wait } from './fill.js';

export class ArrayWait {
  readonly client: ClientConnection;
  readonly since: number;
  readonly request: Request;
  readonly #requests: RequestPool;
  /** The reply, and where each of its elements ends; the first begins at `#first`. */
  readonly #reply: Buffer;
  readonly #elements = new Map<number, Buffer>();
  readonly #onNils: (waits: readonly Wait[]) => void;
  readonly #open = new Set<ElementWait>();
  #isOver = false;

  /** @param onNils takes these out of their fills: their elements stay nil, and the reply leaves */
  constructor(
    client: ClientConnection,
    request: Request,
    requests: RequestPool,
    reply: Buffer,
    since: number,
    onNils: (waits: readonly Wait[]) => void,
  ) {
    this.client = client;
    this.since = since;
    this.request = request;
    this.#requests = requests;
    this.#reply = reply;
    this.#onNils = onNils;
    request.misses = null;
    request.lane = null;
  }

  /** @returns who waits for the key of element `at` */
  element(at: number, fill: Fill): Wait {
    const wait = new ElementWait(this, at, fill);
    this.#open.add(wait);
    return wait;
  }

  /** @param value null: the element stays nil, and the others do as well */
  onElement(wait: ElementWait, value: Buffer | null): void {
    if (this.#isOver) return;
    this.#open.delete(wait);
    if (value !== null) this.#elements.set(wait.at, value);
    if (value !== null && this.#open.size > 0) return;
    this.#end(value === null ? [wait, ...this.#open] : []);
    const reply = withValues(this.#reply, this.#elements);
    this.client.onReply(this.request, reply, 0, reply.length);
  }

  onLeft(): void {
    if (this.#isOver) return;
    this.#end([...this.#open]);
    this.#requests.give(this.request);
  }

  /** Whoever sees a miss fills that key: it must not wait for others. */
  #end(nils: readonly Wait[]): void {
    this.#isOver = true;
    this.#open.clear();
    if (nils.length > 0) this.#onNils(nils);
  }
}

class ElementWait implements Wait {
  readonly at: number;
  readonly fill: Fill;
  readonly takes = 'element';
  readonly #whole: ArrayWait;

  constructor(whole: ArrayWait, at: number, fill: Fill) {
    this.fill = fill;
    this.#whole = whole;
    this.at = at;
  }

  get client(): ClientConnection {
    return this.#whole.client;
  }

  get request(): Request {
    return this.#whole.request;
  }

  get since(): number {
    return this.#whole.since;
  }

  onReply(buffer: Buffer, start: number, end: number): void {
    // MGET answers nil for what is no string, where GET answers an error.
    const isValue = buffer[start] === 0x24;
    this.#whole.onElement(this, isValue ? Buffer.from(buffer.subarray(start, end)) : null);
  }

  onThere(): void {
    this.onMiss();
  }

  onMiss(): void {
    this.#whole.onElement(this, null);
  }

  onLeft(): void {
    this.#whole.onLeft();
  }
}

/** The numbers of the elements of MGET's reply `buffer[start, end)` that are nil. */
export function nilsOf(buffer: Buffer, start: number, end: number): number[] {
  const count = headerNumber(buffer, start);
  const nils: number[] = [];
  let at = lineEnd(buffer, start);
  for (let i = 0; i < count && at >= 0 && at < end; i++) {
    if (bulkIsNull(buffer, at)) nils.push(i);
    at = replyEnd(buffer, at, end);
  }
  return nils;
}

function withValues(reply: Buffer, values: ReadonlyMap<number, Buffer>): Buffer {
  const count = headerNumber(reply, 0);
  let at = lineEnd(reply, 0);
  const pieces = [reply.subarray(0, at)];
  for (let i = 0; i < count && at >= 0 && at < reply.length; i++) {
    const end = replyEnd(reply, at, reply.length);
    pieces.push(values.get(i) ?? reply.subarray(at, end));
    at = end;
  }
  return Buffer.concat(pieces);
}
