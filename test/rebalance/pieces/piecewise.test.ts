/** Values of every type go in pieces between two real nodes: what arrives is what there was, whatever fails on the way. */
import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NodeFailure } from '../../../src/node/failure.js';
import type { MovingNodes } from '../../../src/rebalance/moving-nodes.js';
import { MoveGivenUp, partOf } from '../../../src/rebalance/pieces/large-move.js';
import { moveInPieces } from '../../../src/rebalance/pieces/piecewise.js';
import { TransferRefused } from '../../../src/rebalance/transfer-refused.js';
import type { Moves } from '../../../src/rebalance/trust.js';
import { half, movingNodes, type StageNode, stageNode } from '../stage.js';

let source: StageNode;
let target: StageNode;
let nodes: MovingNodes;

const KEY = Buffer.from([0, 255, 13, 10, 36]);
const PART = partOf(KEY);

beforeAll(async () => {
  const args = ['--enable-debug-command', 'yes', '--set-max-intset-entries', '100'];
  [source, target] = await Promise.all([stageNode('source', args), stageNode('target', args)]);
});

beforeEach(async () => {
  await Promise.all([source, target].map(({ redis }) => redis.client().flushall()));
  nodes = await movingNodes([source, target]);
  return async () => {
    await nodes.close();
    for (const { net } of [source, target]) net.heal();
  };
});

const at = (node: StageNode) => node.redis.client();
const countOf = (node: StageNode, word: string) => node.net.words.filter((other) => other === word).length;

async function move(verdict: Moves = 'move', database = 0, goesOn = () => Promise.resolve(true)) {
  const [from, to] = await nodes.pair(0, 1, 'large sweep');
  return moveInPieces({ source: from, target: to, database, key: KEY, part: PART, goesOn }, verdict, half);
}

/** Of the value, whatever its encoding. */
async function digest(node: StageNode): Promise<string> {
  return String(await at(node).call('DEBUG', 'DIGEST-VALUE', KEY));
}

const bytes = (count: number, length: number): Buffer[] => Array.from({ length: count }, () => randomBytes(length));
const pairs = (fields: readonly Buffer[], value: (i: number) => string | Buffer): (string | Buffer)[] =>
  fields.flatMap((field, i) => [field, value(i)]);

const VALUES: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['a string of several ranges', () => at(source).set(KEY, randomBytes(3_000_001))],
  ['a string of one byte', () => at(source).set(KEY, Buffer.from([0]))],
  ['an empty string', () => at(source).set(KEY, '')],
  ['a number', () => at(source).set(KEY, '-12')],
  ['a small hash', () => at(source).hset(KEY, ...pairs(bytes(5, 4), String))],
  ['a large hash', () => at(source).hset(KEY, ...pairs(bytes(5000, 20), () => randomBytes(100)))],
  ['a hash with a large field', () => at(source).hset(KEY, 'a', randomBytes(2_000_000), 'b', '', '', 'c')],
  ['a set of numbers', () => at(source).sadd(KEY, ...Array.from({ length: 90 }, (_, i) => i * 1e12))],
  ['a large set', () => at(source).sadd(KEY, ...bytes(5000, 40))],
  [
    'a small sorted set',
    () => at(source).zadd(KEY, '-inf', 'low', 'inf', 'high', '0.1', 'x', '-0.30000000000000004', 'y'),
  ],
  [
    'a large sorted set',
    () => at(source).zadd(KEY, ...bytes(5000, 90).flatMap((member) => [Math.random() / 3, member])),
  ],
  ['a small list', () => at(source).rpush(KEY, 'a', 'a', '', '1')],
  ['a large list', () => at(source).rpush(KEY, ...bytes(5000, 60))],
  ['a list with large elements', () => at(source).rpush(KEY, ...bytes(6, 300_000), 'x')],
];

describe.each(VALUES)('%s', (_title, fill) => {
  it.each([0, 3_600_000])('goes in pieces, and lives on for %i ms', async (ttl) => {
    await fill();
    if (ttl > 0) await at(source).pexpire(KEY, ttl);
    const expiry = await at(source).pexpiretime(KEY);
    const before = await digest(source);
    // What a change that was cut has left.
    await at(target).call('SADD', KEY, 'of the past');
    await at(target).call('SADD', PART, 'of the past');
    expect(await move()).toEqual({ moved: true, dropped: 0 });
    expect(await digest(target)).toBe(before);
    expect(await at(target).pexpiretime(KEY)).toBe(expiry);
    expect(await at(source).dbsize()).toBe(0);
    await at(target).del(PART);
    expect(await at(target).dbsize()).toBe(1);
  });

  it('counts only where the target has none, when it is offered', async () => {
    await fill();
    await at(target).set(KEY, 'newer');
    expect(await move('offer')).toEqual({ moved: true, dropped: 0 });
    expect(await at(target).get(KEY)).toBe('newer');
    expect(await at(source).dbsize()).toBe(0);
    await fill();
    const before = await digest(source);
    await at(target).flushall();
    expect(await move('offer')).toEqual({ moved: true, dropped: 0 });
    expect(await digest(target)).toBe(before);
  });
});

/** All that a stream is, but when its consumers were last seen. */
async function streamOf(node: StageNode): Promise<string> {
  const full = JSON.stringify(await at(node).call('XINFO', 'STREAM', KEY, 'FULL', 'COUNT', '0'));
  // Times of delivery stand with what is pending, and are asked of apart; they are not the same to the millisecond.
  const kept = full
    .replace(/"seen-time",\d+/g, '"seen-time"')
    .replace(/"radix-tree-(?:keys|nodes)",\d+,?/g, '')
    .replace(/("\d+-\d+","[^"]*"),\d{12,14},/g, '$1,when,')
    .replace(/("\d+-\d+"),\d{12,14},/g, '$1,when,');
  return kept;
}

async function deliveriesOf(node: StageNode, group: string): Promise<[string, number][]> {
  const list = (await at(node).call('XPENDING', KEY, group, '-', '+', '100000')) as [string, string, number, number][];
  const now = Number(((await at(node).time()) as unknown as string[])[0]) * 1000;
  return list.map(([id, , idle]) => [id, now - idle]);
}

describe('a stream', () => {
  async function fill(entries: number): Promise<void> {
    const pipeline = at(source).pipeline();
    pipeline.xgroup('CREATE', KEY, 'idle', '0', 'MKSTREAM');
    for (let i = 1; i <= entries; i++) pipeline.xadd(KEY, `${i}-${i % 3}`, 'field', randomBytes(30), '', 'x');
    pipeline.xgroup('CREATE', KEY, 'readers', '0');
    pipeline.xgroup('CREATE', KEY, 'late', `${Math.ceil(entries / 2)}-0`);
    pipeline.call('XGROUP', 'CREATECONSUMER', KEY, 'late', 'without anything');
    pipeline.call('XREADGROUP', 'GROUP', 'readers', 'one', 'COUNT', String(entries >> 1), 'STREAMS', KEY, '>');
    pipeline.call('XREADGROUP', 'GROUP', 'readers', 'two\r\n', 'COUNT', '7', 'STREAMS', KEY, '>');
    pipeline.call('XREADGROUP', 'GROUP', 'readers', 'one', 'COUNT', '3', 'STREAMS', KEY, '0');
    pipeline.call('XREADGROUP', 'GROUP', 'late', 'three', 'STREAMS', KEY, '>');
    await pipeline.exec();
  }

  async function expectSame(): Promise<void> {
    const before = await streamOf(source);
    const delivered = await Promise.all(['readers', 'late'].map((group) => deliveriesOf(source, group)));
    expect(await move()).toEqual({ moved: true, dropped: 0 });
    expect(await streamOf(target)).toBe(before);
    for (const [i, group] of ['readers', 'late'].entries()) {
      const there = await deliveriesOf(target, group);
      for (const [at, [id, when]] of (delivered[i] ?? []).entries()) {
        expect(there[at]?.[0]).toBe(id);
        expect(Math.abs((there[at]?.[1] ?? 0) - when)).toBeLessThan(3000);
      }
    }
    expect(await at(source).dbsize()).toBe(0);
    expect(await at(target).dbsize()).toBe(1);
  }

  it.each([1, 9, 10, 11, 1500])(
    'of %i entries goes with its groups, consumers, and what is pending',
    async (entries) => {
      await fill(entries);
      await expectSame();
    },
  );

  it('goes with what is pending of entries that were deleted', async () => {
    await fill(1500);
    const gone = Array.from({ length: 600 }, (_, i) => `${i + 3}-${(i + 3) % 3}`);
    await at(source).xdel(KEY, ...gone, '1500-0', '1400-2');
    await expectSame();
  });

  it.each([700, 1])('goes with what is pending of entries that were trimmed, down to %i', async (length) => {
    await fill(1000);
    await at(source).xtrim(KEY, 'MAXLEN', length);
    await expectSame();
  });

  it('goes with what is pending of entries that were trimmed, and of such as were deleted', async () => {
    await fill(1000);
    await at(source).xtrim(KEY, 'MAXLEN', 800);
    await at(source).xdel(KEY, '300-0', '1000-1');
    await expectSame();
  });

  it('goes when all of its entries were trimmed, and all are pending', async () => {
    await fill(1000);
    await at(source).xtrim(KEY, 'MAXLEN', 0);
    await expectSame();
    expect(await at(target).xadd(KEY, '1-0', 'a', 'b').catch(String)).toContain('equal or smaller');
  });

  it('goes without entries and groups', async () => {
    await at(source).xadd(KEY, 'MAXLEN', 0, '5-5', 'a', 'b');
    const before = await streamOf(source);
    await move();
    expect(await streamOf(target)).toBe(before);
  });

  it('goes with its last id, which may be above all entries', async () => {
    await at(source).xadd(KEY, '1-1', 'a', 'b');
    await at(source).call('XSETID', KEY, '99-9', 'ENTRIESADDED', '77', 'MAXDELETEDID', '50-0');
    const before = await streamOf(source);
    await move();
    expect(await streamOf(target)).toBe(before);
  });
});

describe('what is not there', () => {
  it('is no failure; a copy of the past is removed where the verdict says so', async () => {
    await at(target).set(KEY, 'past');
    expect(await move()).toEqual({ moved: false, dropped: 0 });
    expect(await at(target).get(KEY)).toBe('past');
    expect(await move('move, clear')).toEqual({ moved: false, dropped: 1 });
    expect(await at(target).dbsize()).toBe(0);
  });
});

/** Large enough for several pieces. */
const KINDS = [
  { kind: 'string', read: 'GETRANGE', fill: () => at(source).set(KEY, randomBytes(2_000_000)) },
  { kind: 'hash', read: 'HSCAN', fill: () => at(source).hset(KEY, ...pairs(bytes(2000, 20), () => randomBytes(100))) },
  { kind: 'list', read: 'LRANGE', fill: () => at(source).rpush(KEY, ...bytes(2000, 60)) },
  {
    kind: 'stream',
    read: 'XRANGE',
    fill: async () => {
      const pipeline = at(source).pipeline();
      for (let i = 1; i < 500; i++) pipeline.xadd(KEY, `${i}-0`, 'field', 'x');
      return pipeline.exec();
    },
  },
] as const;

describe.each(KINDS)('a $kind on its way', ({ read, fill }) => {
  /** Stops in front of the third page. */
  async function midway(verdict: Moves = 'move', goesOn?: () => Promise<boolean>) {
    let seen = 0;
    const kept = source.net.hold(([word]) => word === read && ++seen === 3);
    const moved = move(verdict, 0, goesOn).catch((error: unknown) => error);
    await kept.reached;
    return { kept, moved };
  }

  beforeEach(async () => {
    await fill();
  });

  it.each([
    ['expires', () => at(source).pexpire(KEY, 0)],
    ['is evicted', () => at(source).del(KEY)],
  ])('is missing when it %s, and nothing is left of it', async (_how, vanish) => {
    const { kept, moved } = await midway();
    await vanish();
    await kept.deliver();
    expect(await moved).toEqual({ moved: false, dropped: 0 });
    await expect.poll(() => at(target).dbsize()).toBe(0);
  });

  it('is given up at once when moves are to hold still, and nothing is left of it', async () => {
    let goes = true;
    const before = await digest(source);
    const { kept, moved } = await midway('move', () => Promise.resolve(goes));
    goes = false;
    await kept.deliver();
    expect(await moved).toBeInstanceOf(MoveGivenUp);
    await expect.poll(() => at(target).dbsize()).toBe(0);
    expect(await digest(source)).toBe(before);
    expect(await move()).toMatchObject({ moved: true });
    expect(await digest(target)).toBe(before);
  });

  it.each(['source', 'target'] as const)(
    'stays at its source when the %s fails, and goes the next time',
    async (end) => {
      const before = await digest(source);
      const { kept, moved } = await midway();
      (end === 'source' ? source : target).net.cutAll();
      await kept.deliver();
      expect(await moved).toBeInstanceOf(NodeFailure);
      expect(await digest(source)).toBe(before);
      expect(await at(target).exists(KEY)).toBe(0);
      expect(await move()).toMatchObject({ moved: true });
      expect(await digest(target)).toBe(before);
      expect(await at(target).dbsize()).toBe(1);
    },
  );

  it('stays at its source when the target has no room for it, which is told, and nothing is left of it', async () => {
    const { kept, moved } = await midway();
    await at(target).config('SET', 'maxmemory', '1');
    await kept.deliver();
    const failure = await moved;
    await at(target).config('SET', 'maxmemory', '0');
    expect(failure).toBeInstanceOf(TransferRefused);
    expect(String(failure)).toContain('OOM');
    await expect.poll(() => at(target).dbsize()).toBe(0);
    expect(await at(source).exists(KEY)).toBe(1);
  });

  it('does not go in pieces where a command for that is forbidden', async () => {
    void source.net.answer(read, '-NOPERM no\r\n');
    expect(await move()).toBeNull();
    expect(await at(source).exists(KEY)).toBe(1);
    expect(await at(target).dbsize()).toBe(0);
  });
});

describe.each(KINDS.filter(({ kind }) => kind !== 'string'))('the unfinished copy of a $kind', ({ read, fill }) => {
  beforeEach(async () => {
    await fill();
  });

  it('that the target evicts is found to be too short, and does not come into place', async () => {
    let seen = 0;
    const kept = source.net.hold(([word]) => word === read && ++seen === 3);
    const moved = move().catch((error: unknown) => error);
    await kept.reached;
    await expect.poll(() => at(target).del(PART)).toBe(1);
    await kept.deliver();
    const failure = await moved;
    expect(failure).toBeInstanceOf(TransferRefused);
    expect(failure).toMatchObject({ outlook: 'may pass' });
    expect(await at(source).exists(KEY)).toBe(1);
    expect(await at(target).dbsize()).toBe(0);
  });

  it('that is gone when it is to come into place is made anew', async () => {
    const kept = target.net.hold((words) => words[0] === 'PERSIST');
    const moved = move().catch((error: unknown) => error);
    await kept.reached;
    await at(target).del(PART);
    await kept.deliver();
    expect(await moved).toMatchObject({ outlook: 'may pass' });
    expect(await move()).toMatchObject({ moved: true });
  });

  it('expires by itself when nobody writes it on', async () => {
    let seen = 0;
    const kept = source.net.hold(([word]) => word === read && ++seen === 3);
    const moved = move().catch((error: unknown) => error);
    await kept.reached;
    await expect.poll(() => at(target).pttl(PART)).toBeGreaterThan(30_000);
    expect(await at(target).pttl(PART)).toBeLessThanOrEqual(60_000);
    source.net.cutAll();
    await kept.deliver();
    await moved;
  });
});

it('a hash whose fields expire by themselves does not go in pieces, which would lose that', async () => {
  await at(source).hset(KEY, 'a', '1', 'b', '2');
  void source.net.answer('HPEXPIRETIME', '*1\r\n:-1\r\n');
  const whole = source.net.answer(
    (words) => words[0] === 'HPEXPIRETIME' && words.length === 6,
    '*2\r\n:-1\r\n:1790000000000\r\n',
  );
  expect(await move()).toBeNull();
  void whole;
  expect(await at(target).dbsize()).toBe(0);
});

it('the source reads the next page while the target writes one, and no page is large', async () => {
  await at(source).hset(KEY, ...pairs(bytes(5000, 20), () => randomBytes(1000)));
  const before = countOf(source, 'HSCAN');
  await move();
  expect(countOf(source, 'HSCAN') - before).toBeGreaterThan(30);
});
