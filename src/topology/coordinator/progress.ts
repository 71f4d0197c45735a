/** How far the keys of a change have moved, at all proxies. */
import type { Rings } from '../../ring/rings.js';
import type { LocalRing } from '../participant/local-ring.js';
import type { RunningChange } from '../state/ring-state.js';
import type { MoveRecords } from '../store/ring-store.js';

export interface Tally {
  readonly keysMoved: number;
  readonly bytesMoved: number;
  /** In all turns of the change. */
  readonly keysDropped: number;
}

export class Progress {
  readonly #store: Pick<MoveRecords, 'moves'>;
  readonly #local: () => LocalRing | null;

  /** @param local the ring as this proxy has it, with what it moves itself */
  constructor(store: Pick<MoveRecords, 'moves'>, local: () => LocalRing | null) {
    this.#store = store;
    this.#local = local;
  }

  /** Whether no source has a moved key left; false as well where it is not known yet. */
  async isSwept(change: RunningChange): Promise<boolean> {
    const local = this.#local();
    if (local?.change == null || local.stored.state.change?.id !== change.id) return false;
    return (await this.unfinished(change, local.change.rings)).length === 0;
  }

  /** @param rings of the change @returns the names of the sources that are not swept */
  async unfinished(change: RunningChange, rings: Rings): Promise<string[]> {
    const records = await this.#store.moves(change.id);
    const swept = new Set(records.filter((record) => record.swept).map(({ source }) => source));
    const own = this.#own(change);
    for (const { node, done } of own?.status.sources ?? []) if (done) swept.add(node);
    const union = this.#local()?.change?.union ?? [];
    return [...rings.sources()].flatMap((index) => {
      const name = union[index]?.name ?? '';
      return swept.has(name) ? [] : [name];
    });
  }

  async tally(change: RunningChange): Promise<Tally> {
    const records = await this.#store.moves(change.id);
    const own = this.#own(change);
    if (own !== null && records.length === 0) {
      const { keysMoved, bytesMoved, keysDropped } = own.status;
      return { keysMoved, bytesMoved, keysDropped };
    }
    const sum = (of: (record: (typeof records)[number]) => number): number =>
      records.reduce((total, record) => total + of(record), 0);
    return {
      keysMoved: sum((record) => record.keysMoved),
      bytesMoved: sum((record) => record.bytesMoved),
      keysDropped: (change.keysDropped ?? 0) + sum((record) => record.keysDropped),
    };
  }

  /** What this proxy moves. */
  #own({ id }: RunningChange): LocalRing['job'] {
    const job = this.#local()?.job ?? null;
    return job?.changeId === id ? job : null;
  }
}
