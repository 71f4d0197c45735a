/** Whether a member is known, by a read at a majority: what connections ask before they carry anything. */
import { type EtcdClient, EtcdError } from '../../../etcd/index.js';
import type { RingKeys } from './keys.js';
import { readMember } from './records.js';

/** A connection waits for it. */
const PATIENCE = { total: 1500, each: 700 };

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
   * @returns null: no answer in time
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
      const [kv] = (await this.#client.range({ key: this.#keys.member(id) }, PATIENCE)).kvs;
      return kv !== undefined && !readMember(kv).fencedOff;
    } catch (error) {
      if (error instanceof EtcdError) return null;
      throw error;
    }
  }
}
