/**
 * What etcd keeps for a ring, simulated, and a proxy's way to it: requests that take time and may be lost, leases that
 * run out, watches that break and go on. It passes the contract tests of every store.
 */
import type { HistoryEntry } from '../../../src/admin/api.js';
import { monotonicNow } from '../../../src/time/monotonic.js';
import {
  type Claim,
  type FenceAnswer,
  type FleetMember,
  isInForce,
  type MemberInfo,
  type MoveRecord,
  mayFenceOff,
  type Revision,
} from '../../../src/topology/state/fleet.js';
import type { RingState } from '../../../src/topology/state/ring-state.js';
import {
  type ClaimPace,
  COORDINATOR,
  type RingStore,
  type StoredRing,
  type StoreEvent,
  type Written,
} from '../../../src/topology/store/ring-store.js';
import type { SimulatedProcess, World } from './world.js';

export const ETCD = 'etcd';

export const MEMBER_TTL_MS = 10_000;
const QUICK_TTL_MS = 3000;
/** Leases are renewed three times as often as they must be. */
const RENEWALS = 3;
const REQUEST_MS = 2000;
/** How often a watch that may have broken is looked after. */
const RESYNC_MS = 1000;
const HISTORY_LIMIT = 1000;

interface Held extends Claim {
  readonly owner: object;
  readonly pace: ClaimPace;
}

/** What two leases of a proxy's store are known by; a new one after each that has run out. */
interface Lease {
  readonly owner: object;
  expiresAt: number;
}

/** The one etcd. Whatever is asked of it happens at once. */
export class SimulatedEtcd {
  readonly #world: World;
  revision: Revision = 0;
  ring: StoredRing | null = null;
  /** Of whom the ring was written, by their claims' revisions: to be looked at by the test. */
  readonly writers: { readonly revision: Revision; readonly claim: Revision }[] = [];
  readonly members = new Map<string, Omit<FleetMember, 'alive'>>();
  /** By owner: which member is alive by its lease. */
  readonly #alive = new Map<object, string | null>();
  readonly #leases = new Map<string, Lease>();
  #claims = new Map<string, Held>();
  #moves = new Map<string, Map<string, MoveRecord>>();
  #history: readonly HistoryEntry[] = [];
  readonly log: StoreEvent[] = [];
  readonly #watchers = new Set<() => void>();
  /** What was asked of it. */
  requests = 0;
  /** The members, as long as none changes. */
  #list: readonly FleetMember[] | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  watch(told: () => void): () => void {
    this.#watchers.add(told);
    return () => this.#watchers.delete(told);
  }

  isAlive(id: string): boolean {
    return this.list().some((member) => member.id === id && member.alive);
  }

  list(): readonly FleetMember[] {
    if (this.#list === null) {
      const alive = new Set(this.#alive.values());
      this.#list = [...this.members.values()].map((member) => ({ ...member, alive: alive.has(member.id) }));
    }
    return this.#list;
  }

  /** Renews a lease. @returns false when it has run out */
  renew(owner: object, name: string, ttl: number): boolean {
    const lease = this.#leases.get(name);
    if (lease === undefined || lease.owner !== owner) return false;
    lease.expiresAt = this.#world.now + ttl;
    return true;
  }

  grant(owner: object, name: string, ttl: number): void {
    const lease = { owner, expiresAt: this.#world.now + ttl };
    this.#leases.set(name, lease);
    const look = (): void => {
      if (this.#leases.get(name) !== lease) return;
      if (this.#world.now >= lease.expiresAt) this.revoke(name);
      else this.#world.after(lease.expiresAt - this.#world.now, look);
    };
    this.#world.after(ttl, look);
  }

  /** What stood under the lease is gone. */
  revoke(name: string): void {
    const lease = this.#leases.get(name);
    if (lease === undefined) return;
    this.#leases.delete(name);
    const pace: ClaimPace = name.startsWith('quick ') ? 'quick' : 'slow';
    for (const [job, held] of [...this.#claims]) {
      if (held.owner !== lease.owner || held.pace !== pace) continue;
      this.#claims.delete(job);
      this.#tell('claims');
    }
    if (pace === 'slow' && this.#alive.get(lease.owner) != null) {
      this.#alive.delete(lease.owner);
      this.#tell('members');
    }
  }

  setAlive(owner: object, id: string): void {
    this.#alive.set(owner, id);
    this.#tell('members');
  }

  save(expected: Revision | null, state: RingState, by: Claim): Written {
    if ((this.ring?.revision ?? null) !== expected) return null;
    if (!isInForce(by, this.#claims.get(COORDINATOR) ?? null) || by.job !== COORDINATOR) return null;
    const revision = ++this.revision;
    this.ring = { revision, state };
    this.writers.push({ revision, claim: by.revision });
    for (const change of this.#moves.keys()) if (change !== state.change?.id) this.#moves.delete(change);
    this.#append({ kind: 'ring', ring: this.ring });
    return revision;
  }

  register(owner: object, id: string, info: MemberInfo, seen: Revision): Written {
    if (this.ring === null || this.ring.revision !== seen) return null;
    if (this.members.get(id)?.fencedOff === true) return null;
    this.members.set(id, { id, fencedOff: false, answer: null, info });
    this.#alive.set(owner, id);
    return this.#tell('members');
  }

  deregister(ids: readonly string[]): void {
    for (const id of ids) this.members.delete(id);
    this.#tell('members');
  }

  fenceOff(id: string): boolean {
    const member = this.members.get(id);
    if (member === undefined || !(member.fencedOff || mayFenceOff({ ...member, alive: this.isAlive(id) }))) {
      return false;
    }
    this.members.set(id, { ...member, fencedOff: true });
    this.#tell('members');
    return true;
  }

  answer(id: string, answer: FenceAnswer): Written {
    const member = this.members.get(id);
    if (member === undefined || member.fencedOff) return null;
    this.members.set(id, { ...member, answer });
    return this.#tell('members');
  }

  claim(owner: object, job: string, holder: string, pace: ClaimPace, since: string): Claim | null {
    const held = this.#claims.get(job);
    if (held !== undefined && held.holder !== holder) return null;
    const claim = { owner, job, holder, pace, since, revision: ++this.revision };
    this.#claims.set(job, claim);
    this.#append({ kind: 'claims', revision: claim.revision });
    return this.#shown(claim);
  }

  release(claim: Claim): void {
    if (!isInForce(claim, this.#claims.get(claim.job) ?? null)) return;
    this.#claims.delete(claim.job);
    this.#tell('claims');
  }

  claims(): Claim[] {
    return [...this.#claims.values()].map((held) => this.#shown(held));
  }

  inForce(job: string): Claim | null {
    const held = this.#claims.get(job);
    return held === undefined ? null : this.#shown(held);
  }

  noteMove(change: string, record: MoveRecord, by: Claim): Written {
    if (!isInForce(by, this.#claims.get(by.job) ?? null)) return null;
    const records = this.#moves.get(change) ?? new Map<string, MoveRecord>();
    this.#moves.set(change, records.set(record.source, record));
    return this.#tell('moves');
  }

  moves(change: string): MoveRecord[] {
    return [...(this.#moves.get(change)?.values() ?? [])];
  }

  history(): readonly HistoryEntry[] {
    return this.#history;
  }

  addHistory(entry: HistoryEntry): void {
    this.#history = [...this.#history, entry].slice(-HISTORY_LIMIT);
  }

  #shown({ owner: _owner, pace: _pace, ...claim }: Held): Claim {
    return claim;
  }

  #tell(kind: 'members' | 'claims' | 'moves'): Revision {
    this.#list = null;
    const revision = ++this.revision;
    this.#append({ kind, revision });
    return revision;
  }

  #append(event: StoreEvent): void {
    this.log.push(event);
    for (const told of this.#watchers) told();
  }
}

/** A proxy's store. */
export class SimulatedStore implements RingStore {
  readonly #etcd: SimulatedEtcd;
  readonly #process: SimulatedProcess;
  readonly #timers: SimulatedProcess['timers'];
  /** Each with what of the log it was there for. */
  readonly #listeners = new Map<(event: StoreEvent) => void, number>();
  /** What of etcd's log was told here. */
  #told = 0;
  #owner: object = {};
  #quickOwner: object | null = null;
  #id: string | null = null;
  #validUntil = Number.NEGATIVE_INFINITY;
  #isReachable = false;
  #quick = 0;
  readonly #ends: (() => void)[] = [];

  constructor(etcd: SimulatedEtcd, process: SimulatedProcess) {
    this.#etcd = etcd;
    this.#process = process;
    this.#timers = process.timers;
  }

  get validUntil(): number {
    // Whoever compares asks the machine's own clock.
    return monotonicNow() + this.#validUntil - this.#timers.now();
  }

  get isReachable(): boolean {
    return this.#isReachable;
  }

  /** By the simulated clock. */
  get holds(): boolean {
    return this.#timers.now() < this.#validUntil;
  }

  async open(): Promise<void> {
    this.#told = this.#etcd.log.length;
    await this.#renewMember();
    this.#ends.push(this.#timers.every(MEMBER_TTL_MS / RENEWALS, () => void this.#renewMember().catch(() => {})));
    this.#ends.push(this.#timers.every(QUICK_TTL_MS / RENEWALS, () => void this.#renewQuick().catch(() => {})));
    this.#ends.push(this.#timers.every(RESYNC_MS, () => void this.#pull()));
    this.#ends.push(this.#etcd.watch(() => this.#push()));
  }

  async close(): Promise<void> {
    this.end();
    await this.#ask(() => {
      this.#etcd.revoke(this.#quickLease);
      this.#etcd.revoke(this.#memberLease);
    }).catch(() => {});
  }

  /** As with the end of its process. */
  end(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#listeners.clear();
  }

  load(): Promise<StoredRing | null> {
    return this.#ask(() => this.#etcd.ring);
  }

  compareAndSave(expected: Revision | null, state: RingState, by: Claim): Promise<Written> {
    return this.#ask(() => this.#etcd.save(expected, state, by));
  }

  async rehearse(): Promise<void> {
    await this.#ask(() => {});
  }

  watch(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.set(listener, this.#etcd.log.length);
    return () => this.#listeners.delete(listener);
  }

  members(): Promise<readonly FleetMember[]> {
    return this.#ask(() => this.#etcd.list());
  }

  async register(id: string, info: MemberInfo, seen: Revision): Promise<Written> {
    const written = await this.#ask(() => this.#etcd.register(this.#owner, id, info, seen));
    if (written === null) return null;
    this.#id = id;
    await this.#renewMember();
    return written;
  }

  deregister(ids: readonly string[]): Promise<void> {
    return this.#ask(() => this.#etcd.deregister(ids));
  }

  fenceOff(id: string): Promise<boolean> {
    return this.#ask(() => this.#etcd.fenceOff(id));
  }

  answer(id: string, answer: FenceAnswer): Promise<Written> {
    return this.#ask(() => this.#etcd.answer(id, answer));
  }

  async claim(job: string, holder: string, pace: ClaimPace): Promise<Claim | null> {
    if (pace === 'quick') await this.#grantQuick();
    const claim = await this.#ask(() => {
      const owner = pace === 'quick' ? this.#quickOwner : this.#owner;
      return owner === null ? null : this.#etcd.claim(owner, job, holder, pace, new Date(0).toISOString());
    });
    if (claim !== null && pace === 'quick') this.#quick++;
    return claim;
  }

  release(claim: Claim): Promise<void> {
    return this.#ask(() => this.#etcd.release(claim));
  }

  claims(): Promise<readonly Claim[]> {
    return this.#ask(() => this.#etcd.claims());
  }

  noteMove(change: string, record: MoveRecord, by: Claim): Promise<Written> {
    return this.#ask(() => this.#etcd.noteMove(change, record, by));
  }

  moves(change: string): Promise<readonly MoveRecord[]> {
    return this.#ask(() => this.#etcd.moves(change));
  }

  isKnownMember(id: string): Promise<boolean | null> {
    return this.#ask(() => this.#etcd.members.get(id)?.fencedOff === false).catch(() => null);
  }

  history(): Promise<readonly HistoryEntry[]> {
    return this.#ask(() => this.#etcd.history());
  }

  addHistory(entry: HistoryEntry): Promise<void> {
    return this.#ask(() => this.#etcd.addHistory(entry));
  }

  get #memberLease(): string {
    return `slow ${this.#process.name}`;
  }

  get #quickLease(): string {
    return `quick ${this.#process.name}`;
  }

  async #ask<T>(answer: () => T): Promise<T> {
    this.#etcd.requests++;
    try {
      const value = await this.#process.ask(ETCD, answer, REQUEST_MS);
      this.#isReachable = true;
      return value;
    } catch (error) {
      this.#isReachable = false;
      throw error;
    }
  }

  async #renewMember(): Promise<void> {
    const sent = this.#timers.now();
    const owner = this.#owner;
    const id = this.#id;
    // A member that was fenced off or forgotten meanwhile is alive no more.
    const isMember = (): boolean => id !== null && this.#etcd.members.get(id)?.fencedOff === false;
    let isValid = await this.#ask(() => this.#etcd.renew(owner, this.#memberLease, MEMBER_TTL_MS) && isMember());
    if (!isValid && !(await this.#ask(() => this.#etcd.renew(owner, this.#memberLease, MEMBER_TTL_MS)))) {
      const next = {};
      this.#owner = next;
      isValid = await this.#ask(() => {
        this.#etcd.grant(next, this.#memberLease, MEMBER_TTL_MS);
        if (id !== null && isMember()) this.#etcd.setAlive(next, id);
        return isMember();
      });
    }
    if (!isValid) return;
    this.#validUntil = sent + MEMBER_TTL_MS;
    for (const listener of [...this.#listeners.keys()]) listener({ kind: 'standing' });
  }

  async #grantQuick(): Promise<void> {
    if (this.#quickOwner !== null) {
      const owner = this.#quickOwner;
      if (await this.#ask(() => this.#etcd.renew(owner, this.#quickLease, QUICK_TTL_MS))) return;
    }
    const owner = {};
    await this.#ask(() => this.#etcd.grant(owner, this.#quickLease, QUICK_TTL_MS));
    this.#quickOwner = owner;
  }

  async #renewQuick(): Promise<void> {
    const owner = this.#quickOwner;
    if (owner === null || this.#quick === 0) return;
    await this.#ask(() => this.#etcd.renew(owner, this.#quickLease, QUICK_TTL_MS));
  }

  /** Something was written: it is told here unless the way is cut. */
  #push(): void {
    const until = this.#etcd.log.length;
    this.#process.world.send(ETCD, this.#process.name, () => this.#process.take(() => this.#tell(until)));
  }

  /** What was missed while the way was cut. */
  async #pull(): Promise<void> {
    if (this.#told === this.#etcd.log.length) return;
    const until = await this.#ask(() => this.#etcd.log.length).catch(() => this.#told);
    this.#tell(until);
  }

  #tell(until: number): void {
    while (this.#told < until) {
      const at = this.#told++;
      const event = this.#etcd.log[at];
      if (event === undefined) continue;
      for (const [listener, from] of [...this.#listeners]) if (at >= from) listener(event);
    }
  }
}
