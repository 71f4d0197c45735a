/**
 * What a command does, as atomic steps, each at one node: one step where its keys are on one node, and otherwise those that
 * `docs/cross-node.md` tells of its way. Between two steps others may do whatever they do.
 */
import { apply, type Done, keysOfPairs, NIL, NO_SUCH_KEY, OK, SPLIT, type Store, withValue } from './store.js';

export interface Step {
  /** Tells it from other steps of the command, with what it has found out so far. */
  readonly id: string;
  /** Keys that it watches: the step is told which of them were written since the step before began to. */
  readonly watching: readonly string[];
  /** Those that it has begun to watch only now, whether or not it did before. */
  readonly anew: readonly string[];
  /** What may happen, when it is this step's turn. */
  run(store: Store, written: ReadonlySet<string>): readonly Outcome[];
}

export interface Outcome {
  readonly store: Store;
  readonly touched: readonly string[];
  /** What comes then; a text is the command's reply. */
  readonly next: Step | string;
}

/** Which node has a key. */
export type NodeOf = (key: string) => number;

/** How commands over nodes may be carried out: `steps` as they are, `atomic` as one Redis would. */
export type Rule = 'steps' | 'atomic';

/** @returns the first step of a command */
export function stepsOf(words: readonly string[], nodeOf: NodeOf, rule: Rule): Step {
  const name = words[0] as string;
  const keys = keysOf(words);
  const isTogether = new Set(keys.map(nodeOf)).size === 1;
  if (rule === 'atomic' || isTogether) return whole(words);
  if (SPLIT.has(name)) return inParts(words, keys, nodeOf);
  const [, first = '', second = ''] = words;
  switch (name) {
    case 'RENAME':
    case 'RENAMENX':
      return rename(first, second, name === 'RENAMENX');
    case 'LMOVE':
      return moveElement(words);
    case 'SMOVE':
      return moveMember(words);
    case 'MSETNX':
      return setAllOrNone(words.slice(1), nodeOf);
    case 'LMPOP':
    case 'ZMPOP':
      return popFirst(words, grouped(keys, nodeOf), 0);
    case 'BLPOP':
      return waitApart(keys, 0);
    default:
      return lend(words, keys, nodeOf);
  }
}

/** The keys of a command, in its order. */
export function keysOf(words: readonly string[]): string[] {
  return words.slice(1).filter((word) => /^[slezp]:\d$/.test(word));
}

function step(id: string, run: Step['run'], watching: readonly string[] = [], anew: readonly string[] = []): Step {
  return { id, run, watching, anew };
}

function last(done: Done): Outcome {
  return { store: done.store, touched: done.touched, next: done.reply };
}

function andThen(done: Pick<Done, 'store' | 'touched'>, next: Step | string): Outcome {
  return { store: done.store, touched: done.touched, next };
}

function nothing(store: Store, next: Step | string): Outcome {
  return { store, touched: [], next };
}

/** The keys of each node. */
function byNode(keys: readonly string[], nodeOf: NodeOf): string[][] {
  const nodes = [...new Set(keys.map(nodeOf))];
  return nodes.map((node) => [...new Set(keys.filter((key) => nodeOf(key) === node))]);
}

/** Keys that stand behind each other and are of one node. */
function grouped(keys: readonly string[], nodeOf: NodeOf): string[][] {
  const groups: string[][] = [];
  for (const key of keys) {
    const group = groups.at(-1);
    if (group !== undefined && nodeOf(group[0] as string) === nodeOf(key)) group.push(key);
    else groups.push([key]);
  }
  return groups;
}

function without<T>(list: readonly T[], one: T): T[] {
  return list.filter((other) => other !== one);
}

/** One Redis carries it out. */
function whole(words: readonly string[]): Step {
  const [name] = words;
  const keys = keysOf(words);
  return step('whole', (store) => {
    const done = last(apply(store, words));
    // It may note in the key what it has counted, which is a write to whoever watches it.
    if (name === 'PFCOUNT' && keys.length === 1) return [done, { ...done, touched: keys }];
    // Who waits is served behind what has made the list, and in front of a WATCH that follows that.
    return name === 'BLPOP' ? [done, { ...done, touched: [] }] : [done];
  });
}

/** MGET, MSET, DEL: each key at its node, in any order. */
function inParts(words: readonly string[], keys: readonly string[], nodeOf: NodeOf): Step {
  const name = words[0] as string;
  const part = (left: readonly string[][], found: ReadonlyMap<string, string>): Step =>
    step(`parts ${left.join('|')} ${[...found.values()]}`, (store) =>
      left.map((group) => {
        const own = name === 'MSET' ? group.flatMap((key) => [key, words[words.indexOf(key) + 1] as string]) : group;
        const done = apply(store, [name, ...own]);
        const replies = name === 'MGET' ? done.reply.slice(1, -1).split(',') : [done.reply];
        const known = new Map(found);
        for (const [i, reply] of replies.entries()) known.set(group[i] as string, reply);
        const rest = without(left, group);
        return andThen(done, rest.length > 0 ? part(rest, known) : joined(known));
      }),
    );
  const joined = (found: ReadonlyMap<string, string>): string => {
    if (name === 'MSET') return OK;
    if (name === 'MGET') return `[${keys.map((key) => found.get(key)).join()}]`;
    return `:${[...found.values()].reduce((sum, reply) => sum + Number(reply.slice(1)), 0)}`;
  };
  return part(byNode(keys, nodeOf), new Map());
}

/** What other nodes have is read, of each node in another moment; then the command runs where its target is. */
function lend(words: readonly string[], keys: readonly string[], nodeOf: NodeOf): Step {
  const [name = ''] = words;
  const target = name === 'COPY' ? keys[1] : READS.has(name) ? undefined : keys[0];
  const run = (left: readonly string[][], lent: Store): Step => {
    const id = `lends ${left.join('|')} ${[...lent].join(' ')}`;
    if (left.length > 0) {
      return step(id, (store) =>
        left.map((group) => {
          const more = group.reduce((all, key) => withValue(all, key, store.get(key)), lent);
          return nothing(store, run(without(left, group), more));
        }),
      );
    }
    return step(id, (store) => {
      const elsewhere = keys.filter((key) => target === undefined || nodeOf(key) !== nodeOf(target));
      const seen = elsewhere.reduce((all, key) => withValue(all, key, lent.get(key)), store);
      const done = apply(seen, words);
      const written = target === undefined ? store : withValue(store, target, done.store.get(target));
      return [{ store: written, touched: done.touched, next: done.reply }];
    });
  };
  const apart = keys.filter((key) => target === undefined || nodeOf(key) !== nodeOf(target));
  return run(byNode(apart, nodeOf), new Map());
}

/** Commands that write nothing. */
const READS = new Set(['SUNION', 'SINTER', 'PFCOUNT']);

/**
 * RENAME and RENAMENX: the target has it before the source goes. Who has removed the source meanwhile has renamed it, or
 * deleted it; then the target has again what it had, unless somebody has written it.
 */
function rename(from: string, to: string, isNew: boolean): Step {
  const look = (before: readonly string[] | null): Step =>
    step(
      `looks ${before}`,
      (store, written) => {
        const value = store.get(from);
        if (value !== undefined) return [nothing(store, give(value, before, written.has(to)))];
        if (before === null || written.has(to)) return [nothing(store, NO_SUCH_KEY)];
        return [nothing(store, takeBack(before))];
      },
      before === null ? [] : [to],
    );
  const takeBack = (before: readonly string[]): Step =>
    step(
      `takes back ${before}`,
      (store, written) => {
        if (written.has(to)) return [nothing(store, NO_SUCH_KEY)];
        return [{ store: withValue(store, to, before), touched: [to], next: NO_SUCH_KEY }];
      },
      [to],
    );
  const give = (value: readonly string[], before: readonly string[] | null, wasWritten: boolean): Step =>
    step(
      `gives ${value} ${before} ${wasWritten}`,
      (store, written) => {
        const isOurs = before !== null && !written.has(to);
        if (!isOurs && isNew && store.has(to)) return [nothing(store, ':0')];
        const had = isOurs ? before : (store.get(to) ?? []);
        return [{ store: withValue(store, to, value), touched: [to], next: remove(had) }];
      },
      before === null ? [from] : [from, to],
    );
  const remove = (before: readonly string[]): Step =>
    step(
      `removes ${before}`,
      (store, written) => {
        if (written.has(from)) return [nothing(store, look(before))];
        return [{ store: withValue(store, from, []), touched: [from], next: isNew ? ':1' : OK }];
      },
      [from, to],
      [to],
    );
  return look(null);
}

/** LMOVE: the target has it before the source loses it; when somebody else has taken it the target loses it again. */
function moveElement([, from = '', to = '', end = '', side = '']: readonly string[]): Step {
  const look = step('looks', (store) => {
    const { reply } = apply(store, ['LINDEX', from, end === 'LEFT' ? '0' : '-1']);
    return [nothing(store, reply === NIL ? NIL : push(reply))];
  });
  const push = (element: string): Step =>
    step(`pushes ${element}`, (store) => [
      andThen(apply(store, [side === 'LEFT' ? 'LPUSH' : 'RPUSH', to, element]), take(element)),
    ]);
  const take = (element: string): Step =>
    step(`takes ${element}`, (store) => {
      const done = apply(store, ['LREM', from, end === 'LEFT' ? '1' : '-1', element]);
      return [andThen(done, done.reply === ':1' ? element : takeBack(element))];
    });
  const takeBack = (element: string): Step =>
    step(`takes back ${element}`, (store) => [
      andThen(apply(store, ['LREM', to, side === 'LEFT' ? '1' : '-1', element]), look),
    ]);
  return look;
}

/** SMOVE: likewise; 0 when somebody else has taken it meanwhile. */
function moveMember([, from = '', to = '', member = '']: readonly string[]): Step {
  const look = step('looks', (store) => {
    const { reply } = apply(store, ['SISMEMBER', from, member]);
    return [nothing(store, reply === ':1' ? addTo : ':0')];
  });
  const addTo = step('adds', (store) => {
    const done = apply(store, ['SADD', to, member]);
    return [andThen(done, take(done.reply === ':1'))];
  });
  const take = (isNew: boolean): Step =>
    step(
      `takes ${isNew}`,
      (store) => {
        const done = apply(store, ['SREM', from, member]);
        if (done.reply === ':1') return [andThen(done, isNew ? ':1' : again)];
        return [andThen(done, isNew ? takeBack : ':0')];
      },
      [to],
      [to],
    );
  // Another one, who has put it there, is about to take it back: this is what it watches.
  const again = step('writes again', (store) => [
    { store: apply(store, ['SADD', to, member]).store, touched: [to], next: ':1' },
  ]);
  const takeBack = step(
    'takes back',
    (store, written) => [written.has(to) ? nothing(store, ':0') : andThen(apply(store, ['SREM', to, member]), ':0')],
    [to],
  );
  return look;
}

/** MSETNX: nobody has any of the keys; then each node in turn, and what was set is undone when somebody came in between. */
function setAllOrNone(pairs: readonly string[], nodeOf: NodeOf): Step {
  const keys = keysOfPairs(pairs);
  const newValue = (key: string): string => pairs[pairs.indexOf(key) + 1] as string;
  const nodes = byNode(keys, nodeOf).sort(([a = ''], [b = '']) => nodeOf(a) - nodeOf(b));
  const look = (left: readonly string[][], isThere: boolean): Step =>
    step(
      `looks ${left.join('|')} ${isThere}`,
      (store) =>
        left.map((group) => {
          const found = isThere || group.some((key) => store.has(key));
          const rest = without(left, group);
          return nothing(store, rest.length > 0 ? look(rest, found) : found ? ':0' : set(0));
        }),
      keys.filter((key) => !left.some((group) => group.includes(key))),
    );
  const set = (index: number): Step =>
    step(
      `sets ${index}`,
      (store, written) => {
        const group = nodes[index] as string[];
        if (group.some((key) => written.has(key))) return [nothing(store, undo(nodes.slice(0, index)))];
        const done = apply(store, ['MSET', ...group.flatMap((key) => [key, newValue(key)])]);
        return [andThen(done, index + 1 < nodes.length ? set(index + 1) : ':1')];
      },
      nodes.slice(index).flat(),
    );
  const undo = (left: readonly string[][]): Step => {
    if (left.length === 0) return look(nodes, false);
    return step(`undoes ${left.join('|')}`, (store) =>
      left.map((group) => {
        const ours = group.filter((key) => store.get(key)?.[0] === newValue(key));
        return andThen(apply(store, ['DEL', ...ours]), undo(without(left, group)));
      }),
    );
  };
  return look(nodes, false);
}

/** LMPOP, ZMPOP: the keys of one node after those of another. */
function popFirst(words: readonly string[], groups: readonly string[][], index: number): Step {
  const keys = keysOf(words);
  const options = words.slice(2 + keys.length);
  return step(`pops ${index}`, (store) => {
    const group = groups[index] as string[];
    const done = apply(store, [words[0] as string, String(group.length), ...group, ...options]);
    return [
      andThen(
        done,
        done.reply !== NIL || index + 1 === groups.length ? done.reply : popFirst(words, groups, index + 1),
      ),
    ];
  });
}

/** BLPOP: first each key in its turn; then any of them, whenever a node says that it has changed, until its time ends. */
function waitApart(keys: readonly string[], index: number): Step {
  if (index === keys.length) {
    return step('waits', (store) => {
      const taken = keys.filter((key) => store.has(key)).map((key) => last(apply(store, ['BLPOP', key, '0'])));
      return [...taken, nothing(store, NIL)];
    });
  }
  return step(`tries ${index}`, (store) => {
    const done = apply(store, ['BLPOP', keys[index] as string, '0']);
    return [andThen(done, done.reply === NIL ? waitApart(keys, index + 1) : done.reply)];
  });
}
