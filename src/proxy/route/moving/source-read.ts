/**
 * While keys move, a read of one key goes to the node that the key leaves, without moving it first: nobody writes a
 * moved key there any more, and it is taken away from there only when it has arrived where it goes, so a copy that is
 * found is the key as it is. When nothing is found, it may have moved: then the node it moves to is asked as well.
 */
import type { MissingReply } from '../../../commands/columns.js';
import { isMissingReply } from '../../../commands/missing-reply.js';
import type { KeyMoves } from '../../key-moves.js';
import { ClientStream } from '../../request/client-stream.js';
import type { Request } from '../../request/request.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { askAgain } from '../ask-again.js';
import type { Router } from '../router.js';

/** A read of a key that may have left its source. */
export interface MovingRead {
  /** What the source answers when it does not have the key. */
  readonly missingReply: MissingReply;
  /** The command, for the second node. */
  readonly frame: Buffer;
  /** Index of the node that the key leaves. */
  readonly source: number;
  readonly target: UpstreamNode;
  readonly moves: KeyMoves;
  readonly database: number;
  /** Where the key stands in the frame. */
  readonly keyStart: number;
  readonly keyEnd: number;
}

/** Takes the source's reply, and asks the target when the key was not found. */
export class SourceRead extends ClientStream {
  readonly #router: Router;
  readonly #client: ClientConnection;
  readonly #read: MovingRead;
  /** The second node was asked: its reply counts, whatever it is. */
  #atTarget = false;

  constructor(router: Router, client: ClientConnection, read: MovingRead) {
    super(client);
    this.#router = router;
    this.#client = client;
    this.#read = read;
    client.beginSourceRead();
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    const { missingReply, moves, source, database, frame, keyStart, keyEnd } = this.#read;
    if (!this.#atTarget && isMissingReply(missingReply, buffer, start)) {
      this.#atTarget = true;
      // A field or an element may be missing, too; GET's nil says that the key is.
      if (missingReply === 'no key') moves.noteGone(source, database, frame.subarray(keyStart, keyEnd));
      this.#askTarget(request);
      return;
    }
    this.pass(request, buffer, start, end);
  }

  protected override letGo(request: Request): void {
    this.#client.endSourceRead();
    super.letGo(request);
  }

  /** The node that the key leaves has answered that it is not there. */
  #askTarget(request: Request): void {
    const { target, frame } = this.#read;
    if (!askAgain(this.#router, this.#client, request, target, frame)) this.onFailure(request, target.downReply);
  }
}
