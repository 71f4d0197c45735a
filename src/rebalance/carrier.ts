/**
 * Carries keys from one node to another, by the way that suits each and that its nodes allow: in batches (`transfer.ts`),
 * which are read by a script or by plain commands (`take.ts`); large ones in pieces (`pieces`); what cannot go so by MIGRATE
 * (`migrate.ts`), or whole through this process where the source cannot do that (`copy.ts`); or not at all, where what a restarted node has is from the past (`trust.ts`).
 */
import { copyKey } from './copy.js';
import { migrateKeys, type Peer, peerFrom } from './migrate.js';
import { type MigrateTurns, OwnTurns } from './migrate-turns.js';
import type { Purpose } from './move-gate.js';
import type { MoveMemory } from './move-memory.js';
import type { MovingNodes } from './moving-nodes.js';
import type { NodeLink } from './node-link.js';
import { partOf } from './pieces/large-move.js';
import { moveInPieces } from './pieces/piecewise.js';
import { type LargeKey, type Take, takeByScript, takePlainly } from './take.js';
import { dropCopies, type Transferred, transferBatch } from './transfer.js';
import { type Drops, type HalfMoved, type Moves, type Verdict, verdictOn } from './trust.js';

export interface CarrierHooks {
  /** So many keys went from one node to another; `bytes` of serialized values. */
  onMoved(source: number, target: number, keys: number, bytes: number): void;
  /**
   * These are on the target now, or nowhere: before others of their batch, which are large and take their time, or could not
   * be moved. Of the last ones, and where all go together, `carry` tells by returning.
   */
  onArrived(source: number, database: number, keys: readonly Buffer[]): void;
  /** Asked between the pieces of a large value. @returns false when its move is to be given up */
  goesOn(purpose: Purpose): boolean;
  /** So many keys read as missing now, of which it is not known whether they are from the past. */
  onDropped(keys: number): void;
  /** A large key is being moved off the source alone; null: not any more. */
  onLarge(source: number, key: { key: string; bytes: number } | null): void;
}

/** How batches are read, the best way first. */
const TAKES: readonly Take[] = [takeByScript, takePlainly];

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
  /** How many of `TAKES` each source does not allow. */
  readonly #refusedTakes = new Map<number, number>();
  /** Sources that do not allow MIGRATE, or could not connect to a target: to wait for that again would stop them again. */
  readonly #withoutMigrate = new Set<number>();
  readonly #turns: MigrateTurns;
  readonly #turnsOfLarge = new Map<Purpose, OwnTurns>();

  constructor(links: MovingNodes, memory: MoveMemory, turns: MigrateTurns, hooks: CarrierHooks) {
    this.#links = links;
    this.#memory = memory;
    this.#turns = turns;
    this.#hooks = hooks;
  }

  /**
   * When it returns, the keys are on the target, or nowhere.
   * @param purpose links of different purposes do not wait for each other
   * @throws TransferRefused, NodeFailure; MoveGivenUp when a large one was given up, and is where it was
   */
  async carry(
    source: number,
    target: number,
    database: number,
    keys: readonly Buffer[],
    purpose: Purpose,
  ): Promise<void> {
    let left = keys;
    // They take their time, so they go behind all others.
    const large: LargeKey[] = [];
    while (left.length > 0) {
      const [from, to] = await this.#links.pair(source, target, purpose);
      const rest: Buffer[] = [];
      const groups = this.#judge(source, from, target, to, database, left);
      for (const { verdict, isKnown, keys: group } of groups) {
        if (isDrop(verdict)) {
          this.#dropped(isKnown, await dropCopies(from, to, database, group, verdict));
          this.#arrived(source, database, group);
        } else {
          const result = await this.#transfer(source, from, to, database, group, verdict);
          if (result === null) {
            await this.#migrate(source, target, database, group);
            this.#arrived(source, database, group);
            continue;
          }
          if (result.moved.length > 0) this.#hooks.onMoved(source, target, result.moved.length, result.bytes);
          this.#dropped(isKnown, result.dropped);
          const isAll = groups.length === 1 && isWhole(result) && large.length === 0;
          this.#arrived(source, database, result.moved, !isAll);
          this.#arrived(source, database, result.missing, !isAll);
          if (result.failure !== null) throw result.failure;
          large.push(...result.large);
          rest.push(...result.rest);
        }
      }
      left = rest;
    }
    for (const one of large) {
      await this.#carryLarge(source, target, database, one, purpose);
      this.#arrived(source, database, [one.key]);
    }
  }

  /** @returns null when the source does not let values be read, neither by a script nor by plain commands */
  async #transfer(
    source: number,
    from: NodeLink,
    to: NodeLink,
    database: number,
    keys: readonly Buffer[],
    verdict: Moves,
  ): Promise<Transferred | null> {
    for (;;) {
      const refused = this.#refusedTakes.get(source) ?? 0;
      const take = TAKES[refused];
      if (take === undefined) return null;
      const result = await transferBatch(from, to, database, keys, verdict, take, this.#half(source, database));
      if (result !== null) return result;
      this.#refusedTakes.set(source, refused + 1);
    }
  }

  #half(source: number, database: number): HalfMoved {
    return {
      onCopied: (keys) => this.#memory.noteCopied(source, database, keys),
      onSent: (keys) => this.#memory.noteSent(source, database, keys),
    };
  }

  /** They count as settled at once. @param isTold whether who waits for them is to hear of it before `carry` returns */
  #arrived(source: number, database: number, keys: readonly Buffer[], isTold = true): void {
    for (const key of keys) this.#memory.settled.add(source, database, key);
    if (isTold && keys.length > 0) this.#hooks.onArrived(source, database, keys);
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
      const isKnown = place !== 'unknown' && place !== 'either';
      const group = groups.find((other) => other.verdict === verdict && other.isKnown === isKnown);
      if (group === undefined) groups.push({ verdict, isKnown, keys: [key] });
      else group.keys.push(key);
    }
    return groups;
  }

  async #carryLarge(
    source: number,
    target: number,
    database: number,
    { key, bytes }: LargeKey,
    purpose: Purpose,
  ): Promise<void> {
    this.#hooks.onLarge(source, { key: key.toString('utf8', 0, SHOWN_KEY_BYTES), bytes });
    const turns = this.#largeTurns(purpose);
    const end = await turns.take();
    try {
      if (await this.#carryInPieces(source, target, database, key, bytes, purpose)) return;
      await this.#migrate(source, target, database, [key], bytes);
    } finally {
      end();
      this.#hooks.onLarge(source, null);
    }
  }

  /** Those of one purpose go one by one, since a value may take a link for itself; clients do not wait for the sweep's. */
  #largeTurns(purpose: Purpose): OwnTurns {
    let turns = this.#turnsOfLarge.get(purpose);
    if (turns === undefined) {
      turns = new OwnTurns();
      this.#turnsOfLarge.set(purpose, turns);
    }
    return turns;
  }

  /** @returns false when the value cannot go in pieces: it is as it was. @throws MoveGivenUp as well */
  async #carryInPieces(
    source: number,
    target: number,
    database: number,
    key: Buffer,
    bytes: number,
    purpose: Purpose,
  ): Promise<boolean> {
    const [from, to] = await this.#links.pair(source, target, `large ${purpose}`);
    const [{ verdict, isKnown }] = this.#judge(source, from, target, to, database, [key]) as [Judged];
    if (isDrop(verdict)) {
      this.#dropped(isKnown, await dropCopies(from, to, database, [key], verdict));
      return true;
    }
    const goesOn = (): Promise<boolean> => Promise.resolve(this.#hooks.goesOn(purpose));
    const move = { source: from, target: to, database, key, part: partOf(key), goesOn };
    const result = await moveInPieces(move, verdict, this.#half(source, database));
    if (result === null) return false;
    this.#dropped(isKnown, result.dropped);
    if (result.moved) this.#hooks.onMoved(source, target, 1, bytes);
    return true;
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
    const [from, to] = await this.#links.pair(source, target, 'migrate');
    const peer = await peerFrom(from, this.#links.at(target), database);
    for (const { verdict, isKnown, keys: group } of this.#judge(source, from, target, to, database, keys)) {
      if (isDrop(verdict)) {
        this.#dropped(isKnown, await dropCopies(from, to, database, group, verdict));
        continue;
      }
      const batches = verdict === 'move' ? [group] : group.map((key) => [key]);
      for (const batch of batches) {
        const { moved, dropped } = await this.#moveWhole(source, from, to, peer, database, batch, verdict);
        this.#dropped(isKnown, dropped);
        if (moved > 0) this.#hooks.onMoved(source, target, moved, bytes);
      }
    }
  }

  /** @param peer null: the source cannot connect to the target */
  async #moveWhole(
    source: number,
    from: NodeLink,
    to: NodeLink,
    peer: Peer | null,
    database: number,
    keys: readonly Buffer[],
    verdict: Moves,
  ): Promise<{ moved: number; dropped: number }> {
    const half = this.#half(source, database);
    if (peer !== null && !this.#withoutMigrate.has(source)) {
      const canBeRead = (this.#refusedTakes.get(source) ?? 0) < TAKES.length;
      const migrated = await migrateKeys(from, to, peer, database, keys, verdict, canBeRead, half);
      if (migrated !== null) return { moved: migrated.moved ? keys.length : 0, dropped: migrated.dropped };
      this.#withoutMigrate.add(source);
    }
    const sum = { moved: 0, dropped: 0 };
    for (const key of keys) {
      const { moved, dropped } = await copyKey(from, to, database, key, verdict, half);
      if (moved) sum.moved++;
      sum.dropped += dropped;
    }
    return sum;
  }
}

/** Nothing of the batch is left behind. */
function isWhole({ large, rest, failure }: Transferred): boolean {
  return large.length === 0 && rest.length === 0 && failure === null;
}

function isDrop(verdict: Verdict): verdict is Drops {
  return verdict === 'drop' || verdict === 'drop both';
}
