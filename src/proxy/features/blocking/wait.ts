/**
 * WAIT and WAITAOF: the client's writes may be on any node, so every node is asked, and the least of what they
 * answer counts. A connection waits for what was written before its last command, whoever wrote it: hence the PING
 * in front.
 */

import { request as encodeRequest } from '../../../resp/encode.js';
import { parseStrictInteger } from '../../../resp/integer.js';
import { parseIntegerLine } from '../../../resp/reply-framer.js';
import { headerNumber, lineEnd } from '../../../resp/whole-reply.js';
import type { UnblockMode } from '../../peers/peers.js';
import { NO_KEYS_AT_ALL } from '../../request/request.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import { Group, type Merger } from '../../route/merge/group.js';
import { NOT_READY } from '../../route/replies.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Waiting } from '../../session/waiting.js';
import { argumentBytes } from '../../session/words.js';
import type { Lane } from '../../upstream/lane.js';
import type { LocalCommand } from '../local-command.js';
import { noBlockingLane } from './blocked-command.js';
import { timeoutOf, timeoutPosition } from './blocking-frame.js';
import type { LateEnds } from './late-ends.js';
import { releaseBlocking, unblock } from './unblock.js';

const PING = Buffer.from(encodeRequest(['PING']));
const NO_KEYS = new Uint16Array(0);
const STAR = 0x2a;

/** WAIT and WAITAOF. */
export function waitCommand(router: Router, lateEnds: LateEnds): LocalCommand {
  return (client, command, framer) => {
    if (router.nodes.length === 0) return router.refuse(client, command, NOT_READY);
    if (!router.bind(client)) return LATER;
    if (client.pending > 0) {
      client.raiseBarrier();
      return LATER;
    }
    const words = argumentBytes(framer);
    // What the nodes refuse, one of them refuses as well as all.
    const understood = words.slice(1).every((word) => parseStrictInteger(word, 0, word.length) >= 0);
    const nodes = understood ? router.nodes : [router.nodeAt(router.anyNode())];
    const lanes = nodes.map((node) => node.takeBlocking(client.kind, client));
    const lacking = nodes.find((node, i) => lanes[i] === null && node.up);
    if (lacking !== undefined) {
      for (const lane of lanes) if (lane !== null) releaseBlocking(lane);
      if (!client.hold(router.waitsFor)) return router.refuse(client, command, noBlockingLane(lacking.name));
      lacking.blockingLanes.waitForLane(client);
      return LATER;
    }
    const patience = timeoutOf(command, words, timeoutPosition(command, words));
    const request = client.begin(command.id);
    client.raiseBarrier();
    const group = new Group(request, client.kind.protocol, mergeLeast, router.shared, NO_KEYS);
    group.keys = NO_KEYS_AT_ALL;
    const waiting = new WaitEverywhere(client, lateEnds);
    client.blockOn(waiting);
    nodes.forEach((node, i) => {
      const lane = lanes[i];
      if (lane === null || lane === undefined) {
        group.addFailedPart(node);
        return;
      }
      lane.ask(PING, null, NO_KEYS_AT_ALL);
      lane.expectLonger(patience);
      group.sendPart(lane, framer);
      waiting.add(lane);
    });
    group.seal();
    waiting.seal();
    if (client.inputHasEnded) waiting.hangUp();
    return TAKEN;
  };
}

/** The lanes on which a client's WAIT waits. */
class WaitEverywhere implements Waiting {
  readonly #client: ClientConnection;
  readonly #lanes = new Set<Lane>();
  readonly #lateEnds: LateEnds;
  #ending = false;

  constructor(client: ClientConnection, lateEnds: LateEnds) {
    this.#client = client;
    this.#lateEnds = lateEnds;
  }

  add(lane: Lane): void {
    this.#lanes.add(lane);
    lane.whenIdle((idle) => {
      this.#lanes.delete(idle);
      releaseBlocking(idle);
      this.seal();
    });
  }

  /** All lanes were added, or one has answered. */
  seal(): void {
    if (this.#lanes.size === 0) this.#client.unblock(this);
  }

  abandon(): void {
    this.endWait('ERROR');
  }

  /** As if its time were over: it is answered how many have acknowledged by now. */
  hangUp(): void {
    if (this.#ending) return;
    this.#ending = true;
    for (const lane of this.#lanes) this.#lateEnds.end(lane, 'TIMEOUT');
  }

  stop(): void {
    this.endWait('ERROR');
  }

  endWait(mode: UnblockMode): null {
    if (this.#ending) return null;
    this.#ending = true;
    for (const lane of [...this.#lanes]) {
      if (lane.ready) unblock(lane, mode);
      else lane.end('closed', 'the client was unblocked');
    }
    return null;
  }
}

/** The least number, or the least of each place of an array (WAITAOF). */
const mergeLeast: Merger = (group, out) => {
  let least: number[] | null = null;
  let isArray = false;
  for (const { held, heldStart, heldEnd } of group.parts) {
    if (held === null) continue;
    const { buffer } = held;
    const values: number[] = [];
    isArray = buffer[heldStart] === STAR;
    let at = isArray ? lineEnd(buffer, heldStart) : heldStart;
    const count = isArray ? headerNumber(buffer, heldStart) : 1;
    for (let i = 0; i < count; i++) {
      values.push(parseIntegerLine(buffer, at, heldEnd));
      at = lineEnd(buffer, at);
    }
    least = least === null ? values : least.map((value, i) => Math.min(value, values[i] ?? value));
  }
  if (isArray) out.arrayHeader(least?.length ?? 0);
  for (const value of least ?? []) out.integer(value);
};
