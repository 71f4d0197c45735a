import type { Command } from '../../commands/command.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import { type ClientConnection, LATER, TAKEN } from '../client/client-connection.js';
import { Group, type Merger } from '../merge/group.js';
import type { Dispatcher, Verdict } from './dispatcher.js';

/** Sends the frame that `framer` holds to every node, and merges the replies with `merger`. */
export function fanOut(
  dispatcher: Dispatcher,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
  merger: Merger,
): Verdict {
  const { nodes } = dispatcher;
  for (let i = 0; i < nodes.length; i++) {
    const lane = dispatcher.laneFor(client, i);
    if (lane?.full) {
      client.waitFor(lane);
      return LATER;
    }
  }
  const { shared } = dispatcher.context;
  const request = shared.requests.take();
  request.command = command.id;
  client.enqueue(request);
  const group = new Group(request, client.kind.protocol, merger, shared, NO_KEYS);
  for (let i = 0; i < nodes.length; i++) {
    const node = dispatcher.nodeAt(i);
    const lane = dispatcher.laneFor(client, i);
    if (lane === null) {
      group.addFailedPart(node);
      continue;
    }
    lane.outlet.append(framer.source, framer.frameStart, framer.frameEnd);
    node.counters.bytesOut += framer.frameEnd - framer.frameStart;
    group.addPart(node, lane);
  }
  group.seal();
  return TAKEN;
}

const NO_KEYS = new Uint16Array(0);
