/**
 * SCAN over all nodes behind one cursor: the nodes are walked in the order of their ids, and the cursor
 * says which node is being walked and how far (`node's cursor * 1024 + node's id`). A node's cursor stays
 * far below 2^54, since it is a position in its hash table, so the client's cursor fits in 64 bits.
 */
import type { Command } from '../../commands/command.js';
import { request as encodeRequest } from '../../resp/encode.js';
import { args, type RequestFramer } from '../../resp/request-framer.js';
import { type ClientConnection, LATER, TAKEN } from '../client/client-connection.js';
import { Group } from '../merge/group.js';
import { scanMerger } from '../merge/scan.js';
import type { RoutedNode, RoutingSnapshot } from '../snapshot.js';
import type { Dispatcher, Verdict } from './dispatcher.js';

export const CURSOR_NODE_IDS = 1024n;

/** Sends the SCAN that `framer` holds to the node whose turn it is. */
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
  const cursor = BigInt(text);
  const wanted = Number(cursor % CURSOR_NODE_IDS);
  const order = [...snapshot.nodes].sort((a, b) => a.id - b.id);
  // The node may have left the ring since: the walk goes on with the one behind it.
  const node = order.find((candidate) => candidate.id >= wanted);
  if (node === undefined) {
    client.reply(command.id, encodeEnd());
    return TAKEN;
  }
  const nodeCursor = node.id === wanted ? cursor / CURSOR_NODE_IDS : 0n;
  return send(dispatcher, client, framer, command, snapshot, node, nodeCursor, nextId(order, node));
}

function send(
  dispatcher: Dispatcher,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
  snapshot: RoutingSnapshot,
  node: RoutedNode,
  nodeCursor: bigint,
  next: number,
): Verdict {
  const index = snapshot.nodes.indexOf(node);
  const lane = dispatcher.laneFor(client, index);
  if (lane?.full) {
    client.waitFor(lane);
    return LATER;
  }
  const { shared } = dispatcher.context;
  const request = shared.requests.take();
  request.command = command.id;
  client.enqueue(request);
  const group = new Group(request, client.kind.protocol, scanMerger(node.id, next), shared, NO_KEYS);
  const upstream = dispatcher.nodeAt(index);
  if (lane === null) {
    group.addFailedPart(upstream);
  } else {
    const words: (string | Uint8Array)[] = ['SCAN', nodeCursor.toString()];
    for (let i = 2; i < framer.argc; i++) words.push(framer.source.subarray(args.start[i], args.end[i]));
    const frame = encodeRequest(words);
    lane.outlet.appendOwned(frame);
    upstream.counters.bytesOut += frame.length;
    group.addPart(upstream, lane);
  }
  group.seal();
  return TAKEN;
}

/** The id of the node that is walked after `node`, or -1. */
function nextId(order: readonly RoutedNode[], node: RoutedNode): number {
  return order.find((candidate) => candidate.id > node.id)?.id ?? -1;
}

function encodeEnd(): Buffer {
  return Buffer.from('*2\r\n$1\r\n0\r\n*0\r\n');
}

const NO_KEYS = new Uint16Array(0);
