/**
 * A connection to a node on which keys are moved: whole batches of commands go out in one write, and their
 * replies come back as values. The data plane's lanes belong to clients, and a client library would make a
 * promise of each of the tens of thousands of commands a second.
 */
import type { Socket } from 'node:net';
import { type Dialled, dial } from '../node/dial.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import { type Failure, failure, NodeFailure, systemFailure, timedOut } from '../node/failure.js';
import type { Pass } from '../node/standing.js';
import { decodeFramed, ReplyError, type ReplyValue } from '../resp/decode.js';
import { request } from '../resp/encode.js';
import { ReplyFramer } from '../resp/reply-framer.js';

export interface LinkOptions {
  /** The name of a connection at the node, and by what right it speaks; asked for each one. */
  readonly pass: () => Pass;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds that a node may take to answer a batch. */
  readonly timeout: number;
  /** The link ended with commands in flight: they may still run at the node, until it has dropped the connection. */
  readonly onLate: (link: NodeLink) => void;
}

/** Frames of so many bytes together are copied into one piece. */
const JOINED_BYTES = 65_536;

interface Exchange {
  readonly replies: ReplyValue[];
  readonly wanted: number;
  readonly resolve: (replies: ReplyValue[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class NodeLink {
  readonly node: NodeEndpoint;
  /** The node's number of this connection (CLIENT ID), or -1. */
  readonly connectionId: number;
  /** Tells the server process from one that was started later (INFO's run_id); empty when the node does not say. */
  readonly runId: string;
  /** By how much the node's clock is ahead of `monotonicNow`, in milliseconds, nearly; null: it does not say. */
  readonly clockOffset: number | null;
  readonly #options: LinkOptions;
  readonly #socket: Socket;
  readonly #framer = new ReplyFramer();
  readonly #exchanges: Exchange[] = [];
  #pieces: Buffer[] = [];
  #failure: NodeFailure | null = null;
  /** The database that the node has agreed to. */
  #database = 0;
  /** A SELECT that is not answered yet: until then nothing else is sent. */
  #selecting: Promise<void> | null = null;

  private constructor(node: NodeEndpoint, options: LinkOptions, dialled: Dialled) {
    const { socket, connectionId, runId, clockOffset } = dialled;
    this.node = node;
    this.connectionId = connectionId;
    this.runId = runId;
    this.clockOffset = clockOffset;
    this.#options = options;
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(systemFailure(error)));
    socket.on('close', () => this.#fail(failure('closed')));
    socket.resume();
  }

  /** Connects and logs in. @throws NodeFailure that says why it cannot */
  static async open(node: NodeEndpoint, options: LinkOptions): Promise<NodeLink> {
    const dialled = await dial(node, {
      pass: options.pass(),
      timeout: options.connectTimeout,
      asks: ['id', 'process', 'clock'],
      tolerates: 'lacking rights',
    });
    const { process = '' } = node;
    if (process !== '' && dialled.runId !== process) {
      dialled.socket.destroy();
      throw new NodeFailure(node, failure(dialled.runId === '' ? 'no-run-id' : 'restarted'));
    }
    return new NodeLink(node, options, dialled);
  }

  /** Why it cannot be used any more, or null. */
  get failure(): NodeFailure | null {
    return this.#failure;
  }

  /**
   * Sends frames, and waits for as many replies. Errors of the node are values among them.
   * @param timeout milliseconds
   * @throws NodeFailure when the connection fails first
   */
  async exchange(
    frames: readonly Uint8Array[],
    wanted: number,
    database: number,
    timeout = this.#options.timeout,
  ): Promise<ReplyValue[]> {
    while (this.#isElsewhere(database)) await this.#approach(database, timeout);
    return this.#send(frames, wanted, timeout);
  }

  /**
   * Sends one command as its pieces come, and waits for its reply. Nobody else may send anything meanwhile.
   * @param pieces the command's bytes; when it throws, the connection ends: what was sent is no command yet
   * @throws NodeFailure when the connection fails first, and what `pieces` throws
   */
  async stream(pieces: AsyncIterable<Uint8Array>, database: number): Promise<ReplyValue> {
    const { timeout } = this.#options;
    while (this.#isElsewhere(database)) await this.#approach(database, timeout);
    if (this.#failure !== null) throw this.#failure;
    let isAnswered = false;
    const replies = new Promise<ReplyValue[]>((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(timedOut(timeout)), timeout);
      this.#exchanges.push({ replies: [], wanted: 1, resolve, reject, timer });
    });
    const exchange = this.#exchanges.at(-1);
    replies.then(
      () => {
        isAnswered = true;
      },
      () => {},
    );
    try {
      for await (const piece of pieces) {
        // An answer to half a command is a refusal, behind which the node closes the connection.
        if (this.#failure !== null || isAnswered) break;
        exchange?.timer.refresh();
        if (!this.#socket.write(piece)) await this.#drained();
      }
    } catch (error) {
      // Half a command never runs: there is nothing that could be late.
      for (const { timer } of this.#exchanges.splice(0)) clearTimeout(timer);
      this.close();
      throw error;
    }
    const [reply = null] = await replies;
    return reply;
  }

  close(): void {
    this.#fail(failure('done'));
  }

  /**
   * Whether the database must be chosen first, also where it is the one that is being left. Looked at in the very turn in
   * which something is sent: others choose theirs meanwhile.
   */
  #isElsewhere(database: number): boolean {
    return this.#selecting !== null || this.#database !== database;
  }

  /** One step nearer to the database. @throws NodeFailure */
  #approach(database: number, timeout: number): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    // Frames that go out with a SELECT that is refused would reach whatever database was chosen before.
    this.#selecting ??= this.#select(database, timeout);
    return this.#selecting;
  }

  /** Settles when the network has taken what was written, or the connection has ended. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#socket.off('drain', end).off('close', end);
        resolve();
      };
      this.#socket.on('drain', end).on('close', end);
    });
  }

  async #select(database: number, timeout: number): Promise<void> {
    try {
      const [selected] = await this.#send([request(['SELECT', String(database)])], 1, timeout);
      if (selected instanceof ReplyError) {
        this.#fail(failure('database', selected.message, `SELECT ${database}`));
        throw this.#failure;
      }
      this.#database = database;
    } finally {
      this.#selecting = null;
    }
  }

  #send(frames: readonly Uint8Array[], wanted: number, timeout: number): Promise<ReplyValue[]> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(timedOut(timeout)), timeout);
      this.#exchanges.push({ replies: [], wanted, resolve, reject, timer });
      this.#write(frames);
    });
  }

  /** Small frames go in one piece: each piece of a write costs as much as copying a page of them. */
  #write(frames: readonly Uint8Array[]): void {
    const [only] = frames;
    if (only !== undefined && frames.length === 1) {
      this.#socket.write(only);
      return;
    }
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    if (bytes <= JOINED_BYTES) {
      this.#socket.write(Buffer.concat(frames, bytes));
      return;
    }
    this.#socket.cork();
    for (const frame of frames) this.#socket.write(frame);
    this.#socket.uncork();
  }

  #onData(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      const end = this.#framer.advance(chunk, at, chunk.length);
      if (end < 0) {
        this.#fail(failure('protocol'));
        return;
      }
      const piece = chunk.subarray(at, end);
      at = end;
      if (!this.#framer.complete) {
        this.#pieces.push(piece);
        return;
      }
      const whole = this.#pieces.length === 0 ? piece : Buffer.concat([...this.#pieces, piece]);
      if (this.#pieces.length > 0) this.#pieces = [];
      this.#onReply(decodeFramed(whole));
    }
  }

  #onReply(value: ReplyValue): void {
    const exchange = this.#exchanges[0];
    if (exchange === undefined) {
      this.#fail(failure('unasked'));
      return;
    }
    exchange.replies.push(value);
    if (exchange.replies.length < exchange.wanted) return;
    this.#exchanges.shift();
    clearTimeout(exchange.timer);
    exchange.resolve(exchange.replies);
  }

  #fail(found: Failure): void {
    if (this.#failure !== null) return;
    const failure = new NodeFailure(this.node, found);
    this.#failure = failure;
    this.#socket.destroy();
    if (this.#exchanges.length > 0) this.#options.onLate(this);
    for (const exchange of this.#exchanges.splice(0)) {
      clearTimeout(exchange.timer);
      exchange.reject(failure);
    }
  }
}
