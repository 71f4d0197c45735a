/** Random commands of several keys, and such as give these something to work with. */
import type { Random } from './random.js';

export interface RandomCommand {
  readonly words: string[];
  /** Its reply is a set, which each process of Redis has in an order of its own. */
  readonly isUnordered: boolean;
}

type Make = (random: Random) => RandomCommand;

const ordered =
  (make: (random: Random) => string[]): Make =>
  (random) => ({ words: make(random), isUnordered: false });
const unordered =
  (make: (random: Random) => string[]): Make =>
  (random) => ({ words: make(random), isUnordered: true });

/** By what they hold, mostly. */
const OF_TYPE = ['s', 'l', 'e', 'z', 'h', 'x'] as const;
type Kind = (typeof OF_TYPE)[number];
export const KEYS = OF_TYPE.flatMap((kind) => Array.from({ length: 6 }, (_, i) => `${kind}:${i}`));

/** Now and then one of another type. */
function key(random: Random, kind: Kind): string {
  return random.chance(4) ? random.pick(KEYS) : `${kind}:${random.below(6)}`;
}

function keys(random: Random, kind: Kind, most = 4): string[] {
  return Array.from({ length: 1 + random.below(most) }, () => key(random, kind));
}

function counted(random: Random, kind: Kind): string[] {
  const names = keys(random, kind);
  return [String(names.length), ...names];
}

function member(random: Random): string {
  return `${random.below(9)}`;
}

function members(random: Random): string[] {
  return Array.from({ length: 1 + random.below(4) }, () => member(random));
}

function pairs(names: readonly string[], random: Random): string[] {
  return names.flatMap((name) => [name, `v${random.below(100)}`]);
}

function end(random: Random): string {
  return random.chance(3) ? 'MIDDLE' : random.pick(['LEFT', 'RIGHT', 'left']);
}

function option(random: Random, words: string[]): string[] {
  return random.chance(50) ? words : [];
}

function weights(random: Random, count: string): string[] {
  return random.chance(30)
    ? ['WEIGHTS', ...Array.from({ length: Number(count) }, () => String(1 + random.below(3)))]
    : [];
}

function aggregated(random: Random, names: string[]): string[] {
  const [count = '0'] = names;
  return [...names, ...weights(random, count), ...option(random, ['AGGREGATE', random.pick(['SUM', 'MIN', 'MAX'])])];
}

let id = 0;

const FILLING: readonly Make[] = [
  ordered((r) => ['SET', key(r, 's'), `${r.below(100)}abc`, ...option(r, ['EX', '1000'])]),
  ordered((r) => ['RPUSH', key(r, 'l'), ...members(r)]),
  ordered((r) => ['LPUSH', key(r, 'l'), ...members(r)]),
  ordered((r) => ['SADD', key(r, 'e'), ...members(r)]),
  ordered((r) => ['ZADD', key(r, 'z'), ...members(r).flatMap((m) => [String(r.below(20)), m])]),
  ordered((r) => ['HSET', key(r, 'h'), ...members(r).flatMap((m) => [m, String(r.below(20))])]),
  ordered((r) => ['XADD', key(r, 'x'), `${++id}-1`, 'field', member(r)]),
  ordered((r) => ['XGROUP', 'CREATE', key(r, 'x'), 'group', '0', ...option(r, ['MKSTREAM'])]),
  ordered((r) => ['EXPIRE', r.pick(KEYS), '2000']),
  ordered((r) => ['DEL', r.pick(KEYS)]),
];

const STRINGS: readonly Make[] = [
  ordered((r) => ['MSETNX', ...pairs(keys(r, 's', 3), r), ...(r.chance(4) ? ['odd'] : [])]),
  ordered((r) => ['BITOP', r.pick(['AND', 'OR', 'XOR']), key(r, 's'), ...keys(r, 's')]),
  ordered((r) => ['LCS', key(r, 's'), key(r, 's'), ...option(r, [r.pick(['LEN', 'IDX'])])]),
  ordered((r) => ['PFADD', r.pick(['s:0', 's:1', 's:2']), ...members(r)]),
  ordered((r) => ['PFMERGE', ...keys(r, 's')]),
  ordered((r) => ['PFCOUNT', ...keys(r, 's')]),
];

const NAMES: readonly Make[] = [
  ordered((r) => ['RENAME', r.pick(KEYS), r.pick(KEYS)]),
  ordered((r) => ['RENAMENX', r.pick(KEYS), r.pick(KEYS)]),
  ordered((r) => ['COPY', r.pick(KEYS), r.pick(KEYS), ...option(r, ['REPLACE'])]),
];

const LISTS: readonly Make[] = [
  ordered((r) => ['LMOVE', key(r, 'l'), key(r, 'l'), end(r), end(r)]),
  ordered((r) => ['RPOPLPUSH', key(r, 'l'), key(r, 'l')]),
  ordered((r) => ['LMPOP', ...counted(r, 'l'), end(r), ...option(r, ['COUNT', String(r.below(4))])]),
  ordered((r) => ['LMPOP', ...counted(r, 'l'), end(r)]),
];

const SETS: readonly Make[] = [
  ordered((r) => ['SMOVE', key(r, 'e'), key(r, 'e'), member(r)]),
  unordered((r) => [r.pick(['SUNION', 'SINTER', 'SDIFF']), ...keys(r, 'e')]),
  ordered((r) => [r.pick(['SUNIONSTORE', 'SINTERSTORE', 'SDIFFSTORE']), key(r, 'e'), ...keys(r, 'e')]),
  ordered((r) => ['SINTERCARD', ...counted(r, 'e'), ...option(r, ['LIMIT', '2'])]),
];

const SORTED_SETS: readonly Make[] = [
  ordered((r) => ['ZMPOP', ...counted(r, 'z'), r.pick(['MIN', 'MAX']), ...option(r, ['COUNT', '2'])]),
  ordered((r) => [r.pick(['ZUNION', 'ZINTER']), ...aggregated(r, counted(r, 'z')), ...option(r, ['WITHSCORES'])]),
  ordered((r) => ['ZDIFF', ...counted(r, 'z'), ...option(r, ['WITHSCORES'])]),
  ordered((r) => ['ZINTERCARD', ...counted(r, 'z')]),
  ordered((r) => [r.pick(['ZUNIONSTORE', 'ZINTERSTORE']), key(r, 'z'), ...aggregated(r, counted(r, 'z'))]),
  ordered((r) => ['ZDIFFSTORE', key(r, 'z'), ...counted(r, 'z')]),
  ordered((r) => ['ZRANGESTORE', key(r, 'z'), key(r, 'z'), '0', String(r.below(4))]),
];

const STREAMS: readonly Make[] = [
  ordered((r) => {
    const names = keys(r, 'x');
    const ids = names.map(() => r.pick(['0', '$', '1-1', String(r.below(id + 1))]));
    return ['XREAD', ...option(r, ['COUNT', '2']), ...option(r, ['BLOCK', '1']), 'STREAMS', ...names, ...ids];
  }),
  ordered((r) => {
    const names = keys(r, 'x', 3);
    const ids = names.map(() => r.pick(['>', '>', '0', r.chance(5) ? 'nonsense' : '>']));
    const options = [...option(r, ['COUNT', '2']), ...option(r, ['BLOCK', '1'])];
    return ['XREADGROUP', 'GROUP', 'group', 'one', ...options, 'STREAMS', ...names, ...ids];
  }),
];

const SORTS: readonly Make[] = [
  ordered((r) => [
    'SORT_RO',
    key(r, 'l'),
    'BY',
    r.pick(['s:*', 'h:*->1', 'none']),
    ...option(r, ['GET', 'h:*->2', 'GET', '#']),
  ]),
  ordered((r) => [
    'SORT',
    key(r, r.pick(['l', 'e', 'z'])),
    ...option(r, ['GET', 's:*']),
    ...option(r, ['DESC']),
    ...option(r, ['STORE', key(r, 'l')]),
  ]),
];

const CODE: readonly Make[] = [
  unordered((r) => ['EVAL_RO', "return redis.call('SUNION', unpack(KEYS))", ...counted(r, 'e')]),
  ordered((r) => [
    'EVAL',
    "#!lua flags=no-writes\nreturn {KEYS, redis.call('TYPE', KEYS[1]), ARGV}",
    ...counted(r, 's'),
    'arg',
  ]),
];

/** Half of them fill. */
export const COMMANDS: readonly Make[] = [
  (random) => random.pick(FILLING)(random),
  (random) => random.pick(FILLING)(random),
  (random) => random.pick([NAMES, STRINGS, LISTS, SETS, SORTED_SETS, STREAMS].map((kind) => random.pick(kind)))(random),
  (random) => random.pick([LISTS, SETS, STREAMS, NAMES, SORTS, CODE].map((kind) => random.pick(kind)))(random),
];
