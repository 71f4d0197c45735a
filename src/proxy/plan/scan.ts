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
import { type ClientConnection, LATER, TAKEN } from '../client/client-connection.js';
import type { RoutedNode, RoutingSnapshot } from '../snapshot.js';
import type { Dispatcher, Verdict } from './dispatcher.js';
import { ScanCall } from './scan-call.js';

const NODE_IDS = 1024n;
const STAMPS = 64n;

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
  const order = walkOrder(snapshot);
  const now = stampOf(snapshot);
  const cursor = BigInt(text);
  const begins = cursor === 0n;
  const stamp = begins ? now : (cursor / NODE_IDS) % STAMPS;
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

/** Tells the states of the ring apart between which keys may have moved; never 0. */
function stampOf(snapshot: RoutingSnapshot): bigint {
  const state = snapshot.generation * 2 + (snapshot.phase === 'moving' ? 1 : 0);
  return 1n + (BigInt(state) % (STAMPS - 1n));
}

/** Nodes that lose points in front of those that gain some: keys move in that direction only. */
function walkOrder(snapshot: RoutingSnapshot): RoutedNode[] {
  const { ring, nextRing, nodes } = snapshot;
  const gains = new Map<RoutedNode, number>();
  nodes.forEach((node, index) => {
    const before = ring.pointCounts[index] ?? 0;
    gains.set(node, (nextRing?.pointCounts[index] ?? before) - before);
  });
  return [...nodes].sort((a, b) => (gains.get(a) ?? 0) - (gains.get(b) ?? 0) || a.id - b.id);
}
