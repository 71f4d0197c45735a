/**
 * SCAN over all nodes behind one cursor. A cursor says which node is being walked and how far, and in which
 * state of the ring the walk began: `(node's cursor * 64 + stamp) * 1024 + node's id`. A node's cursor stays
 * far below 2^48, since it is a position in its hash table, so the client's cursor fits in 64 bits.
 *
 * SCAN's guarantee is that a key that was there all the time is returned. While keys move, nodes that lose
 * keys are walked before those that get them, so a key that moves away behind the cursor is found in front
 * of it. A walk during which the ring changed its state is followed by another one: keys may be returned
 * twice, as SCAN allows, but none is missed.
 */
import type { Command } from '../../commands/command.js';
import { args, type RequestFramer } from '../../resp/request-framer.js';
import type { Ring } from '../../ring/ring.js';
import { walkWhileMoving } from '../../ring/walk.js';
import { type ClientConnection, LATER, TAKEN } from '../client/client-connection.js';
import type { RoutedNode, RoutingSnapshot } from '../snapshot.js';
import type { Dispatcher, Verdict } from './dispatcher.js';
import { ScanCall } from './scan-call.js';

const NODE_IDS = 1024n;
const STAMPS = 64n;
/** Of no state of the ring: a walk that begins with it is followed by another one. */
const OTHER_STAMP = 0n;

/** Sends the SCAN that `framer` holds to the node whose turn it is; `scan-call.ts` goes on from there. */
export function planScan(
  dispatcher: Dispatcher,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
  snapshot: RoutingSnapshot,
): Verdict {
  const source = framer.source as Buffer;
  const text = source.toString('latin1', args.start[1], args.end[1]);
  // A node has the right error for a cursor that is none.
  if (!/^(0|[1-9]\d{0,19})$/.test(text)) {
    return dispatcher.forward(client, command, dispatcher.anyNode(), source, framer);
  }
  const { order, circular } = walkOf(snapshot);
  const now = stampOf(snapshot);
  const cursor = BigInt(text);
  const begins = cursor === 0n;
  // Where keys move in a circle, one walk may miss a key that moved in front of it. It has moved when the next begins.
  const stamp = begins ? (circular ? OTHER_STAMP : now) : (cursor / NODE_IDS) % STAMPS;
  const wanted = begins ? (order[0]?.id ?? 0) : Number(cursor % NODE_IDS);
  let at = order.findIndex((node) => node.id === wanted);
  let nodeCursor = begins ? 0n : cursor / (NODE_IDS * STAMPS);
  if (at < 0) {
    // The node has left the ring since: another walk finds what has gone elsewhere.
    at = 0;
    nodeCursor = 0n;
  }
  const node = order[at] as RoutedNode;
  const encode = (inNode: bigint, of: bigint, id: number): string =>
    ((inNode * STAMPS + of) * NODE_IDS + BigInt(id)).toString();
  const end = stamp === now ? '0' : encode(0n, now, order[0]?.id ?? 0);

  const index = snapshot.nodes.indexOf(node);
  const lane = dispatcher.laneFor(client, index);
  if (lane === null) return dispatcher.refuse(client, command, dispatcher.nodeAt(index).downReply);
  if (lane.full) {
    client.waitFor(lane);
    return LATER;
  }
  const { shared } = dispatcher.context;
  const request = shared.requests.take();
  request.command = command.id;
  client.enqueue(request);
  const nodes = order.slice(at);
  const cursorIn = (inNode: bigint, of: RoutedNode): string => encode(inNode, stamp, of.id);
  new ScanCall(dispatcher, client, request, framer, { snapshot, nodes, cursorIn, end }).begin(lane, nodeCursor);
  return TAKEN;
}

/** Tells the states of the ring apart between which keys may have moved; never `OTHER_STAMP`. */
function stampOf(snapshot: RoutingSnapshot): bigint {
  const state = snapshot.generation * 2 + (snapshot.phase === 'moving' ? 1 : 0);
  return 1n + (BigInt(state) % (STAMPS - 1n));
}

interface NodeWalk {
  readonly order: readonly RoutedNode[];
  readonly circular: boolean;
}

/** While keys move, each SCAN asks for the same walk. */
const walks = new WeakMap<Ring, NodeWalk>();

/** Nodes that lose keys in front of those that get them. */
function walkOf({ ring, nextRing, nodes }: RoutingSnapshot): NodeWalk {
  const byId = [...nodes].sort((a, b) => a.id - b.id);
  if (nextRing === null) return { order: byId, circular: false };
  const known = walks.get(nextRing);
  if (known !== undefined) return known;
  const indices = byId.map((node) => nodes.indexOf(node));
  const { order, circular } = walkWhileMoving(ring, nextRing, indices);
  const walk = { order: order.map((index) => nodes[index] as RoutedNode), circular };
  walks.set(nextRing, walk);
  return walk;
}
