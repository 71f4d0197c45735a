/** Walks over the keys of a real node, and what is left out of them. */
import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { countKeys } from '../../src/rebalance/count-keys.js';
import type { MovingNodes } from '../../src/rebalance/moving-nodes.js';
import { surveyMoves } from '../../src/rebalance/survey.js';
import { movingBetween, once, sweepSource, walkNode } from '../../src/rebalance/sweep.js';
import { expiryAt } from '../../src/rebalance/times.js';
import { TransferRefused } from '../../src/rebalance/transfer-refused.js';
import { keys, LINK, moverNode, movingNodes, rings, type StageNode, stageNode } from './stage.js';

let source: StageNode;
let target: StageNode;
let nodes: MovingNodes;

beforeAll(async () => {
  [source, target] = await Promise.all([stageNode('a'), stageNode('b')]);
});

beforeEach(async () => {
  await Promise.all([source, target].map(({ redis }) => redis.client().flushall()));
  nodes = await movingNodes([source, target]);
  return async () => {
    for (const { net } of [source, target]) net.heal();
    await nodes.close();
  };
});

async function fill(count: number, database = 0): Promise<string[]> {
  const names = Array.from({ length: count }, (_, i) => `key:${i}`);
  await source.redis.client({ db: database }).mset(Object.fromEntries(names.map((name) => [name, 'v'])));
  return names;
}

const hooks = {
  link: () => nodes.link(0, 'sweep'),
  scanKeys: () => 10,
  scanned: () => {},
  goesOn: () => Promise.resolve(true),
  persist: once,
};

describe('a walk', () => {
  it('shows each key of every database, and counts them', async () => {
    const names = await fill(200);
    await fill(3, 5);
    const seen = new Set<string>();
    let scanned = 0;
    const walk = {
      ...hooks,
      scanned: (count: number) => {
        scanned += count;
      },
    };
    const visit = async (database: number, page: readonly Buffer[]) => {
      for (const key of page) seen.add(`${database} ${key}`);
    };
    expect(await walkNode(walk, visit)).toBe(true);
    expect([...seen].sort()).toEqual([...names.map((name) => `0 ${name}`), '5 key:0', '5 key:1', '5 key:2'].sort());
    expect(scanned).toBeGreaterThanOrEqual(203);
  });

  it('ends when it is told to, and says so', async () => {
    await fill(200);
    let pages = 0;
    const walk = { ...hooks, goesOn: () => Promise.resolve(pages < 2) };
    const visit = async () => void pages++;
    expect(await walkNode(walk, visit)).toBe(false);
    expect(pages).toBe(2);
  });

  /** It tells which databases it has, and has not loaded all of them. */
  it('is refused by a node that loads its data', async () => {
    for (const database of [0, 5]) {
      const values = Array.from({ length: 200 }, (_, i) => [`key:${i}`, randomBytes(100).toString('hex')]);
      await source.redis.client({ db: database }).mset(Object.fromEntries(values));
    }
    await source.redis.restartLoading(5000);
    const scan = source.net.hold('SCAN');
    const walk = walkNode(hooks, async () => {}).catch((error: unknown) => error);
    expect(await Promise.race([walk, scan.reached])).toMatchObject({ outlook: 'passes' });
  });

  /** A cursor means nothing to a process that was started since: keys would be passed over. */
  it('begins again when its node was restarted in the middle', async () => {
    await fill(200);
    await source.redis.client().save();
    const seen: string[] = [];
    let restarted = false;
    const visit = async (_database: number, page: readonly Buffer[]) => {
      seen.push(...page.map(String));
      if (restarted || seen.length < 50) return;
      restarted = true;
      const link = await nodes.link(0, 'sweep');
      await source.redis.restart();
      await expect.poll(() => link.failure).not.toBeNull();
      seen.length = 0;
    };
    expect(await walkNode(hooks, visit)).toBe(true);
    expect(new Set(seen).size).toBe(200);
  });

  it('goes on at the page that it has lost, and not anew', async () => {
    await fill(500);
    const until = async <T>(step: () => Promise<T>): Promise<T> => step().catch(() => until(step));
    const seen = new Set<string>();
    let scanned = 0;
    const walk = {
      ...hooks,
      persist: until,
      scanned: (count: number) => {
        scanned += count;
      },
    };
    const visit = async (_database: number, page: readonly Buffer[]) => {
      for (const key of page) seen.add(String(key));
      void source.net.cutAfter('SCAN');
    };
    expect(await walkNode(walk, visit)).toBe(true);
    expect(seen.size).toBe(500);
    // A page may show a key twice, and no walk shows all of them again.
    expect(scanned).toBeLessThan(600);
  });

  it('begins anew on another link to a node that does not say which process it is', async () => {
    await fill(100);
    const silent = await movingNodes([source, target]);
    void source.net.answer('INFO', "-NOPERM this user has no permissions to run the 'info' command\r\n");
    const links = { ...hooks, link: () => silent.link(0, 'sweep') };
    expect((await links.link()).runId).toBe('');
    let scanned = 0;
    const walk = {
      ...links,
      scanned: (count: number) => {
        scanned += count;
      },
    };
    let pages = 0;
    const visit = async () => {
      pages++;
      if (pages !== 5) return;
      (await links.link()).close();
    };
    expect(await walkNode(walk, visit)).toBe(true);
    expect(scanned).toBeGreaterThan(140);
    await silent.close();
  });

  it.each([
    ['INFO', '-NOPERM no\r\n'],
    ['SCAN', '-ERR no\r\n'],
    ['SCAN', '+OK\r\n'],
  ])('that the node refuses says so: %s is answered %s', async (word, reply) => {
    await fill(1);
    // The handshake has asked for INFO as well.
    await nodes.link(0, 'sweep');
    void source.net.answer(word, reply);
    const walking = walkNode(hooks, async () => {});
    await expect(walking).rejects.toThrow(TransferRefused);
    await expect(walking).rejects.toThrow(`refused ${word}`);
  });
});

describe('a sweep', () => {
  const change = rings([{ name: 'a' }, { name: 'b' }, { name: 'c' }], ['a', 'b'], ['a', 'b', 'c']);

  it('concerns the nodes that lose part of the ring, and hands on what moves off them', async () => {
    expect([...change.rings.sources()].sort()).toEqual([0, 1]);
    expect([...change.rings.targetsOf(0)]).toEqual([2]);
    const names = await fill(300);
    const moved: string[] = [];
    const batches: number[] = [];
    await sweepSource(0, change.rings, {
      ...hooks,
      batchKeys: () => 20,
      move: async (to, database, batch) => {
        expect([to, database]).toEqual([2, 0]);
        batches.push(batch.length);
        moved.push(...batch.map(String));
        return [];
      },
    });
    // Pages are of 10 keys, of which a third moves.
    expect(batches.slice(0, -1).every((keys) => keys === 20)).toBe(true);
    expect(batches.length).toBeGreaterThan(1);
    const owned = (name: string, by: typeof change.now) => by.ownerOf(Buffer.from(name), 0, name.length);
    // Strays, whose owner by the old ring is `b`, are not the ring's to move.
    const meant = names.filter((name) => owned(name, change.now) === 0 && owned(name, change.then) === 2);
    expect([...new Set(moved)].sort()).toEqual(meant.sort());
    expect(meant.length).toBeGreaterThan(10);
  });

  it('comes to keys that others were moving when all the rest has moved', async () => {
    await fill(300);
    const passedOver: string[] = [];
    const waits: boolean[] = [];
    await sweepSource(0, change.rings, {
      ...hooks,
      batchKeys: () => 20,
      move: async (_to, _database, batch, mayWait) => {
        waits.push(mayWait);
        if (mayWait) {
          expect(batch.map(String)).toEqual(passedOver);
          return [];
        }
        passedOver.push(String(batch[0]));
        return batch.slice(0, 1);
      },
    });
    expect(passedOver.length).toBeGreaterThan(1);
    expect(waits.indexOf(true)).toBe(waits.length - 1);
  });

  it('leaves the proxy its own keys', () => {
    const named = Array.from({ length: 300 }, (_, i) => `${i}`);
    const moving = movingBetween(0, 2, change.rings, keys(...named));
    const reserved = named.map((name) => `__ringproxy__{${name}}`);
    expect(moving.length).toBeGreaterThan(10);
    expect(movingBetween(0, 2, change.rings, keys(...reserved))).toEqual([]);
  });
});

describe('a survey', () => {
  it('names the largest keys that would move, the largest first, and changes nothing', async () => {
    const change = rings([source, target], ['a'], ['a', 'b']);
    const moves = (name: string) => change.then.ownerOf(Buffer.from(name), 0, name.length) === 1;
    const names = Array.from({ length: 400 }, (_, i) => `key:${i}`);
    const [moving, resting] = [names.filter(moves), names.filter((name) => !moves(name))];
    await fill(400);
    const large = moving.slice(3, 13);
    for (const [i, name] of large.entries()) await source.redis.client().set(name, 'x'.repeat(2 ** (8 + i)));
    await source.redis.client().set(resting[0] ?? '', 'x'.repeat(1_000_000));
    const survey = await surveyMoves([source, target].map(moverNode), change.rings, LINK, 60_000);
    expect(survey).toMatchObject({ keys: moving.length, complete: true });
    expect(survey.largest.map(({ key }) => key)).toEqual(large.reverse());
    expect(survey.largest[0]).toMatchObject({ node: 'a', database: 0 });
    expect(await source.redis.client().dbsize()).toBe(400);
  });

  it('ends when its time is over, and says that it has not seen all', async () => {
    const change = rings([source, target], ['a'], ['a', 'b']);
    await fill(10);
    expect(await surveyMoves([source, target].map(moverNode), change.rings, LINK, 0)).toEqual({
      largest: [],
      keys: 0,
      complete: false,
      unseen: [],
    });
  });
});

describe('a time of expiry', () => {
  const at = (clockOffset: number | null) => ({ clockOffset });

  it('is the same at nodes whose clocks go about the same', () => {
    expect(expiryAt(at(0), at(499), 1_700_000_000_123)).toBe(1_700_000_000_123);
    expect(expiryAt(at(-200), at(200), 5)).toBe(5);
  });

  it('is the same instant by another clock', () => {
    expect(expiryAt(at(0), at(3_600_000), 1_700_000_000_000)).toBe(1_700_003_600_000);
    expect(expiryAt(at(3_600_000), at(0), 1_700_003_600_000)).toBe(1_700_000_000_000);
  });

  it('is left as it is where a node does not tell its time', () => {
    expect(expiryAt(at(null), at(3_600_000), 1_700_000_000_000)).toBe(1_700_000_000_000);
    expect(expiryAt(at(3_600_000), at(null), 1_700_000_000_000)).toBe(1_700_000_000_000);
  });

  it('never is one that Redis takes for none, and none stays none', () => {
    expect(expiryAt(at(3_600_000), at(0), 1000)).toBe(1);
    expect(expiryAt(at(0), at(0), 0)).toBe(1);
    expect(expiryAt(at(0), at(3_600_000), -1)).toBe(0);
  });
});

describe('keys that are counted', () => {
  const wanted = { glob: 'key:*', has: (key: string) => !key.endsWith('7') };
  const bounds = { patience: 60_000, most: 1_000_000 };

  it('are those that are asked for, of every database', async () => {
    await fill(200);
    await fill(10, 5);
    await source.redis.client().mset({ other: 'v', 'key:größe': 'v' });
    expect(await countKeys(await nodes.link(0, 'count'), wanted, bounds)).toEqual({ keys: 190, complete: true });
  });

  it('are no more than there was time for, or than anybody wants to know', async () => {
    await fill(5000);
    const link = await nodes.link(0, 'count');
    expect(await countKeys(link, wanted, { ...bounds, patience: 0 })).toEqual({ keys: 0, complete: false });
    const { keys: found, complete } = await countKeys(link, wanted, { ...bounds, most: 100 });
    expect([found >= 100 && found < 4500, complete]).toEqual([true, false]);
  });
});
