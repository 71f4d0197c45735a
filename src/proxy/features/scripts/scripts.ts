/**
 * Scripts by their digest. A node may lack one: it has joined or was restarted, or the script came by EVAL to another
 * node. So before the first EVALSHA of a script on a lane, SCRIPT LOAD of its body goes on the same lane, and nothing
 * is overtaken. A lane is one connection, so what it has carried the process behind it knows, unless somebody
 * flushed its scripts: then the command is sent once more, if nothing of its client's is in flight behind it.
 */
import type { Command } from '../../../commands/command.js';
import { request as encodeRequest } from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { KeyHash } from '../../../ring/rings.js';
import { type KeysOfRequest, NO_KEYS_AT_ALL } from '../../request/request.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import type { PublishGate } from '../publish-gate.js';
import { digestOf } from './digest.js';
import { declaresNoWrites, mayWrite } from './may-write.js';
import { ScriptCall } from './script-call.js';
import type { ScriptStore } from './script-store.js';

const PUBLISHES = /publish/i;
/** Larger commands are not kept to be sent again. */
const MOST_FRAME_BYTES = 65_536;

export class Scripts {
  readonly store: ScriptStore;
  readonly #router: Router;
  readonly #order: PublishGate;

  readonly #reload = (lane: Lane, digest: string): boolean => {
    const body = this.store.get(digest);
    if (body !== undefined) load(lane, digest, body);
    return body !== undefined;
  };

  constructor(router: Router, store: ScriptStore, order: PublishGate) {
    this.#router = router;
    this.#order = order;
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
    keyHash: KeyHash,
  ): Verdict {
    const lane = this.#router.laneFor(client, index);
    if (lane === null || lane.full) return this.#router.forward(client, command, index, source, framer);
    if (this.#order.isBehind(lane.node) && this.mayPublish(command, source)) {
      if (this.#order.mustWait(client, framer, lane.node, null)) return LATER;
    }
    let call: ScriptCall | null = null;
    if (command.special === 'script') {
      this.store.note(source, args.start[1] as number, args.end[1] as number);
    } else if (command.special === 'digest') {
      const digest = digestOf(source, args.start[1] as number, args.end[1] as number);
      const body = this.store.get(digest);
      if (body !== undefined) {
        load(lane, digest, body);
        const { frameStart, frameEnd } = framer;
        if (frameEnd - frameStart <= MOST_FRAME_BYTES) {
          const frame = Buffer.from(source.subarray(frameStart, frameEnd));
          call = new ScriptCall(client, { digest, frame, lane }, this.#reload);
        }
      } else if (digest !== '' && this.#asks(client, digest)) return LATER;
    }
    const request = this.#router.sendOn(client, command, lane, source, framer);
    request.runsCode = true;
    if (call !== null) request.streamTo(call);
    request.keys = keys;
    request.keyHash = keyHash;
    return TAKEN;
  }

  /**
   * What runs the code that the command at hand calls, on a node that may lack it, when it only reads.
   * @returns `may write`: nobody has said that it does not; `unknown`: nobody has the script; `waits`: the client waits
   * until other processes have been asked for it
   */
  codeOf(
    client: ClientConnection,
    { special, readOnly }: Command,
    source: Buffer,
  ): { readonly name: string; readonly body: Buffer } | 'may write' | 'unknown' | 'waits' {
    const start = args.start[1] as number;
    const end = args.end[1] as number;
    const given = Buffer.from(source.subarray(start, end));
    // The node refuses a function that has not declared that it only reads.
    if (special === 'code') return { name: 'FCALL_RO', body: given };
    const digest = special === 'digest' ? digestOf(source, start, end) : '';
    if (special === 'script') this.store.note(source, start, end);
    const body = special === 'script' ? given : this.store.get(digest);
    if (body === undefined) return digest !== '' && this.#asks(client, digest) ? 'waits' : 'unknown';
    if (!readOnly && !declaresNoWrites(body)) return 'may write';
    return { name: readOnly ? 'EVAL_RO' : 'EVAL', body };
  }

  /** Whether it is known here of the script that the command at hand calls that it does not declare to read only. */
  isKnownToWrite({ special, readOnly }: Command, source: Buffer): boolean {
    if (readOnly || special === 'code') return false;
    const start = args.start[1] as number;
    const end = args.end[1] as number;
    if (special === 'script') return !declaresNoWrites(source.subarray(start, end));
    const body = this.store.get(digestOf(source, start, end));
    return body !== undefined && !declaresNoWrites(body);
  }

  /**
   * Remembers the script that a command brings which is queued between MULTI and EXEC.
   * @returns the digest of the script that it calls by it; empty: it calls none so
   */
  noteQueued({ special, everywhere }: Command, framer: RequestFramer): string {
    const at = everywhere === 'load' ? 2 : 1;
    if (at >= framer.argc) return '';
    const source = framer.source as Buffer;
    const start = args.start[at] as number;
    const end = args.end[at] as number;
    if (special === 'script' || everywhere === 'load') this.store.note(source, start, end);
    return special === 'digest' ? digestOf(source, start, end) : '';
  }

  /**
   * Looks for the scripts of a transaction that is to run.
   * @param digests loses those that nobody knows
   * @returns false when the client waits for some of them
   */
  find(client: ClientConnection, digests: string[]): boolean {
    for (let i = 0; i < digests.length; i++) {
      const digest = digests[i] as string;
      if (this.store.get(digest) !== undefined) continue;
      if (this.#asks(client, digest)) return false;
      // Perhaps the node knows it.
      digests.splice(i--, 1);
    }
    return true;
  }

  /** Loads the scripts of a transaction, whose MULTI is about to follow on this lane. */
  loadFor(digests: readonly string[], lane: Lane): void {
    for (const digest of digests) {
      const body = this.store.get(digest);
      if (body !== undefined) load(lane, digest, body);
    }
  }

  /** SCRIPT FLUSH is on its way to the nodes. @param told whether another process has sent it @param kept digests that stay */
  flush(told = false, kept?: ReadonlySet<string>): void {
    this.store.flush(told, kept);
    for (const node of this.#router.nodes) for (const lane of node.lanes()) lane.scripts.clear();
  }

  /** Whether the command that `framer` holds may write. @param isReadOnlyFunction whether a function has the flag no-writes */
  mayWrite(command: Command, framer: RequestFramer, isReadOnlyFunction: (name: string) => boolean): boolean {
    return mayWrite(command, framer, this.store, isReadOnlyFunction);
  }

  /** Whether the code that the command at hand calls may publish. Of what only the nodes know that is not known. */
  mayPublish(command: Command, source: Buffer): boolean {
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
    return this.store.ask(digest, client) && client.hold(this.#router.waitsFor);
  }
}

/** Makes sure that what follows on this lane finds the script. */
export function load(lane: Lane, digest: string, body: Buffer): void {
  if (!lane.scripts.add(digest)) return;
  lane.ask(Buffer.from(encodeRequest(['SCRIPT', 'LOAD', body])), null, NO_KEYS_AT_ALL);
}
