import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { atEnd } from './cleanup.js';

/** What becomes of a call. */
export type Fate =
  /** Nobody ever answers, and nothing is carried out. */
  | { readonly kind: 'hang' }
  /** The connection ends instead, and nothing is carried out. */
  | { readonly kind: 'close' }
  /** It is carried out, and the connection ends instead of the answer. */
  | { readonly kind: 'lose' }
  /** It is carried out when `after` settles, and the caller never hears of it. */
  | { readonly kind: 'late'; readonly after: Promise<void> }
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** These chunks, one by one, and then nothing for as long as the test goes on. */
  | { readonly kind: 'stream'; readonly chunks: readonly (string | Buffer)[]; readonly end?: boolean };

interface Plan {
  readonly path: string;
  readonly fate: Fate;
  times: number;
}

/** An endpoint of etcd that does with each call what a test says; otherwise it hands it to a real one, if there is one. */
export class EtcdGateway {
  readonly #server: http.Server;
  readonly #plans: Plan[] = [];
  readonly #behind: string | null;
  /** The paths that were called, in their order. */
  readonly calls: string[] = [];
  /** With the header `authorization` of each. */
  readonly tokens: (string | undefined)[] = [];

  private constructor(behind: string | null) {
    this.#behind = behind;
    this.#server = http.createServer((request, response) => void this.#take(request, response));
  }

  /** @param behind URL of a real etcd, or null. It ends with the test (or file) that started it. */
  static async start(behind: string | null = null): Promise<EtcdGateway> {
    const gateway = new EtcdGateway(behind);
    gateway.#server.listen(0, '127.0.0.1');
    await once(gateway.#server, 'listening');
    atEnd(() => {
      gateway.#server.close();
      gateway.#server.closeAllConnections();
    });
    return gateway;
  }

  get url(): string {
    const address = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  /** Ends all connections, as a restart does. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  /** The next calls of this path, which have not been spoken for yet, come to this. */
  next(path: string, fate: Fate, times = 1): void {
    this.#plans.push({ path, fate, times });
  }

  /** Nothing more happens to calls than what has begun. */
  heal(): void {
    this.#plans.length = 0;
  }

  /** Waits until so many calls of this path have come. */
  async called(path: string, count: number): Promise<void> {
    while (this.calls.filter((call) => call === path).length < count) await once(this.#server, 'request');
  }

  async #take(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const path = request.url ?? '';
    this.calls.push(path);
    this.tokens.push(request.headers.authorization);
    const body = await textOf(request);
    const plan = this.#plans.find((candidate) => candidate.path === path && candidate.times > 0);
    if (plan !== undefined) {
      plan.times--;
      await this.#meet(plan.fate, request, body, response);
    } else if (this.#behind === null) {
      response.writeHead(500).end('{}');
    } else {
      const controller = new AbortController();
      response.on('close', () => controller.abort());
      await this.#passOn(request, body, response, controller.signal).catch(() => response.destroy());
    }
  }

  async #meet(fate: Fate, request: http.IncomingMessage, body: string, response: http.ServerResponse): Promise<void> {
    switch (fate.kind) {
      case 'hang':
        return;
      case 'close':
        response.destroy();
        return;
      case 'lose':
        await this.#carryOut(request, body);
        response.destroy();
        return;
      case 'late':
        await fate.after;
        await this.#carryOut(request, body);
        return;
      case 'answer':
        response.writeHead(fate.status).end(fate.body);
        return;
      case 'stream':
        response.writeHead(200);
        for (const chunk of fate.chunks) {
          response.write(chunk);
          // Each by itself: as a chunk of its own on the other side.
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        if (fate.end === true) response.end();
    }
  }

  async #carryOut(request: http.IncomingMessage, body: string): Promise<void> {
    const answer = await fetch(`${this.#behind}${request.url}`, { method: 'POST', body });
    await answer.text();
  }

  async #passOn(
    request: http.IncomingMessage,
    body: string,
    response: http.ServerResponse,
    signal: AbortSignal,
  ): Promise<void> {
    const headers = Object.entries(request.headers).flatMap(([name, value]) =>
      typeof value === 'string' && /^(authorization|grpc-metadata-)/.test(name)
        ? [[name, value] as [string, string]]
        : [],
    );
    const answer = await fetch(`${this.#behind}${request.url}`, { method: 'POST', body, headers, signal });
    response.writeHead(answer.status);
    if (answer.body !== null) for await (const chunk of answer.body) response.write(chunk);
    response.end();
  }
}

async function textOf(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
