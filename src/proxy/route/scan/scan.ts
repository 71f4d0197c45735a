/** SCAN over all nodes behind one cursor; in which order, and what the cursor means, is `scan-walk.ts`. */
import type { Command } from '../../../commands/command.js';
import { array, bulk, error as encodeError } from '../../../resp/encode.js';
import { args, RequestFramer, readAside } from '../../../resp/request-framer.js';
import type { Request } from '../../request/request.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { LaneKind } from '../../upstream/lane-kind.js';
import { type ApartCall, type ApartOutcome, breaks } from '../apart-commands.js';
import type { Router } from '../router.js';
import { GAVE_UP_REPLY } from '../waiting.js';
import { type Walk as CalledWalk, readScanOptions, ScanCall, type ScanCaller } from './scan-call.js';
import {
  cursorAt,
  cursorBehind,
  localCursor,
  localPlaceOf,
  type Place,
  placeOf,
  type Walk,
  walkOf,
} from './scan-walk.js';

type LocalPages = CalledWalk['local'];

const CURSOR = /^(0|[1-9]\d{0,19})$/;
const INVALID_CURSOR = encodeError('ERR invalid cursor');

/** Sends the SCAN that `framer` holds to the node whose turn it is; `scan-call.ts` goes on from there. */
export function planScan(
  router: Router,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
  snapshot: RoutingSnapshot,
): Verdict {
  const source = framer.source as Buffer;
  const text = source.toString('latin1', args.start[1], args.end[1]);
  // A node has the right error for a cursor that is none.
  if (!CURSOR.test(text)) {
    return router.forward(client, command, router.anyNode(), source, framer);
  }
  if (router.isFenced) {
    // A page that is read while keys begin to move would say of a key that it is nowhere.
    return router.holdForRing(client) ? LATER : router.refuse(client, command, GAVE_UP_REPLY);
  }
  const local = localPages(router, client);
  const from = local === null ? null : localPlaceOf(BigInt(text));
  if (local !== null && from !== null) {
    const options = readScanOptions(framer);
    // A node has the right error for them.
    if (options === null) return router.forward(client, command, router.anyNode(), source, framer);
    const { cursor, keys } = local({ ...options, from });
    client.reply(command.id, array([bulk(cursor), array(keys)]));
    return TAKEN;
  }
  const walk = walkOf(snapshot);
  const place = placeOf(walk, BigInt(text));
  if (place === null) return router.forward(client, command, router.anyNode(), source, framer);

  const index = snapshot.nodes.indexOf(place.node);
  const lane = router.laneFor(client, index);
  if (lane === null) return router.refuse(client, command, router.nodeAt(index).downReply);
  if (lane.full) {
    client.waitFor(lane);
    return LATER;
  }
  const caller = new ClientCaller(router, client, client.begin(command.id));
  new ScanCall(router, caller, command.id, framer, walkFrom(snapshot, walk, place, local)).begin(lane, place.cursor);
  return TAKEN;
}

/** From this place to the end. */
function walkFrom(snapshot: RoutingSnapshot, walk: Walk, place: Place, local: LocalPages): CalledWalk {
  const nodes = walk.order.slice(walk.order.indexOf(place.node));
  return {
    snapshot,
    nodes,
    cursorIn: (inNode, node) => cursorAt(walk, { node, cursor: inNode, round: place.round }),
    local,
    end: cursorBehind(walk, { ...place, node: nodes[nodes.length - 1] ?? place.node }, 0n),
  };
}

/** A client that has sent SCAN by itself. */
class ClientCaller implements ScanCaller {
  readonly #router: Router;
  readonly #client: ClientConnection;
  readonly #request: Request;

  /** @param request stands in the client's queue already */
  constructor(router: Router, client: ClientConnection, request: Request) {
    this.#router = router;
    this.#client = client;
    this.#request = request;
  }

  get hasLeft(): boolean {
    return this.#request.client === null;
  }

  laneTo(index: number): Lane | null {
    // With another ring the client has other lanes.
    if (this.#client.lanes.snapshot !== this.#router.snapshot) return null;
    return this.#router.laneFor(this.#client, index);
  }

  onMayGoOn(): void {
    // What the client sends behind this must not run on a node that is still to be asked.
    this.#client.raiseBarrier();
  }

  answer(buffer: Buffer, start: number, end: number): void {
    const { client } = this.#request;
    if (client === null) this.#router.shared.requests.give(this.#request);
    else client.onReply(this.#request, buffer, start, end);
  }
}

/**
 * The SCAN that `framer` holds, in a transaction that takes steps. No keys begin to move while that runs.
 * @returns what carries it out
 */
export function scanInside(router: Router, framer: RequestFramer, command: Command): ApartCall {
  const frame = Buffer.from(framer.source.subarray(framer.frameStart, framer.frameEnd));
  const limits = { ...framer.limits };
  return {
    carryOut: (kind) =>
      new Promise((resolve) => {
        const own = new RequestFramer(limits);
        readAside(() => {
          own.next(frame, 0, frame.length);
          scanFor(router, kind, own, command, resolve);
        });
      }),
  };
}

function scanFor(
  router: Router,
  kind: LaneKind,
  framer: RequestFramer,
  command: Command,
  tell: (outcome: ApartOutcome) => void,
): void {
  const snapshot = router.snapshot as RoutingSnapshot;
  const text = (framer.source as Buffer).toString('latin1', args.start[1], args.end[1]);
  const walk = walkOf(snapshot);
  const place = CURSOR.test(text) ? placeOf(walk, BigInt(text)) : null;
  if (place === null) {
    tell({ reply: INVALID_CURSOR, isBroken: false });
    return;
  }
  const laneTo = (index: number): Lane | null => router.nodeAt(index).pick(kind);
  const index = snapshot.nodes.indexOf(place.node);
  const lane = laneTo(index);
  if (lane === null) {
    tell({ reply: router.nodeAt(index).downReply, isBroken: true });
    return;
  }
  const caller: ScanCaller = {
    laneTo,
    hasLeft: false,
    onMayGoOn: () => {},
    answer: (buffer, start, end) => {
      const reply = Buffer.from(buffer.subarray(start, end));
      tell({ reply, isBroken: breaks(reply) });
    },
  };
  new ScanCall(router, caller, command.id, framer, walkFrom(snapshot, walk, place, null)).begin(lane, place.cursor);
}

/** Pages of keys that no node has; null: there are none. */
function localPages({ localKeys }: Router, { kind: { database } }: ClientConnection): LocalPages {
  if (localKeys === null || !localKeys.isUsed) return null;
  return (page) => {
    const { next, keys } = localKeys.scan(database, page);
    return { cursor: next === 0 ? '0' : localCursor(next), keys };
  };
}
