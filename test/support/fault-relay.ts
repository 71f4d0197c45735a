import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { decodeReply, type ReplyValue } from '../../src/resp/decode.js';
import { ReplyFramer } from '../../src/resp/reply-framer.js';
import { atEnd } from './cleanup.js';

/** Picks requests: by their first word, or by all of them. */
export type Picks = string | ((words: readonly string[]) => boolean);

/** A request that is kept. */
export interface Kept {
  /** Settles when it has come. */
  readonly reached: Promise<void>;
  /** Lets it go on to the node. Settles when the node has answered it, or has ended its connection: whether it ran. */
  deliver(): Promise<boolean>;
}

interface Fault {
  readonly picks: Picks;
  /** How many more requests it concerns. */
  times: number;
  /** Stands for what the network would do with the request. */
  readonly act: (way: Way, request: Buffer) => Promise<void>;
}

/**
 * A network between a program and a node that fails where a test says, request by request. A request that nothing is
 * said about goes on; those of one connection go on one by one, each when the one before is answered.
 */
export class FaultRelay {
  readonly #server: net.Server;
  readonly #nodePort: number;
  readonly #faults: Fault[] = [];
  readonly #sockets = new Set<Socket>();
  /** The words of each request that came, in their order. */
  readonly requests: (readonly string[])[] = [];

  private constructor(nodePort: number) {
    this.#nodePort = nodePort;
    this.#server = net.createServer((client) => {
      const way = new Way(client, net.connect({ port: this.#nodePort, host: '127.0.0.1', noDelay: true }));
      for (const socket of [way.client, way.node]) {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
      }
      way.onRequest = (request) => this.#onRequest(way, request);
    });
  }

  /** @param port of the node on loopback. It ends with the test (or file) that started it. */
  static async start(port: number): Promise<FaultRelay> {
    const relay = new FaultRelay(port);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    atEnd(() => {
      relay.#server.close();
      relay.cutAll();
    });
    return relay;
  }

  /** Stands for the node. */
  get address(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** First words of the requests that came, in their order. */
  get words(): string[] {
    return this.requests.map(([word = '']) => word);
  }

  /** Ends all connections, on both sides. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing fails any more but what has been kept. */
  heal(): void {
    this.#faults.length = 0;
  }

  /**
   * The connection ends when the next such request comes, or so many; the node does not get it. Settles when that has
   * happened once.
   */
  cutBefore(picks: Picks, times = 1): Promise<void> {
    return this.#next(picks, times, async (way, _request, happened) => {
      way.cut();
      happened();
    });
  }

  /** The node runs the next such request, and the connection ends instead of its reply. Settles when that has happened. */
  cutAfter(picks: Picks): Promise<void> {
    return this.#next(picks, 1, async (way, request, happened) => {
      await way.ask(request);
      way.cut();
      happened();
    });
  }

  /** The next such requests are answered so, and the node does not get them. Settles when it has happened once. */
  answer(picks: Picks, reply: string, times = 1): Promise<void> {
    return this.#next(picks, times, async (way, _request, happened) => {
      way.client.write(reply);
      happened();
    });
  }

  /** Keeps the next such request, and what stands behind it, until it is delivered; the program waits. */
  hold(picks: Picks): Kept {
    return this.#keep(picks, () => {});
  }

  /**
   * Keeps the next such request, and ends the program's side of its connection: it is late. The node's side stays, until
   * the node ends it or the request is delivered.
   */
  strand(picks: Picks): Kept {
    return this.#keep(picks, (way) => way.strand());
  }

  #keep(picks: Picks, atFirst: (way: Way) => void): Kept {
    let deliver: () => void = () => {};
    const delivered = new Promise<void>((resolve) => {
      deliver = resolve;
    });
    let settle: (ran: boolean) => void = () => {};
    const ran = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    const reached = this.#next(picks, 1, async (way, request, happened) => {
      atFirst(way);
      happened();
      await delivered;
      settle(await way.passOn(request));
    });
    return {
      reached,
      deliver: () => {
        deliver();
        return ran;
      },
    };
  }

  #next(
    picks: Picks,
    times: number,
    act: (way: Way, request: Buffer, happened: () => void) => Promise<void>,
  ): Promise<void> {
    return new Promise((resolve) => {
      this.#faults.push({ picks, times, act: (way, request) => act(way, request, resolve) });
    });
  }

  async #onRequest(way: Way, request: Buffer): Promise<void> {
    const words = wordsOf(request);
    this.requests.push(words);
    const fault = this.#faults.find(
      ({ picks, times }) => times > 0 && (typeof picks === 'string' ? words[0] === picks : picks(words)),
    );
    if (fault === undefined) {
      await way.passOn(request);
      return;
    }
    fault.times--;
    await fault.act(way, request);
  }
}

/** One connection through the relay. */
class Way {
  readonly client: Socket;
  readonly node: Socket;
  onRequest: (request: Buffer) => Promise<void> = () => Promise.resolve();
  readonly #requests: Buffer[] = [];
  #busy = false;
  /** The client's end does not end the node's connection. */
  #stranded = false;
  #onReply: ((reply: Buffer | null) => void) | null = null;

  constructor(client: Socket, node: Socket) {
    this.client = client;
    this.node = node;
    client.setNoDelay(true);
    for (const socket of [client, node]) socket.on('error', () => {});
    client.on(
      'data',
      pieces(
        (request) => {
          this.#requests.push(request);
          void this.#next();
        },
        () => client.destroy(),
      ),
    );
    node.on(
      'data',
      pieces(
        (reply) => this.#settle(reply),
        () => node.destroy(),
      ),
    );
    client.on('close', () => {
      if (!this.#stranded) node.destroy();
    });
    node.on('close', () => {
      this.#settle(null);
      client.destroy();
    });
  }

  /** Ends both sides; what has come and was not handled is lost. */
  cut(): void {
    this.#requests.length = 0;
    this.client.destroy();
    this.node.destroy();
  }

  /** Ends the client's side alone. */
  strand(): void {
    this.#stranded = true;
    this.client.destroy();
  }

  /** Handles what has come, one by one. */
  async #next(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let request = this.#requests.shift(); request !== undefined; request = this.#requests.shift()) {
      await this.onRequest(request);
      // What a program has sent that is gone is lost, but where it is said to be late.
      if (this.client.destroyed && !this.#stranded) this.#requests.length = 0;
    }
    this.#busy = false;
  }

  /** To the node, and its reply back. @returns false when the node has ended the connection before */
  async passOn(request: Buffer): Promise<boolean> {
    const reply = await this.ask(request);
    if (reply !== null && !this.client.destroyed) this.client.write(reply);
    return reply !== null;
  }

  /** @returns the node's reply, or null when it has ended the connection */
  ask(request: Buffer): Promise<Buffer | null> {
    if (this.node.destroyed) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#onReply = resolve;
      this.node.write(request);
    });
  }

  #settle(reply: Buffer | null): void {
    const settle = this.#onReply;
    this.#onReply = null;
    settle?.(reply);
  }
}

/**
 * Finds the whole frames in chunks; a request is framed as an array among replies is.
 * @param onGarbage it is not the protocol: such as a greeting by TLS, of one who wonders why a node hangs up
 */
function pieces(onFrame: (frame: Buffer) => void, onGarbage: () => void): (chunk: Buffer) => void {
  const framer = new ReplyFramer();
  let begun: Buffer[] = [];
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      const end = framer.advance(chunk, at, chunk.length);
      if (end < 0) return onGarbage();
      begun.push(chunk.subarray(at, end));
      at = end;
      if (!framer.complete) return;
      const frame = Buffer.concat(begun);
      begun = [];
      onFrame(frame);
    }
  };
}

function wordsOf(request: Buffer): string[] {
  const value: ReplyValue = decodeReply(request)?.value ?? null;
  return Array.isArray(value)
    ? value.map((word) => (Buffer.isBuffer(word) ? word.toString('latin1') : String(word)))
    : [];
}
