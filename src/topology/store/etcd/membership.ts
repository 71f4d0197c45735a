/**
 * This proxy among the members: its record, and its lease. A lease that is lost (etcd was away for longer than it holds)
 * is granted anew, as long as nobody has fenced the member off or taken it out meanwhile.
 */
import { EtcdError, type Lease } from '../../../etcd/index.js';
import type { MemberInfo, Revision } from '../../state/fleet.js';
import { KeptLease } from './kept-lease.js';
import { readMembership } from './member-look.js';
import type { EtcdParts } from './parts.js';
import { readMember, writeMember } from './records.js';

/** Between two tries to get a lost lease back. */
const REVIVAL_PAUSE_MS = 500;

export interface MembershipListener {
  /** `validUntil` has changed. */
  standing(): void;
  /** etcd has told its revision. */
  heard(revision: Revision): void;
}

export class Membership {
  readonly #parts: EtcdParts;
  readonly #ttlMs: number;
  readonly #listener: MembershipListener;
  #id: string | null = null;
  #since: Revision = 0;
  #lease: KeptLease | null = null;
  #isClosed = false;
  #stopRevival: () => void = () => {};

  constructor(parts: EtcdParts, ttlMs: number, listener: MembershipListener) {
    this.#parts = parts;
    this.#ttlMs = ttlMs;
    this.#listener = listener;
  }

  /** By which this proxy is registered, or null. */
  get id(): string | null {
    return this.#id;
  }

  /** The revision by which it was registered. */
  get since(): Revision {
    return this.#since;
  }

  get validUntil(): number {
    return this.#lease?.validUntil ?? 0;
  }

  /** The lease, for what is to end with this member; null: it has none at the moment. */
  get lease(): KeptLease | null {
    return this.#lease?.isValid === true ? this.#lease : null;
  }

  /**
   * Registers this proxy by an id: the one that it has, or another one. What hung on its lease of before ends.
   * @returns the revision; null: the ring is not as it was seen, or the id is fenced off
   * @throws EtcdError when it may not have been written
   */
  async register(id: string, info: MemberInfo, seen: Revision): Promise<Revision | null> {
    const lease = await this.#parts.client.grant(this.#ttlMs);
    const revision = await this.#enrol(id, info, seen, lease);
    if (revision === null) {
      await this.#giveBack(lease);
      return null;
    }
    this.#since = revision;
    this.#hold(id, lease);
    return revision;
  }

  /** Somebody has fenced this proxy off, or has taken it out: it is none of the members any more. */
  expel(): void {
    this.#stopRevival();
    this.#id = null;
    this.#drop();
  }

  /** Its lease ends; its record stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopRevival();
    const lease = this.#lease;
    this.#lease = null;
    await lease?.revoke();
  }

  async #enrol(id: string, info: MemberInfo, seen: Revision, lease: Lease): Promise<Revision | null> {
    const key = this.#parts.keys.member(id);
    const aliveness = this.#parts.keys.aliveness(id);
    const { ring } = this.#parts.keys;
    for (let isRepeated = false; ; ) {
      const found = (await this.#parts.client.range({ key })).kvs[0];
      if (found !== undefined && readMember(found).fencedOff) return null;
      const done = await this.#parts.client.txn({
        when: [
          { key: ring, writtenBy: seen },
          found === undefined ? { key, is: 'absent' } : { key, writtenBy: found.mod_revision },
        ],
        run: [
          { put: key, value: writeMember({ fencedOff: false, answer: null, info }) },
          { put: aliveness, value: '', lease: lease.id },
        ],
        otherwise: [{ read: { key: ring } }, { read: { key: aliveness } }],
      });
      if (done.answer.succeeded) return done.answer.header.revision;
      isRepeated ||= done.isRepeated;
      const [record, alive] = done.answer.responses.map(({ response_range }) => response_range?.kvs[0]);
      // An earlier try was carried out unseen: nobody else has this lease.
      if (isRepeated && alive?.lease === lease.id) return alive.mod_revision;
      if (record?.mod_revision !== seen) return null;
      // Somebody has written the member's record in between.
    }
  }

  #hold(id: string, lease: Lease): void {
    this.#stopRevival();
    const before = this.#lease;
    this.#id = id;
    this.#lease = new KeptLease(this.#parts, lease, {
      renewed: (revision) => {
        this.#listener.heard(revision);
        this.#listener.standing();
      },
      ranOut: () => this.#listener.standing(),
      lost: () => {
        this.#lease = null;
        this.#listener.standing();
        void this.#revive();
      },
    });
    this.#parts.leases.add(this.#lease);
    void before?.revoke();
    this.#listener.standing();
  }

  async #revive(): Promise<void> {
    const id = this.#id;
    if (id === null || this.#isClosed) return;
    try {
      const { client, keys } = this.#parts;
      const { kv: found, member, hasRing } = await readMembership(client, keys, id);
      if (this.#id !== id || this.#isClosed) return;
      if (member === null && !hasRing) return this.#reviveLater();
      if (found === null || member?.fencedOff !== false) return this.expel();
      const key = keys.member(id);
      const lease = await client.grant(this.#ttlMs);
      const { answer } = await this.#parts.client.txn({
        when: [{ key, writtenBy: found.mod_revision }],
        run: [{ put: this.#parts.keys.aliveness(id), value: '', lease: lease.id }],
      });
      if (answer.succeeded && this.#id === id && !this.#isClosed) return this.#hold(id, lease);
      await this.#giveBack(lease);
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
    }
    if (this.#id === id && !this.#isClosed) this.#reviveLater();
  }

  #reviveLater(): void {
    this.#stopRevival();
    this.#stopRevival = this.#parts.timers.after(REVIVAL_PAUSE_MS, () => void this.#revive());
  }

  #drop(): void {
    const lease = this.#lease;
    this.#lease = null;
    void lease?.revoke();
    this.#listener.standing();
  }

  /** It would run out by itself. */
  async #giveBack(lease: Lease): Promise<void> {
    try {
      await this.#parts.client.revoke(lease.id);
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
    }
  }
}
