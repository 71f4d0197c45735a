/**
 * While keys move, a read of one key goes to the node that the key leaves, without moving it first: nobody
 * writes a moved key there any more, and it is removed there only when the node that it moves to has it, so a copy
 * that is found there is the key as it is. When nothing is found, it may have moved: then that node is asked as well.
 */
import type { MissingReply } from '../../../commands/columns.js';
import type { Dispatcher } from '../../dispatcher.js';
import type { KeyMoves } from '../../key-moves.js';
import type { Request } from '../../request/request.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';

export class SourceRead {
  /** What the source answers when it does not have the key. */
  readonly missingReply: MissingReply;
  /** The request's frame, for the second node. */
  readonly frame: Buffer;
  readonly target: UpstreamNode;
  /** The second node was asked: its reply counts, whatever it is. */
  atTarget = false;
  readonly #moves: KeyMoves;
  readonly #source: number;
  readonly #database: number;
  readonly #key: Buffer | null;

  /** @param key null: an empty reply does not prove that the key is gone */
  constructor(
    missingReply: MissingReply,
    frame: Buffer,
    target: UpstreamNode,
    moves: KeyMoves,
    source: number,
    database: number,
    key: Buffer | null,
  ) {
    this.missingReply = missingReply;
    this.frame = frame;
    this.target = target;
    this.#moves = moves;
    this.#source = source;
    this.#database = database;
    this.#key = key;
  }

  /** The source answered as if it had no such key. */
  foundNothing(): void {
    this.atTarget = true;
    if (this.#key !== null) this.#moves.noteGone(this.#source, this.#database, this.#key);
  }
}

/** Asks the node that the key of `request` moves to; the one that it leaves has answered that it is not there. */
export function readAtTarget(
  dispatcher: Dispatcher,
  client: ClientConnection,
  request: Request,
  { target, frame }: SourceRead,
): void {
  // When the ring has changed since, no command of the client's goes anywhere before its reads are answered.
  const index = client.snapshot === dispatcher.snapshot ? dispatcher.nodes.indexOf(target) : -1;
  const lane = index >= 0 ? dispatcher.laneFor(client, index) : target.pick(client.kind);
  if (lane === null) {
    client.onReply(request, target.downReply, 0, target.downReply.length);
    return;
  }
  lane.outlet.append(frame, 0, frame.length);
  target.counters.bytesOut += frame.length;
  request.lane = lane;
  lane.enqueue(request);
}
