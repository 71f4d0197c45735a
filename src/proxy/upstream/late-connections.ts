/**
 * Connections to a node that ended with commands in flight. Such a command may still lie in the network or in the
 * node's socket and run late, over what its client has written since, until the node has dropped the connection
 * (CLIENT KILL ID). So in front of whatever goes to the node next, on each of its lanes, goes the order to drop them; and
 * no key moves before they are dropped.
 */
import { request as encodeRequest } from '../../resp/encode.js';
import type { ReplySink } from '../request/reply-sink.js';
import type { Request } from '../request/request.js';
import type { RequestPool } from '../request/request-pool.js';

const ERROR_BYTE = 0x2d;
/** A node looks through all its connections for each that it is to drop. */
const MOST_IN_FRONT = 32;

export class LateConnections {
  /** Their addresses as the node sees them (empty: unknown), by their numbers at the node (CLIENT ID). */
  readonly #peers = new Map<number, string>();
  /** Those of them whose commands write, rather than wait. */
  readonly #writing = new Set<number>();

  /** @param writes false: it was for commands that wait at the node, of which late ones find their connection gone */
  add(id: number, peer: string, writes: boolean): void {
    this.#peers.set(id, peer);
    if (writes) this.#writing.add(id);
  }

  /** The node has dropped it. */
  forget(id: number): void {
    this.#peers.delete(id);
    this.#writing.delete(id);
  }

  /** They were connections to a server that is not the node any more. */
  forgetAll(): void {
    this.#peers.clear();
    this.#writing.clear();
  }

  list(): { id: number; peer: string }[] {
    return [...this.#peers].map(([id, peer]) => ({ id, peer }));
  }

  /** What makes the node drop those that may write, the latest ones first, as far as it is worth its time. */
  inFront(): { id: number; words: readonly string[] }[] {
    const ids = [...this.#writing].slice(-MOST_IN_FRONT);
    return ids.map((id) => ({ id, words: dropWords(id, this.#peers.get(id) ?? '') }));
  }
}

/** With its address, since a node that was restarted counts connections anew, and the number may be another one's. */
function dropWords(id: number, peer: string): readonly string[] {
  const words = ['CLIENT', 'KILL', 'ID', String(id)];
  return peer === '' ? words : [...words, 'ADDR', peer];
}

export function dropFrame(id: number, peer: string): Buffer {
  return Buffer.from(encodeRequest(dropWords(id, peer)));
}

/** Takes the reply to such an order. */
export class Drop implements ReplySink {
  readonly #late: LateConnections;
  readonly #id: number;
  readonly #requests: RequestPool;

  constructor(late: LateConnections, id: number, requests: RequestPool) {
    this.#late = late;
    this.#id = id;
    this.#requests = requests;
  }

  onReply(request: Request, buffer: Buffer, start: number): void {
    if (buffer[start] !== ERROR_BYTE) this.#late.forget(this.#id);
    this.#requests.give(request);
  }

  onFailure(request: Request): void {
    this.#requests.give(request);
  }
}
