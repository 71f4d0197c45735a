/**
 * `read-from: replica`: reads of one key go to a replica of its node, if one is known to be late by no more than the
 * group's `max-lag` (`upstream/replicas.ts`); otherwise to the master, as without it.
 *
 *   read ─▶ a replica ───▶ reply
 *        │            └──▶ error, silence, a lost connection ─▶ master (`replica-read.ts`)
 *        └▶ master: no replica is of use, or may lack what this process has written of the key (`writes.ts`),
 *                   the key moves, the client tracks or watches keys
 *   write, script, EXEC ─▶ waits until the client's reads at replicas are answered: they must not see it
 *
 * So what was written through this process is read through it from then on. Of others' writes a read is late by no more
 * than `max-lag`. From the end of a change of the ring on, a replica is not asked before it has what its master had then:
 * the keys that have moved are among it.
 */
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { CachePolicy } from '../../caching/policy.js';
import type { KeyGroups } from '../../measure/key-groups.js';
import type { ReplicaReadOutcome } from '../../measure/replica-read-counts.js';
import { KNOWN_KEY } from '../../request/request.js';
import { LATER, TAKEN, type Verdict } from '../../request/verdict.js';
import { isReserved } from '../../route/reserved.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { TRACKS, WATCHES } from '../../session/modes.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import { Replicas } from '../../upstream/replicas.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { PASS, type PolicyStep } from '../policies.js';
import type { QueuedKeys } from '../queued-keys.js';
import { ReplicaRead } from './replica-read.js';
import { Writes } from './writes.js';

export interface ReplicaReadsPorts {
  readonly router: Router;
  /** Commands of several steps are under way. */
  readonly someRun: () => boolean;
  /** What the client's EXEC will touch; null: it has no transaction. */
  readonly queuedBy: (client: ClientConnection) => QueuedKeys | null;
}

export class ReplicaReads implements PolicyStep {
  readonly #ports: ReplicaReadsPorts;
  readonly #groups: KeyGroups;
  /** Null: no group has the policy. */
  #writes: Writes | null = null;
  /** The longest `max-lag` of a group. Milliseconds. */
  #longest = 0;
  #isChanging = false;
  readonly #replicas = new Map<UpstreamNode, Replicas>();
  /** Index-aligned with the router's nodes. */
  #byIndex: Replicas[] = [];

  constructor(ports: ReplicaReadsPorts) {
    this.#ports = ports;
    this.#groups = ports.router.shared.counters.groups;
    this.onGroups();
  }

  dispatch(client: ClientConnection, framer: RequestFramer, command: Command, source: Buffer): Verdict | typeof PASS {
    const writes = this.#writes;
    if (writes === null) return PASS;
    const at = command.singleKeyAt;
    if (at !== 0 && at < framer.argc && isPlainRead(command)) {
      const policy = this.#groups.policyAtHand;
      if (policy?.readFrom !== 'replica') return PASS;
      const start = args.start[at] as number;
      const end = args.end[at] as number;
      return isReserved(source, start, end)
        ? PASS
        : this.#read({ client, framer, command, source, start, end }, policy);
    }
    if (!mayWrite(command)) return PASS;
    if (mustWait(client)) return LATER;
    this.#noteWrite(writes, client, framer, command, source);
    return PASS;
  }

  /** The client sends EXEC. @returns whether it has to wait */
  onExec(client: ClientConnection): boolean {
    const writes = this.#writes;
    const queued = writes === null ? null : this.#ports.queuedBy(client);
    if (writes === null || queued === null) return false;
    if (mustWait(client)) return true;
    const { now } = this.#ports.router.shared.clock;
    writes.begin(client, now);
    if (queued.touchesAnyKey) writes.noteAll(now);
    for (let i = 0; i < queued.keyCount; i++) {
      const key = queued.keyAt(i);
      writes.note(this.#hashOf(key, 0, key.length), now);
    }
    return false;
  }

  /** The client, which has nothing in flight, begins to send a large value of the key. */
  onUpload(client: ClientConnection, source: Buffer, start: number, end: number): void {
    if (this.#writes === null) return;
    const { now } = this.#ports.router.shared.clock;
    this.#writes.begin(client, now);
    this.#writes.note(this.#hashOf(source, start, end), now);
  }

  onGroups(): void {
    const lags = this.#groups.groups.flatMap(({ policy }) => (policy?.readFrom === 'replica' ? policy.maxLag : []));
    this.#longest = Math.max(0, ...lags);
    if (lags.length === 0) {
      this.close();
      this.#writes = null;
      return;
    }
    this.#writes ??= new Writes();
    // What was written before to keys that belong to another group now was not noted, nor what takes several steps yet.
    this.#writes.beginAnew(this.#ports.router.shared.clock.read(), this.#ports.someRun());
    this.#follow(this.#ports.router.nodes);
  }

  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    const { isChanging } = snapshot.rings;
    // The node may have keys that its replicas do not have yet.
    if (this.#isChanging && !isChanging) this.#writes?.noteAll(this.#ports.router.shared.clock.read());
    this.#isChanging = isChanging;
    if (this.#writes !== null) this.#follow(nodes);
  }

  /** Called about ten times a second. @param now by the clock */
  tick(now: number): void {
    if (this.#writes === null) return;
    const own = this.#writes.underWaySince(now, this.#ports.someRun());
    for (const replicas of this.#replicas.values()) replicas.tick(now, own, this.#longest);
  }

  /** What a fence waits for, beside the nodes themselves. */
  *nodes(): Generator<UpstreamNode> {
    for (const { all } of this.#replicas.values()) for (const { node } of all) yield node;
  }

  /** The replicas of the node; null: nobody is to read from them. */
  of(node: UpstreamNode): Replicas | null {
    return this.#replicas.get(node) ?? null;
  }

  close(): void {
    for (const replicas of this.#replicas.values()) replicas.close();
    this.#replicas.clear();
    this.#byIndex = [];
  }

  #follow(nodes: readonly UpstreamNode[]): void {
    for (const [node, replicas] of this.#replicas) {
      if (nodes.includes(node)) continue;
      replicas.close();
      this.#replicas.delete(node);
    }
    this.#byIndex = nodes.map((node) => {
      const replicas = this.#replicas.get(node) ?? new Replicas(node);
      this.#replicas.set(node, replicas);
      return replicas;
    });
  }

  #read(read: Read, policy: CachePolicy): Verdict | typeof PASS {
    const group = this.#groups.atHand;
    const found = this.#send(read, policy, group);
    this.#groups.replicaRead(group, found);
    return found === 'replica' ? TAKEN : PASS;
  }

  #send({ client, framer, command, source, start, end }: Read, policy: CachePolicy, group: number): ReplicaReadOutcome {
    if (client.isIn(TRACKS | WATCHES) || client.lanes.takesLargeReplies) return 'client';
    const { router } = this.#ports;
    const { rings } = router.snapshot as RoutingSnapshot;
    const { counters, clock } = router.shared;
    const hash = rings.hashOf(source, start, end);
    if (rings.movesAway(hash)) return 'moving';
    const owner = rings.ownerOf(hash);
    const written = (this.#writes as Writes).of(hash);
    const chosen = this.#byIndex[owner]?.choose(hash, clock.now, policy.maxLag, written) ?? 'none';
    if (typeof chosen === 'string') return chosen;
    const lane = chosen.node.pick(client.kind);
    // The first one of this kind is opened: nobody waits for that.
    if (lane === null || !lane.ready || lane.full) return 'unproven';
    const frame = Buffer.from(source.subarray(framer.frameStart, framer.frameEnd));
    const request = router.sendOn(client, command, lane, source, framer);
    request.keys = KNOWN_KEY;
    request.keyHash = hash;
    counters.replicaAge.record(clock.now - chosen.at);
    const onAgain = (): void => this.#groups.replicaRead(group, 'again');
    request.streamTo(new ReplicaRead(router, client, chosen, router.nodeAt(owner), frame, onAgain));
    return 'replica';
  }

  #noteWrite(writes: Writes, client: ClientConnection, framer: RequestFramer, command: Command, source: Buffer): void {
    const { now } = this.#ports.router.shared.clock;
    const at = command.singleKeyAt;
    if (at !== 0 && at < framer.argc) {
      writes.note(this.#hashOf(source, args.start[at] as number, args.end[at] as number), now);
      return;
    }
    writes.begin(client, now);
    const count = findKeys(command, args, framer.argc, source);
    // Scripts that name no keys, FLUSHALL: or nobody knows which keys.
    if (count <= 0) writes.noteAll(now);
    for (let i = 0; i < count; i++) {
      const key = keyPositions.at[i] as number;
      writes.note(this.#hashOf(source, args.start[key] as number, args.end[key] as number), now);
    }
  }

  #hashOf(source: Buffer, start: number, end: number): number {
    return (this.#ports.router.snapshot as RoutingSnapshot).rings.hashOf(source, start, end);
  }
}

interface Read {
  readonly client: ClientConnection;
  readonly framer: RequestFramer;
  readonly command: Command;
  readonly source: Buffer;
  readonly start: number;
  readonly end: number;
}

/** It reads a key and does nothing else, at a node, at once. Subcommands tell of the server itself (OBJECT FREQ). */
function isPlainRead({ readOnly, route, special, waits, name }: Command): boolean {
  return readOnly && route === 'owner' && special === null && waits === null && !name.includes('|');
}

function mayWrite({ write, readOnly, special }: Command): boolean {
  return write || (!readOnly && special !== null);
}

/** A write must not run before reads that its client has sent in front of it. */
function mustWait(client: ClientConnection): boolean {
  if (client.sourceReads === 0) return false;
  client.raiseBarrier();
  return true;
}
