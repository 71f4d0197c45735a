/** SCAN over all nodes behind one cursor; in which order, and what the cursor means, is `scan-walk.ts`. */
import type { Command } from '../../commands/command.js';
import { request as encodeRequest } from '../../resp/encode.js';
import { args, type RequestFramer } from '../../resp/request-framer.js';
import { type ClientConnection, LATER, TAKEN } from '../client/client-connection.js';
import { Group } from '../merge/group.js';
import { scanMerger } from '../merge/scan.js';
import type { RoutingSnapshot } from '../snapshot.js';
import type { Dispatcher, Verdict } from './dispatcher.js';
import { cursorBehind, placeOf, walkOf } from './scan-walk.js';
import { GAVE_UP_REPLY } from './waiting.js';

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
  if (dispatcher.isFenced) {
    // A page that is read while keys begin to move would say of a key that it is nowhere.
    return dispatcher.holdForRing(client) ? LATER : dispatcher.refuse(client, command, GAVE_UP_REPLY);
  }
  const walk = walkOf(snapshot);
  const place = placeOf(walk, BigInt(text));
  if (place === null) return dispatcher.forward(client, command, dispatcher.anyNode(), source, framer);
  const { node } = place;
  const merger = scanMerger((inNode) => cursorBehind(walk, place, inNode));

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
  const group = new Group(request, client.kind.protocol, merger, shared, NO_KEYS);
  const upstream = dispatcher.nodeAt(index);
  if (lane === null) {
    group.addFailedPart(upstream);
  } else {
    const words: (string | Uint8Array)[] = ['SCAN', place.cursor.toString()];
    for (let i = 2; i < framer.argc; i++) words.push(source.subarray(args.start[i], args.end[i]));
    const frame = encodeRequest(words);
    lane.outlet.appendOwned(frame);
    upstream.counters.bytesOut += frame.length;
    group.addPart(upstream, lane);
  }
  group.seal();
  return TAKEN;
}

const NO_KEYS = new Uint16Array(0);
