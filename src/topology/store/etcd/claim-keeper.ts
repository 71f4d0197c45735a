/**
 * The jobs that this proxy has, on leases: `slow` ones end with its membership, `quick` ones with a lease of their own,
 * which there is only while it has such jobs, since it is renewed every second.
 */
import { randomUUID } from 'node:crypto';
import type { EtcdClient } from '../../../etcd/index.js';
import type { Timers } from '../../../time/timers.js';
import type { Claim, Revision } from '../../state/fleet.js';
import type { ClaimPace } from '../ring-store.js';
import type { Clock } from './clock.js';
import { KeptLease } from './kept-lease.js';
import type { RingKeys } from './keys.js';
import { claimOf, readClaim, writeClaim } from './records.js';

/** etcd gives no less than one and a half of its election timeouts, so it may give more. */
const QUICK_TTL_MS = 3000;

export interface ClaimListener {
  /** Of jobs that this proxy has, it is not known any more whether it still has them, or it is known again. */
  doubted(): void;
  heard(revision: Revision): void;
}

export class ClaimKeeper {
  readonly #client: EtcdClient;
  readonly #keys: RingKeys;
  /** The member's, or null. */
  readonly #slowLease: () => KeptLease | null;
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #listener: ClaimListener;
  #quick: KeptLease | null = null;
  #granting: Promise<KeptLease> | null = null;
  /** Of the quick lease, by job. */
  readonly #held = new Map<string, Revision>();
  /** Claims that are on their way, on the quick lease. */
  #pending = 0;
  /** Whether the quick lease has run out, as far as is known. */
  #isInDoubt = false;

  constructor(
    client: EtcdClient,
    keys: RingKeys,
    slowLease: () => KeptLease | null,
    timers: Timers,
    clock: Clock,
    listener: ClaimListener,
  ) {
    this.#client = client;
    this.#keys = keys;
    this.#slowLease = slowLease;
    this.#timers = timers;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** @returns null: another one has it. @throws EtcdError when it may not have been written */
  async claim(job: string, holder: string, pace: ClaimPace): Promise<Claim | null> {
    // A proxy that is no member yet has no other lease.
    const slow = pace === 'slow' ? this.#slowLease() : null;
    if (slow !== null) return this.#claimOn(slow.id, job, holder);
    this.#pending++;
    try {
      const lease = await this.#quickLease();
      const claim = await this.#claimOn(lease.id, job, holder);
      if (claim !== null && this.#quick === lease) this.#held.set(job, claim.revision);
      return claim;
    } finally {
      this.#pending--;
      await this.#endWhenUnused();
    }
  }

  /** @returns the revision; null: it was not in force. @throws EtcdError when it may be in force yet */
  async release(claim: Claim): Promise<Revision | null> {
    const key = this.#keys.job(claim.job);
    const { answer } = await this.#client.txn({
      when: [{ key, writtenBy: claim.revision }],
      run: [{ remove: key }],
    });
    if (this.#held.get(claim.job) === claim.revision) this.#held.delete(claim.job);
    await this.#endWhenUnused();
    return answer.succeeded ? answer.header.revision : null;
  }

  /** Whether what hangs on this lease is in force for certain; of leases of others, nothing is known. */
  isInDoubt(lease: string): boolean {
    return lease === this.#quick?.id && !this.#quick.isValid;
  }

  async close(): Promise<void> {
    this.#held.clear();
    const lease = this.#quick;
    this.#quick = null;
    await lease?.revoke();
  }

  async #claimOn(lease: string, job: string, holder: string): Promise<Claim | null> {
    const key = this.#keys.job(job);
    const write = randomUUID();
    const record = { job, holder, since: new Date(this.#clock.wall()).toISOString(), write };
    const put = { put: key, value: writeClaim(record), lease };
    let known: Revision | null = null;
    for (;;) {
      const { answer } = await this.#client.txn({
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
    if (this.#quick !== null) return this.#quick;
    this.#granting ??= this.#grant().finally(() => {
      this.#granting = null;
    });
    return this.#granting;
  }

  async #grant(): Promise<KeptLease> {
    const granted = await this.#client.grant(QUICK_TTL_MS);
    const lease = new KeptLease(this.#client, granted, this.#timers, this.#clock, {
      renewed: (revision) => {
        this.#listener.heard(revision);
        if (this.#isInDoubt) this.#listener.doubted();
        this.#isInDoubt = false;
      },
      ranOut: () => {
        this.#isInDoubt = true;
        this.#listener.doubted();
      },
      lost: () => {
        this.#isInDoubt = false;
        this.#quick = null;
        this.#held.clear();
        this.#listener.doubted();
      },
    });
    this.#quick = lease;
    return lease;
  }

  async #endWhenUnused(): Promise<void> {
    if (this.#held.size > 0 || this.#pending > 0 || this.#quick === null) return;
    const lease = this.#quick;
    this.#quick = null;
    await lease.revoke();
  }
}
