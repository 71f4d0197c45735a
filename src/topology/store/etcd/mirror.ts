/** What stands under a ring's prefix, as far as it was read and told; pure. */
import type { KeyValue, WatchEvent } from '../../../etcd/index.js';
import type { Claim, FleetMember, MoveRecord, Revision } from '../../state/fleet.js';
import type { StoreEvent } from '../ring-store.js';
import type { KeyKind, RingKeys } from './keys.js';
import { claimOf, readClaim, readMember, readMove, storedGroups, storedMaster, storedRing } from './records.js';

/** An event, and of which revision it is. */
export interface Told {
  readonly event: Exclude<StoreEvent, { kind: 'standing' }>;
  readonly revision: Revision;
}

export class Mirror {
  readonly #keys: RingKeys;
  readonly #onTrouble: (error: unknown) => void;
  #entries = new Map<string, KeyValue>();
  #revision: Revision = 0;

  /** @param onTrouble told of a ring, or of groups, whose record is not understood: nobody is told of these */
  constructor(keys: RingKeys, onTrouble: (error: unknown) => void) {
    this.#keys = keys;
    this.#onTrouble = onTrouble;
  }

  /** Nothing that was written up to this revision is missing. 0: nothing is known yet. */
  get revision(): Revision {
    return this.#revision;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** Takes over a whole read. @returns what differs from what was known */
  replace(entries: readonly KeyValue[], revision: Revision): Told[] {
    const before = this.#entries;
    this.#entries = new Map(entries.map((kv) => [kv.key, kv]));
    this.#revision = revision;
    const changed: WatchEvent[] = [];
    for (const kv of entries) {
      if (before.get(kv.key)?.mod_revision !== kv.mod_revision) changed.push({ type: 'PUT', kv });
    }
    for (const [key, kv] of before) if (!this.#entries.has(key)) changed.push({ type: 'DELETE', kv });
    return this.#toldOf(changed, revision);
  }

  /** Takes over what was written; what is known already is passed over. @returns what is to be told, in order */
  apply(events: readonly WatchEvent[]): Told[] {
    const byRevision = new Map<Revision, WatchEvent[]>();
    for (const event of events) {
      const { mod_revision: revision, key } = event.kv;
      if (revision <= this.#revision) continue;
      if (event.type === 'DELETE') this.#entries.delete(key);
      else this.#entries.set(key, event.kv);
      const same = byRevision.get(revision);
      if (same === undefined) byRevision.set(revision, [event]);
      else same.push(event);
    }
    const told: Told[] = [];
    for (const [revision, same] of byRevision) {
      this.#revision = Math.max(this.#revision, revision);
      told.push(...this.#toldOf(same, revision));
    }
    return told;
  }

  members(): FleetMember[] {
    const members: FleetMember[] = [];
    for (const kv of this.#entries.values()) {
      const key = this.#keys.kindOf(kv);
      if (key.kind === 'member') members.push(this.#member(key.id, kv));
    }
    return members;
  }

  get hasRing(): boolean {
    return this.#entries.has(this.#keys.ring);
  }

  /** @returns null: there is no such member */
  member(id: string): FleetMember | null {
    const kv = this.memberKey(id);
    return kv === null ? null : this.#member(id, kv);
  }

  memberKey(id: string): KeyValue | null {
    return this.#entries.get(this.#keys.member(id)) ?? null;
  }

  /** With the lease that each hangs on. */
  claims(): { readonly claim: Claim; readonly lease: string }[] {
    const claims: { claim: Claim; lease: string }[] = [];
    for (const kv of this.#entries.values()) {
      if (this.#keys.kindOf(kv).kind !== 'claim') continue;
      const record = readClaim(kv);
      if (record !== null) claims.push({ claim: claimOf(record, kv.mod_revision), lease: kv.lease });
    }
    return claims;
  }

  moves(change: string): MoveRecord[] {
    const moves: MoveRecord[] = [];
    for (const kv of this.#entries.values()) {
      const key = this.#keys.kindOf(kv);
      if (key.kind !== 'move' || key.change !== change) continue;
      const record = readMove(kv);
      if (record !== null) moves.push(record);
    }
    return moves;
  }

  #member(id: string, kv: KeyValue): FleetMember {
    return { id, alive: this.#entries.has(this.#keys.aliveness(id)), ...readMember(kv) };
  }

  /** Of one revision: each kind once. */
  #toldOf(events: readonly WatchEvent[], revision: Revision): Told[] {
    const told: Told[] = [];
    const kinds = new Set<'members' | 'claims' | 'moves'>();
    for (const { type, kv } of events) {
      const key = this.#keys.kindOf(kv);
      if (key.kind === 'ring') {
        if (type === 'PUT') told.push(...this.#toldRecord(revision, () => ({ kind: 'ring', ring: storedRing(kv) })));
      } else if (key.kind === 'groups') {
        // Groups that are gone went with the whole of etcd: whoever knows them goes on by them.
        if (type === 'PUT') {
          told.push(...this.#toldRecord(revision, () => ({ kind: 'groups', groups: storedGroups(kv) })));
        }
      } else if (key.kind === 'master') {
        const { node } = key;
        told.push(
          ...this.#toldRecord(revision, () => ({
            ...{ kind: 'master', node },
            master: type === 'PUT' ? storedMaster(kv) : null,
          })),
        );
      } else {
        const kind = EVENTS[key.kind];
        if (kind !== null) kinds.add(kind);
      }
    }
    for (const kind of kinds) told.push({ event: { kind, revision }, revision });
    return told;
  }

  /** @param read throws when the record is not understood */
  #toldRecord(revision: Revision, read: () => Told['event']): Told[] {
    try {
      return [{ event: read(), revision }];
    } catch (error) {
      this.#onTrouble(error);
      return [];
    }
  }
}

const EVENTS = {
  member: 'members',
  alive: 'members',
  claim: 'claims',
  move: 'moves',
  other: null,
} as const satisfies Record<
  Exclude<KeyKind['kind'], 'ring' | 'groups' | 'master'>,
  'members' | 'claims' | 'moves' | null
>;
