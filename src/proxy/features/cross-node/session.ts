/** A connection to one node for one command alone, for what changes a connection's state: WATCH. */

import { request as encodeRequest } from '../../../resp/encode.js';
import { NO_KEYS_AT_ALL } from '../../request/request.js';
import { UNWATCH } from '../../request/transaction-frames.js';
import type { Lane } from '../../upstream/lane.js';
import { askOn } from './answers.js';
import { elementsOf, inTransaction, unlessError } from './exec.js';

export class Session {
  readonly #lane: Lane;
  readonly #command: number;
  readonly #named: (reply: Buffer) => Buffer;
  #watches = false;

  /** @param lane that nobody else uses @param named makes of each reply what is seen of it */
  constructor(lane: Lane, command: number, named: (reply: Buffer) => Buffer) {
    this.#lane = lane;
    this.#command = command;
    this.#named = named;
  }

  /** @returns the replies, each whole @throws StepFailed when the connection fails */
  async ask(frames: readonly Uint8Array[]): Promise<Buffer[]> {
    return (await askOn(this.#lane, this.#command, frames)).map(this.#named);
  }

  /** Watches these keys until `exec`, and asks what follows. @returns the replies to `frames` @throws StepFailed */
  async watch(keys: readonly Uint8Array[], frames: readonly Uint8Array[]): Promise<Buffer[]> {
    this.#watches = true;
    const [watched, ...replies] = await this.ask([encodeRequest(['WATCH', ...keys]), ...frames]);
    unlessError(watched as Buffer);
    return replies;
  }

  /** As `watch`, of one key, behind these frames. @returns the replies to them, and to WATCH @throws StepFailed */
  watchBehind(frames: readonly Uint8Array[], key: Uint8Array): Promise<Buffer[]> {
    this.#watches = true;
    return this.ask([...frames, encodeRequest(['WATCH', key])]);
  }

  /** @returns the replies; null, and nothing was carried out, when a key was written that is watched @throws StepFailed */
  async exec(frames: readonly Uint8Array[]): Promise<Buffer[] | null> {
    this.#watches = false;
    return elementsOf(await this.ask(inTransaction(frames)));
  }

  /**
   * As `exec`, and then watches the key. Both go in one piece, which the node carries out at once: what others write
   * behind the transaction is seen, but for what those take who have waited for the key at the node. @throws StepFailed
   */
  async execAndWatch(frames: readonly Uint8Array[], key: Uint8Array): Promise<Buffer[] | null> {
    this.#watches = true;
    const replies = await this.ask([...inTransaction(frames), encodeRequest(['WATCH', key])]);
    const elements = elementsOf(replies.slice(0, -1));
    unlessError(replies.at(-1) as Buffer);
    return elements;
  }

  /** The connection is given back. */
  end(): void {
    const lane = this.#lane;
    if (lane.closed) return;
    if (this.#watches) lane.ask(UNWATCH, null, NO_KEYS_AT_ALL);
    if (lane.inflight === 0) lane.node.releasePrivate(lane);
    else lane.whenIdle((idle) => idle.node.releasePrivate(idle));
  }
}
