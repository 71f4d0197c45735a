/**
 * The store of a proxy that is alone with its ring. What must outlive it stands in its state directory, when it has one;
 * everything else (leases, claims, what is said to fences) ends with the process, as it should.
 *
 * The directory's lock is the lease: a proxy that ran on it before does not have it any more, and no process takes its id
 * again. So it counts as fenced off, until the nodes have dropped its connections.
 */
import type { HistoryEntry } from '../../admin/api.js';
import {
  type Claim,
  type FenceAnswer,
  type FleetMember,
  isInForce,
  type MemberInfo,
  type MoveRecord,
  mayFenceOff,
  type Revision,
} from '../state/fleet.js';
import { emptyRecord } from '../state/move-records.js';
import type { RingState } from '../state/ring-state.js';
import { afterEverybodyIsGone } from '../state/transitions.js';
import type { GroupRecords, GroupsRecord, StoredGroups } from './group-records.js';
import type { MasterRecord, MasterRecords, NodeKey, StoredMaster } from './master-records.js';
import {
  type ClaimPace,
  HISTORY_LIMIT,
  type RingStore,
  type StoredRing,
  type StoreEvent,
  type Written,
} from './ring-store.js';
import type { KeptMove, StateDir } from './state-dir.js';

/**
 * Between two records a process gives fewer revisions than that to claims and the like, which are not kept: a process
 * that takes the directory begins so much higher.
 */
const REVISIONS_OF_A_PROCESS = 1_000_000;

export class LocalStore implements RingStore, GroupRecords, MasterRecords {
  readonly #proxyId: string;
  readonly #directory: StateDir | null;
  #revision: Revision = 0;
  #ring: StoredRing | null = null;
  #isLoaded = false;
  /** The state that this process has written to the directory last. */
  #kept = '';
  readonly #members = new Map<string, FleetMember>();
  readonly #claims = new Map<string, Claim>();
  /** Of one change, by source. */
  #moves = noMoves('');
  #history: HistoryEntry[] = [];
  /** Undefined: not read yet. Its revisions are its own: a file of its own has them. */
  #groups: StoredGroups | null | undefined = undefined;
  /** Undefined: not read yet. */
  #masters: Map<NodeKey, StoredMaster> | undefined = undefined;
  /** The lock of the directory, or the absence of one, stands for the lease. */
  readonly validUntil = Number.POSITIVE_INFINITY;
  readonly isReachable: boolean = true;
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  /** Writes go one after the other. */
  #writing: Promise<unknown> = Promise.resolve();

  /** @param directory null: nothing outlives the process */
  constructor(proxyId: string, directory: StateDir | null) {
    this.#proxyId = proxyId;
    this.#directory = directory;
  }

  async open(): Promise<void> {
    await this.#directory?.open();
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    this.#claims.clear();
    await this.#directory?.close();
  }

  async load(): Promise<StoredRing | null> {
    if (this.#isLoaded) return this.#ring;
    const kept = (await this.#directory?.load()) ?? null;
    this.#history = (await this.#directory?.history.load()) ?? [];
    this.#isLoaded = true;
    if (kept === null) return null;
    this.#revision = kept.revision + REVISIONS_OF_A_PROCESS;
    this.#ring = { revision: kept.revision, state: kept.state };
    for (const move of kept.moves) {
      this.#moves.bySource.set(move.source, { ...emptyRecord(move.source), ...move });
    }
    this.#moves = { ...this.#moves, change: kept.state.change?.id ?? '' };
    for (const id of kept.proxies)
      this.#members.set(id, { id, alive: false, fencedOff: true, answer: null, info: null });
    return this.#ring;
  }

  compareAndSave(expected: Revision | null, state: RingState, by: Claim): Promise<Written> {
    return this.#exclusively(async () => {
      await this.load();
      if ((this.#ring?.revision ?? null) !== expected) return null;
      if (!isInForce(by, this.#claims.get(by.job) ?? null)) return null;
      const revision = this.#next();
      if (this.#moves.change !== state.change?.id) this.#moves = noMoves(state.change?.id ?? '');
      await this.#keep(revision, state);
      const ring = { revision, state };
      this.#ring = ring;
      if (this.#moves.change !== state.change?.id) this.#moves = { change: '', bySource: new Map() };
      this.#tell({ kind: 'ring', ring });
      return revision;
    });
  }

  async rehearse(state: RingState): Promise<void> {
    await this.#directory?.rehearse({
      revision: this.#revision,
      proxies: this.#proxies(),
      moves: this.#movesToKeep(),
      state,
    });
  }

  watch(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  members(): Promise<readonly FleetMember[]> {
    return Promise.resolve([...this.#members.values()]);
  }

  register(id: string, info: MemberInfo, seen: Revision): Promise<Written> {
    return this.#exclusively(async () => {
      if (this.#ring === null || this.#ring.revision !== seen) return null;
      if (this.#members.get(id)?.fencedOff === true) return null;
      const revision = this.#next();
      await this.#keep(revision, this.#ring.state);
      this.#members.set(id, { id, alive: true, fencedOff: false, answer: null, info });
      this.#tell({ kind: 'members', revision });
      return revision;
    });
  }

  /** Kept with the next record: should a process that ends before find them again, it has them dropped again. */
  deregister(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#members.delete(id);
    this.#tell({ kind: 'members', revision: this.#next() });
    return Promise.resolve();
  }

  fenceOff(id: string): Promise<boolean> {
    const member = this.#members.get(id);
    if (member === undefined || !(member.fencedOff || mayFenceOff(member))) return Promise.resolve(false);
    this.#members.set(id, { ...member, fencedOff: true });
    this.#tell({ kind: 'members', revision: this.#next() });
    return Promise.resolve(true);
  }

  answer(id: string, answer: FenceAnswer): Promise<Written> {
    const member = this.#members.get(id);
    if (member === undefined || member.fencedOff) return Promise.resolve(null);
    this.#members.set(id, { ...member, answer });
    const revision = this.#next();
    this.#tell({ kind: 'members', revision });
    return Promise.resolve(revision);
  }

  claim(job: string, holder: string, _pace: ClaimPace): Promise<Claim | null> {
    const held = this.#claims.get(job);
    if (held !== undefined && held.holder !== holder) return Promise.resolve(null);
    const claim = { job, holder, revision: this.#next(), since: new Date().toISOString() };
    this.#claims.set(job, claim);
    this.#tell({ kind: 'claims', revision: claim.revision });
    return Promise.resolve(claim);
  }

  release(claim: Claim): Promise<void> {
    if (isInForce(claim, this.#claims.get(claim.job) ?? null)) {
      this.#claims.delete(claim.job);
      this.#tell({ kind: 'claims', revision: this.#next() });
    }
    return Promise.resolve();
  }

  claims(): Promise<readonly Claim[]> {
    return Promise.resolve([...this.#claims.values()]);
  }

  noteMove(change: string, record: MoveRecord, by: Claim): Promise<Written> {
    return this.#exclusively(async () => {
      if (!isInForce(by, this.#claims.get(by.job) ?? null)) return null;
      // Of a change that is over nothing is news.
      const running = this.#ring?.state.change?.id ?? change;
      if (running !== change) return null;
      if (this.#moves.change !== change) this.#moves = noMoves(change);
      const revision = this.#next();
      const { bySource } = this.#moves;
      const before = bySource.get(record.source);
      bySource.set(record.source, record);
      try {
        if (this.#ring !== null) await this.#keep(revision, this.#ring.state);
      } catch (error) {
        if (before === undefined) bySource.delete(record.source);
        else bySource.set(record.source, before);
        throw error;
      }
      this.#tell({ kind: 'moves', revision });
      return revision;
    });
  }

  moves(change: string): Promise<readonly MoveRecord[]> {
    return Promise.resolve(this.#moves.change === change ? [...this.#moves.bySource.values()] : []);
  }

  isKnownMember(id: string): Promise<boolean | null> {
    return Promise.resolve(this.#members.get(id)?.fencedOff === false);
  }

  history(): Promise<readonly HistoryEntry[]> {
    return Promise.resolve([...this.#history]);
  }

  async addHistory(entry: HistoryEntry): Promise<void> {
    this.#history = [...this.#history, entry].slice(-HISTORY_LIMIT);
    await this.#directory?.history.save(this.#history);
  }

  async loadGroups(): Promise<StoredGroups | null> {
    if (this.#groups === undefined) this.#groups = (await this.#directory?.groups.load()) ?? null;
    return this.#groups;
  }

  saveGroups(expected: Revision | null, record: GroupsRecord): Promise<Written> {
    return this.#exclusively(async () => {
      const seen = (await this.loadGroups())?.revision ?? null;
      if (seen !== expected) return null;
      const groups = { revision: (seen ?? 0) + 1, record };
      await this.#directory?.groups.save(groups);
      this.#groups = groups;
      this.#tell({ kind: 'groups', groups });
      return groups.revision;
    });
  }

  async loadMaster(node: NodeKey): Promise<StoredMaster | null> {
    return (await this.#readMasters()).get(node) ?? null;
  }

  saveMaster(node: NodeKey, expected: Revision | null, record: MasterRecord): Promise<Written> {
    return this.#exclusively(async () => {
      const masters = await this.#readMasters();
      const seen = masters.get(node)?.revision ?? null;
      if (seen !== expected) return null;
      const master = { revision: (seen ?? 0) + 1, record };
      await this.#directory?.masters.save(new Map(masters).set(node, master));
      masters.set(node, master);
      this.#tell({ kind: 'master', node, master });
      return master.revision;
    });
  }

  forgetMaster(node: NodeKey): Promise<void> {
    return this.#exclusively(async () => {
      const masters = await this.#readMasters();
      if (!masters.delete(node)) return;
      await this.#directory?.masters.save(masters);
      this.#tell({ kind: 'master', node, master: null });
    });
  }

  async #readMasters(): Promise<Map<NodeKey, StoredMaster>> {
    this.#masters ??= (await this.#directory?.masters.load()) ?? new Map<NodeKey, StoredMaster>();
    return this.#masters;
  }

  /**
   * A fence needs no room on a disk: it would not outlive its process. So none waits for the disk before it is raised or
   * when it is given up, and a disk that is full keeps no key held.
   */
  async #keep(revision: Revision, state: RingState): Promise<void> {
    const lasting = afterEverybodyIsGone(state);
    const moves = this.#movesToKeep();
    const text = JSON.stringify([lasting, moves]);
    if (text === this.#kept) return;
    await this.#directory?.save({ revision, proxies: this.#proxies(), moves, state: lasting });
    this.#kept = text;
  }

  #movesToKeep(): KeptMove[] {
    return [...this.#moves.bySource.values()].flatMap(({ source, keysDropped, processes }) =>
      keysDropped > 0 || processes.length > 0 ? [{ source, keysDropped, processes }] : [],
    );
  }

  /** Whose connections the nodes may have; this proxy's as soon as it serves. */
  #proxies(): string[] {
    const others = [...this.#members.keys()].filter((id) => id !== this.#proxyId);
    return [...others, this.#proxyId];
  }

  #next(): Revision {
    this.#revision++;
    return this.#revision;
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#writing.then(work, work);
    this.#writing = result.catch(() => {});
    return result;
  }

  #tell(event: StoreEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** How far the sources of a change are, by their names. */
function noMoves(change: string): { readonly change: string; readonly bySource: Map<string, MoveRecord> } {
  return { change, bySource: new Map() };
}
