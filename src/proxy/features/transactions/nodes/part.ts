/** The part of a transaction that runs on one node: its commands in the order of the queue, as one MULTI … EXEC. */
import { error as encodeError } from '../../../../resp/encode.js';
import { type KeyHash, NO_HASH } from '../../../../ring/rings.js';
import { type KeysOfRequest, KNOWN_KEY, NO_KEYS_AT_ALL, UNKNOWN_KEYS } from '../../../request/request.js';
import type { Lane } from '../../../upstream/lane.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { ByteChunks } from '../byte-chunks.js';
import type { Watch } from '../watch.js';

/**
 * What has become of a part.
 * - `waits`: nobody knows yet.
 * - `ran`: each of its commands has an answer.
 * - `conflict`: a key that is watched there was changed, so it was not carried out.
 * - `refused`: it was not carried out for another reason.
 * - `failed`: its node was lost; it may have been carried out.
 */
export type PartOutcome = 'waits' | 'ran' | 'conflict' | 'refused' | 'failed';

const CRLF = 2;
const NO_REPLY = Buffer.alloc(0);

export class Part {
  readonly node: UpstreamNode;
  /** The node's index in the snapshot. */
  readonly index: number;
  /** What the client watches at the node; null: nothing. */
  readonly watch: Watch | null;
  /** By which it is sent; null: by any that is there then. */
  lane: Lane | null;
  /** The frames of its commands. */
  readonly frames = new ByteChunks();
  /** How many commands it has. */
  count = 0;
  /** What a fence is to know of its keys. */
  keys: KeysOfRequest = NO_KEYS_AT_ALL;
  keyHash: KeyHash = NO_HASH;
  /** It was sent: nothing is watched at its node any more. */
  isSent = false;
  #outcome: PartOutcome = 'waits';
  #reply: Buffer = NO_REPLY;
  #why = '';

  constructor(node: UpstreamNode, index: number, watch: Watch | null) {
    this.node = node;
    this.index = index;
    this.watch = watch;
    this.lane = watch?.lane ?? null;
  }

  get outcome(): PartOutcome {
    return this.#outcome;
  }

  /** EXEC's reply where it ran; otherwise the error that its commands are answered when others ran. */
  get reply(): Buffer {
    return this.#reply;
  }

  /** Why it was not carried out, for people; one character a byte (latin1). */
  get why(): string {
    return this.#why;
  }

  /** One of its commands has this key. */
  noteKey(hash: KeyHash): void {
    if (this.keys === NO_KEYS_AT_ALL) {
      this.keys = KNOWN_KEY;
      this.keyHash = hash;
    } else if (this.keyHash !== hash) this.keys = UNKNOWN_KEYS;
  }

  /** A part at the same node for what stands further behind. */
  again(): Part {
    const part = new Part(this.node, this.index, null);
    // A fence waits for all of the transaction in any case.
    part.keys = UNKNOWN_KEYS;
    return part;
  }

  /** @param reply EXEC's */
  endRun(reply: Buffer): void {
    this.#outcome = 'ran';
    this.#reply = reply;
  }

  /** A key that is watched at its node was changed. */
  endConflict(): void {
    this.#end('conflict', `a watched key of node ${this.node.name} was changed`);
  }

  /** @param why as the field */
  endRefused(why: string): void {
    this.#end('refused', why);
  }

  /** @param reply the error that tells why no answer comes */
  endFailed(reply: Buffer): void {
    this.#outcome = 'failed';
    this.#reply = reply;
    this.#why = reply.toString('latin1', 1, reply.length - CRLF);
  }

  #end(outcome: PartOutcome, why: string): void {
    this.#outcome = outcome;
    this.#why = why;
    const text = `EXECABORT The part of node ${this.node.name} was not carried out, others were: ${why}`;
    this.#reply = encodeError(text, 'latin1');
  }
}
