/**
 * Commands that one node answers as well as another (COMMAND, TIME, CONFIG GET …). The same node is asked for as long
 * as it answers; where it is silent, or says that it cannot answer now, another one is asked, and the first answer
 * counts. All of these only read, so that it does no harm when two nodes carry one out.
 */
import type { Command } from '../../commands/command.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { ReplySink } from '../request/reply-sink.js';
import { DONE, NO_KEYS_AT_ALL, type Request } from '../request/request.js';
import type { Verdict } from '../request/verdict.js';
import { LATER, TAKEN } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { ClientShared } from '../session/session-shared.js';
import type { RoutingSnapshot } from '../snapshot.js';
import { SILENT_MS } from '../upstream/silence.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import type { Router } from './router.js';

/** What the client gets instead of the node's reply `buffer[start, end)`, or null: that reply. */
export type Rewrite = (client: ClientConnection, buffer: Buffer, start: number, end: number) => Buffer | null;

/** A node that answers so may be well in a moment, and another one is now. */
const NOT_NOW = /^-(?:LOADING|BUSY|MASTERDOWN|NOPERM|NOAUTH) /;
/** As much of a reply as `NOT_NOW` needs. */
const WORD_BYTES = 16;

/** Sends the frame that `framer` holds to a node that is up. */
export function askAnyNode(
  router: Router,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
  rewrite: Rewrite | null = null,
): Verdict {
  const first = bestNode(router.nodes, NOBODY);
  const index = first < 0 ? router.anyNode() : first;
  const lane = router.laneFor(client, index);
  if (lane === null) return router.refuse(client, command, router.nodeAt(index).downReply);
  if (lane.full && bestNode(router.nodes, new Set([index])) < 0) {
    client.waitFor(lane);
    return LATER;
  }
  const source = framer.source as Buffer;
  if (rewrite === null && router.nodes.length === 1) {
    router.sendOn(client, command, lane, source, framer);
    return TAKEN;
  }
  const request = client.begin(command.id);
  const frame = Buffer.from(source.subarray(framer.frameStart, framer.frameEnd));
  new AnyNode(router, client, request, frame, rewrite).ask(index);
  return TAKEN;
}

const NOBODY: ReadonlySet<number> = new Set();

/** @returns the index of the first node that is up, of those that answer before those that are silent; -1: there is none */
function bestNode(nodes: readonly UpstreamNode[], without: ReadonlySet<number>): number {
  let silent = -1;
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i];
    if (node === undefined || !node.up || without.has(i)) continue;
    if (!node.silent) return i;
    if (silent < 0) silent = i;
  }
  return silent;
}

/** One such command, which stands in its client's queue; a part of it is in the lane of each node that was asked. */
class AnyNode implements ReplySink {
  readonly #router: Router;
  readonly #client: ClientConnection;
  readonly #shared: ClientShared;
  readonly #snapshot: RoutingSnapshot | null;
  readonly #request: Request;
  readonly #frame: Buffer;
  readonly #rewrite: Rewrite | null;
  readonly #asked = new Set<number>();
  #waiting = 0;
  #finished = false;
  #deadline: NodeJS.Timeout | null = null;
  /** The first error, for when no node answers otherwise. */
  #error: Buffer | null = null;

  constructor(router: Router, client: ClientConnection, request: Request, frame: Buffer, rewrite: Rewrite | null) {
    this.#router = router;
    this.#client = client;
    this.#shared = router.shared;
    this.#snapshot = router.snapshot;
    this.#request = request;
    this.#frame = frame;
    this.#rewrite = rewrite;
  }

  /** @returns whether the node with this index could be asked */
  ask(index: number): boolean {
    this.#asked.add(index);
    const lane = this.#router.laneFor(this.#client, index);
    if (lane === null) return false;
    const part = this.#shared.requests.take();
    part.answerTo(this);
    part.keys = NO_KEYS_AT_ALL;
    part.command = this.#request.command;
    part.startedAt = this.#shared.clock.now;
    lane.send(part, this.#frame, 0, this.#frame.length);
    this.#waiting++;
    // Where the proxy itself stood still, replies that lie there are read first.
    this.#deadline = setTimeout(() => setImmediate(() => this.#askNext()), SILENT_MS);
    return true;
  }

  onReply(part: Request, buffer: Buffer, start: number, end: number): void {
    this.#give(part);
    if (this.#finished) return;
    if (NOT_NOW.test(buffer.toString('latin1', start, Math.min(end, start + WORD_BYTES)))) {
      this.#onError(Buffer.from(buffer.subarray(start, end)));
    } else this.#finish(buffer, start, end);
  }

  onFailure(part: Request, reply: Buffer): void {
    this.#give(part);
    if (!this.#finished) this.#onError(reply);
  }

  #give(part: Request): void {
    part.state = DONE;
    this.#waiting--;
    this.#shared.requests.give(part);
  }

  #onError(reply: Buffer): void {
    this.#error ??= reply;
    if (!this.#askNext() && this.#waiting === 0) this.#finish(this.#error, 0, this.#error.length);
  }

  /** @returns whether there was another node to ask */
  #askNext(): boolean {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    // With another ring, nodes have other indices, and the client other lanes.
    if (this.#finished || this.#request.client === null || this.#client.lanes.snapshot !== this.#snapshot) return false;
    for (;;) {
      const next = bestNode(this.#router.nodes, this.#asked);
      if (next < 0) return false;
      if (this.ask(next)) return true;
    }
  }

  #finish(buffer: Buffer, start: number, end: number): void {
    this.#finished = true;
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    const { client } = this.#request;
    if (client === null) {
      this.#shared.requests.give(this.#request);
      return;
    }
    const reply = this.#rewrite?.(this.#client, buffer, start, end) ?? null;
    if (reply === null) client.onReply(this.#request, buffer, start, end);
    else client.onReply(this.#request, reply, 0, reply.length);
  }
}
