import net, { type Socket } from 'node:net';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';
import { request } from '../../src/resp/encode.js';
import { ReplyFramer } from '../../src/resp/reply-framer.js';
import { atEnd } from './cleanup.js';

/** A client that sees the bytes: sends what it is given, and collects whole replies. It ends with its test (or file). */
export class RawClient {
  readonly socket: Socket;
  /** Everything that was received and not taken yet. */
  #received: Buffer[] = [];
  #replies: Buffer[] = [];
  readonly #framer = new ReplyFramer();
  #waiting: { count: number; resolve: (replies: Buffer[]) => void; reject: (error: Error) => void } | null = null;
  /** Settles when the connection has ended, from either side. */
  readonly closed: Promise<void>;
  #failure: Error | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#fail(new Error('the connection was closed while replies were awaited'));
        resolve();
      });
    });
    atEnd(() => this.close());
  }

  /** @param target a port on `host`, or the path of a Unix socket */
  static connect(target: number | string, host = '127.0.0.1'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket =
        typeof target === 'string' ? net.connect(target) : net.connect({ port: target, host, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** By TLS. @throws the error of the handshake */
  static secure(options: ConnectionOptions): Promise<RawClient & { readonly socket: TLSSocket }> {
    return new Promise((resolve, reject) => {
      const socket = tls.connect({ host: '127.0.0.1', ...options });
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        resolve(Object.assign(new RawClient(socket), { socket }));
      });
    });
  }

  send(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  /** Sends the commands in one piece. @returns their replies, as they came */
  pipeline(commands: readonly (readonly (string | Uint8Array)[])[]): Promise<Buffer[]> {
    this.send(Buffer.concat(commands.map((command) => request(command))));
    return this.replies(commands.length);
  }

  async command(...words: (string | Uint8Array)[]): Promise<Buffer> {
    const [reply] = await this.pipeline([words]);
    return reply as Buffer;
  }

  /** The reply to a command as text, which tests compare with. */
  async text(...words: (string | Uint8Array)[]): Promise<string> {
    return (await this.command(...words)).toString('latin1');
  }

  /** Waits for the next `count` replies; fails when the connection ends before, or sends what is not a reply. */
  replies(count: number): Promise<Buffer[]> {
    if (this.#waiting !== null) return Promise.reject(new Error('replies are awaited already'));
    return new Promise((resolve, reject) => {
      this.#waiting = { count, resolve, reject };
      this.#settle();
    });
  }

  close(): void {
    this.socket.destroy();
  }

  #onData(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      const end = this.#framer.advance(chunk, at, chunk.length);
      if (end < 0) {
        this.#fail(new Error(`malformed reply: ${chunk.subarray(at, at + 80).toString('latin1')}`));
        this.close();
        return;
      }
      this.#received.push(chunk.subarray(at, end));
      if (this.#framer.complete) {
        this.#replies.push(Buffer.concat(this.#received));
        this.#received = [];
      }
      at = end;
    }
    this.#settle();
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    if (this.#replies.length >= waiting.count) {
      this.#waiting = null;
      waiting.resolve(this.#replies.splice(0, waiting.count));
    } else if (this.#failure !== null) {
      this.#waiting = null;
      waiting.reject(this.#failure);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#settle();
  }
}
