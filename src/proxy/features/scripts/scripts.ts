/**
 * Scripts by their digest. A node may lack one: it has joined or was restarted, or the script came by EVAL to another
 * node. So before the first EVALSHA of a script on a lane, SCRIPT LOAD of its body goes on the same lane, and nothing
 * is overtaken. A lane is one connection, so what it has carried the process behind it knows, unless somebody
 * flushed its scripts: then the command is sent once more, if nothing of its client's is in flight behind it.
 */
import type { Command } from '../../../commands/command.js';
import { request as encodeRequest } from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { Dispatcher, Verdict } from '../../dispatcher.js';
import { CodeCall, PLAIN_CALL } from '../../request/code-call.js';
import { type KeysOfRequest, type Request, WAITING } from '../../request/request.js';
import { type ClientConnection, LATER, TAKEN } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import type { Transaction } from '../transactions/transaction.js';
import { sendQuietly } from '../transactions/watch-lane.js';
import type { ScriptStore } from './script-store.js';

const NO_SCRIPT = Buffer.from('-NOSCRIPT No matching script. Please use EVAL.\r\n');
const DIGEST_LENGTH = 40;
const PUBLISHES = /publish/i;
/** Larger commands are not kept to be sent again. */
const MOST_FRAME_BYTES = 65_536;
/** A lane that has carried more scripts than this begins to count anew. */
const MOST_OF_LANE = 10_000;

export class Scripts {
  readonly store: ScriptStore;
  readonly #dispatcher: Dispatcher;

  constructor(dispatcher: Dispatcher, store: ScriptStore) {
    this.#dispatcher = dispatcher;
    this.store = store;
  }

  /**
   * Sends a command that runs code to the node with this index.
   * @param keys what is known of the keys that it declares, for the fence
   */
  run(
    client: ClientConnection,
    command: Command,
    index: number,
    source: Buffer,
    framer: RequestFramer,
    keys: KeysOfRequest,
    keyHash: number,
  ): Verdict {
    const lane = this.#dispatcher.laneFor(client, index);
    if (lane === null || lane.full) return this.#dispatcher.forward(client, command, index, source, framer);
    const { publishOrder } = this.#dispatcher;
    if (publishOrder.isBehind(lane.node) && this.#mayPublish(command, source)) {
      if (publishOrder.mustWait(client, framer, lane.node, null)) return LATER;
    }
    let call = PLAIN_CALL;
    if (command.special === 'script') {
      this.store.note(source, args.start[1] as number, args.end[1] as number);
    } else if (command.special === 'digest') {
      const digest = digestOf(source, args.start[1] as number, args.end[1] as number);
      const body = this.store.get(digest);
      if (body !== undefined) {
        load(lane, digest, body);
        const { frameStart, frameEnd } = framer;
        const isSmall = frameEnd - frameStart <= MOST_FRAME_BYTES;
        call = new CodeCall(digest, isSmall ? Buffer.from(source.subarray(frameStart, frameEnd)) : null);
      } else if (digest !== '' && this.#asks(client, digest)) return LATER;
    }
    const request = this.#dispatcher.sendOn(client, command, lane, source, framer);
    request.code = call;
    request.keys = keys;
    request.keyHash = keyHash;
    return TAKEN;
  }

  /**
   * Called with an error reply to a request that runs code.
   * @returns whether the request is on its way again, and the error is nobody's
   */
  heal(request: Request, reply: Buffer, start: number): boolean {
    const { code, lane } = request;
    if (code === null || code.frame === null || lane === null || lane.closed) return false;
    if (reply.compare(NO_SCRIPT, 0, NO_SCRIPT.length, start, start + NO_SCRIPT.length) !== 0) return false;
    lane.scripts?.delete(code.digest);
    const body = this.store.get(code.digest);
    if (body === undefined || isFollowed(request, lane)) return false;
    load(lane, code.digest, body);
    lane.outlet.append(code.frame, 0, code.frame.length);
    lane.node.counters.bytesOut += code.frame.length;
    request.code = PLAIN_CALL;
    lane.enqueue(request);
    return true;
  }

  /** Notes what a command that is queued between MULTI and EXEC needs. */
  noteQueued(transaction: Transaction, command: Command, framer: RequestFramer): void {
    const { special, everywhere } = command;
    const runsCode = special === 'script' || special === 'digest' || special === 'code';
    const loads = everywhere === 'load';
    if (runsCode) transaction.runsCode = true;
    if (runsCode && this.#mayPublish(command, framer.source as Buffer)) transaction.codePublishes = true;
    if (everywhere === 'flush') transaction.flushesScripts = true;
    if (!runsCode && !loads) return;
    const source = framer.source as Buffer;
    const at = loads ? 2 : 1;
    if (at >= framer.argc) return;
    const start = args.start[at] as number;
    const end = args.end[at] as number;
    if (special === 'script' || loads) this.store.note(source, start, end);
    if (special === 'digest') {
      const digest = digestOf(source, start, end);
      if (digest !== '' && !transaction.digests.includes(digest)) transaction.digests.push(digest);
    }
  }

  /** Finds the scripts of a transaction that is to run. @returns false when the client waits for some of them */
  find(client: ClientConnection, transaction: Transaction): boolean {
    const { digests } = transaction;
    for (let i = 0; i < digests.length; i++) {
      const digest = digests[i] as string;
      if (this.store.get(digest) !== undefined) continue;
      if (this.#asks(client, digest)) return false;
      // Nobody knows it; perhaps the node does.
      digests.splice(i--, 1);
    }
    return true;
  }

  /** Loads the scripts of a transaction, whose MULTI is about to follow on this lane. */
  loadFor(transaction: Transaction, lane: Lane): void {
    for (const digest of transaction.digests) {
      const body = this.store.get(digest);
      if (body !== undefined) load(lane, digest, body);
    }
  }

  /** SCRIPT FLUSH is on its way to the nodes. @param told whether another process has sent it */
  flush(told = false): void {
    this.store.flush(told);
    for (const node of this.#dispatcher.nodes) for (const lane of node.lanes()) lane.scripts = null;
  }

  /** Whether the code that the command at hand calls may publish. Of what only the nodes know that is not known. */
  #mayPublish(command: Command, source: Buffer): boolean {
    // What may not write may not publish either.
    if (command.readOnly) return false;
    const start = args.start[1] as number;
    const end = args.end[1] as number;
    switch (command.special) {
      case 'script':
        return PUBLISHES.test(source.toString('latin1', start, end));
      case 'digest': {
        const body = this.store.get(digestOf(source, start, end));
        return body === undefined || PUBLISHES.test(body.toString('latin1'));
      }
      case 'code':
        return true;
      default:
        return false;
    }
  }

  /** @returns whether the client waits until the other processes have been asked for the script */
  #asks(client: ClientConnection, digest: string): boolean {
    return this.store.ask(digest, client) && client.hold();
  }
}

/** Makes sure that what follows on this lane finds the script. */
export function load(lane: Lane, digest: string, body: Buffer): void {
  let known = lane.scripts;
  if (known?.has(digest) === true) return;
  if (known === null || known.size >= MOST_OF_LANE) known = new Set();
  known.add(digest);
  lane.scripts = known;
  sendQuietly(lane, Buffer.from(encodeRequest(['SCRIPT', 'LOAD', body])));
}

/** @returns the digest in lower case; empty when it is none, which a node then says */
export function digestOf(source: Buffer, start: number, end: number): string {
  if (end - start !== DIGEST_LENGTH) return '';
  return source.toString('latin1', start, end).toLowerCase();
}

/** Whether another command of the same client's may be on its way to the node: it would be overtaken. */
function isFollowed(request: Request, lane: Lane): boolean {
  for (let next = request.nextOfClient; next !== null; next = next.nextOfClient) {
    if (next.state === WAITING && (next.lane === lane || next.lane === null)) return true;
  }
  return false;
}
