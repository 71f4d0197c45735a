/**
 * Commands whose keys may have several owners (MGET, MSET, DEL …): one part for each owner, with the
 * arguments of its keys copied over as they stand in the client's frame.
 */
import type { Command } from '../../commands/command.js';
import { arrayHeaderLength, writeArrayHeader } from '../../resp/encode.js';
import { args, type RequestFramer } from '../../resp/request-framer.js';
import { lastingBytes } from '../../resp/words.js';
import { NO_HASH } from '../../ring/rings.js';
import { KNOWN_KEY, UNKNOWN_KEYS } from '../request/request.js';
import type { Verdict } from '../request/verdict.js';
import { LATER, TAKEN } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { RoutingSnapshot } from '../snapshot.js';
import type { Lane } from '../upstream/lane.js';
import { NO_KEYS } from './fan-out.js';
import { Group } from './merge/group.js';
import { MERGERS } from './merge/mergers.js';
import { isReserved, RESERVED_REPLY } from './reserved.js';
import type { Router } from './router.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from './waiting.js';

/** The owner of each key of the command at hand, by node index. */
let owners = new Uint16Array(1024);
/** Keys of each node for the command at hand. */
let keysOfNode = new Uint32Array(64);
/** The part that goes to each node, when it has keys. */
let partOfNode = new Uint16Array(64);
/** The lane of each part of the command at hand, null while its node is down; behind that null. */
const lanes: (Lane | null)[] = [];
/** What each part begins with: the command's name at a fixed place, and in front of it the number of the part's arguments. */
const head = lastingBytes(128);
const NAME_AT = 24;
const NO_REPLY = Buffer.alloc(0);
/**
 * Of so many commands that are split, and in so many milliseconds, the keys of one are looked at, which stands for the
 * others: that costs as much as the command.
 */
const NOTED_OF = 64;
const NOTED_EVERY_MS = 10;
/** Keys that are looked at. */
const NOTED_KEYS = 16;
/** Commands since then; the first one is looked at. */
let unnoted = NOTED_OF;
let isFirst = true;
let notedAt = Number.NEGATIVE_INFINITY;

/** Sends the parts of the split command that `framer` holds. */
export function splitByOwner(
  router: Router,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
  snapshot: RoutingSnapshot,
): Verdict {
  const source = framer.source as Buffer;
  const step = command.splitStep;
  const argc = framer.argc;
  // An odd number of arguments of MSET: any node has the right error for it.
  if ((argc - 1) % step !== 0) return router.forward(client, command, router.anyNode(), source, framer);
  const keys = (argc - 1) / step;
  const nodeCount = snapshot.nodes.length;
  prepare(keys, nodeCount);
  const { rings } = snapshot;
  const local = router.localKeys;
  const here: number[] = [];
  let waits = false;
  let keyHash = NO_HASH;
  let known = true;
  for (let i = 0; i < keys; i++) {
    const at = 1 + i * step;
    const start = args.start[at] as number;
    const end = args.end[at] as number;
    if (isReserved(source, start, end)) return router.refuse(client, command, RESERVED_REPLY);
    if (local?.has(source, start, end)) {
      owners[i] = nodeCount;
      here.push(at);
      continue;
    }
    const hash = rings.hashOf(source, start, end);
    if (keyHash === NO_HASH) keyHash = hash;
    else if (keyHash !== hash) known = false;
    const owner = rings.isChanging ? router.ownerNow(client, source, start, end) : rings.ownerOf(hash);
    if (owner === GAVE_UP) return router.refuse(client, command, GAVE_UP_REPLY);
    if (owner === WAIT) {
      // The other keys are asked for, too: they settle together.
      waits = true;
      continue;
    }
    owners[i] = owner;
    (keysOfNode[owner] as number)++;
  }
  if (waits) return LATER;
  const first = owners[0] as number;
  if (here.length === 0 && keysOfNode[first] === keys) {
    return router.forward(client, command, first, source, framer, known ? KNOWN_KEY : UNKNOWN_KEYS, keyHash);
  }
  for (let node = 0; node < nodeCount; node++) {
    if (keysOfNode[node] === 0) continue;
    const lane = router.laneFor(client, node);
    if (lane?.full) {
      client.waitFor(lane);
      return LATER;
    }
  }
  return sendParts(router, client, framer, command, keys, nodeCount, here);
}

/** @param here where the keys stand that no node has */
function sendParts(
  router: Router,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
  keys: number,
  nodeCount: number,
  here: readonly number[],
): Verdict {
  const source = framer.source as Buffer;
  const step = command.splitStep;
  const { shared } = router;
  if (++unnoted >= NOTED_OF && shared.clock.now - notedAt >= NOTED_EVERY_MS) noteKeys(router, framer, command, keys);
  const isArray = command.merge === 'array';
  const keyParts = isArray ? new Uint16Array(keys) : NO_KEYS;
  const request = client.begin(command.id);
  const group = new Group(request, client.kind.protocol, MERGERS[command.merge], shared, keyParts);
  group.takesPieces = command.merge === 'array';
  if (isArray && shared.counters.groups.active) group.keyGroups = shared.counters.groups.ofKeys(source, keys, step);
  let parts = 0;
  const headEnd = NAME_AT + source.copy(head, NAME_AT, headerStart(0, source), (args.end[0] as number) + 2);
  for (let node = 0; node < nodeCount; node++) {
    const count = keysOfNode[node] as number;
    if (count === 0) continue;
    const lane = router.laneFor(client, node);
    partOfNode[node] = parts;
    lanes[parts++] = lane;
    if (lane === null) continue;
    const headStart = NAME_AT - arrayHeaderLength(count * step + 1);
    writeArrayHeader(head, headStart, count * step + 1);
    lane.outlet.append(head, headStart, headEnd);
    lane.node.counters.bytesOut += headEnd - headStart;
  }
  partOfNode[nodeCount] = parts;
  if (isArray) for (let i = 0; i < keys; i++) keyParts[i] = partOfNode[owners[i] as number] as number;
  let next = 0;
  while (next < keys) {
    const owner = owners[next] as number;
    // A bulk's header begins where the one before it ended, two bytes (CRLF) behind its payload.
    const start = (args.end[next * step] as number) + 2;
    // Neighbours that go to one node are copied in one piece.
    do next++;
    while (next < keys && owners[next] === owner);
    // Behind those of the nodes there is none for what is here.
    const lane = lanes[partOfNode[owner] as number] ?? null;
    if (lane === null) continue;
    const end = (args.end[next * step] as number) + 2;
    lane.outlet.append(source, start, end);
    lane.node.counters.bytesOut += end - start;
  }
  for (let node = 0; node < nodeCount; node++) {
    if (keysOfNode[node] === 0) continue;
    const upstream = router.nodeAt(node);
    const part = partOfNode[node] as number;
    const lane = lanes[part] ?? null;
    lanes[part] = null;
    if (lane === null) group.addFailedPart(upstream);
    else group.addPart(upstream, lane);
  }
  if (here.length > 0) group.addLocalPart(router.localKeys?.run(command, framer, client.kind, here) ?? NO_REPLY);
  group.seal();
  return TAKEN;
}

/** Remembers which keys such a command has. */
function noteKeys({ shared }: Router, { source }: RequestFramer, command: Command, keys: number): void {
  const noted: string[] = [];
  for (let i = 0; i < keys && i < NOTED_KEYS; i++) {
    const at = 1 + i * command.splitStep;
    noted.push((source as Buffer).toString('latin1', args.start[at] as number, args.end[at] as number));
  }
  shared.counters.apartKeys.note(command, noted, isFirst ? 1 : unnoted);
  isFirst = false;
  unnoted = 0;
  notedAt = shared.clock.now;
}

/** Where the `$` of argument `at` stands: the payload's length tells how long its header is. */
function headerStart(at: number, source: Buffer): number {
  let offset = (args.start[at] as number) - 2;
  while (source[offset] !== 0x24) offset--;
  return offset;
}

function prepare(keys: number, nodes: number): void {
  if (owners.length < keys) owners = new Uint16Array(keys * 2);
  // One more, for what is here.
  if (keysOfNode.length <= nodes) {
    keysOfNode = new Uint32Array(nodes * 2);
    partOfNode = new Uint16Array(nodes * 2);
  }
  // A loop, since they are few and `fill` is a call into the runtime.
  for (let node = 0; node < nodes; node++) keysOfNode[node] = 0;
}
