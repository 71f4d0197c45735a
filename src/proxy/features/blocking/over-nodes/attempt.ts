/**
 * One try of a command that waits, at one node: within a transaction a command that would wait does not, checks what it
 * is given and answers as it always does. So it is one command that takes an element, and its reply is the client's.
 */

import { MINUS } from '../../../../resp/bytes.js';
import { lineEnd } from '../../../../resp/whole-reply.js';
import { type KeyHash, NO_HASH } from '../../../../ring/rings.js';
import type { ReplySink } from '../../../request/reply-sink.js';
import type { KeysOfRequest, Request } from '../../../request/request.js';
import { EXEC, MULTI } from '../../../request/transaction-frames.js';
import type { Lane } from '../../../upstream/lane.js';

/** MULTI, the command, EXEC. */
const LAST_PART = 2;
const UNDERSCORE = 0x5f;

export interface AttemptListener {
  /** The command's own reply is `buffer[start, end)`, which must be copied if it is needed later. */
  onAnswer(buffer: Buffer, start: number, end: number): void;
  /** No reply comes. @param reply says why @param isUnknown the node may have carried it out */
  onLost(reply: Buffer, isUnknown: boolean): void;
}

export class Attempt implements ReplySink {
  readonly #listener: AttemptListener;
  readonly #lane: Lane;
  #refusal: Buffer | null = null;
  #isLost = false;

  constructor(lane: Lane, listener: AttemptListener) {
    this.#lane = lane;
    this.#listener = listener;
  }

  /** @param command its id @param keys what a fence is to know of its keys, with the `keyHash` of a known one */
  send(command: number, frame: Uint8Array, keys: KeysOfRequest, keyHash: KeyHash = NO_HASH): void {
    for (const [part, bytes] of [MULTI, frame, EXEC].entries()) this.#put(part, bytes, command, keys, keyHash);
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    const { part } = request;
    this.#lane.node.shared.requests.give(request);
    if (part !== LAST_PART) {
      if (buffer[start] === MINUS) this.#refusal ??= Buffer.from(buffer.subarray(start, end));
    } else if (this.#refusal !== null) this.#listener.onAnswer(this.#refusal, 0, this.#refusal.length);
    else if (buffer[start] === MINUS) this.#listener.onAnswer(buffer, start, end);
    else this.#listener.onAnswer(buffer, lineEnd(buffer, start), end);
  }

  onFailure(request: Request, reply: Buffer): void {
    this.#lane.node.shared.requests.give(request);
    if (this.#isLost) return;
    this.#isLost = true;
    // A lane that was not greeted has sent nothing.
    this.#listener.onLost(reply, this.#lane.connectionId >= 0);
  }

  #put(part: number, frame: Uint8Array, command: number, keys: KeysOfRequest, keyHash: KeyHash): void {
    const { requests, clock } = this.#lane.node.shared;
    const request = requests.take();
    request.answerTo(this);
    request.part = part;
    request.command = command;
    request.keys = keys;
    request.keyHash = keyHash;
    request.startedAt = clock.now;
    this.#lane.send(request, frame, 0, frame.length);
  }
}

/** Whether a reply says that there was nothing: nil, in either protocol. */
export function isNothing(buffer: Buffer, start: number): boolean {
  return buffer[start] === UNDERSCORE || (buffer[start + 1] === MINUS && buffer[start] !== MINUS);
}
