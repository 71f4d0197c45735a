import { ClientStream } from '../../request/client-stream.js';
import type { Request } from '../../request/request.js';
import { askAgain } from '../../route/ask-again.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Replica } from '../../upstream/replicas.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';

const ERROR_BYTE = 0x2d;
/** What is wrong with the command or its key, not with the replica. */
const OF_COMMAND = /^-(?:ERR|WRONGTYPE) /;

/** A read that a replica was sent, and that its master is sent if the replica does not answer it, or with an error. */
export class ReplicaRead extends ClientStream {
  readonly #router: Router;
  readonly #client: ClientConnection;
  readonly #replica: Replica;
  readonly #master: UpstreamNode;
  readonly #frame: Buffer;
  readonly #onAgain: () => void;
  #isAtMaster = false;

  /** @param onAgain told when the master is asked */
  constructor(
    router: Router,
    client: ClientConnection,
    replica: Replica,
    master: UpstreamNode,
    frame: Buffer,
    onAgain: () => void,
  ) {
    super(client);
    this.#router = router;
    this.#client = client;
    this.#replica = replica;
    this.#master = master;
    this.#frame = frame;
    this.#onAgain = onAgain;
    client.beginSourceRead();
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    if (this.#isAtMaster || buffer[start] !== ERROR_BYTE) {
      this.pass(request, buffer, start, end);
      return;
    }
    if (!OF_COMMAND.test(buffer.toString('latin1', start, Math.min(end, start + 16))))
      this.#replica.leaveOut(this.#router.shared.clock.now);
    this.#askMaster(request);
  }

  override onFailure(request: Request, reply: Buffer): void {
    if (this.#isAtMaster || this.#client.closed) super.onFailure(request, reply);
    else this.#askMaster(request);
  }

  protected override letGo(request: Request): void {
    this.#client.endSourceRead();
    super.letGo(request);
  }

  #askMaster(request: Request): void {
    this.#isAtMaster = true;
    this.#onAgain();
    const master = this.#master;
    if (!askAgain(this.#router, this.#client, request, master, this.#frame)) super.onFailure(request, master.downReply);
  }
}
