/**
 * Commands that a node runs as a whole while their keys are on several: in steps, or not at all (`cross-node: refuse`).
 * What changes with that for an application is told command by command in `docs/cross-node.md`.
 *
 *   runAtOwner ── keys have several owners ──▶ CrossNode ──▶ Operation, by the way that the command's row names
 *   EXEC ── so has a queued command ──────────────┘
 */

import type { Command } from '../../../commands/command.js';
import { keyPositions } from '../../../commands/keys.js';
import { wordsIn } from '../../../resp/frame-words.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import { keysAtHand } from '../../measure/apart/keys-at-hand.js';
import { LATER, TAKEN, type Verdict } from '../../request/verdict.js';
import type { ApartCall, ApartCommands, ApartOutcome } from '../../route/apart-commands.js';
import { settleInOtherDatabase } from '../../route/moving/other-database.js';
import { crossSlotReply } from '../../route/replies.js';
import type { Router } from '../../route/router.js';
import { refusalOfLocalPatterns } from '../../route/sort-patterns.js';
import { Turns } from '../../route/turns.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from '../../route/waiting.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { type Call, Operation, type Way } from './operation.js';
import { type WayRow, wayInside, wayOf } from './rows.js';
import { Running, underWay } from './running.js';
import { MAY_WRITE, UNKNOWN_SCRIPT } from './ways/code.js';
import { moveAwaitedElement, moveElement } from './ways/list-move.js';
import { lookAtStreams } from './ways/streams.js';

/** Its own, while nobody else has the call. */
interface Words {
  readonly words: Buffer[];
}

/** Who lets commands wait until one of their keys has something. */
export interface WaitingPort {
  /** Whether the command that `framer` holds is one of these. */
  takes(client: ClientConnection, command: Command, framer: RequestFramer): boolean;
  /** `framer` holds the command, and `keyPositions` its `count` keys. */
  begin(client: ClientConnection, command: Command, framer: RequestFramer, count: number): Verdict;
}

export interface CrossNodePorts {
  readonly waiting: WaitingPort;
  /**
   * What runs the code that the command at hand calls, on any node.
   * @returns `may write`: it does not declare that it only reads; `unknown`: nobody has the script; `waits`: the client
   * waits until other processes have been asked for it
   */
  readonly codeOf: (
    client: ClientConnection,
    command: Command,
    source: Buffer,
  ) => { readonly name: string; readonly body: Buffer } | 'may write' | 'unknown' | 'waits';
  /** Whether it is known here of the code that the command at hand calls that it does not declare to read only. */
  readonly isKnownToWrite: (command: Command, source: Buffer) => boolean;
}

export class CrossNode implements ApartCommands {
  readonly #router: Router;
  readonly #ports: CrossNodePorts;
  readonly #running = new Running();
  readonly #turns = new Turns();

  constructor(router: Router, ports: CrossNodePorts) {
    this.#router = router;
    this.#ports = ports;
  }

  run(client: ClientConnection, framer: RequestFramer, command: Command, count: number): Verdict {
    const router = this.#router;
    const { counters, clock } = router.shared;
    const { waiting } = this.#ports;
    if (waiting.takes(client, command, framer)) {
      this.#note(command, framer, count, false);
      return waiting.begin(client, command, framer, count);
    }
    if (command.crossNode === 'refused' || command.crossNode === 'waits' || client.crossNode === 'refuse') {
      this.#note(command, framer, count, true);
      return router.refuse(client, command, crossSlotReply(client.crossNode));
    }
    const local = command.special === 'sort' ? refusalOfLocalPatterns(router.localKeys, framer) : null;
    if (local !== null) return router.refuse(client, command, local);
    if (router.isChanging && command.special === 'copy') {
      const state = settleInOtherDatabase(router, client, command, framer);
      if (state === WAIT) return LATER;
      if (state === GAVE_UP) return router.refuse(client, command, GAVE_UP_REPLY);
    }
    if (client.pending > 0) {
      // What is in flight goes by other lanes, and must not be overtaken.
      client.raiseBarrier();
      return LATER;
    }
    const { way, run } = wayOf(command, command.crossNode, framer);
    const call = this.#callOf(client, framer, command, count);
    if (command.crossNode === 'code') {
      const code = this.#ports.codeOf(client, command, framer.source as Buffer);
      if (code === 'waits') return LATER;
      if (code === 'may write' || code === 'unknown') {
        this.#note(command, framer, count, true);
        return router.refuse(client, command, code === 'unknown' ? UNKNOWN_SCRIPT : MAY_WRITE);
      }
      call.words.splice(0, 2, Buffer.from(code.name), code.body);
    }
    this.#note(command, framer, count, false);
    const request = client.begin(command.id);
    client.raiseBarrier();
    const begun = clock.now;
    const operation = new Operation(client, request, router.shared.requests, this.#turns, call);
    const done = operation.run(run);
    this.#running.add(underWay(call), done);
    void done.then(() => counters.crossNode.count(command.name, way, clock.read() - begun));
    return TAKEN;
  }

  refusalInside(client: ClientConnection, framer: RequestFramer, command: Command, count: number): Buffer | null {
    const isRefused = command.crossNode === 'refused' || client.crossNode === 'refuse';
    const writes = command.crossNode === 'code' && this.#ports.isKnownToWrite(command, framer.source as Buffer);
    if (!isRefused && !writes) return null;
    this.#note(command, framer, count, true);
    return isRefused ? crossSlotReply(client.crossNode) : MAY_WRITE;
  }

  prepare(
    client: ClientConnection,
    framer: RequestFramer,
    command: Command,
    owners: readonly UpstreamNode[],
  ): ApartCall | Buffer | 'waits' {
    const { options } = this.#router.shared;
    if (command.crossNode === 'refused') return crossSlotReply(client.crossNode);
    const { frameStart, frameEnd, source } = framer;
    const words = wordsIn(source.subarray(frameStart, frameEnd) as Buffer, framer);
    const keys = Array.from(keyPositions.at.subarray(0, owners.length));
    const shown = keysAtHand(framer, owners.length);
    if (command.crossNode === 'code') {
      const code = this.#ports.codeOf(client, command, source as Buffer);
      if (code === 'waits') return code;
      if (code === 'may write') return MAY_WRITE;
      if (code === 'unknown') return { carryOut: () => Promise.resolve({ reply: UNKNOWN_SCRIPT, isBroken: false }) };
      words.splice(0, 2, Buffer.from(code.name), code.body);
    }
    const row = wayInside(command, command.crossNode, framer);
    const call = { command, words, keys, owners, nodesOf: this.#nodesOf, maxBytes: options.crossNodeMaxBytes };
    return { carryOut: (kind) => this.#carryOutInside(client, { ...call, kind }, row, shown) };
  }

  /** @param shown its keys, for those who look for commands whose keys are apart */
  async #carryOutInside(
    client: ClientConnection,
    call: Call,
    { way, run }: WayRow,
    shown: readonly string[],
  ): Promise<ApartOutcome> {
    const { requests, counters, clock } = this.#router.shared;
    const begun = clock.now;
    if (call.keys.length > 1) counters.apartKeys.note(call.command, shown, 1, false);
    const request = requests.take();
    const outcome = await new Operation(client, request, requests, this.#turns, call).outcomeOf(run);
    requests.give(request);
    counters.crossNode.count(call.command.name, way, clock.read() - begun);
    return outcome;
  }

  /**
   * LMOVE or RPOPLPUSH, for a command that waits: its client is answered by others.
   * @param hasWaited it has found nothing yet
   * @returns settles with the reply, which may be an error, and never rejects
   */
  moveElement(client: ClientConnection, move: Omit<Call, 'maxBytes' | 'nodesOf'>, hasWaited: boolean): Promise<Buffer> {
    return this.#carryOut(client, move, hasWaited ? moveAwaitedElement : moveElement);
  }

  /**
   * What the streams have of an XREAD or XREADGROUP that waits; its client is answered by others. The streams have arrived
   * at their owners.
   * @returns settles with the reply, nil where there is nothing yet, and with the words from which it is known what comes
   * behind that; never rejects
   */
  async lookAtStreams(client: ClientConnection, { command, words, keys }: Pick<Call, 'command' | 'words' | 'keys'>) {
    const owners = keys.map((at) => this.#ownerOf(client, words[at] as Buffer));
    let from = words;
    const look: Way = (operation) =>
      lookAtStreams(operation, (known) => {
        from = known;
      });
    const reply = await this.#carryOut(client, { command, words, keys, owners, kind: client.kind }, look);
    return { reply, words: from };
  }

  async #carryOut(client: ClientConnection, step: Omit<Call, 'maxBytes' | 'nodesOf'>, way: Way): Promise<Buffer> {
    const { requests, options } = this.#router.shared;
    const call = { ...step, nodesOf: this.#nodesOf, maxBytes: options.crossNodeMaxBytes };
    const request = requests.take();
    const operation = new Operation(client, request, requests, this.#turns, call);
    const done = operation.replyOf(way);
    this.#running.add(
      underWay(call),
      done.then(() => {}),
    );
    const reply = await done;
    requests.give(request);
    return reply;
  }

  /** Counts the command that `framer` holds, once it is decided what becomes of it: a client that waits offers it again. */
  #note(command: Command, framer: RequestFramer, count: number, isRefused: boolean): void {
    const { counters } = this.#router.shared;
    if (isRefused) counters.crossNode.count(command.name, 'refused', 0);
    // A SORT whose patterns are elsewhere has one key of its own.
    if (count > 1) counters.apartKeys.note(command, keysAtHand(framer, count), 1, isRefused);
  }

  /** What is under way, for a fence, and for others who take several steps. */
  get running(): Running {
    return this.#running;
  }

  /** Where a key is now, which is none of a command's own: it may begin to change hands while the command is under way. */
  readonly #nodesOf = (key: Buffer): UpstreamNode[] => {
    const { nodes, snapshot } = this.#router;
    const { rings } = snapshot as RoutingSnapshot;
    const hash = rings.hashOf(key, 0, key.length);
    const places = new Set([rings.ownerOf(hash), ...(rings.isChanging ? [rings.nextOwnerOf(hash)] : [])]);
    return [...places].map((node) => nodes[node] as UpstreamNode);
  };

  #callOf(client: ClientConnection, framer: RequestFramer, command: Command, count: number): Call & Words {
    const { frameStart, frameEnd } = framer;
    const frame = Buffer.from(framer.source.subarray(frameStart, frameEnd));
    const words = wordsIn(frame, framer);
    const keys = Array.from(keyPositions.at.subarray(0, count));
    const owners = keys.map((at) => this.#ownerOf(client, words[at] as Buffer));
    const maxBytes = this.#router.shared.options.crossNodeMaxBytes;
    return { command, words, keys, owners, nodesOf: this.#nodesOf, kind: client.kind, maxBytes };
  }

  /** All keys have arrived where they belong. */
  #ownerOf(client: ClientConnection, key: Buffer): UpstreamNode {
    return this.#router.nodeAt(this.#router.ownerNow(client, key, 0, key.length));
  }
}
