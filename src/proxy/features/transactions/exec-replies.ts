/** EXEC's reply of a transaction that was sent to one node. */
import { MINUS, STAR } from '../../../resp/bytes.js';
import { error as encodeError } from '../../../resp/encode.js';
import { headerNumber, lineEnd, replyEnd } from '../../../resp/whole-reply.js';
import type { ReplySink } from '../../request/reply-sink.js';
import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { RepliesBefore } from './replies-before.js';

const PLUS = 0x2b;

/** What else is to be done once a transaction has run, or will not. One of the two is called, once. */
export interface Aftermath {
  /** @param reply EXEC's @param answer gives the client what is made of it, now or later */
  onRun(reply: Buffer, answer: (reply: Buffer) => void): void;
  /** It was not run, or nobody knows whether it was. */
  onFailed(): void;
}

/** What of a transaction its replies are read by. */
export interface TransactionShape {
  /** Which of the commands are SELECT, by their position. */
  readonly selects: readonly { readonly at: number; readonly database: number }[];
  /** The positions of those whose answers the client does not see, ascending. */
  readonly unseen: readonly number[];
}

export class ExecReplies implements ReplySink {
  /** Takes the replies in front of EXEC's. */
  readonly before: RepliesBefore;
  readonly #client: ClientConnection;
  readonly #exec: Request;
  readonly #requests: RequestPool;
  readonly #transaction: TransactionShape;
  /** Told how the transaction has ended, or null. */
  readonly #aftermath: Aftermath | null;

  /**
   * @param exec EXEC's own request, whose reply goes straight to the client unless something is to be made of it
   * @param before replies that come before that
   */
  constructor(
    client: ClientConnection,
    exec: Request,
    requests: RequestPool,
    before: number,
    transaction: TransactionShape,
    aftermath: Aftermath | null,
  ) {
    this.before = new RepliesBefore(requests, before, () => exec.answerTo(this));
    this.#client = client;
    this.#exec = exec;
    this.#requests = requests;
    this.#transaction = transaction;
    this.#aftermath = aftermath;
    const { selects, unseen } = transaction;
    if (selects.length > 0 || unseen.length > 0 || aftermath !== null) exec.answerTo(this);
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    if (request.client !== null) request.streamTo(request.client);
    if (this.#aftermath === null) {
      this.#answer(buffer, start, end);
    } else if (isRun(buffer, start)) {
      const reply = Buffer.from(buffer.subarray(start, end));
      this.#aftermath.onRun(reply, (answer) => this.#answer(answer, 0, answer.length));
    } else {
      this.#aftermath.onFailed();
      this.#answer(buffer, start, end);
    }
  }

  onFailure(request: Request, reply: Buffer): void {
    const { client } = request;
    this.#aftermath?.onFailed();
    if (client === null) {
      this.#requests.give(request);
      return;
    }
    request.streamTo(client);
    client.onReply(request, reply, 0, reply.length);
  }

  /** What EXEC was answered, or what was made of that, is `buffer[start, end)`. */
  #answer(buffer: Buffer, start: number, end: number): void {
    const request = this.#exec;
    const { client } = request;
    if (client === null) {
      this.#requests.give(request);
      return;
    }
    const { refusal } = this.before;
    if (buffer[start] === MINUS && refusal !== '') {
      const reply = encodeError(`EXECABORT Transaction discarded because of: ${refusal}`, 'latin1');
      client.onReply(request, reply, 0, reply.length);
      return;
    }
    const database = this.#selected(buffer, start, end);
    if (database >= 0) this.#client.lanes.changeKind(this.#client.kind.protocol, database);
    const { unseen } = this.#transaction;
    if (unseen.length === 0 || !isRun(buffer, start)) {
      client.onReply(request, buffer, start, end);
      return;
    }
    const reply = withoutElements(buffer.subarray(start, end), unseen);
    client.onReply(request, reply, 0, reply.length);
  }

  /** The database that the last SELECT which went well has chosen, or -1. */
  #selected(buffer: Buffer, start: number, end: number): number {
    if (buffer[start] !== STAR) return -1;
    const count = headerNumber(buffer, start);
    let chosen = -1;
    let at = lineEnd(buffer, start);
    for (let i = 0; i < count; i++) {
      const select = this.#transaction.selects.find((candidate) => candidate.at === i);
      if (select !== undefined && buffer[at] === PLUS) chosen = select.database;
      at = replyEnd(buffer, at, end);
      if (at < 0) return chosen;
    }
    return chosen;
  }
}

/** Whether EXEC's reply says that the transaction was carried out. */
export function isRun(buffer: Buffer, start: number): boolean {
  return buffer[start] === STAR && buffer[start + 1] !== MINUS;
}

/** @param positions ascending @returns EXEC's reply without the elements at these positions */
function withoutElements(exec: Buffer, positions: readonly number[]): Buffer {
  const count = headerNumber(exec, 0);
  let from = lineEnd(exec, 0);
  const pieces: Buffer[] = [Buffer.from(`*${count - positions.length}\r\n`)];
  let at = from;
  let next = 0;
  for (let i = 0; i < count && at >= 0; i++) {
    const end = replyEnd(exec, at, exec.length);
    if (i === positions[next]) {
      pieces.push(exec.subarray(from, at));
      from = end;
      next++;
    }
    at = end;
  }
  pieces.push(exec.subarray(from));
  return Buffer.concat(pieces);
}
