/**
 * What one Redis does with a command, as far as the interleavings need it: the keys' values, and a command as a function of
 * them. What a key holds is told by its first letter: a string (`s:`), a list (`l:`), a set (`e:`), a sorted set whose scores
 * are the numbers that its members are (`z:`), a HyperLogLog as the set that it counts (`p:`).
 */

/** The value of each key that there is; a string as its only element. What is unordered is sorted. */
export type Store = ReadonlyMap<string, readonly string[]>;

export interface Done {
  readonly store: Store;
  /** As `canonical` says it. */
  readonly reply: string;
  /** Keys that were written, as WATCH sees it. */
  readonly touched: readonly string[];
}

export const EMPTY: Store = new Map();
export const NIL = 'nil';
export const OK = '+OK';
export const NO_SUCH_KEY = '-ERR no such key';
/** In every HyperLogLog, since one that counts nothing is there as well. */
const COUNTS_NOTHING = '#';
/** `MGET key …` and so on: a command of several keys that a ring carries out key by key. */
export const SPLIT = new Set(['MGET', 'MSET', 'DEL']);

const COMMANDS: Readonly<Record<string, (store: Store, ...args: string[]) => Done>> = {
  SET: (store, key, value) => put(store, key, [value as string], OK),
  GET: (store, key) => read(store, store.get(at(key))?.[0] ?? NIL),
  MGET: (store, ...keys) => read(store, list(keys.map((key) => store.get(key)?.[0] ?? NIL))),
  APPEND: (store, key, more) => {
    const value = `${store.get(at(key))?.[0] ?? ''}${more}`;
    return put(store, key, [value], `:${value.length}`);
  },
  MSET: (store, ...pairs) => setAll(store, pairs, OK),
  MSETNX: (store, ...pairs) =>
    keysOfPairs(pairs).some((key) => store.has(key)) ? read(store, ':0') : setAll(store, pairs, ':1'),
  DEL: (store, ...keys) => {
    const there = [...new Set(keys)].filter((key) => store.has(key));
    return { store: without(store, there), reply: `:${there.length}`, touched: there };
  },
  GETDEL: (store, key) => put(store, key, [], store.get(at(key))?.[0] ?? NIL),
  BITOP: (store, _or, target, ...sources) => {
    const values = sources.map((key) => Buffer.from(store.get(key)?.[0] ?? ''));
    const length = Math.max(0, ...values.map((value) => value.length));
    const result = Buffer.alloc(length);
    for (const value of values) for (const [i, byte] of value.entries()) result[i] = (result[i] as number) | byte;
    return put(store, target, length === 0 ? [] : [result.toString('latin1')], `:${length}`);
  },
  RENAME: (store, from, to) => {
    const value = store.get(at(from));
    if (value === undefined) return read(store, NO_SUCH_KEY);
    return { store: withValue(without(store, [at(from)]), at(to), value), reply: OK, touched: [at(from), at(to)] };
  },
  RENAMENX: (store, from, to) => {
    if (!store.has(at(from))) return read(store, NO_SUCH_KEY);
    if (store.has(at(to))) return read(store, ':0');
    return { ...apply(store, ['RENAME', at(from), at(to)]), reply: ':1' };
  },
  COPY: (store, from, to, replace) => {
    const value = store.get(at(from));
    if (value === undefined || (replace === undefined && store.has(at(to)))) return read(store, ':0');
    return put(store, to, value, ':1');
  },
  RPUSH: (store, key, ...more) => grown(store, key, [...elementsAt(store, key), ...more]),
  LPUSH: (store, key, ...more) => grown(store, key, [...more.reverse(), ...elementsAt(store, key)]),
  LPOP: (store, key) => put(store, key, elementsAt(store, key).slice(1), elementsAt(store, key)[0] ?? NIL),
  RPOP: (store, key) => put(store, key, elementsAt(store, key).slice(0, -1), elementsAt(store, key).at(-1) ?? NIL),
  LRANGE: (store, key) => read(store, list(elementsAt(store, key))),
  LINDEX: (store, key, index) => read(store, elementsAt(store, key).at(Number(index)) ?? NIL),
  LREM: (store, key, count, element) => {
    const value = [...elementsAt(store, key)];
    const index = count === '1' ? value.indexOf(element as string) : value.lastIndexOf(element as string);
    if (index < 0) return read(store, ':0');
    value.splice(index, 1);
    return put(store, key, value, ':1');
  },
  LMOVE: (store, from, to, end, side) => {
    const taken = apply(store, [end === 'LEFT' ? 'LPOP' : 'RPOP', at(from)]);
    if (taken.reply === NIL) return taken;
    const { store: moved } = apply(taken.store, [side === 'LEFT' ? 'LPUSH' : 'RPUSH', at(to), taken.reply]);
    return { store: moved, reply: taken.reply, touched: [at(from), at(to)] };
  },
  LMPOP: (store, count, ...rest) => popFirst(store, rest.slice(0, Number(count)), 'LPOP'),
  BLPOP: (store, ...words) => popFirst(store, words.slice(0, -1), 'LPOP'),
  SADD: (store, key, ...more) => withMembers(store, key, more),
  SREM: (store, key, member) => withoutMember(store, key, member),
  SISMEMBER: (store, key, member) => read(store, elementsAt(store, key).includes(at(member)) ? ':1' : ':0'),
  SMEMBERS: (store, key) => read(store, list(elementsAt(store, key))),
  SMOVE: (store, from, to, member) => {
    const taken = withoutMember(store, from, member);
    if (taken.reply === ':0') return taken;
    return { store: withMembers(taken.store, to, [at(member)]).store, reply: ':1', touched: [at(from), at(to)] };
  },
  SUNION: (store, ...keys) => read(store, list(union(store, keys))),
  SINTER: (store, ...keys) => read(store, list(inter(store, keys))),
  SUNIONSTORE: (store, target, ...keys) => stored(store, target, union(store, keys)),
  SDIFFSTORE: (store, target, first, ...others) => {
    const gone = new Set(union(store, others));
    return stored(
      store,
      target,
      elementsAt(store, first).filter((member) => !gone.has(member)),
    );
  },
  ZADD: (store, key, score) => withMembers(store, key, [at(score)]),
  ZREM: (store, key, member) => withoutMember(store, key, member),
  ZRANGE: (store, key) => read(store, list(elementsAt(store, key))),
  ZPOPMIN: (store, key) => {
    const [least, ...others] = elementsAt(store, key);
    return put(store, key, others, least === undefined ? '[]' : list([least, least]));
  },
  ZMPOP: (store, count, ...rest) => popFirst(store, rest.slice(0, Number(count)), 'ZPOPMIN'),
  ZUNIONSTORE: (store, target, count, ...rest) => stored(store, target, union(store, rest.slice(0, Number(count)))),
  ZRANGESTORE: (store, target, source) => stored(store, target, elementsAt(store, source).slice(0, 2)),
  PFADD: (store, key, ...more) => {
    const done = withMembers(store, key, [COUNTS_NOTHING, ...more]);
    return { ...done, reply: done.touched.length > 0 ? ':1' : ':0' };
  },
  PFCOUNT: (store, ...keys) => read(store, `:${union(store, keys).filter((one) => one !== COUNTS_NOTHING).length}`),
  PFMERGE: (store, target, ...keys) =>
    put(store, target, [...new Set([COUNTS_NOTHING, ...union(store, [at(target), ...keys])])].sort(), OK),
};

/** @param words the command, its name in capitals first */
export function apply(store: Store, [name = '', ...args]: readonly string[]): Done {
  const command = COMMANDS[name];
  if (command === undefined) throw new Error(`the model has no ${name}`);
  return command(store, ...args);
}

/** @param value undefined, or without elements: the key is not there */
export function withValue(store: Store, key: string, value: readonly string[] | undefined): Store {
  if (value === undefined || value.length === 0) return without(store, [key]);
  return new Map(store).set(key, value);
}

/** One text for each state. */
export function textOf(store: Store): string {
  return [...store.keys()]
    .sort()
    .map((key) => `${key}=${store.get(key)?.join()}`)
    .join(' ');
}

/** An array's reply. */
export function list(elements: readonly string[]): string {
  return `[${elements.join()}]`;
}

/** Arguments that every command has that is made. */
function at(word: string | undefined): string {
  return word as string;
}

function elementsAt(store: Store, key: string | undefined): readonly string[] {
  return store.get(at(key)) ?? [];
}

function read(store: Store, reply: string): Done {
  return { store, reply, touched: [] };
}

function put(store: Store, key: string | undefined, value: readonly string[], reply: string): Done {
  const isWritten = value.length > 0 || store.has(at(key));
  return { store: withValue(store, at(key), value), reply, touched: isWritten ? [at(key)] : [] };
}

function without(store: Store, keys: readonly string[]): Store {
  const left = new Map(store);
  for (const key of keys) left.delete(key);
  return left;
}

function setAll(store: Store, pairs: readonly string[], reply: string): Done {
  const keys = keysOfPairs(pairs);
  const set = keys.reduce((all, key, i) => withValue(all, key, [pairs[2 * i + 1] as string]), store);
  return { store: set, reply, touched: keys };
}

export function keysOfPairs(pairs: readonly string[]): string[] {
  return pairs.filter((_, i) => i % 2 === 0);
}

function grown(store: Store, key: string | undefined, value: readonly string[]): Done {
  return put(store, key, value, `:${value.length}`);
}

function withMembers(store: Store, key: string | undefined, more: readonly string[]): Done {
  const before = elementsAt(store, key);
  const members = [...new Set([...before, ...more])].sort();
  const added = members.length - before.length;
  if (added === 0) return read(store, ':0');
  return put(store, key, members, `:${added}`);
}

function withoutMember(store: Store, key: string | undefined, member: string | undefined): Done {
  const before = elementsAt(store, key);
  const left = before.filter((one) => one !== member);
  return left.length === before.length ? read(store, ':0') : put(store, key, left, ':1');
}

function union(store: Store, keys: readonly string[]): string[] {
  return [...new Set(keys.flatMap((key) => elementsAt(store, key)))].sort();
}

function inter(store: Store, [first, ...others]: readonly string[]): string[] {
  return elementsAt(store, first).filter((member) => others.every((key) => elementsAt(store, key).includes(member)));
}

function stored(store: Store, target: string | undefined, members: readonly string[]): Done {
  return put(store, target, members, `:${members.length}`);
}

function popFirst(store: Store, keys: readonly string[], pop: 'LPOP' | 'ZPOPMIN'): Done {
  const key = keys.find((one) => store.has(one));
  if (key === undefined) return read(store, NIL);
  const done = apply(store, [pop, key]);
  return { ...done, reply: list([key, done.reply.replace(/^\[|\]$/g, '')]) };
}
