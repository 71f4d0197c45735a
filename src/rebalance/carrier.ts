/**
 * Carries keys from one node to another, by the way that suits each: in batches (`transfer.ts`), by MIGRATE
 * (`migrate.ts`), through this process where the source cannot connect to the target (`copy.ts`), or not at all, where what a restarted node has is from the past (`trust.ts`).
 */
import { copyKey } from './copy.js';
import { migrateKeys, peerOf } from './migrate.js';
import type { MigrateTurns } from './migrate-turns.js';
import type { MoveMemory } from './move-memory.js';
import type { MovingNodes } from './moving-nodes.js';
import type { NodeLink } from './node-link.js';
import { dropCopies, type LargeKey, transferBatch } from './transfer.js';
import { type Drops, type Verdict, verdictOn } from './trust.js';

export interface CarrierHooks {
  /** So many keys went from one node to another; `bytes` of serialized values. */
  onMoved(source: number, target: number, keys: number, bytes: number): void;
  /** These are on the target now, or nowhere: before others of their batch, which are large and take their time. */
  onArrived(source: number, database: number, keys: readonly Buffer[]): void;
  /** So many keys read as missing now, of which it is not known whether they are from the past. */
  onDropped(keys: number): void;
  /** A large key is being moved off the source alone; null: not any more. */
  onLarge(source: number, key: { key: string; bytes: number } | null): void;
}

/** What is shown of a key's name. Bytes. */
const SHOWN_KEY_BYTES = 256;

/** Keys of one verdict. */
interface Judged {
  readonly verdict: Verdict;
  /** Whether it is remembered where the keys are. */
  readonly isKnown: boolean;
  readonly keys: Buffer[];
}

export class Carrier {
  readonly #links: MovingNodes;
  readonly #memory: MoveMemory;
  readonly #hooks: CarrierHooks;
  /** Sources that do not allow scripts. */
  readonly #withoutScripts = new Set<number>();
  readonly #turns: MigrateTurns;

  constructor(links: MovingNodes, memory: MoveMemory, turns: MigrateTurns, hooks: CarrierHooks) {
    this.#links = links;
    this.#memory = memory;
    this.#turns = turns;
    this.#hooks = hooks;
  }

  /**
   * When it returns, the keys are on the target, or nowhere.
   * @param purpose links of different purposes do not wait for each other
   * @throws TransferRefused, NodeFailure
   */
  async carry(
    source: number,
    target: number,
    database: number,
    keys: readonly Buffer[],
    purpose: string,
  ): Promise<void> {
    let left = keys;
    while (left.length > 0) {
      const [from, to] = await this.#links.pair(source, target, purpose);
      const rest: Buffer[] = [];
      for (const { verdict, isKnown, keys: group } of this.#judge(source, from, target, to, database, left)) {
        if (isDrop(verdict)) {
          this.#dropped(isKnown, await dropCopies(from, to, database, group, verdict));
          this.#arrived(source, database, group);
        } else if (this.#withoutScripts.has(source)) {
          await this.#migrate(source, target, database, group);
          this.#arrived(source, database, group);
        } else {
          const result = await transferBatch(from, to, database, group, verdict);
          if (result === null) {
            this.#withoutScripts.add(source);
            await this.#migrate(source, target, database, group);
            this.#arrived(source, database, group);
            continue;
          }
          if (result.moved.length > 0) this.#hooks.onMoved(source, target, result.moved.length, result.bytes);
          this.#dropped(isKnown, result.dropped);
          this.#arrived(source, database, result.moved);
          this.#arrived(source, database, result.missing);
          if (result.failure !== null) throw result.failure;
          for (const large of result.large) {
            await this.#carryLarge(source, target, database, large);
            this.#arrived(source, database, [large.key]);
          }
          rest.push(...result.rest);
        }
      }
      left = rest;
    }
  }

  /** They count as settled at once. */
  #arrived(source: number, database: number, keys: readonly Buffer[]): void {
    for (const key of keys) this.#memory.settled.add(source, database, key);
    if (keys.length > 0) this.#hooks.onArrived(source, database, keys);
  }

  /** A copy that is known to be from the past is no loss. */
  #dropped(isKnown: boolean, keys: number): void {
    if (!isKnown && keys > 0) this.#hooks.onDropped(keys);
  }

  /** Which copies of the keys count, by what is known of the processes behind these links. */
  #judge(
    source: number,
    from: NodeLink,
    target: number,
    to: NodeLink,
    database: number,
    keys: readonly Buffer[],
  ): readonly Judged[] {
    const sourceRestarted = this.#links.wasRestarted(source, from);
    const targetRestarted = this.#links.wasRestarted(target, to);
    if (!sourceRestarted && !targetRestarted) return [{ verdict: 'move', isKnown: true, keys: [...keys] }];
    const groups: Judged[] = [];
    for (const key of keys) {
      const place = this.#memory.placeOf(source, target, database, key);
      const verdict = verdictOn(place, sourceRestarted, targetRestarted);
      const isKnown = place !== 'unknown';
      const group = groups.find((other) => other.verdict === verdict && other.isKnown === isKnown);
      if (group === undefined) groups.push({ verdict, isKnown, keys: [key] });
      else group.keys.push(key);
    }
    return groups;
  }

  async #carryLarge(source: number, target: number, database: number, { key, bytes }: LargeKey): Promise<void> {
    this.#hooks.onLarge(source, { key: key.toString('utf8', 0, SHOWN_KEY_BYTES), bytes });
    try {
      await this.#migrate(source, target, database, [key], bytes);
    } finally {
      this.#hooks.onLarge(source, null);
    }
  }

  async #migrate(source: number, target: number, database: number, keys: readonly Buffer[], bytes = 0): Promise<void> {
    const end = await this.#turns.take();
    try {
      await this.#migrateNow(source, target, database, keys, bytes);
    } finally {
      end();
    }
  }

  async #migrateNow(
    source: number,
    target: number,
    database: number,
    keys: readonly Buffer[],
    bytes: number,
  ): Promise<void> {
    const peer = peerOf(this.#links.at(target));
    const [from, to] = await this.#links.pair(source, target, 'migrate');
    for (const { verdict, isKnown, keys: group } of this.#judge(source, from, target, to, database, keys)) {
      if (isDrop(verdict)) {
        this.#dropped(isKnown, await dropCopies(from, to, database, group, verdict));
        continue;
      }
      if (peer === null) {
        for (const key of group) {
          const { moved, dropped } = await copyKey(from, to, database, key, verdict);
          this.#dropped(isKnown, dropped);
          if (moved) this.#hooks.onMoved(source, target, 1, bytes);
        }
        continue;
      }
      const batches = verdict === 'move' ? [group] : group.map((key) => [key]);
      for (const batch of batches) {
        const { moved, dropped } = await migrateKeys(from, to, peer, database, batch, verdict);
        this.#dropped(isKnown, dropped);
        if (moved) this.#hooks.onMoved(source, target, batch.length, bytes);
      }
    }
  }
}

function isDrop(verdict: Verdict): verdict is Drops {
  return verdict === 'drop' || verdict === 'drop both';
}
