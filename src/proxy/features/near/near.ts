/**
 * `near`: what clients read of a group's keys is kept in this process, and answered from here until it changes.
 *
 *   read ─▶ kept, fresh ──────────────────────────▶ reply
 *        ├▶ kept, unsure ─▶ node, or waits for its node's feed (`reads.ts`)
 *        └▶ not kept ─▶ node; the second time with PTTL, and kept (`fill.ts`)
 *   write, script, EXEC ─▶ what is kept of its keys ends, and nothing of them is kept until it is answered (`touches.ts`)
 *   a node's feed ─▶ what has changed ends (`invalidations`)
 *
 * Through one process a client reads its own writes, and never goes back in time:
 * - What is kept of a key ends when a write of ours to it is sent. What is read while the write is on its way is not kept,
 *   since it may have run before it (`in-flight.ts`).
 * - What is kept is served when its node has said that all changes until then were told: it is asked behind the reply. So
 *   no change is on its way that the reply has overtaken, or that came between the reply and its time to live.
 * - A client that has read a key from its node may know a later value: what is kept of the key is then confirmed anew,
 *   unless it says the same (`node-read.ts`).
 * - A client to which a node's reply on the key is still to come is answered by the node.
 *
 * Of others' writes it is late by what a feed takes, and by no more than `near-ttl`; nothing is served beyond its time to
 * live. A feed that is lost, or not heard for a while, a node that leaves and a key that moves end what they concern.
 */
import type { Command } from '../../../commands/command.js';
import type { CommandTable } from '../../../commands/table.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { Subscriber, Subscription } from '../../invalidations/invalidations.js';
import type { KeyGroups } from '../../measure/key-groups.js';
import type { Verdict } from '../../request/verdict.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { PASS, type PolicyStep } from '../policies.js';
import { InFlight } from './in-flight.js';
import { Keeper } from './keeper.js';
import { Mget } from './mget.js';
import { NearNodes } from './near-nodes.js';
import type { NearPorts } from './ports.js';
import { Reads } from './reads.js';
import { HitRun } from './run.js';
import { OVER } from './store/judge.js';
import { keyHashOf, NearStore } from './store/near-store.js';
import { Touches } from './touches.js';
import { Waiters } from './waiters.js';

/** By ticks, of which there are ten a second. */
const FORGET_TICKS = 50;
const VERSION_TICKS = 10;
/** Prefixes that are listened to before those that nobody needs are given up. */
const MOST_HEARD = 500;
/** Buckets of kept replies that are looked at in a tick. */
const SWEPT = 2048;
/** A machine that slept, or whose clock was set, by more than this has other times of expiry than ours. Milliseconds. */
const MOST_DRIFT_MS = 500;

export class Near implements PolicyStep, Subscriber {
  readonly #ports: NearPorts;
  readonly #groups: KeyGroups;
  readonly #nodes = new NearNodes();
  readonly #inFlight = new InFlight();
  readonly #keeper: Keeper;
  readonly #waiters = new Waiters();
  readonly #touches: Touches;
  readonly #reads: Reads;
  readonly #mget: Mget;
  readonly #run: HitRun;
  #subscription: Subscription | null = null;
  #prefixes: readonly string[] = [];
  /** Rows have numbers by their table. */
  #table: CommandTable;
  /** What answers a part of MGET by itself. */
  #partRow: Command | undefined;
  #fieldsMayEnd = true;
  #ticks = 0;
  #drift = Number.NaN;

  constructor(ports: NearPorts) {
    const { router, invalidations } = ports;
    this.#ports = ports;
    this.#groups = router.shared.counters.groups;
    this.#table = router.table;
    this.#partRow = partOf(router.table);
    this.#keeper = new Keeper(this.#inFlight, this.#nodes, router.shared.requests, (node) =>
      invalidations.barrier(node),
    );
    this.#touches = new Touches(this.#groups, this.#keeper);
    this.#reads = new Reads(ports, this.#keeper, this.#waiters);
    this.#mget = new Mget(ports, this.#reads, this.#touches, this.#waiters);
    this.#run = new HitRun(router.shared.counters, this.#reads);
    this.onGroups();
  }

  /** What keys that it hears of begin with. */
  get prefixes(): readonly string[] {
    return this.#prefixes;
  }

  /** Kept replies of a group, by its number, and their bytes. */
  entriesOf(group: number): number {
    return this.#keeper.store?.entriesOf(group) ?? 0;
  }

  bytesOf(group: number): number {
    return this.#keeper.store?.bytesOf(group) ?? 0;
  }

  /** Answers a read of one key from what is kept, when it can at once. @returns whether it did */
  serve(client: ClientConnection, framer: RequestFramer, command: Command, source: Buffer): boolean {
    const { store } = this.#keeper;
    const policy = this.#groups.policyAtHand;
    // Whether it is early enough to fill the key anew is looked at by `dispatch`.
    if (store === null || policy?.cache !== 'near' || policy.earlyRefresh || command.nearRead === 'never') return false;
    if (this.#table !== this.#ports.router.table) return false;
    return this.#reads.serve(client, framer, command, source, store);
  }

  /**
   * Answers what comes behind a read that `serve` has answered, as far as it is like that and kept as well.
   * @param most commands
   * @returns the offset behind the last one, of `served` commands
   */
  serveRun(
    client: ClientConnection,
    framer: RequestFramer,
    command: Command,
    buffer: Buffer,
    start: number,
    end: number,
    most: number,
  ): number {
    const { store } = this.#keeper;
    return store === null ? start : this.#run.serve(client, framer, command, store, buffer, start, end, most);
  }

  /** How many commands the last run has answered. */
  get served(): number {
    return this.#run.length;
  }

  dispatch(client: ClientConnection, framer: RequestFramer, command: Command, source: Buffer): Verdict | typeof PASS {
    const { store } = this.#keeper;
    if (store === null) return PASS;
    if (this.#table !== this.#ports.router.table) this.#useTable();
    const at = command.singleKeyAt;
    if (at === 0 || at >= framer.argc) {
      const partRow = this.#partRow;
      if (partRow !== undefined && command.cacheRead === 'array' && command.splitStep === 1) {
        return this.#mget.read(client, framer, command, partRow, source, store);
      }
      this.#touches.note(command, framer.argc, source);
      return PASS;
    }
    const policy = this.#groups.policyAtHand;
    if (policy?.cache !== 'near') return PASS;
    const { nearRead } = command;
    const mayKeep = nearRead === 'always' || (nearRead === 'while fields last' && !this.#fieldsMayEnd);
    if (mayKeep && policy.nearTtl > 0) {
      return this.#reads.read(client, framer, command, source, store, policy);
    }
    this.#touches.noteKey(command, source, args.start[at] as number, args.end[at] as number);
    return PASS;
  }

  /** The client sends EXEC. */
  onExec(client: ClientConnection): void {
    if (this.#keeper.store === null) return;
    const queued = this.#ports.queuedBy(client);
    if (queued !== null) this.#touches.noteQueued(queued);
  }

  /** The client begins to send a large value of the key. */
  onUpload(source: Buffer, start: number, end: number): void {
    if (this.#keeper.store === null || this.#groups.policyOf(source, start, end)?.cache !== 'near') return;
    this.#touches.noteWrite(keyHashOf(source, start, end));
  }

  onGroups(): void {
    this.#keeper.endAll();
    this.#keeper.store?.clear();
    this.#listen([]);
  }

  /** Other keys have policies of their own. @param gone those that have none any more */
  onKeys(gone: readonly Buffer[]): void {
    for (const key of gone) this.#onChanged(key);
    // A node takes no prefix back without a moment in which nothing is heard, which ends all that is kept.
    this.#listen(this.#prefixes.length > MOST_HEARD ? [] : this.#prefixes);
  }

  /** @param heard what is listened to, and stays so */
  #listen(heard: readonly string[]): void {
    const groups = this.#groups.groups.filter(({ policy }) => policy?.cache === 'near');
    const prefixes = groups.flatMap((group) => group.prefixes.map((prefix) => Buffer.from(prefix)));
    const wanted = [...prefixes, ...this.#groups.keysWithPolicies].map((bytes) => bytes.toString('latin1'));
    this.#prefixes = wanted.length === 0 ? [] : [...new Set([...wanted, ...heard])];
    if (wanted.length === 0) {
      this.#subscription?.end();
      this.#subscription = null;
      this.#keeper.store = null;
      this.#waiters.resumeAll();
      return;
    }
    if (this.#keeper.store === null && this.#ports.memory > 0) this.#keeper.store = new NearStore(this.#ports.memory);
    if (this.#subscription === null) this.#subscription = this.#ports.invalidations.subscribe(this);
    else this.#subscription.listen(this.#prefixes);
  }

  onInvalidated(keys: readonly Buffer[] | null, node: UpstreamNode): void {
    if (keys === null) {
      this.#nodes.end(node);
      this.#waiters.resumeAll();
      return;
    }
    this.#ports.router.shared.counters.near.invalidations += keys.length;
    for (const key of keys) this.#onChanged(key);
  }

  #onChanged(key: Buffer): void {
    const keyHash = keyHashOf(key, 0, key.length);
    this.#inFlight.onChanged(keyHash);
    this.#keeper.endKey(keyHash);
  }

  onFeedChanged(): void {
    this.#waiters.resumeAll();
  }

  onHeard(node: UpstreamNode, barrier: number, askedAt: number): void {
    this.#nodes.onHeard(node, barrier, askedAt);
    const { counters, clock } = this.#ports.router.shared;
    counters.near.lag.record(clock.now - askedAt);
    this.#waiters.resumeAll();
  }

  /** There is another snapshot. */
  onPublish(nodes: readonly UpstreamNode[]): void {
    this.#reads.onPublish();
    this.#nodes.keepOnly(nodes);
  }

  /** The client has left. */
  forget(client: ClientConnection): void {
    this.#waiters.forget(client);
  }

  /** Called about ten times a second. @param now by the clock */
  tick(now: number): void {
    const { store } = this.#keeper;
    if (store === null) return;
    this.#waiters.resumeAll();
    if (this.#ticks % VERSION_TICKS === 0) this.#fieldsMayEnd = this.#ports.fieldsMayEnd();
    // The clock stands still while the machine sleeps; the nodes' does not.
    const drift = Date.now() - now;
    if (Math.abs(drift - this.#drift) > MOST_DRIFT_MS) this.#keeper.endAll();
    this.#drift = drift;
    store.sweep(SWEPT, (record) => this.#reads.judge(store, record) === OVER);
    if (++this.#ticks % FORGET_TICKS !== 0) return;
    this.#reads.forgetSeen();
    store.forgetGhosts();
  }

  /** Commands are other numbers from now on. */
  #useTable(): void {
    this.#table = this.#ports.router.table;
    this.#partRow = partOf(this.#table);
    this.#keeper.endAll();
    this.#keeper.store?.clear();
  }
}

/** The command that answers what is an element of an array read's reply. */
function partOf(table: CommandTable): Command | undefined {
  for (const row of table.rows()) {
    if (row.cacheRead === 'key' && row.nearRead === 'always' && row.arity === 2) return row;
  }
  return undefined;
}
