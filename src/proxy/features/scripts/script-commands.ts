/** SCRIPT and FUNCTION, as far as every node has to do with them. */
import type { Everywhere } from '../../../commands/columns.js';
import type { Command } from '../../../commands/command.js';
import { request as encodeRequest } from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { Peers } from '../../peers/peers.js';
import { NO_KEYS_AT_ALL } from '../../request/request.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import { fanOut, NO_KEYS } from '../../route/fan-out.js';
import { Group } from '../../route/merge/group.js';
import { MERGERS } from '../../route/merge/mergers.js';
import type { Router } from '../../route/router.js';
import { AnswersFirst } from '../../session/answers-first.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { digestOf } from './digest.js';
import type { Scripts } from './scripts.js';

/** What the commands on scripts work with. */
export interface ScriptPorts {
  readonly router: Router;
  readonly scripts: Scripts;
  /** Null: the proxy has no other processes. */
  readonly peers: Peers | null;
}

type EveryNode = (ports: ScriptPorts, client: ClientConnection, framer: RequestFramer, command: Command) => Verdict;

/** What is more than to ask every node and to merge. */
const RUNS = {
  load: scriptLoad,
  flush: scriptFlush,
  exists: scriptExists,
  'past scripts': askPastScripts,
} as const satisfies Record<Everywhere, EveryNode>;

/** SCRIPT and FUNCTION, as far as there is more to do than to ask every node and to merge. */
export function scriptCommands(
  ports: ScriptPorts,
): Readonly<Record<Everywhere, (client: ClientConnection, framer: RequestFramer, command: Command) => Verdict>> {
  const bound = (run: EveryNode) => (client: ClientConnection, framer: RequestFramer, command: Command) =>
    run(ports, client, framer, command);
  return {
    load: bound(RUNS.load),
    flush: bound(RUNS.flush),
    exists: bound(RUNS.exists),
    'past scripts': bound(RUNS['past scripts']),
  };
}

function scriptLoad(ports: ScriptPorts, client: ClientConnection, framer: RequestFramer, command: Command): Verdict {
  const source = framer.source as Buffer;
  ports.scripts.store.note(source, args.start[2] as number, args.end[2] as number);
  return fanOut(ports.router, client, framer, command, MERGERS.ok);
}

/** Those whose SCRIPT FLUSH the other processes have heard of. */
const flushedByPeers = new AnswersFirst();

/** Whoever has the answer may rely on it that no process of the proxy finds the scripts any more. */
function scriptFlush(ports: ScriptPorts, client: ClientConnection, framer: RequestFramer, command: Command): Verdict {
  const { peers } = ports;
  if (peers !== null) {
    const heard = flushedByPeers.of(client, () => {
      ports.scripts.flush();
      return peers.ask({ type: 'caught-up' });
    });
    if (heard === null) return LATER;
    flushedByPeers.forget(client);
  }
  const verdict = fanOut(ports.router, client, framer, command, MERGERS.ok);
  if (verdict === TAKEN) ports.scripts.flush();
  return verdict;
}

/** Those for whom scripts were looked for elsewhere. */
const lookedFor = new AnswersFirst<readonly string[]>();
/** Of one command: the nodes alone are asked for the others. */
const MOST_LOOKED_FOR = 32;

/** Scripts whose bodies are known are loaded first: so 1 means that every node runs the script. */
function scriptExists(ports: ScriptPorts, client: ClientConnection, framer: RequestFramer, command: Command): Verdict {
  const source = framer.source as Buffer;
  const { store } = ports.scripts;
  const loads: Buffer[] = [];
  const unknown: string[] = [];
  for (let i = 2; i < framer.argc; i++) {
    const digest = digestOf(source, args.start[i] as number, args.end[i] as number);
    const body = store.get(digest);
    if (body !== undefined) loads.push(Buffer.from(encodeRequest(['SCRIPT', 'LOAD', body])));
    else if (digest !== '' && unknown.length < MOST_LOOKED_FOR) unknown.push(digest);
  }
  if (unknown.length > 0 && store.hasPeers) {
    if (lookedFor.of(client, () => store.fetch(unknown)) === null) return LATER;
    lookedFor.forget(client);
  }
  return fanOut(ports.router, client, framer, command, MERGERS[command.merge], (lane) => {
    for (const frame of loads) lane.ask(frame, null, NO_KEYS_AT_ALL);
  });
}

/**
 * Asks every node on connections of their own: a node that runs a script reads no further command from the
 * connection that the script came by.
 */
function askPastScripts(
  ports: ScriptPorts,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
): Verdict {
  if (client.pending > 0) {
    client.raiseBarrier();
    return LATER;
  }
  const { shared } = ports.router;
  const request = client.begin(command.id);
  const group = new Group(request, client.kind.protocol, MERGERS[command.merge], shared, NO_KEYS);
  group.tolerance = command.tolerance;
  group.keys = NO_KEYS_AT_ALL;
  ports.router.nodes.forEach((node, index) => {
    const lane = ownLane(node, client) ?? ports.router.laneFor(client, index);
    if (lane === null) {
      group.addFailedPart(node);
      return;
    }
    group.sendPart(lane, framer);
  });
  group.seal();
  return TAKEN;
}

function ownLane(node: UpstreamNode, client: ClientConnection): Lane | null {
  const lane = node.takePrivate(client.kind, client);
  if (lane !== null) lane.whenIdle((idle) => node.releasePrivate(idle));
  return lane;
}
