/** Which way keys go from one real node to another, and what becomes of copies from the past. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Carrier } from '../../src/rebalance/carrier.js';
import { OwnTurns } from '../../src/rebalance/migrate-turns.js';
import { MoveMemory } from '../../src/rebalance/move-memory.js';
import { MovingNodes } from '../../src/rebalance/moving-nodes.js';
import { LARGE_BYTES } from '../../src/rebalance/take.js';
import { keys, LINK, moverNode, movingNodes, runIdOf, type StageNode, stageNode } from './stage.js';

let source: StageNode;
let target: StageNode;

beforeAll(async () => {
  [source, target] = await Promise.all([stageNode('source'), stageNode('target')]);
});

beforeEach(async () => {
  await Promise.all([source, target].map(({ redis }) => redis.client().flushall()));
});

const at = (node: StageNode) => node.redis.client();

/** A carrier over the two nodes, with all that it has told. */
async function stage({ complete = true } = {}) {
  const nodes: MovingNodes = await movingNodes([source, target]);
  const memory = new MoveMemory(nodes.nodes, null);
  if (complete) for (const index of [0, 1]) memory.begin(index);
  const told: unknown[][] = [];
  const arrived: string[][] = [];
  const carrier = new Carrier(nodes, memory, new OwnTurns(), {
    goesOn: () => true,
    onMoved: (from, to, count, bytes) => told.push(['moved', from, to, count, bytes > 0]),
    onArrived: (_source, _database, names) => arrived.push(names.map(String)),
    onDropped: (count) => told.push(['dropped', count]),
    onLarge: (from, key) => told.push(['large', from, key === null ? null : key.key]),
  });
  return {
    nodes,
    memory,
    told,
    arrived,
    carry: (...names: string[]) => carrier.carry(0, 1, 0, keys(...names), 'settle'),
    carryBack: (...names: string[]) => carrier.carry(1, 0, 0, keys(...names), 'settle'),
    isSettled: (name: string) => memory.settled.has(0, 0, Buffer.from(name), 0, name.length),
  };
}

const migrations = (node: StageNode) => node.net.words.filter((word) => word === 'MIGRATE').length;

describe('keys go', () => {
  it('in batches until the last one has, and count as settled', async () => {
    const { carry, told, arrived, isSettled, nodes } = await stage();
    const names = Array.from({ length: 5 }, (_, i) => `k${i}`);
    for (const name of names) await at(source).set(name, Buffer.alloc(400_000, name));
    await carry(...names, 'nowhere');
    expect(await at(source).dbsize()).toBe(0);
    expect(await at(target).dbsize()).toBe(5);
    expect(told).toEqual([
      ['moved', 0, 1, 3, true],
      ['moved', 0, 1, 2, true],
    ]);
    expect(names.map(isSettled)).toEqual([true, true, true, true, true]);
    // Of the last ones it is told by the return.
    expect(arrived).toEqual([['k0', 'k1', 'k2'], ['nowhere']]);
    await nodes.close();
  });

  it('alone and in pieces when they are large, which is told', async () => {
    const { carry, told, nodes } = await stage();
    const before = migrations(source);
    await at(source).set('large', Buffer.alloc(LARGE_BYTES + 1), 'PX', 3_600_000);
    const expiry = await at(source).pexpiretime('large');
    await at(source).set('small', 'v');
    await carry('large', 'small');
    expect(migrations(source)).toBe(before);
    expect(told).toEqual([
      ['moved', 0, 1, 1, true],
      ['large', 0, 'large'],
      ['moved', 0, 1, 1, true],
      ['large', 0, null],
    ]);
    expect(await at(target).strlen('large')).toBe(LARGE_BYTES + 1);
    expect(await at(target).pexpiretime('large')).toBe(expiry);
    expect(await at(source).dbsize()).toBe(0);
    await nodes.close();
  });

  it('by plain commands where the source allows no scripts, which is asked once', async () => {
    const { carry, nodes } = await stage();
    await at(source).mset('a', '1', 'b', '2');
    const [scripts, before] = [source.net.words.filter((word) => word === 'EVAL').length, migrations(source)];
    void source.net.answer('EVAL', '-NOPERM no\r\n');
    await carry('a', 'nowhere');
    await carry('b');
    expect(source.net.words.filter((word) => word === 'EVAL').length).toBe(scripts + 1);
    expect(migrations(source)).toBe(before);
    expect(await at(target).mget('a', 'b')).toEqual(['1', '2']);
    await nodes.close();
  });

  it('by MIGRATE where the source does not let values be read, which is asked once', async () => {
    const { carry, nodes } = await stage();
    await at(source).mset('a', '1', 'b', '2');
    const before = migrations(source);
    void source.net.answer('EVAL', '-NOPERM no\r\n');
    void source.net.answer('DUMP', '-NOPERM no\r\n');
    await carry('a', 'nowhere');
    await carry('b');
    expect(migrations(source)).toBe(before + 2);
    expect(await at(target).mget('a', 'b')).toEqual(['1', '2']);
    await nodes.close();
  });

  it('by one MIGRATE at a time, since two nodes that migrate to each other stand still', async () => {
    const { carry, carryBack, nodes } = await stage();
    await at(source).set('there', 'a');
    await at(target).set('back', 'b');
    for (const { net } of [source, target]) {
      void net.answer('EVAL', '-NOPERM no\r\n');
      void net.answer('DUMP', '-NOPERM no\r\n');
    }
    const first = source.net.hold('MIGRATE');
    const before = migrations(target);
    const there = carry('there');
    await first.reached;
    // Only now: otherwise this one's might come first, and be over.
    const carried = Promise.all([there, carryBack('back')]);
    await expect.poll(() => target.net.words.includes('EVAL')).toBe(true);
    // Longer than the other one would take from there to its MIGRATE.
    for (let i = 0; i < 100; i++) await at(target).ping();
    expect(migrations(target)).toBe(before);
    expect(await first.deliver()).toBe(true);
    await carried;
    expect(migrations(target)).toBe(before + 1);
    expect(await at(target).get('there')).toBe('a');
    expect(await at(source).get('back')).toBe('b');
    await nodes.close();
  });

  it('on when a MIGRATE has failed', async () => {
    const { carry, told, nodes } = await stage();
    await at(source).set('large', Buffer.alloc(LARGE_BYTES + 1));
    // What cannot go in pieces goes so.
    void source.net.answer('TYPE', '-NOPERM no\r\n', 2);
    void source.net.answer('MIGRATE', '-IOERR error or timeout reading from target node\r\n');
    await expect(carry('large')).rejects.toThrow('refused MIGRATE: IOERR');
    expect(told).toEqual([
      ['large', 0, 'large'],
      ['large', 0, null],
    ]);
    await carry('large');
    expect(await at(target).exists('large')).toBe(1);
    await nodes.close();
  });

  it('whole through this process when the source cannot connect to the target, and asks it to only once', async () => {
    const { carry, nodes } = await stage();
    await at(source).mset('large', Buffer.alloc(LARGE_BYTES + 1), 'other', Buffer.alloc(LARGE_BYTES + 1));
    void source.net.answer('TYPE', '-NOPERM no\r\n', 4);
    void source.net.answer('MIGRATE', '-IOERR error or timeout connecting to the client\r\n');
    const before = migrations(source);
    await carry('large');
    await carry('other');
    expect(await at(target).exists('large', 'other')).toBe(2);
    expect(migrations(source)).toBe(before + 1);
    await nodes.close();
  });

  it('whole by MIGRATE when pieces are forbidden, at the time at which they expire', async () => {
    const { carry, nodes } = await stage();
    await at(source).set('large', Buffer.alloc(LARGE_BYTES + 1), 'PX', 3_600_000);
    const expiry = await at(source).pexpiretime('large');
    const before = migrations(source);
    void source.net.answer('GETRANGE', '-NOPERM no\r\n');
    await carry('large');
    expect(migrations(source)).toBe(before + 1);
    // MIGRATE hands on the time that is left, which would last longer by the time that the move takes.
    expect(await at(target).pexpiretime('large')).toBe(expiry);
    await nodes.close();
  });

  it('whole through this process when pieces are forbidden, and MIGRATE as well', async () => {
    const { carry, nodes } = await stage();
    await at(source).set('large', Buffer.alloc(LARGE_BYTES + 1), 'PX', 3_600_000);
    const expiry = await at(source).pexpiretime('large');
    void source.net.answer('GETRANGE', '-NOPERM no\r\n');
    void source.net.answer('MIGRATE', "-ERR unknown command 'MIGRATE'\r\n");
    await carry('large');
    expect(await at(target).pexpiretime('large')).toBe(expiry);
    expect(await at(source).dbsize()).toBe(0);
    await nodes.close();
  });

  it('partly when one is refused: what has moved counts as settled, and the other does not', async () => {
    const { carry, told, isSettled, nodes } = await stage();
    await at(source).mset('a', '1', 'b', '2');
    void target.net.answer(([word, key]) => word === 'RESTORE' && key === 'b', '-ERR no\r\n');
    await expect(carry('a', 'b')).rejects.toThrow('refused RESTORE: ERR no');
    expect([isSettled('a'), isSettled('b')]).toEqual([true, false]);
    expect(told).toEqual([['moved', 0, 1, 1, true]]);
    await nodes.close();
  });
});

describe('a node that was restarted since the fence', () => {
  async function restart(node: StageNode, { nodes }: Awaited<ReturnType<typeof stage>>): Promise<void> {
    const links = await Promise.all(['test', 'migrate'].map((purpose) => nodes.link(node === source ? 0 : 1, purpose)));
    await node.redis.restart();
    for (const link of links) await expect.poll(() => link.failure).not.toBeNull();
  }

  it.each([LARGE_BYTES + 1, 10])('as a target shows nothing of the past (values of %i bytes)', async (size) => {
    const staged = await stage();
    await restart(target, staged);
    await at(target).mset('moved', 'past', 'deleted', 'past');
    await at(source).set('moved', Buffer.alloc(size, 'new'));
    await staged.carry('moved', 'deleted');
    expect(await at(target).get('moved')).toMatch(/^newnew/);
    expect(await at(target).exists('deleted')).toBe(0);
    // It is known that the source had the valid copies: nothing is lost.
    expect(staged.told.filter(([what]) => what === 'dropped')).toEqual([]);
    await staged.nodes.close();
  });

  it('as a source gives what the target does not have', async () => {
    const staged = await stage();
    await restart(source, staged);
    await at(source).mset('both', 'past', 'source only', 'kept');
    await at(target).set('both', 'new');
    await staged.carry('both', 'source only');
    expect(await at(target).mget('both', 'source only')).toEqual(['new', 'kept']);
    expect(await at(source).dbsize()).toBe(0);
    await staged.nodes.close();
  });

  it('as a source of which nothing is remembered gives nothing, and what was lost is told', async () => {
    const staged = await stage({ complete: false });
    await restart(source, staged);
    await at(source).mset('both', 'past', 'source only', 'past');
    await at(target).set('both', 'new');
    await staged.carry('both', 'source only');
    expect(await at(target).mget('both', 'source only')).toEqual(['new', null]);
    expect(await at(source).dbsize()).toBe(0);
    expect(staged.told).toEqual([['dropped', 1]]);
    await staged.nodes.close();
  });

  it('like the other one, with nothing remembered, loses both copies, which is told', async () => {
    const staged = await stage({ complete: false });
    await restart(source, staged);
    await restart(target, staged);
    await at(source).mset('a', 'past', 'b', 'past');
    await at(target).mset('a', 'past', 'c', 'past');
    await staged.carry('a', 'b', 'c');
    expect(await at(source).dbsize()).toBe(0);
    expect(await at(target).dbsize()).toBe(0);
    expect(staged.told).toEqual([['dropped', 3]]);
    await staged.nodes.close();
  });
});

describe('a key whose node has carried out a move, and not answered', () => {
  /** The change is turned round, and then the node that got the key is restarted. */
  async function turnRound(memory: MoveMemory, names: readonly string[]): Promise<unknown[][]> {
    const ids = [await runIdOf(source), 'of another process'];
    const options = { ...LINK, onFirstSeen: () => Promise.resolve() };
    const nodes = new MovingNodes([source, target].map(moverNode), ids, options);
    const back = new MoveMemory(nodes.nodes, memory);
    back.begin(1);
    const dropped: unknown[][] = [];
    const carrier = new Carrier(nodes, back, new OwnTurns(), {
      ...{ goesOn: () => true, onMoved: () => {}, onArrived: () => {}, onLarge: () => {} },
      onDropped: (count) => dropped.push(['dropped', count]),
    });
    await carrier.carry(1, 0, 0, keys(...names), 'settle');
    await nodes.close();
    return dropped;
  }

  it.each([
    ['UNLINK, of a batch', 'UNLINK', 'v', []],
    ['UNLINK, of a large value', 'UNLINK', 'v'.repeat(LARGE_BYTES + 1), []],
    ['UNLINK, of a value that goes whole', 'UNLINK', 'v'.repeat(LARGE_BYTES + 1), ['TYPE', 'MIGRATE']],
    ['MIGRATE', 'MIGRATE', 'v', ['EVAL', 'DUMP']],
  ])('is not lost: %s', async (_title, word, value, forbidden) => {
    const { carry, memory, nodes } = await stage();
    await at(source).mset('a', value, 'b', value);
    for (const name of forbidden) void source.net.answer(name, '-NOPERM no\r\n', 2);
    const cut = source.net.cutAfter(word);
    await expect(carry('a', 'b')).rejects.toThrow();
    await cut;
    source.net.heal();
    const there = await at(target).keys('*');
    expect(there.length).toBeGreaterThan(0);
    expect(await turnRound(memory, ['a', 'b'])).toEqual([]);
    expect(await at(source).mget('a', 'b')).toEqual([value, value]);
    expect(await at(target).dbsize()).toBe(0);
    await nodes.close();
  });

  it('is not taken for one of the past when the other node is restarted', async () => {
    const { carry, memory, nodes } = await stage();
    await at(source).set('a', 'v');
    const cut = source.net.cutAfter('UNLINK');
    await expect(carry('a')).rejects.toThrow();
    await cut;
    await nodes.close();
    const ids = [await runIdOf(source), 'of another process'];
    const options = { ...LINK, onFirstSeen: () => Promise.resolve() };
    const again = new MovingNodes([source, target].map(moverNode), ids, options);
    const carrier = new Carrier(again, memory, new OwnTurns(), {
      ...{ goesOn: () => true, onMoved: () => {}, onArrived: () => {}, onLarge: () => {}, onDropped: () => {} },
    });
    await carrier.carry(0, 1, 0, keys('a'), 'settle');
    expect(await at(target).get('a')).toBe('v');
    await again.close();
  });
});
