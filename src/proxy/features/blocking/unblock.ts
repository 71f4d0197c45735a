/** Ends the wait of a command at its node, by CLIENT UNBLOCK on another connection. */

import type { Command } from '../../../commands/command.js';
import { error as encodeError, request as encodeRequest } from '../../../resp/encode.js';
import type { UnblockMode } from '../../peers/peers.js';
import type { ReplySink } from '../../request/reply-sink.js';
import type { Request } from '../../request/request.js';
import { passOn } from '../../request/rewritten-reply.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import type { LaneKind } from '../../upstream/lane-kind.js';

/** What Redis answers a command that was unblocked with ERROR. */
export const UNBLOCKED = encodeError('UNBLOCKED client unblocked via CLIENT UNBLOCK');

const CONTROL: LaneKind = { protocol: 2, database: 0 };
const DIGIT_ZERO = 0x30;
const DIGIT_ONE = 0x31;
/** A node that has not yet read the command that is to be ended is asked again, at once and then less often. */
const AT_ONCE = 5;
const LATER_MS = 20;

/**
 * Makes the node answer what waits on `lane`. Asks until it has: the command may be on its way to the node still.
 * When the node cannot be asked, the lane is closed.
 * @param kind of the connection to ask on
 */
export function unblock(lane: Lane, mode: UnblockMode, kind: LaneKind = CONTROL): void {
  const until = lane.answered + lane.inflight;
  // From now on the node is to answer as soon as it answers anything.
  lane.expectLonger(0);
  if (lane.head !== null) lane.head.startedAt = lane.node.shared.clock.now;
  new Unblocking(lane, mode, kind, until).ask();
}

/**
 * Asks once, and `asker` is answered what the node answers: whether the command still waited.
 * @returns false when the node cannot be asked
 */
export function unblockFor(asker: ClientConnection, command: Command, lane: Lane, mode: UnblockMode): boolean {
  const asked = new Asked(lane);
  const request = askNode(lane, mode, asker.kind, asked);
  if (request === null) return false;
  request.command = command.id;
  asker.enqueue(request);
  request.answerTo(asked);
  return true;
}

/** Gives a lane back on which nothing waits any more, as soon as no CLIENT UNBLOCK can hit whoever uses it next. */
export function releaseBlocking(lane: Lane): void {
  lane.expectLonger(0);
  if (lane.closed) return;
  if (lane.unblocks === 0) lane.node.releasePrivate(lane);
}

/** @returns the request, or null when the node is down */
function askNode(lane: Lane, mode: UnblockMode, kind: LaneKind, sink: ReplySink): Request | null {
  const { node } = lane;
  const control = node.pick(kind);
  if (control === null) return null;
  const frame = encodeRequest(['CLIENT', 'UNBLOCK', String(lane.connectionId), mode]);
  const request = node.shared.requests.take();
  request.answerTo(sink);
  request.startedAt = node.shared.clock.now;
  control.send(request, frame, 0, frame.length);
  lane.beginUnblock();
  return request;
}

/** A CLIENT UNBLOCK was answered. @param known false: it may still come, so the connection is not used again */
function answered(lane: Lane, known: boolean): void {
  lane.endUnblock();
  if (!known) lane.refuseFurther();
  if (lane.unblocks === 0 && lane.inflight === 0 && !lane.closed) lane.node.releasePrivate(lane);
}

/** Asks once, for nobody that is here. @returns whether the command still waited */
export function unblockOnce(lane: Lane, mode: UnblockMode): Promise<boolean> {
  return new Promise((resolve) => {
    if (askNode(lane, mode, CONTROL, new AskedOnce(lane, resolve)) === null) resolve(false);
  });
}

/** The question of a client of another process. */
class AskedOnce implements ReplySink {
  readonly #lane: Lane;
  readonly #resolve: (waited: boolean) => void;

  constructor(lane: Lane, resolve: (waited: boolean) => void) {
    this.#lane = lane;
    this.#resolve = resolve;
  }

  onReply(request: Request, buffer: Buffer, start: number): void {
    this.#end(request, true, buffer[start + 1] === DIGIT_ONE);
  }

  onFailure(request: Request): void {
    this.#end(request, false, false);
  }

  #end(request: Request, known: boolean, waited: boolean): void {
    this.#lane.node.shared.requests.give(request);
    answered(this.#lane, known);
    this.#resolve(waited);
  }
}

/** The question of a client. */
class Asked implements ReplySink {
  readonly #lane: Lane;

  constructor(lane: Lane) {
    this.#lane = lane;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    answered(this.#lane, true);
    passOn(request, this.#lane.node.shared.requests, buffer, start, end);
  }

  onFailure(request: Request, reply: Buffer): void {
    answered(this.#lane, false);
    passOn(request, this.#lane.node.shared.requests, reply, 0, reply.length);
  }
}

/** The proxy's own question, asked until the lane is answered. */
class Unblocking implements ReplySink {
  readonly #lane: Lane;
  readonly #mode: UnblockMode;
  readonly #kind: LaneKind;
  readonly #until: number;
  #asked = 0;

  /** @param until what `lane.answered` is when nothing is left to be asked for */
  constructor(lane: Lane, mode: UnblockMode, kind: LaneKind, until: number) {
    this.#lane = lane;
    this.#mode = mode;
    this.#kind = kind;
    this.#until = until;
  }

  ask(): void {
    const lane = this.#lane;
    if (lane.closed || lane.answered >= this.#until) return;
    this.#asked++;
    if (askNode(lane, this.#mode, this.#kind, this) === null) {
      lane.end('closed', 'is down, and its waiting commands were given up');
    }
  }

  onReply(request: Request, buffer: Buffer, start: number): void {
    const lane = this.#lane;
    lane.node.shared.requests.give(request);
    // Asked again before the lane could be given back.
    if (buffer[start + 1] === DIGIT_ZERO && this.#asked < AT_ONCE) this.ask();
    else if (buffer[start + 1] === DIGIT_ZERO) this.#askLater();
    answered(lane, true);
  }

  onFailure(request: Request): void {
    this.#lane.node.shared.requests.give(request);
    this.#askLater();
    answered(this.#lane, false);
  }

  #askLater(): void {
    setTimeout(() => this.ask(), LATER_MS).unref();
  }
}
