/**
 * `near-auto`: keys that are hot are kept near while they are, whatever their group, unless that has a policy of its own.
 *
 * How many are enough: a front-end cache of O(n log n) keys evens the load of n nodes out, however skewed it is (Fan et
 * al., "Small Cache, Big Effect: Provable Load Balancing for Randomly Partitioned Cluster Services", SoCC 2011); their
 * experiments need 8 n ln n. What is not cached then is spread by the ring.
 *
 * A key becomes near at once, in two steps: first its writes are seen, a second later its replies are kept, so that no
 * write of before is still on its way. It ceases to be near with all others that are cold, once in a while: a node
 * gives single prefixes not back, so that whatever is kept of all nodes ends with them. Until then a cold key costs
 * nothing but its place.
 */
import { KeyPolicies } from '../../caching/key-policies.js';
import { type CachePolicy, SHARDED } from '../../caching/policy.js';
import type { UsedKeys } from '../../measure/hot-keys/hot-keys.js';
import { type HottestKey, KEPT_KEY_BYTES, LISTED_KEYS } from '../../measure/hot-keys/hottest.js';

/** How often it is looked at what is hot. Milliseconds. */
const LOOK_MS = 1000;
/** Uses a second, in this process, from which on a key is hot; with less than half of it, it becomes cold. */
const HOT_PER_SECOND = 50;
/** Less seen, it may be hot by chance. */
const LEAST_SEEN = 20;
/** Whatever is written more often is ended before it is read. */
const LEAST_READS = 0.75;
/** For so long it must not have been hot. */
const COLD_MS = 10_000;
/** Cold keys leave no sooner after others have left. */
const LEAVE_PAUSE_MS = 60_000;
const FEWEST_KEYS = 16;
const KEYS_FACTOR = 8;

const NEAR: CachePolicy = { ...SHARDED, cache: 'near' };
/** Its writes are seen, and nothing is kept of it yet. */
const SOON_NEAR: CachePolicy = { ...NEAR, nearTtl: 0 };

export interface NearAutoPorts {
  /** What is used most, at this time. */
  used(now: number): UsedKeys;
  /** Whether the key is one that may be kept near although nobody has said so. */
  allows(key: Buffer): boolean;
  /** How many nodes there are. */
  nodes(): number;
  /** From now on these keys are kept near, and no others that are not of a group which says so. */
  keep(policies: KeyPolicies | null): void;
}

interface Near {
  readonly key: Buffer;
  hotAt: number;
  /** Its replies are kept. */
  isKept: boolean;
}

export class NearAuto {
  readonly #ports: NearAutoPorts;
  /** By the key, one character for each byte. */
  readonly #near = new Map<string, Near>();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #leftAt = Number.NEGATIVE_INFINITY;

  constructor(ports: NearAutoPorts) {
    this.#ports = ports;
  }

  isNear(key: Buffer): boolean {
    return this.#near.get(nameOf(key))?.isKept === true;
  }

  /** Called about ten times a second. @param now milliseconds */
  tick(now: number): void {
    if (now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    if (this.#look(now)) this.#tell();
  }

  /** The groups have changed: what may be kept near may be others. */
  onGroups(): void {
    let changed = false;
    for (const [name, { key }] of this.#near)
      if (!this.#ports.allows(key)) changed = this.#near.delete(name) || changed;
    if (changed) this.#tell();
  }

  /** @returns whether anything is kept otherwise from now on */
  #look(now: number): boolean {
    let changed = false;
    for (const near of this.#near.values()) {
      changed ||= !near.isKept;
      near.isKept = true;
    }
    const most = mostKeys(this.#ports.nodes());
    const { keys, perSecond, sampled } = this.#ports.used(now);
    const rateOf = ({ count }: HottestKey): number => (sampled === 0 ? 0 : (perSecond * count) / sampled);
    const isStill = new Set<string>();
    const wanted = new Map<string, Buffer>();
    for (const [rank, hot] of keys.slice(0, 2 * most).entries()) {
      const rate = rateOf(hot);
      if (rate < HOT_PER_SECOND / 2 || hot.bytes > KEPT_KEY_BYTES || hot.reads < LEAST_READS * hot.count) continue;
      const name = nameOf(hot.key);
      isStill.add(name);
      if (rank >= most || rate < HOT_PER_SECOND || hot.count < LEAST_SEEN) continue;
      if (!this.#near.has(name) && this.#ports.allows(hot.key)) wanted.set(name, hot.key);
    }
    for (const [name, near] of this.#near) if (isStill.has(name)) near.hotAt = now;
    changed = this.#leave(now, this.#near.size + wanted.size > most) || changed;
    for (const [name, key] of wanted) {
      if (this.#near.size >= most) break;
      this.#near.set(name, { key, hotAt: now, isKept: false });
      changed = true;
    }
    return changed;
  }

  /** Those that are cold leave, all of them at a time. @param isCrowded others wait for their places */
  #leave(now: number, isCrowded: boolean): boolean {
    const cold = [...this.#near].filter(([, { hotAt }]) => now - hotAt > COLD_MS).map(([name]) => name);
    const isWorthIt = cold.length > 0 && (isCrowded || cold.length * 2 > this.#near.size);
    // What is hot is kept anew afterwards, which must not happen all the time.
    if (!isWorthIt || now - this.#leftAt < LEAVE_PAUSE_MS) return false;
    for (const name of cold) this.#near.delete(name);
    this.#leftAt = now;
    return true;
  }

  #tell(): void {
    const entries = [...this.#near.values()].map(({ key, isKept }) => ({ key, policy: isKept ? NEAR : SOON_NEAR }));
    this.#ports.keep(entries.length === 0 ? null : new KeyPolicies(entries));
  }
}

/** How many keys are enough to even the load of so many nodes out. */
export function mostKeys(nodes: number): number {
  const enough = Math.ceil(KEYS_FACTOR * nodes * Math.log(nodes + 1));
  return Math.min(LISTED_KEYS / 2, Math.max(FEWEST_KEYS, enough));
}

function nameOf(key: Buffer): string {
  return key.toString('latin1');
}
