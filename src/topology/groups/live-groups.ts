/**
 * The groups of keys that this proxy goes by: those that are recorded with the ring; where none are, those of its
 * configuration. Every proxy follows the record, also the one that writes it. Whoever changes a group reads, changes and
 * compares: of two that change different groups at once, both are done.
 */
import type { GroupsChange, GroupsChangeOptions, GroupsPreview, HiddenKeysView } from '../../admin/api.js';
import { fromWritten, toWritten } from '../../config/key-groups.js';
import { RingproxyError } from '../../errors.js';
import type { KeyGroup } from '../../proxy/caching/policy.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import { within } from '../../time/within.js';
import { publishGroups } from '../events.js';
import type { Revision } from '../state/fleet.js';
import type { GroupRecords, StoredGroups } from '../store/group-records.js';
import type { RingRecords } from '../store/ring-store.js';
import { changed, groupDifferences } from './group-changes.js';
import { writtenGroup } from './groups-view.js';
import { describeHidden, type HiddenKeys, hiddenKeys, needsForce } from './hidden-keys.js';

export interface LiveGroupsPorts {
  readonly store: GroupRecords & Pick<RingRecords, 'watch'>;
  /** Of this proxy's configuration. */
  readonly configured: readonly KeyGroup[];
  readonly memberId: () => string;
  /** From now on these are the groups. */
  use(groups: readonly KeyGroup[]): void;
  /** What each place has of these keys. Takes seconds, where there are many. */
  look(hidden: readonly HiddenKeys[]): Promise<HiddenKeysView[]>;
  warn(message: string): void;
  readonly timers?: Timers;
}

/** What this proxy goes by. */
export interface GroupsInForce {
  /** The record; null: nothing was ever recorded. Its groups are null where those of the configuration count. */
  readonly stored: StoredGroups | null;
  readonly groups: readonly KeyGroup[];
}

/** A change, as it would be made of what is recorded. */
interface Plan {
  readonly stored: StoredGroups | null;
  readonly before: readonly KeyGroup[];
  /** Null: as configured. */
  readonly after: readonly KeyGroup[] | null;
  readonly hidden: readonly HiddenKeys[];
}

/** How often it is tried again where somebody else was faster. */
const MOST_TRIES = 10;
/** What was recorded is followed here so much later at most; otherwise it is shown as it was. Milliseconds. */
const REACHED_MS = 2000;

export class LiveGroups {
  readonly #ports: LiveGroupsPorts;
  readonly #timers: Timers;
  /** The record that was told last; null: none was. */
  #stored: StoredGroups | null = null;
  #groups: readonly KeyGroup[];
  /** Clients may be served by what was there before. */
  #isServing = false;
  readonly #waiting = new Set<() => void>();
  readonly #endWatch: () => void;

  /** Follows from now on, so that nothing is missed that is told while the store opens. */
  constructor(ports: LiveGroupsPorts) {
    this.#ports = ports;
    this.#timers = ports.timers ?? systemTimers;
    this.#groups = ports.configured;
    this.#endWatch = ports.store.watch((event) => {
      if (event.kind === 'groups') this.#follow(event.groups);
    });
  }

  /** What this proxy goes by. */
  get inForce(): GroupsInForce {
    return { stored: this.#stored, groups: this.#groups };
  }

  /**
   * Takes what is recorded, before anybody is served.
   * @param known as this proxy knew it last, while the store does not answer; undefined: it does
   * @throws RingproxyError when it cannot be read, or is not understood
   */
  async begin(known?: StoredGroups | null): Promise<void> {
    const stored = known === undefined ? await this.#ports.store.loadGroups() : known;
    if (stored !== null && stored.revision >= (this.#stored?.revision ?? 0)) this.#follow(stored);
    this.#isServing = true;
    const { configured } = this.#ports;
    // Where none are configured, nobody means to have others.
    for (const difference of configured.length === 0 ? [] : groupDifferences(configured, this.#groups)) {
      this.#ports.warn(`the groups of keys that are recorded win over the configuration: ${difference}`);
    }
  }

  /**
   * This proxy has made the ring of what it knew: the groups come with it.
   * @throws RingproxyError when they may not have been recorded
   */
  async found(remembered: StoredGroups | null): Promise<void> {
    if (remembered !== null) await this.#ports.store.saveGroups(null, remembered.record);
  }

  /**
   * Changes the groups of all proxies of the ring.
   * @throws RingproxyError when it is refused, or may not have been recorded
   */
  async change(change: GroupsChange, { force, revision: seen }: GroupsChangeOptions): Promise<void> {
    const { store, memberId } = this.#ports;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const planned = await this.#plan(change, seen);
      if (planned === null) break;
      const { stored, after, hidden } = planned;
      if (!force) refuseHiding(await this.#ports.look(hidden));
      const groups = after === null ? null : toWritten(after);
      const isThere = stored !== null && JSON.stringify(stored.record.groups) === JSON.stringify(groups);
      const record = { groups, by: memberId(), at: new Date().toISOString() };
      const revision = isThere ? stored.revision : await store.saveGroups(stored?.revision ?? null, record);
      if (revision === null) continue;
      await within(REACHED_MS, this.#reached(revision), this.#timers);
      return;
    }
    throw new RingproxyError('GROUPS_CHANGED', 'somebody else has changed the groups of keys meanwhile');
  }

  /**
   * What it would do.
   * @throws RingproxyError when it could not be done whatever is hidden
   */
  async preview(change: GroupsChange, { revision }: Pick<GroupsChangeOptions, 'revision'>): Promise<GroupsPreview> {
    const planned = await this.#plan(change, revision);
    if (planned === null) {
      throw new RingproxyError('GROUPS_CHANGED', 'somebody else has changed the groups of keys meanwhile');
    }
    const { stored, before, after, hidden } = planned;
    const groups = after ?? this.#ports.configured;
    const found = await this.#ports.look(hidden);
    return {
      dryRun: true,
      source: after === null ? 'configuration' : 'ring',
      revision: stored?.revision ?? 0,
      differences: groupDifferences(before, groups),
      groups: groups.map(writtenGroup),
      hidden: found,
      needsForce: needsForce(found),
    };
  }

  /** @param seen what whoever asks has seen; null: whatever there is @returns null: that is not so any more */
  async #plan(change: GroupsChange, seen: Revision | null): Promise<Plan | null> {
    const stored = await this.#ports.store.loadGroups();
    if (seen !== null && seen !== (stored?.revision ?? 0)) return null;
    // Where the store has lost them, those that are known are the last ones.
    const before = this.#before(stored ?? this.#stored, change);
    const after = changed(before, change);
    return { stored, before, after, hidden: hiddenKeys(before, after ?? this.#ports.configured) };
  }

  close(): void {
    this.#endWatch();
  }

  /** What a change begins with. One of all groups, or none, needs nothing of a record that is not understood. */
  #before(stored: StoredGroups | null, { kind }: GroupsChange): readonly KeyGroup[] {
    try {
      return this.#readable(stored);
    } catch (error) {
      if (kind === 'all' || kind === 'reset') return this.#groups;
      throw error;
    }
  }

  /** @throws RingproxyError when it is not understood */
  #readable(stored: StoredGroups | null): readonly KeyGroup[] {
    const written = stored?.record.groups ?? null;
    if (written === null) return this.#ports.configured;
    const read = fromWritten(written);
    if ('groups' in read) return read.groups;
    throw new RingproxyError(
      'RING_RECORD',
      `the groups of keys that are recorded are not understood: ${read.mistakes.join('; ')}`,
      'bring the proxies to the same version of ringproxy, or record others with ringproxy groups apply',
    );
  }

  #follow(stored: StoredGroups): void {
    const before = this.#groups;
    try {
      this.#groups = this.#readable(stored);
    } catch (error) {
      // Of a later version: what is known is better than nothing.
      if (!(error instanceof RingproxyError)) throw error;
      this.#ports.warn(`${error.message}: this proxy goes on by those that it knows`);
    }
    this.#stored = stored;
    this.#ports.use(this.#groups);
    if (this.#isServing) publishGroups(stored, this.#groups, groupDifferences(before, this.#groups));
    for (const wake of this.#waiting) wake();
  }

  /** When this revision is followed here. */
  async #reached(revision: Revision): Promise<void> {
    while ((this.#stored?.revision ?? 0) < revision) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}

function refuseHiding(found: readonly HiddenKeysView[]): void {
  if (needsForce(found)) throw new RingproxyError('HIDES_KEYS', describeHidden(found));
}
