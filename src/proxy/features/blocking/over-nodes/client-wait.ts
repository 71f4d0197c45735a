/**
 * The client's side of a command that waits for keys on several nodes: until when it waits, who ends that, and what it is
 * answered. What is on the way to it when its time is over, or it was unblocked, is its own still.
 */
import type { Command } from '../../../../commands/command.js';
import type { UnblockMode } from '../../../peers/peers.js';
import type { Request } from '../../../request/request.js';
import type { FrameBehind } from '../../../request/steps.js';
import type { Router } from '../../../route/router.js';
import { GAVE_UP_REPLY } from '../../../route/waiting.js';
import type { ClientConnection } from '../../../session/client-connection.js';
import type { Waiting } from '../../../session/waiting.js';
import { timeoutReply } from '../blocking-frame.js';
import { UNBLOCKED } from '../unblock.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A command on its way, as it came, or as it goes on after it waited at a node. */
export interface WaitingCall {
  readonly client: ClientConnection;
  readonly command: Command;
  /** Stands in the client's queue already. */
  readonly request: Request;
  /** The arguments, the command's name included. */
  readonly words: readonly Buffer[];
  /** Positions of the keys, one behind the other. */
  readonly keys: readonly number[];
  /** It has waited at a node before: its arguments are right, and what it would have been refused for at first is over. */
  readonly hasWaited: boolean;
  /** Milliseconds from now; Infinity: never. */
  readonly timeout: number;
  /** What goes behind it when it has taken something. */
  readonly behind: readonly FrameBehind[];
}

/** Who tries to get something for the client. */
export interface Seeker {
  /** Something may be on the way to the client. */
  readonly isSeeking: boolean;
  /** Its keys were looked at, and there was nothing. */
  readonly isWaiting: boolean;
  /** It is not its fault that it is not waiting yet. */
  readonly isHeldUp: boolean;
  /** The client sends nothing more: it is not waited for any longer, as soon as what is there is known. */
  onHangUp(): void;
  /** The client was answered, or has left: what comes now nobody takes. */
  onOver(): void;
}

export class ClientWait implements Waiting {
  readonly #router: Router;
  readonly #all: Set<ClientWait>;
  readonly #call: WaitingCall;
  readonly #seeker: Seeker;
  readonly #begunAt: number;
  #timer: NodeJS.Timeout | null = null;
  /** Its time is over. */
  #isLate = false;
  /** A client has asked for the end of the wait. */
  #ended: UnblockMode | null = null;
  #isHungUp = false;
  #isOver = false;

  /** @param all those that wait */
  constructor(router: Router, all: Set<ClientWait>, call: WaitingCall, seeker: Seeker) {
    this.#router = router;
    this.#all = all;
    this.#call = call;
    this.#seeker = seeker;
    this.#begunAt = router.shared.clock.now;
  }

  /** The client sends nothing more. */
  get isHungUp(): boolean {
    return this.#isHungUp;
  }

  /** The client has left, or was answered. */
  get isOver(): boolean {
    return this.#isOver;
  }

  begin(): void {
    this.#all.add(this);
    this.#call.client.blockOn(this);
    this.#setTimer();
  }

  /** The client has left. */
  abandon(): void {
    if (!this.#isOver) this.#end();
  }

  /** Nobody waits for a client that sends nothing more; but what is there at once it gets. */
  hangUp(): void {
    this.#isHungUp = true;
    if (!this.#isOver) this.#seeker.onHangUp();
  }

  stop(): void {
    this.endWait('ERROR');
  }

  endWait(mode: UnblockMode): null {
    this.#ended = mode;
    if (!this.#isOver && !this.#seeker.isSeeking) this.finish(this.#endReply(mode));
    return null;
  }

  /** Called about ten times a second. */
  checkTime(now: number, requestTimeout: number): void {
    const { isSeeking, isWaiting, isHeldUp } = this.#seeker;
    if (this.#isOver || isSeeking || isWaiting || isHeldUp) return;
    if (now - this.#begunAt > requestTimeout) this.finish(GAVE_UP_REPLY);
  }

  /** Nothing is there, nor on the way: ends the wait if it was to end meanwhile. */
  endIfDue(): void {
    if (this.#isOver) return;
    if (this.#ended !== null) this.finish(this.#endReply(this.#ended));
    else if (this.#isLate) this.finish(this.#timeoutReply());
    else if (this.#isHungUp) this.#endClient();
  }

  /** The client is answered so, and waits no more. @returns whether it is known never to read it */
  finish(buffer: Buffer, start = 0, end = buffer.length): boolean {
    if (this.#isOver) return true;
    const { client, request } = this.#call;
    const isUnread = this.#isHungUp && client.onLastReply(request, buffer, start, end);
    if (!this.#isHungUp) client.onReply(request, buffer, start, end);
    this.#end();
    return isUnread;
  }

  /** The longest timeouts are longer than a timer can be. */
  #setTimer(): void {
    const left = this.#begunAt + this.#call.timeout - this.#router.shared.clock.read();
    if (left === Number.POSITIVE_INFINITY) return;
    if (left <= 0) this.#onTime();
    else this.#timer = setTimeout(() => this.#setTimer(), Math.min(Math.ceil(left), LONGEST_TIMER_MS));
  }

  #onTime(): void {
    this.#isLate = true;
    const { isSeeking, isWaiting } = this.#seeker;
    if (!this.#isOver && !isSeeking && isWaiting) this.finish(this.#timeoutReply());
  }

  /** It would wait, and nobody is to wait for a client that sends nothing more: it gets the replies before this one. */
  #endClient(): void {
    const { client, request } = this.#call;
    request.silent = true;
    this.finish(UNBLOCKED);
    client.endAfterReplies();
  }

  #timeoutReply(): Buffer {
    const { client, command } = this.#call;
    return timeoutReply(command, client.kind.protocol);
  }

  #endReply(mode: UnblockMode): Buffer {
    return mode === 'ERROR' ? UNBLOCKED : this.#timeoutReply();
  }

  #end(): void {
    const { client, command } = this.#call;
    const { counters, clock } = this.#router.shared;
    this.#isOver = true;
    this.#all.delete(this);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#seeker.onOver();
    counters.crossNode.count(command.name, 'waiting', clock.now - this.#begunAt);
    client.unblock(this);
  }
}
