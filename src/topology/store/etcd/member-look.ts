/** Whether a member is known, by a read at a majority: what connections ask before they carry anything. */
import { type EtcdClient, EtcdError, type KeyValue, type Patience } from '../../../etcd/index.js';
import type { RingKeys } from './keys.js';
import { type MemberRecord, readMember } from './records.js';

/** A connection waits for it. */
const PATIENCE = { total: 1500, each: 700 };

interface ReadMembership {
  /** Null: there is no such member. */
  readonly kv: KeyValue | null;
  /** What stands there. */
  readonly member: MemberRecord | null;
  readonly hasRing: boolean;
}

/** Both as they are at the same moment. @throws EtcdError */
export async function readMembership(
  client: EtcdClient,
  keys: RingKeys,
  id: string,
  patience?: Patience,
): Promise<ReadMembership> {
  const run = [{ read: { key: keys.member(id) } }, { read: { key: keys.ring } }];
  const { answer } = await client.txn({ run }, patience);
  const [kv = null, ring] = answer.responses.map(({ response_range }) => response_range?.kvs[0] ?? null);
  return { kv, member: kv === null ? null : readMember(kv), hasRing: (ring ?? null) !== null };
}

interface Looks {
  readonly running: Promise<boolean | null>;
  /** The one after that, when somebody waits for it. */
  next: Promise<boolean | null> | null;
}

export class MemberLook {
  readonly #client: EtcdClient;
  readonly #keys: RingKeys;
  readonly #looks = new Map<string, Looks>();

  constructor(client: EtcdClient, keys: RingKeys) {
    this.#client = client;
    this.#keys = keys;
  }

  /**
   * Many connections may ask at once: one look is under way, and one for all who have asked since it began, because what
   * it finds may be from before they asked.
   * @returns null: no answer in time, or none that tells, since etcd has lost the ring
   */
  isKnown(id: string): Promise<boolean | null> {
    const looks = this.#looks.get(id);
    if (looks === undefined) return this.#begin(id);
    looks.next ??= looks.running.then(() => this.#begin(id));
    return looks.next;
  }

  #begin(id: string): Promise<boolean | null> {
    const running = this.#read(id);
    const looks: Looks = { running, next: null };
    this.#looks.set(id, looks);
    // Who waits for the next one has begun it by then.
    void running.then(() => {
      if (looks.next === null) this.#looks.delete(id);
    });
    return running;
  }

  async #read(id: string): Promise<boolean | null> {
    try {
      const { member, hasRing } = await readMembership(this.#client, this.#keys, id, PATIENCE);
      if (member !== null) return !member.fencedOff;
      // Where nothing is left of the ring, nobody has passed this member: there is nobody who could.
      return hasRing ? false : null;
    } catch (error) {
      if (error instanceof EtcdError) return null;
      throw error;
    }
  }
}
