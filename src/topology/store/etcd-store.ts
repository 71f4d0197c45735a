/**
 * The store of the proxies of a fleet, in etcd (see `etcd/keys.ts` for what stands where).
 *
 * **What is linearizable**: every write; `load` and `isKnownMember`, which read at a majority. `members`, `claims` and
 * `moves` come from a mirror of the ring's prefix that a watch keeps up to date; they know at least what this store has
 * written or loaded before, so that whoever records a fence and then asks for the members misses none of those that were
 * registered before it. What others have written since may be missing for as long as the watch takes, or for as long as
 * etcd is out of reach; every decision on it is a transaction that compares.
 *
 * **Requests without an answer** are repeated until their time is over, and every transaction can tell by what it finds
 * whether an earlier try of its own was carried out. Where even that is not known, it is thrown, and never called a
 * refusal.
 *
 * **The member's id** is given with `register`, and can be another one each time: a proxy that was fenced off registers
 * by a new one, on the same store.
 */
import { randomUUID } from 'node:crypto';
import type { HistoryEntry } from '../../admin/api.js';
import { messageOf } from '../../errors.js';
import {
  type Compare,
  EtcdClient,
  type EtcdClientOptions,
  EtcdError,
  type KeyValue,
  type TxnAnswer,
} from '../../etcd/index.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { Claim, FenceAnswer, FleetMember, MemberInfo, MoveRecord, Revision } from '../state/fleet.js';
import type { RingState } from '../state/ring-state.js';
import { ClaimKeeper } from './etcd/claim-keeper.js';
import { type Clock, systemClock } from './etcd/clock.js';
import { Follower } from './etcd/follower.js';
import { History } from './etcd/history.js';
import { RingKeys } from './etcd/keys.js';
import { MemberLook } from './etcd/member-look.js';
import { Membership } from './etcd/membership.js';
import { Mirror, type Told } from './etcd/mirror.js';
import { OwnLeases } from './etcd/own-leases.js';
import type { EtcdParts } from './etcd/parts.js';
import {
  type MemberRecord,
  readGroups,
  readMaster,
  readMember,
  readRing,
  storedGroups,
  storedMaster,
  storedRing,
  writeGroups,
  writeMaster,
  writeMember,
  writeMove,
  writeRing,
} from './etcd/records.js';
import type { GroupRecords, GroupsRecord, StoredGroups } from './group-records.js';
import type { MasterRecord, MasterRecords, NodeKey, StoredMaster } from './master-records.js';
import type { ClaimPace, RingStore, StoredRing, StoreEvent, Written } from './ring-store.js';

export interface EtcdStoreOptions extends Pick<EtcdClientOptions, 'endpoints' | 'login' | 'tls'> {
  /** What all keys begin with; ends in a slash. */
  readonly prefix: string;
  readonly ringName: string;
  /** Milliseconds; etcd counts in seconds. */
  readonly memberTtl: number;
  /** Told, in a sentence, of what stands in etcd and is not understood. */
  readonly onTrouble: (message: string) => void;
  readonly timers?: Timers;
  readonly clock?: Clock;
}

/** How long what was written by this store may take to be told by its own watch, before it is read. */
const MIRROR_PATIENCE_MS = 100;

/** Two keys each, and etcd takes 128 operations at once. */
const MOST_MEMBERS_AT_ONCE = 50;

interface Listener {
  /** What was written up to here is nothing new to it. */
  from: Revision;
  readonly listener: (event: StoreEvent) => void;
}

export class EtcdStore implements RingStore, GroupRecords, MasterRecords {
  readonly #client: EtcdClient;
  readonly #keys: RingKeys;
  readonly #mirror: Mirror;
  readonly #follower: Follower;
  readonly #membership: Membership;
  readonly #claims: ClaimKeeper;
  readonly #leases = new OwnLeases();
  readonly #history: History;
  readonly #look: MemberLook;
  readonly #listeners = new Set<Listener>();
  /** The newest of the ring's keys that this store has written or loaded. */
  #seen: Revision = 0;
  /** Of the ring, as it was loaded or written last. */
  #ringSeen: Revision = 0;

  constructor(options: EtcdStoreOptions) {
    const { prefix, ringName, memberTtl, onTrouble, timers = systemTimers, clock = systemClock } = options;
    const client = new EtcdClient({ ...options, timers, now: clock.monotonic });
    const keys = new RingKeys(prefix, ringName);
    const parts: EtcdParts = { client, keys, leases: this.#leases, timers, clock };
    this.#client = client;
    this.#keys = keys;
    this.#mirror = new Mirror(keys, (error) => onTrouble(messageOf(error)));
    this.#follower = new Follower(parts, this.#mirror, {
      told: (told) => this.#take(told),
      reset: () => this.#forgetRevisions(),
    });
    const heard = (revision: Revision): void => this.#follower.heard(revision);
    const standing = (): void => this.#tell({ kind: 'standing' }, Number.POSITIVE_INFINITY);
    const doubted = (): void => {
      this.#tell({ kind: 'claims', revision: this.#mirror.revision }, Number.POSITIVE_INFINITY);
    };
    this.#membership = new Membership(parts, memberTtl, { standing, heard });
    this.#claims = new ClaimKeeper(parts, () => this.#membership.lease, { doubted, heard });
    this.#history = new History(client, keys);
    this.#look = new MemberLook(client, keys);
    client.onReachable = standing;
  }

  /**
   * Begins to follow the ring, and goes on trying whatever happens. So where this throws, it may be called again to wait
   * for etcd, or not: who is told of the ring by `watch` is told when etcd is there.
   */
  async open(): Promise<void> {
    await this.#follower.open();
  }

  /** Certificates have changed: what is asked from now on is asked with the new ones. Leases and watches go on. */
  renewTls(): void {
    this.#client.renewTls();
  }

  async close(): Promise<void> {
    await Promise.all([this.#claims.close(), this.#membership.close()]);
    const following = this.#follower.close();
    await this.#client.close();
    await following;
  }

  get validUntil(): number {
    return this.#membership.validUntil;
  }

  get isReachable(): boolean {
    return this.#client.isReachable;
  }

  async load(): Promise<StoredRing | null> {
    const [kv] = (await this.#client.range({ key: this.#keys.ring })).kvs;
    if (kv === undefined) return null;
    this.#ringSeen = Math.max(this.#ringSeen, kv.mod_revision);
    this.#saw(kv.mod_revision);
    return storedRing(kv);
  }

  async compareAndSave(expected: Revision | null, state: RingState, by: Claim): Promise<Written> {
    const { ring } = this.#keys;
    const write = randomUUID();
    const isAsSeen: Compare = expected === null ? { key: ring, is: 'absent' } : { key: ring, writtenBy: expected };
    const { answer, isRepeated } = await this.#client.txn({
      when: [isAsSeen, { key: this.#keys.job(by.job), writtenBy: by.revision }],
      run: [
        { put: ring, value: writeRing({ state, previous: expected, write }) },
        ...this.#keys.movesOfOthers(state.change?.id ?? null).map(({ key, end }) => ({ remove: key, end })),
      ],
      otherwise: [{ read: { key: ring } }],
    });
    const written = answer.succeeded
      ? answer.header.revision
      : isRepeated
        ? writtenBefore(answer, expected, write, readRing)
        : null;
    if (written !== null) this.#ringSeen = Math.max(this.#ringSeen, written);
    return this.#saw(written);
  }

  /** By writing the record beside the ring. */
  async rehearse(state: RingState): Promise<void> {
    const key = this.#keys.trial(randomUUID());
    await this.#client.txn({ run: [{ put: key, value: writeRing({ state, previous: null, write: '' }) }] });
    await this.#client.txn({ run: [{ remove: key }] });
  }

  watch(listener: (event: StoreEvent) => void): () => void {
    const entry: Listener = { from: Math.max(this.#seen, this.#mirror.revision), listener };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  async members(): Promise<readonly FleetMember[]> {
    await this.#upToDate();
    return this.#mirror.members();
  }

  /** By any id: see above. Null also where the id is fenced off: it takes another one. */
  async register(id: string, info: MemberInfo, seen: Revision): Promise<Written> {
    return this.#saw(await this.#membership.register(id, info, seen));
  }

  async deregister(ids: readonly string[]): Promise<void> {
    if (ids.length > MOST_MEMBERS_AT_ONCE) await this.deregister(ids.slice(MOST_MEMBERS_AT_ONCE));
    const some = ids.slice(0, MOST_MEMBERS_AT_ONCE);
    const run = some.flatMap((id) => [{ remove: this.#keys.member(id) }, { remove: this.#keys.aliveness(id) }]);
    if (run.length === 0) return;
    const { answer, isRepeated } = await this.#client.txn({ run });
    const { id } = this.#membership;
    if (id !== null && ids.includes(id)) this.#membership.expel();
    // A transaction that has removed nothing has no revision of its own.
    const isWritten = answer.responses.some(({ response_delete_range: removed }) => (removed?.deleted ?? 0) > 0);
    if (isWritten || isRepeated) this.#saw(answer.header.revision);
  }

  async fenceOff(id: string): Promise<boolean> {
    const isNotAlive: Compare = { key: this.#keys.aliveness(id), is: 'absent' };
    return (await this.#changeMember(id, (member) => ({ ...member, fencedOff: true }), [isNotAlive])) !== null;
  }

  answer(id: string, answer: FenceAnswer): Promise<Written> {
    return this.#changeMember(id, (member) => (member.fencedOff ? null : { ...member, answer }), []);
  }

  async loadGroups(): Promise<StoredGroups | null> {
    const [kv] = (await this.#client.range({ key: this.#keys.groups })).kvs;
    if (kv === undefined) return null;
    this.#saw(kv.mod_revision);
    return storedGroups(kv);
  }

  async saveGroups(expected: Revision | null, record: GroupsRecord): Promise<Written> {
    const { groups } = this.#keys;
    const write = randomUUID();
    const { answer, isRepeated } = await this.#client.txn({
      when: [expected === null ? { key: groups, is: 'absent' } : { key: groups, writtenBy: expected }],
      run: [{ put: groups, value: writeGroups({ record, previous: expected, write }) }],
      otherwise: [{ read: { key: groups } }],
    });
    if (answer.succeeded) return this.#saw(answer.header.revision);
    return this.#saw(isRepeated ? writtenBefore(answer, expected, write, readGroups) : null);
  }

  async loadMaster(node: NodeKey): Promise<StoredMaster | null> {
    const [kv] = (await this.#client.range({ key: this.#keys.master(node) })).kvs;
    if (kv === undefined) return null;
    this.#saw(kv.mod_revision);
    return storedMaster(kv);
  }

  async saveMaster(node: NodeKey, expected: Revision | null, record: MasterRecord): Promise<Written> {
    const key = this.#keys.master(node);
    const write = randomUUID();
    const { answer, isRepeated } = await this.#client.txn({
      when: [expected === null ? { key, is: 'absent' } : { key, writtenBy: expected }],
      run: [{ put: key, value: writeMaster({ record, previous: expected, write }) }],
      otherwise: [{ read: { key } }],
    });
    if (answer.succeeded) return this.#saw(answer.header.revision);
    return this.#saw(isRepeated ? writtenBefore(answer, expected, write, readMaster) : null);
  }

  async forgetMaster(node: NodeKey): Promise<void> {
    await this.#client.txn({ run: [{ remove: this.#keys.master(node) }] });
  }

  async claim(job: string, holder: string, pace: ClaimPace): Promise<Claim | null> {
    const claim = await this.#claims.claim(job, holder, pace);
    this.#saw(claim?.revision ?? null);
    return claim;
  }

  async release(claim: Claim): Promise<void> {
    this.#saw(await this.#claims.release(claim));
  }

  /** Without those of this proxy whose lease has run out as far as it knows. */
  async claims(): Promise<readonly Claim[]> {
    await this.#upToDate();
    return this.#mirror
      .claims()
      .filter(({ lease }) => !this.#leases.isInDoubt(lease))
      .map(({ claim }) => claim);
  }

  async noteMove(change: string, record: MoveRecord, by: Claim): Promise<Written> {
    const { answer } = await this.#client.txn({
      when: [{ key: this.#keys.job(by.job), writtenBy: by.revision }],
      run: [{ put: this.#keys.move(change, record.source), value: writeMove(record) }],
    });
    return this.#saw(answer.succeeded ? answer.header.revision : null);
  }

  async moves(change: string): Promise<readonly MoveRecord[]> {
    await this.#upToDate();
    return this.#mirror.moves(change);
  }

  isKnownMember(id: string): Promise<boolean | null> {
    return this.#look.isKnown(id);
  }

  history(): Promise<readonly HistoryEntry[]> {
    return this.#history.read();
  }

  addHistory(entry: HistoryEntry): Promise<void> {
    return this.#history.add(entry, this.#ringSeen);
  }

  /**
   * Writes a member's record.
   * @param change null: it is not to be changed
   * @param also what else must be so
   * @returns null: it was not changed
   */
  async #changeMember(
    id: string,
    change: (member: MemberRecord) => MemberRecord | null,
    also: readonly Compare[],
  ): Promise<Written> {
    const key = this.#keys.member(id);
    let found = this.#mirror.memberKey(id) ?? (await this.#client.range({ key })).kvs[0];
    for (let isRepeated = false; found !== undefined; ) {
      const next = change(readMember(found));
      if (next === null) return null;
      const value = writeMember(next);
      const done = await this.#client.txn({
        when: [{ key, writtenBy: found.mod_revision }, ...also],
        run: [{ put: key, value }],
        otherwise: [{ read: { key } }],
      });
      if (done.answer.succeeded) return this.#saw(done.answer.header.revision);
      isRepeated ||= done.isRepeated;
      const now: KeyValue | undefined = done.answer.responses[0]?.response_range?.kvs[0];
      // An earlier try was carried out unseen.
      if (isRepeated && now?.value === value) return this.#saw(now.mod_revision);
      if (now?.mod_revision === found.mod_revision) return null;
      found = now;
    }
    return null;
  }

  /** Makes sure that the mirror knows what this store has written or loaded. @throws EtcdError */
  async #upToDate(): Promise<void> {
    const needed = Math.max(this.#seen, 1);
    if (!(await this.#follower.reaches(needed, MIRROR_PATIENCE_MS))) await this.#follower.read();
  }

  /** etcd was restored from a backup, and counts from there: what is written from now on is new to everybody. */
  #forgetRevisions(): void {
    this.#seen = 0;
    this.#ringSeen = 0;
    for (const entry of this.#listeners) entry.from = 0;
  }

  #saw(revision: Written): Written {
    if (revision !== null) this.#seen = Math.max(this.#seen, revision);
    return revision;
  }

  #take(told: readonly Told[]): void {
    const { id, since } = this.#membership;
    if (id !== null && this.#mirror.revision >= since) {
      const own = this.#mirror.member(id);
      // Where etcd has lost the ring, it has lost its members: nobody has passed this one.
      if (own === null ? this.#mirror.hasRing : own.fencedOff) this.#membership.expel();
    }
    for (const { event, revision } of told) this.#tell(event, revision);
  }

  #tell(event: StoreEvent, revision: Revision): void {
    for (const { from, listener } of this.#listeners) if (revision > from) listener(event);
  }
}

/**
 * What became of a record, where a try of before had no answer and the last one was refused.
 * @returns null: it was not carried out, and never will be. @throws EtcdError when that cannot be told
 */
function writtenBefore(
  answer: TxnAnswer,
  expected: Revision | null,
  write: string,
  read: (kv: KeyValue) => { readonly previous: Revision | null; readonly write: string },
): Written {
  const kv = answer.responses[0]?.response_range?.kvs[0];
  if (kv === undefined || kv.mod_revision === expected) return null;
  const record = read(kv);
  if (record.write === write) return kv.mod_revision;
  // Another writer was the next one after what this one has seen.
  if (record.previous === expected) return null;
  throw new EtcdError(
    'ETCD_UNREACHABLE',
    'etcd has not answered whether it was recorded, and others have recorded something else since',
    true,
  );
}
