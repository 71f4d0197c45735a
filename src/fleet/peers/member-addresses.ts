/** Where members are reached, remembered: a member's id and its address stay together for as long as its process lives. */
import type { MemberRecords } from '../../topology/store/ring-store.js';

/** URL of an admin API; empty: the member has told none. */
type Address = string;

export class MemberAddresses {
  readonly #records: Pick<MemberRecords, 'members'>;
  #known: ReadonlyMap<string, Address> = new Map();
  #loading: Promise<void> | null = null;

  constructor(records: Pick<MemberRecords, 'members'>) {
    this.#records = records;
  }

  /** All that are known. */
  get all(): readonly Address[] {
    return [...this.#known.values()];
  }

  /** @returns null: there is no such member. @throws RingproxyError when it is not known and cannot be read */
  async of(member: string): Promise<Address | null> {
    const known = this.#known.get(member);
    if (known !== undefined) return known;
    await this.#load();
    return this.#known.get(member) ?? null;
  }

  /** It was not found where it should be: the next time its address is read anew. */
  forget(member: string): void {
    const known = new Map(this.#known);
    if (known.delete(member)) this.#known = known;
  }

  /** However many ask, the records are read once at a time. */
  #load(): Promise<void> {
    this.#loading ??= this.#records
      .members()
      .then((members) => {
        this.#known = new Map(members.map(({ id, info }) => [id, info?.admin ?? '']));
      })
      .finally(() => {
        this.#loading = null;
      });
    return this.#loading;
  }
}
