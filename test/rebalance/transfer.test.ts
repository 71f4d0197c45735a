/** A batch between two real nodes, which fails at each of its steps: no key may be lost, or be in two places for good. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NodeFailure } from '../../src/node/failure.js';
import type { MovingNodes } from '../../src/rebalance/moving-nodes.js';
import { LARGE_BYTES, takeByScript, takePlainly } from '../../src/rebalance/take.js';
import { dropCopies, type Transferred, transferBatch } from '../../src/rebalance/transfer.js';
import type { Moves } from '../../src/rebalance/trust.js';
import { half, keys, movingNodes, type StageNode, stageNode } from './stage.js';

let source: StageNode;
let target: StageNode;
let nodes: MovingNodes;

beforeAll(async () => {
  [source, target] = await Promise.all([stageNode('source'), stageNode('target')]);
});

beforeEach(async () => {
  await Promise.all([source, target].map(({ redis }) => redis.client().flushall()));
  nodes = await movingNodes([source, target]);
  return () => nodes.close();
});

const at = (node: StageNode) => node.redis.client();
const text = (found: readonly Buffer[]) => found.map(String);

/** `word`: the command by which values are read. */
describe.each([
  { way: 'a script', take: takeByScript, word: 'EVAL' },
  { way: 'plain commands', take: takePlainly, word: 'DUMP' },
])('values read by $way', ({ take, word }) => {
  async function transfer(names: readonly string[], verdict: Moves = 'move'): Promise<Transferred | null> {
    return transferBatch(
      await nodes.link(0, 'test'),
      await nodes.link(1, 'test'),
      0,
      keys(...names),
      verdict,
      take,
      half,
    );
  }

  /** Both nodes have the keys of a batch that was cut; once the batch is repeated, each is at the target alone. */
  async function expectWhole(values: Readonly<Record<string, string>>): Promise<void> {
    expect((await transfer(Object.keys(values)))?.failure).toBeNull();
    for (const [key, value] of Object.entries(values)) expect(await at(target).get(key)).toBe(value);
    expect(await at(source).dbsize()).toBe(0);
  }

  describe('a batch', () => {
    it('moves values of every type with their times of expiry, and counts what it has moved', async () => {
      const inAnHour = Date.now() + 3_600_000;
      await at(source).set('text', 'value');
      await at(source).rpush('list', 'a', 'b');
      await at(source).hset('hash', 'field', 'value');
      await at(source).set('short', 'lived', 'PXAT', inAnHour);
      const moved = await transfer(['text', 'list', 'hash', 'short', 'nowhere']);
      expect(text(moved?.moved ?? [])).toEqual(['text', 'list', 'hash', 'short']);
      expect(moved).toMatchObject({ dropped: 0, large: [], rest: [], failure: null });
      expect(moved?.bytes).toBeGreaterThan(20);
      expect(await at(source).dbsize()).toBe(0);
      expect(await at(target).get('text')).toBe('value');
      expect(await at(target).lrange('list', 0, -1)).toEqual(['a', 'b']);
      expect(await at(target).hget('hash', 'field')).toBe('value');
      expect(await at(target).pexpiretime('short')).toBe(inAnHour);
      expect(await at(target).ttl('text')).toBe(-1);
    });

    it('leaves large values, and what is beyond a full batch, where they are', async () => {
      await at(source).set('large', Buffer.alloc(LARGE_BYTES + 1));
      for (const key of ['a', 'b', 'c']) await at(source).set(key, Buffer.alloc(600_000, key));
      const moved = await transfer(['large', 'a', 'b', 'c']);
      expect(moved?.large.map(({ key }) => String(key))).toEqual(['large']);
      expect(moved?.large[0]?.bytes).toBeGreaterThan(LARGE_BYTES);
      expect(text(moved?.moved ?? [])).toEqual(['a', 'b']);
      expect(text(moved?.rest ?? [])).toEqual(['c']);
      expect(await at(source).exists('large', 'c')).toBe(2);
      expect(await at(target).keys('*')).toHaveLength(2);
    });
  });

  describe('which copies count', () => {
    beforeEach(async () => {
      await at(source).set('both', 'source');
      await at(target).mset('both', 'target', 'target only', 'past');
    });

    it('move: the copy of the source; what it does not have stays', async () => {
      await transfer(['both', 'target only']);
      expect(await at(target).mget('both', 'target only')).toEqual(['source', 'past']);
    });

    it('move, clear: the copy of the source, and what it does not have goes', async () => {
      const moved = await transfer(['both', 'target only'], 'move, clear');
      expect(moved).toMatchObject({ dropped: 1 });
      expect(await at(target).mget('both', 'target only')).toEqual(['source', null]);
    });

    it('offer: the copy of the target', async () => {
      await at(source).set('source only', 'offered');
      const moved = await transfer(['both', 'target only', 'source only'], 'offer');
      expect(moved).toMatchObject({ dropped: 0, failure: null });
      expect(await at(target).mget('both', 'target only', 'source only')).toEqual(['target', 'past', 'offered']);
      expect(await at(source).dbsize()).toBe(0);
    });

    it.each([
      ['drop', ['target', 'past', null], 1],
      ['drop both', [null, null, null], 3],
    ] as const)('%s', async (verdict, left, dropped) => {
      await at(source).set('source only', 'past');
      const names = keys('both', 'target only', 'source only', 'nowhere');
      const [from, to] = [await nodes.link(0, 'test'), await nodes.link(1, 'test')];
      expect(await dropCopies(from, to, 0, names, verdict)).toBe(dropped);
      expect(await at(target).mget('both', 'target only', 'source only')).toEqual(left);
      expect(await at(source).dbsize()).toBe(0);
    });

    it('are not dropped at the source where the target does not answer', async () => {
      const [from, to] = [await nodes.link(0, 'test'), await nodes.link(1, 'test')];
      void target.net.cutBefore('EXISTS');
      await expect(dropCopies(from, to, 0, keys('both'), 'drop')).rejects.toThrow(NodeFailure);
      expect(await at(source).get('both')).toBe('source');
    });

    it('are told of as refused where a node does not let them be dropped', async () => {
      const [from, to] = [await nodes.link(0, 'test'), await nodes.link(1, 'test')];
      void source.net.answer('UNLINK', '-NOPERM no\r\n');
      await expect(dropCopies(from, to, 0, keys('both'), 'drop')).rejects.toThrow('node source');
    });
  });

  describe('a failure', () => {
    const values = { a: '1', b: '2', c: '3' };

    beforeEach(() => at(source).mset(values));

    it.each(['cutBefore', 'cutAfter'] as const)(
      'of the source while values are read (%s) changes nothing',
      async (cut) => {
        void source.net[cut](word);
        await expect(transfer(['a', 'b', 'c'])).rejects.toThrow(NodeFailure);
        expect(await at(source).mget('a', 'b', 'c')).toEqual(['1', '2', '3']);
        expect(await at(target).dbsize()).toBe(0);
        await expectWhole(values);
      },
    );

    it.each([
      ['LOADING Redis is loading the dataset in memory', 'passes'],
      ['BUSY Redis is busy running a script', 'passes'],
      ['IOERR error or timeout reading from target node', 'may pass'],
      ['ERR Target instance replied with error: LOADING Redis is loading the dataset in memory', 'passes'],
      ['NOAUTH Authentication required.', 'stays'],
      ["OOM command not allowed when used memory > 'maxmemory'.", 'stays'],
      ["READONLY You can't write against a read only replica.", 'stays'],
    ])('of the source that says %s tells whether it passes', async (error, outlook) => {
      void source.net.answer(word, `-${error}\r\n`);
      expect(await transfer(['a']).catch((failure: unknown) => failure)).toMatchObject({ outlook });
    });

    it('of the target that refuses one key leaves that one at the source, and moves the others', async () => {
      void target.net.answer(([word, key]) => word === 'RESTORE' && key === 'b', '-ERR DUMP payload version\r\n');
      const moved = await transfer(['a', 'b', 'c']);
      expect(text(moved?.moved ?? [])).toEqual(['a', 'c']);
      expect(moved?.failure?.message).toContain('node target');
      expect(moved?.failure?.message).toContain('DUMP payload version');
      expect(await at(source).keys('*')).toEqual(['b']);
      expect((await at(target).keys('*')).sort()).toEqual(['a', 'c']);
      await expectWhole({ b: '2' });
    });

    it('of a target without memory for the keys leaves all of them at the source', async () => {
      const before = (await at(target).config('GET', 'maxmemory')) as string[];
      await at(target).config('SET', 'maxmemory', '1');
      const moved = await transfer(['a', 'b', 'c']);
      await at(target).config('SET', 'maxmemory', before[1] ?? '0');
      expect(moved?.moved).toEqual([]);
      expect(moved?.failure?.message).toContain('OOM');
      expect(await at(source).mget('a', 'b', 'c')).toEqual(['1', '2', '3']);
      await expectWhole(values);
    });

    it.each(['cutBefore', 'cutAfter'] as const)(
      'of the target in the middle of a batch (%s) leaves all keys at the source, which count',
      async (cut) => {
        void target.net[cut](([word, key]) => word === 'RESTORE' && key === 'b');
        await expect(transfer(['a', 'b', 'c'])).rejects.toThrow(NodeFailure);
        expect(await at(source).mget('a', 'b', 'c')).toEqual(['1', '2', '3']);
        expect((await at(target).keys('*')).sort()).toEqual(cut === 'cutBefore' ? ['a'] : ['a', 'b']);
        await expectWhole(values);
      },
    );

    it('of the source that refuses to remove what has moved leaves it in two places, until it is repeated', async () => {
      void source.net.answer('UNLINK', '-READONLY no\r\n');
      await expect(transfer(['a', 'b', 'c'])).rejects.toThrow('refused UNLINK: READONLY no');
      expect(await at(source).dbsize()).toBe(3);
      expect(await at(target).dbsize()).toBe(3);
      await expectWhole(values);
    });

    it.each(['cutBefore', 'cutAfter'] as const)('of the source while it removes what has moved (%s)', async (cut) => {
      void source.net[cut]('UNLINK');
      await expect(transfer(['a', 'b', 'c'])).rejects.toThrow(NodeFailure);
      expect(await at(source).dbsize()).toBe(cut === 'cutBefore' ? 3 : 0);
      expect(await at(target).dbsize()).toBe(3);
      await expectWhole({ a: '1', b: '2', c: '3' });
    });
  });

  it('are not read at a source that forbids it, where they stay', async () => {
    await at(source).set('k', 'v');
    source.net.answer(word, '-NOPERM User default has no permissions to run the command\r\n');
    expect(await transfer(['k'])).toBeNull();
    expect(await at(source).get('k')).toBe('v');
  });
});

describe('read by plain commands', () => {
  const transfer = async (names: readonly string[]) =>
    transferBatch(
      await nodes.link(0, 'test'),
      await nodes.link(1, 'test'),
      0,
      keys(...names),
      'move',
      takePlainly,
      half,
    );

  /**
   * Symptom: keys came back without a time of expiry. Cause: the value was read first, the key expired, and "it is not
   * there" was taken for "it never expires".
   */
  it('a key that expires in between is missing, whichever command finds it gone', async () => {
    for (const word of ['PEXPIRETIME', 'DUMP']) {
      await at(source).set('short', 'lived', 'PX', 3_600_000);
      const kept = source.net.hold(word);
      const moved = transfer(['short']);
      await kept.reached;
      await at(source).pexpire('short', 0);
      await kept.deliver();
      expect(text((await moved)?.missing ?? [])).toEqual(['short']);
      expect(await at(target).exists('short')).toBe(0);
    }
  });

  it('a value is not read before its time of expiry', async () => {
    await at(source).set('short', 'lived', 'PX', 3_600_000);
    const before = source.net.words.length;
    await transfer(['short']);
    const words = source.net.words.slice(before).filter((word) => word !== 'CLIENT' && word !== 'INFO');
    expect(words.indexOf('PEXPIRETIME')).toBeLessThan(words.indexOf('DUMP'));
  });

  it('sizes are told by lengths where MEMORY USAGE is forbidden', async () => {
    await at(source).set('text', Buffer.alloc(LARGE_BYTES + 1));
    await at(source).sadd('members', ...Array.from({ length: 6000 }, (_, i) => i));
    await at(source).hset('fields', 'a', '1');
    await at(source).xadd('stream', '*', 'a', '1');
    source.net.answer('MEMORY', '-NOPERM no\r\n', 5);
    const moved = await transfer(['text', 'members', 'fields', 'stream', 'nowhere']);
    expect(text(moved?.moved ?? [])).toEqual(['fields', 'stream']);
    expect(moved?.large.map(({ key }) => String(key))).toEqual(['text', 'members']);
    expect(text(moved?.missing ?? [])).toEqual(['nowhere']);
  });

  it('times of expiry are told by PTTL where there is no PEXPIRETIME', async () => {
    const inAnHour = Date.now() + 3_600_000;
    await at(source).set('short', 'lived', 'PXAT', inAnHour);
    source.net.answer('PEXPIRETIME', "-ERR unknown command 'PEXPIRETIME'\r\n");
    await transfer(['short']);
    expect(Math.abs((await at(target).pexpiretime('short')) - inAnHour)).toBeLessThan(1000);
  });
});

it.each(['-memory|usage', '-dump', '-pexpiretime -pttl'])(
  'a script that may not call what it needs (%s) is one that the source does not allow',
  async (rules) => {
    await at(source).set('k', 'v');
    await at(source).call('ACL', 'SETUSER', 'default', ...rules.split(' '));
    const [from, to] = [await nodes.link(0, 'test'), await nodes.link(1, 'test')];
    const moved = transferBatch(from, to, 0, keys('k'), 'move', takeByScript, half);
    expect(await moved.finally(() => at(source).call('ACL', 'SETUSER', 'default', '+@all'))).toBeNull();
  },
);
