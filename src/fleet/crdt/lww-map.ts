/**
 * A map in which of two writes to a key the later one counts, by their stamps (M. Shapiro, N. Preguiça, C. Baquero,
 * M. Zawirski: "A comprehensive study of Convergent and Commutative Replicated Data Types", 2011; LWW-element). What is
 * removed leaves a tombstone with the stamp of the removal, for as long as an older write of it may be on its way.
 */
import { compareStamps, decodeStamp, type Stamp } from './hybrid-clock.js';
import { inOrder, isRecord, type Json, type Lattice } from './lattice.js';

export interface LwwEntry<Value> {
  readonly stamp: Stamp;
  /** Undefined: removed. */
  readonly value: Value | undefined;
}

export type LwwMap<Value> = ReadonlyMap<string, LwwEntry<Value>>;

export interface LwwOptions<Value> {
  /** @param value from a peer @returns null when it is none */
  readonly decode: (value: unknown) => Value | null;
  /** Longer keys are refused. UTF-16 code units. */
  readonly longestKey?: number;
}

const LONGEST_KEY = 512;

/** The delta that sets a key. @param stamp later than that of the entry that it is to replace */
export function setEntry<Value>(key: string, value: Value, stamp: Stamp): LwwMap<Value> {
  return new Map([[key, { stamp, value }]]);
}

/** The delta that removes a key. */
export function removeEntry<Value>(key: string, stamp: Stamp): LwwMap<Value> {
  return new Map([[key, { stamp, value: undefined }]]);
}

/** What is not removed, in no order. */
export function* liveEntries<Value>(map: LwwMap<Value>): Generator<[key: string, value: Value, stamp: Stamp]> {
  for (const [key, { value, stamp }] of map) if (value !== undefined) yield [key, value, stamp];
}

export function lwwMap<Value extends Json>({
  decode,
  longestKey = LONGEST_KEY,
}: LwwOptions<Value>): Lattice<LwwMap<Value>> {
  return {
    bottom: new Map(),

    join(a, b) {
      let joined: Map<string, LwwEntry<Value>> | null = null;
      for (const [key, entry] of b) {
        const known = a.get(key);
        if (known !== undefined && !isLater(entry, known)) continue;
        joined ??= new Map(a);
        joined.set(key, entry);
      }
      return joined ?? a;
    },

    encode: (map) =>
      inOrder(map).map(([key, { stamp, value }]) => (value === undefined ? [key, stamp] : [key, stamp, value])),

    decode(encoded) {
      if (!Array.isArray(encoded)) return null;
      const map = new Map<string, LwwEntry<Value>>();
      for (const row of encoded as readonly unknown[]) {
        if (!Array.isArray(row) || row.length < 2 || row.length > 3) return null;
        const [key, stampText, valueText]: readonly unknown[] = row;
        const stamp = decodeStamp(stampText);
        if (typeof key !== 'string' || key.length > longestKey || stamp === null) return null;
        const value = row.length === 2 ? undefined : decode(valueText);
        if (value === null) return null;
        map.set(key, { stamp, value });
      }
      return map;
    },

    visible(map) {
      const live: Json[] = [];
      for (const [key, { stamp, value }] of inOrder(map)) if (value !== undefined) live.push([key, stamp, value]);
      return live;
    },

    size(map) {
      let tombstones = 0;
      for (const { value } of map.values()) if (value === undefined) tombstones++;
      return { entries: map.size - tombstones, tombstones };
    },

    length: (map) => map.size,

    newest(map) {
      let newest: Stamp | null = null;
      for (const { stamp } of map.values()) if (newest === null || compareStamps(stamp, newest) > 0) newest = stamp;
      return newest;
    },

    prune(map, before) {
      const isOld = ({ stamp, value }: LwwEntry<Value>): boolean => value === undefined && stamp[0] < before;
      if (![...map.values()].some(isOld)) return map;
      return new Map([...map].filter(([, entry]) => !isOld(entry)));
    },
  };
}

/**
 * Two values under one stamp are nobody's doing who keeps the rules. All replicas take the same one nevertheless: a
 * value before a removal, and of two values the one whose text is greater.
 */
function isLater<Value extends Json>(a: LwwEntry<Value>, b: LwwEntry<Value>): boolean {
  const order = compareStamps(a.stamp, b.stamp);
  return order > 0 || (order === 0 && textOf(a.value) > textOf(b.value));
}

/** The same for values that are equal: of objects the order of the names does not count. */
function textOf(value: Json | undefined): string {
  if (value === undefined) return '';
  return JSON.stringify(value, (_name, part: unknown) =>
    isRecord(part) ? Object.fromEntries(inOrder(new Map(Object.entries(part)))) : part,
  );
}
