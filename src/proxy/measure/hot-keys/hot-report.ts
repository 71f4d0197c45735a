/** What the hottest keys are, as plain data: it may come from several processes and proxies, and is put together then. */
import type { UsedKeys } from './hot-keys.js';

export interface HotKey {
  /** Its first bytes, at most KEPT_KEY_BYTES. */
  readonly key: Uint8Array;
  /** Of the whole key. */
  readonly bytes: number;
  readonly database: number;
  /** Of `key-groups`; null: none are configured. */
  readonly group: string | null;
  /** Uses a second. */
  readonly perSecond: number;
  /** How many of these only read it, 0 to 1. */
  readonly reads: number;
  /** A process keeps it near, since it is hot. */
  readonly near: boolean;
}

export interface HotReport {
  /** Uses of keys a second, of all keys. A command of several keys uses each of them. */
  readonly perSecond: number;
  /** Uses that were looked at to find out; what is long ago counts less. */
  readonly sampled: number;
  /** The hottest first. */
  readonly keys: readonly HotKey[];
  /** Who has not answered, in words. */
  readonly missing: readonly string[];
}

export const NOTHING_HOT: HotReport = { perSecond: 0, sampled: 0, keys: [], missing: [] };

/** What else there is to say of a key. */
export type DescribeKey = (key: Buffer, database: number) => Pick<HotKey, 'group' | 'near'>;

/** What one process has seen. */
export function hotReport({ perSecond, sampled, keys }: UsedKeys, describe: DescribeKey): HotReport {
  return {
    ...{ perSecond, sampled, missing: [] },
    keys: keys.map(({ key, bytes, database, count, reads }) => ({
      ...{ key, bytes, database },
      ...describe(key, database),
      perSecond: sampled === 0 ? 0 : (perSecond * count) / sampled,
      reads: reads / count,
    })),
  };
}

/** Puts together what several have seen. @param most keys at most */
export function mergeHot(parts: readonly HotReport[], most: number): HotReport {
  const keys = new Map<string, HotKey>();
  let perSecond = 0;
  let sampled = 0;
  for (const part of parts) {
    perSecond += part.perSecond;
    sampled += part.sampled;
    for (const key of part.keys) {
      const name = nameOf(key);
      const before = keys.get(name);
      keys.set(name, before === undefined ? key : sumOf(before, key));
    }
  }
  return {
    perSecond,
    sampled,
    missing: parts.flatMap(({ missing }) => missing),
    keys: [...keys.values()].sort((one, other) => other.perSecond - one.perSecond).slice(0, most),
  };
}

/** How much of all uses the `count` hottest keys have, 0 to 1. */
export function shareOfHottest({ keys, perSecond }: HotReport, count: number): number {
  if (perSecond === 0) return 0;
  const used = keys.slice(0, count).reduce((sum, key) => sum + key.perSecond, 0);
  return Math.min(1, used / perSecond);
}

function nameOf({ key, bytes, database }: HotKey): string {
  return `${database} ${bytes} ${Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')}`;
}

function sumOf(one: HotKey, other: HotKey): HotKey {
  const perSecond = one.perSecond + other.perSecond;
  const reads = one.reads * one.perSecond + other.reads * other.perSecond;
  return {
    ...one,
    perSecond,
    reads: perSecond === 0 ? one.reads : reads / perSecond,
    near: one.near || other.near,
  };
}
