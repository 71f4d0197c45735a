/**
 * The jobs that this proxy has, on leases: `slow` ones end with its membership, `quick` ones with a lease of their own,
 * which there is only while it has such jobs, since it is renewed every second.
 */
import { randomUUID } from 'node:crypto';
import { isLeaseGone } from '../../../etcd/index.js';
import type { Claim, Revision } from '../../state/fleet.js';
import type { ClaimPace } from '../ring-store.js';
import { KeptLease } from './kept-lease.js';
import type { EtcdParts } from './parts.js';
import { claimOf, readClaim, writeClaim } from './records.js';

/** etcd gives no less than one and a half of its election timeouts, so it may give more. */
const QUICK_TTL_MS = 3000;

export interface ClaimListener {
  /** Of jobs that this proxy has, it is not known any more whether it still has them, or it is known again. */
  doubted(): void;
  heard(revision: Revision): void;
}

export class ClaimKeeper {
  readonly #parts: EtcdParts;
  /** The member's, or null. */
  readonly #slowLease: () => KeptLease | null;
  readonly #listener: ClaimListener;
  #quick: KeptLease | null = null;
  #granting: Promise<KeptLease> | null = null;
  /** Of the quick lease, by job. */
  readonly #held = new Map<string, Revision>();
  /** Claims that are on their way, on the quick lease. */
  #pending = 0;
  /** Whether the quick lease has run out, as far as is known. */
  #isInDoubt = false;

  constructor(parts: EtcdParts, slowLease: () => KeptLease | null, listener: ClaimListener) {
    this.#parts = parts;
    this.#slowLease = slowLease;
    this.#listener = listener;
  }

  /** @returns null: another one has it. @throws EtcdError when it may not have been written */
  async claim(job: string, holder: string, pace: ClaimPace): Promise<Claim | null> {
    // A proxy that is no member yet has no other lease.
    const slow = pace === 'slow' ? this.#slowLease() : null;
    if (slow !== null) return this.#claimOn(slow.id, job, holder);
    this.#pending++;
    try {
      return await this.#claimQuick(job, holder);
    } finally {
      this.#pending--;
      await this.#endWhenUnused();
    }
  }

  /** @returns a revision by which it is let go; null: it was not in force. @throws EtcdError when it may be in force yet */
  async release(claim: Claim): Promise<Revision | null> {
    const key = this.#parts.keys.job(claim.job);
    const { answer, isRepeated } = await this.#parts.client.txn({
      when: [{ key, writtenBy: claim.revision }],
      run: [{ remove: key }],
    });
    if (this.#held.get(claim.job) === claim.revision) this.#held.delete(claim.job);
    await this.#endWhenUnused();
    // An earlier try may have let it go, by some revision before this one.
    return answer.succeeded || isRepeated ? answer.header.revision : null;
  }

  async close(): Promise<void> {
    this.#held.clear();
    const lease = this.#quick;
    this.#quick = null;
    await lease?.revoke();
  }

  async #claimQuick(job: string, holder: string): Promise<Claim | null> {
    for (let tries = 1; ; tries++) {
      const lease = await this.#quickLease();
      try {
        const claim = await this.#claimOn(lease.id, job, holder);
        if (claim !== null && this.#quick === lease) this.#held.set(job, claim.revision);
        return claim;
      } catch (error) {
        // It was lost, and its renewal has not found that out yet.
        if (!isLeaseGone(error) || tries === 2) throw error;
        this.#lose(lease);
      }
    }
  }

  async #claimOn(lease: string, job: string, holder: string): Promise<Claim | null> {
    const key = this.#parts.keys.job(job);
    const write = randomUUID();
    const record = { job, holder, since: new Date(this.#parts.clock.wall()).toISOString(), write };
    const put = { put: key, value: writeClaim(record), lease };
    let known: Revision | null = null;
    for (;;) {
      const { answer } = await this.#parts.client.txn({
        when: [known === null ? { key, is: 'absent' } : { key, writtenBy: known }],
        run: [put],
        otherwise: [{ read: { key } }],
      });
      if (answer.succeeded) return claimOf(record, answer.header.revision);
      const kv = answer.responses[0]?.response_range?.kvs[0];
      const found = kv === undefined ? null : readClaim(kv);
      // An earlier try was carried out unseen.
      if (kv !== undefined && found?.write === write) return claimOf(record, kv.mod_revision);
      if (kv !== undefined && found !== null && found.holder !== holder) return null;
      known = kv?.mod_revision ?? null;
    }
  }

  async #quickLease(): Promise<KeptLease> {
    // What hangs on one that has run out is claimed anew as well, by whoever wants it yet.
    if (this.#quick?.isValid === false) this.#lose(this.#quick);
    if (this.#quick !== null) return this.#quick;
    this.#granting ??= this.#grant().finally(() => {
      this.#granting = null;
    });
    return this.#granting;
  }

  async #grant(): Promise<KeptLease> {
    const granted = await this.#parts.client.grant(QUICK_TTL_MS);
    const lease: KeptLease = new KeptLease(this.#parts, granted, {
      renewed: (revision) => {
        this.#listener.heard(revision);
        if (this.#isInDoubt) this.#listener.doubted();
        this.#isInDoubt = false;
      },
      ranOut: () => {
        this.#isInDoubt = true;
        this.#listener.doubted();
      },
      lost: () => this.#lose(lease),
    });
    this.#parts.leases.add(lease);
    this.#quick = lease;
    return lease;
  }

  #lose(lease: KeptLease): void {
    lease.end();
    if (this.#quick !== lease) return;
    this.#isInDoubt = false;
    this.#quick = null;
    this.#held.clear();
    this.#listener.doubted();
  }

  async #endWhenUnused(): Promise<void> {
    if (this.#held.size > 0 || this.#pending > 0 || this.#quick === null) return;
    const lease = this.#quick;
    this.#quick = null;
    await lease.revoke();
  }
}
