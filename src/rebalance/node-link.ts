/**
 * A connection to a node on which keys are moved: whole batches of commands go out in one write, and their
 * replies come back as values. The data plane's lanes belong to clients, and a client library would make a
 * promise of each of the tens of thousands of commands a second.
 */
import net, { type Socket } from 'node:net';
import { sharedLookup } from '../node/lookup.js';
import { decodeReply, ReplyError, type ReplyValue } from '../resp/decode.js';
import { request } from '../resp/encode.js';
import { ReplyFramer } from '../resp/reply-framer.js';
import { readRunId } from '../resp/run-id.js';

export interface LinkTarget {
  readonly name: string;
  readonly address: string;
  readonly username: string;
  readonly password: string;
}

export interface LinkOptions {
  /** Name of the connection at the node. */
  readonly connectionName: string;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds that a node may take to answer a batch. */
  readonly timeout: number;
  /** The link ended with commands in flight: they may still run at the node, until it has dropped the connection. */
  readonly onLate: (link: NodeLink) => void;
}

/** The connection failed, or the node refused it: what becomes of commands without a reply is unknown. */
export class LinkFailure extends Error {
  /** Nobody listens at the node's address. */
  readonly refused: boolean;
  /** It will be over in a while, by itself: the node runs a script, or loads its data. */
  readonly passes: boolean;

  constructor(message: string, { refused = false, passes = false } = {}) {
    super(message);
    this.refused = refused;
    this.passes = passes;
  }
}

interface Exchange {
  readonly replies: ReplyValue[];
  readonly wanted: number;
  readonly resolve: (replies: ReplyValue[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class NodeLink {
  readonly node: LinkTarget;
  /** The node's number of this connection (CLIENT ID), or -1. */
  connectionId = -1;
  /** Tells the server process from one that was started later (INFO's run_id); empty when the node does not say. */
  runId = '';
  /** By how much the node's clock is ahead of ours, in milliseconds; off by as much as the node took to answer. */
  clockOffset = 0;
  readonly #options: LinkOptions;
  readonly #socket: Socket;
  readonly #framer = new ReplyFramer();
  readonly #exchanges: Exchange[] = [];
  #pieces: Buffer[] = [];
  #failure: LinkFailure | null = null;
  /** The database that the node has agreed to. */
  #database = 0;
  /** A SELECT that is not answered yet: until then nothing else is sent. */
  #selecting: Promise<void> | null = null;

  private constructor(node: LinkTarget, options: LinkOptions, socket: Socket) {
    this.node = node;
    this.#options = options;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(`${describe(error)}${this.#lastWords}`));
    socket.on('close', () => this.#fail(`closed the connection${this.#lastWords}`));
  }

  /** Connects and logs in. @throws LinkFailure that says why it cannot */
  static async open(node: LinkTarget, options: LinkOptions): Promise<NodeLink> {
    const link = new NodeLink(node, options, await connect(node, options.connectTimeout));
    const login = node.username === '' ? ['AUTH', node.password] : ['AUTH', node.username, node.password];
    const greeting = [
      ...(node.password === '' ? [] : [login]),
      ['CLIENT', 'SETNAME', options.connectionName],
      ['CLIENT', 'ID'],
      ['INFO', 'server'],
      ['TIME'],
    ];
    const asked = Date.now();
    const replies = await link.exchange(greeting.map(request), greeting.length, 0, options.connectTimeout);
    const refused = replies.find((reply) => reply instanceof ReplyError && !isForbidden(reply));
    if (refused instanceof ReplyError) {
      link.close();
      const failure = `${describeNode(node)} refused the login: ${refused.message}`;
      throw new LinkFailure(failure, { passes: passesByItself(refused.message) });
    }
    const [id, info, time] = replies.slice(-3);
    link.clockOffset = offsetOf(time ?? null, (asked + Date.now()) / 2);
    if (typeof id === 'number') link.connectionId = id;
    if (Buffer.isBuffer(info)) link.runId = readRunId(info.toString('latin1'));
    return link;
  }

  /** A node that turns a connection away says why before it closes it. */
  get #lastWords(): string {
    const said = this.#exchanges[0]?.replies.at(-1);
    return said instanceof ReplyError ? `: ${said.message}` : '';
  }

  /** Why it cannot be used any more, or null. */
  get failure(): LinkFailure | null {
    return this.#failure;
  }

  /**
   * Sends frames, and waits for as many replies. Errors of the node are values among them.
   * @param timeout milliseconds
   * @throws LinkFailure when the connection fails first
   */
  async exchange(
    frames: readonly Uint8Array[],
    wanted: number,
    database: number,
    timeout = this.#options.timeout,
  ): Promise<ReplyValue[]> {
    // Also where the database is the one that is being left.
    while (this.#selecting !== null || this.#database !== database) {
      if (this.#failure !== null) throw this.#failure;
      // Frames that go out with a SELECT that is refused would reach whatever database was chosen before.
      this.#selecting ??= this.#select(database, timeout);
      await this.#selecting;
    }
    return this.#send(frames, wanted, timeout);
  }

  close(): void {
    this.#fail('is not needed any more');
  }

  async #select(database: number, timeout: number): Promise<void> {
    try {
      const [selected] = await this.#send([request(['SELECT', String(database)])], 1, timeout);
      if (selected instanceof ReplyError) {
        this.#fail(`refused SELECT ${database}: ${selected.message}`);
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
      const timer = setTimeout(() => this.#fail(`did not answer within ${timeout} ms`), timeout);
      this.#exchanges.push({ replies: [], wanted, resolve, reject, timer });
      this.#socket.cork();
      for (const frame of frames) this.#socket.write(frame);
      this.#socket.uncork();
    });
  }

  #onData(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      const end = this.#framer.advance(chunk, at, chunk.length);
      if (end < 0) {
        this.#fail('sent something that is not the Redis protocol');
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
      this.#onReply(decodeReply(whole)?.value ?? null);
    }
  }

  #onReply(value: ReplyValue): void {
    const exchange = this.#exchanges[0];
    if (exchange === undefined) {
      this.#fail('sent a reply that nothing asked for');
      return;
    }
    exchange.replies.push(value);
    if (exchange.replies.length < exchange.wanted) return;
    this.#exchanges.shift();
    clearTimeout(exchange.timer);
    exchange.resolve(exchange.replies);
  }

  #fail(why: string): void {
    if (this.#failure !== null) return;
    const failure = new LinkFailure(`${describeNode(this.node)} ${why}`);
    this.#failure = failure;
    this.#socket.destroy();
    if (this.#exchanges.length > 0) this.#options.onLate(this);
    for (const exchange of this.#exchanges.splice(0)) {
      clearTimeout(exchange.timer);
      exchange.reject(failure);
    }
  }
}

function connect(node: LinkTarget, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ ...socketTarget(node.address), lookup: sharedLookup });
    const timer = setTimeout(() => giveUp(`did not answer within ${timeout} ms`), timeout);
    const giveUp = (why: string, refused = false): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new LinkFailure(`${describeNode(node)} ${why}`, { refused }));
    };
    const onError = (error: NodeJS.ErrnoException): void => giveUp(describe(error), error.code === 'ECONNREFUSED');
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

/** @param address `HOST:PORT`, or the path of a Unix socket */
function socketTarget(address: string): { host: string; port: number } | { path: string } {
  if (address.startsWith('/')) return { path: address };
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(colon + 1)) };
}

/** @param time the reply to TIME. @param now what our clock said then */
function offsetOf(time: ReplyValue, now: number): number {
  if (!Array.isArray(time)) return 0;
  const [seconds, microseconds] = time.map((part) => Number(String(part)));
  return (seconds ?? 0) * 1000 + (microseconds ?? 0) / 1000 - now;
}

/** Whether a node that answers this error will answer otherwise in a while: it runs a script, or loads its data. */
export function passesByItself(error: string): boolean {
  return /^(?:BUSY|LOADING) /.test(error);
}

/** A user at the node may lack the right to CLIENT or INFO; a wrong password is another matter. */
function isForbidden(error: ReplyError): boolean {
  return /^NOPERM|unknown (?:command|subcommand)/i.test(error.message);
}

function describeNode(node: LinkTarget): string {
  return `node ${node.name} (${node.address})`;
}

function describe(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'refused the connection';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'cut the connection';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'cannot be found: its name does not resolve';
    default:
      return `cannot be reached: ${error.message}`;
  }
}
