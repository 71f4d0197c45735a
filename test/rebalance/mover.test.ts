/** The mover between two real nodes: settles and sweeps beside each other, holds, pauses, and failures in every place. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ManualTimers } from '../support/manual-timers.js';
import { MoverStage } from './mover-stage.js';
import { type StageNode, stageNode } from './stage.js';

let source: StageNode;
let target: StageNode;

beforeAll(async () => {
  [source, target] = await Promise.all([stageNode('a'), stageNode('b')]);
});

/** Each ends its mover by itself, since that is under test as well. */
const start = (options: Parameters<typeof MoverStage.start>[2] = {}) => MoverStage.start(source, target, options);

const countOf = (node: StageNode, word: string) => node.net.words.filter((other) => other === word).length;
/** As many round trips as whatever else is under way would take. */
async function roundTrips(count = 50): Promise<void> {
  for (let i = 0; i < count; i++) await source.redis.client().ping();
}
/**
 * A sweep that has a page of so many keys, and waits for its source, whose connection was lost and comes back slowly.
 * @returns what ends the wait, and the sweep
 */
async function sweepThatWaits(
  stage: MoverStage,
  page: number,
): Promise<{ goOn: () => Promise<void>; swept: Promise<void> }> {
  const scan = source.net.hold('SCAN');
  const swept = stage.mover.sweep();
  await scan.reached;
  stage.mover.pause();
  await scan.deliver();
  await expect.poll(() => stage.mover.progress.keysScanned).toBe(page);
  const greeting = source.net.hold(() => true);
  source.net.cutAll();
  // That reaches the mover before any reply that comes from now on.
  await roundTrips();
  stage.mover.resume();
  await greeting.reached;
  const goOn = async (): Promise<void> => {
    await greeting.deliver();
    await roundTrips();
  };
  return { goOn, swept };
}
const isRestoreOf =
  (name: string) =>
  ([word, key]: readonly string[]) =>
    word === 'RESTORE' && key === name;

describe('a client that needs a key', () => {
  it('is resumed when the key is at its new owner, which is remembered', async () => {
    const stage = await start();
    const [key = ''] = stage.keys(1);
    await stage.fill([key]);
    expect(stage.isSettled(key)).toBe(false);
    await stage.settle(key);
    expect(stage.isSettled(key)).toBe(true);
    expect(await stage.at('target').get(key)).toBe(key);
    expect(await stage.at('source').exists(key)).toBe(0);
    expect(stage.moved).toEqual([{ source: 'a', target: 'b', keys: 1, bytes: expect.any(Number) }]);
    await stage.mover.stop();
  });

  it('shares one batch with those who ask in the same turn, however many keys and clients', async () => {
    const stage = await start();
    const keys = stage.keys(30);
    await stage.fill(keys);
    const before = countOf(source, 'EVAL');
    await Promise.all([...keys, ...keys, 'nowhere'].map((key) => stage.settle(key)));
    expect(countOf(source, 'EVAL')).toBe(before + 1);
    expect(await stage.at('target').dbsize()).toBe(30);
    expect(stage.isSettled('nowhere')).toBe(true);
    await stage.mover.stop();
  });

  it('goes with at most 64 keys in a batch, and four batches at a time', async () => {
    const stage = await start();
    const keys = stage.keys(500);
    await stage.fill(keys);
    const before = countOf(source, 'EVAL');
    const first = source.net.hold('EVAL');
    const settled = Promise.all(keys.map((key) => stage.settle(key)));
    await first.reached;
    await roundTrips();
    // They go by one connection, which stands still with the first of them.
    expect(countOf(source, 'EVAL')).toBe(before + 1);
    expect(await first.deliver()).toBe(true);
    await settled;
    expect(countOf(source, 'EVAL')).toBe(before + Math.ceil(500 / 64));
    expect(Math.max(...stage.moved.map((batch) => batch.keys))).toBe(64);
    expect(await stage.at('target').dbsize()).toBe(500);
    await stage.mover.stop();
  });

  it('waits for the batch in which its key is on its way already', async () => {
    const stage = await start();
    const [key = ''] = stage.keys(1);
    await stage.fill([key]);
    const restore = target.net.hold(isRestoreOf(key));
    const before = countOf(source, 'EVAL');
    const first = stage.settle(key);
    await restore.reached;
    let resumed = false;
    const second = stage.settle(key).then(() => {
      resumed = true;
    });
    await roundTrips();
    expect(resumed).toBe(false);
    await restore.deliver();
    await Promise.all([first, second]);
    expect(countOf(source, 'EVAL')).toBe(before + 1);
    await stage.mover.stop();
  });

  it('does not wait for a large key that goes with its own', async () => {
    const stage = await start();
    const [small = '', large = '', absent = ''] = stage.keys(3);
    await stage.fill([small]);
    await stage.at('source').set(large, Buffer.alloc(2_000_000));
    const piece = source.net.hold('GETRANGE');
    const before = countOf(source, 'EVAL');
    const done: string[] = [];
    const settles = [large, small, absent].map((key) => stage.settle(key).then(() => done.push(key)));
    await piece.reached;
    await Promise.all(settles.slice(1));
    expect(countOf(source, 'EVAL')).toBe(before + 1);
    expect(done.sort()).toEqual([small, absent].sort());
    expect([small, absent, large].map((key) => stage.isSettled(key))).toEqual([true, true, false]);
    // Who comes now waits for that one alone, or for nothing.
    settles.push(stage.settle(large).then(() => done.push(large)));
    await piece.deliver();
    await Promise.all(settles);
    expect(await stage.at('target').strlen(large)).toBe(2_000_000);
    await stage.mover.stop();
  });

  it('finds a key in another database, and none that only has the same name', async () => {
    const stage = await start();
    const [key = ''] = stage.keys(1);
    const [there, here] = [source, target].map((node) => node.redis.client({ db: 3 }));
    await there?.set(key, 'in 3');
    await stage.fill([key]);
    await stage.settle(key, 3);
    expect(await here?.get(key)).toBe('in 3');
    expect(await stage.at('target').exists(key)).toBe(0);
    expect([stage.isSettled(key, 3), stage.isSettled(key)]).toEqual([true, false]);
    await stage.mover.stop();
  });

  it('need not wait for a key that its source has said to be gone', async () => {
    const stage = await start();
    stage.mover.noteGone(0, Buffer.from('gone'));
    expect(stage.isSettled('gone')).toBe(true);
    await stage.mover.stop();
  });
});

describe('a settle that fails', () => {
  it('resumes its client, who asks again, and says why', async () => {
    const timers = new ManualTimers();
    const stage = await start({ timers });
    const [key = ''] = stage.keys(1);
    await stage.fill([key]);
    void target.net.answer('RESTORE', "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    let resumed = false;
    const settled = stage.settle(key).then(() => {
      resumed = true;
    });
    await expect.poll(() => stage.mover.error).toContain('OOM');
    expect(resumed).toBe(false);
    expect(stage.mover.paused).toBe(false);
    expect(stage.failures).toEqual([]);
    timers.advance(100);
    await settled;
    expect(stage.isSettled(key)).toBe(false);
    await stage.settle(key);
    expect(await stage.at('target').get(key)).toBe(key);
    stage.mover.resume();
    expect(stage.mover.error).toBeNull();
    await stage.mover.stop();
  });

  it('for one key of a batch settles the others', async () => {
    const stage = await start();
    const [bad = '', ...good] = stage.keys(5);
    await stage.fill([bad, ...good]);
    void target.net.answer(isRestoreOf(bad), '-ERR no\r\n');
    await Promise.all([bad, ...good].map((key) => stage.settle(key)));
    expect(stage.isSettled(bad)).toBe(false);
    for (const key of good) expect(stage.isSettled(key)).toBe(true);
    await stage.mover.stop();
  });

  /** A RESTORE that runs behind the client's next write would replace it. */
  it.each(['RESTORE', 'UNLINK', 'EVAL'])(
    'with %s unanswered keeps its client until that can run no more',
    async (word) => {
      const stage = await start();
      const [key = ''] = stage.keys(1);
      await stage.fill([key]);
      const net = word === 'RESTORE' ? target.net : source.net;
      const late = net.strand(word);
      const kill = net.hold(([first, second]) => first === 'CLIENT' && second === 'KILL');
      let resumed = false;
      const settled = stage.settle(key).then(() => {
        resumed = true;
      });
      await Promise.all([late.reached, kill.reached]);
      await roundTrips();
      expect(resumed).toBe(false);
      await kill.deliver();
      await settled;
      expect(await late.deliver()).toBe(false);
      await stage.settle(key);
      expect(await stage.at('target').get(key)).toBe(key);
      expect(await stage.at('source').exists(key)).toBe(0);
      await stage.mover.stop();
    },
  );

  it('keeps its client as long as the node cannot be asked to drop what is late', async () => {
    const timers = new ManualTimers();
    const stage = await start({ timers });
    const [key = ''] = stage.keys(1);
    await stage.fill([key]);
    const isKill = ([first, second]: readonly string[]) => first === 'CLIENT' && second === 'KILL';
    const late = target.net.strand('RESTORE');
    const cut = target.net.cutBefore(isKill);
    let resumed = false;
    const settled = stage.settle(key).then(() => {
      resumed = true;
    });
    await cut;
    await expect.poll(() => timers.pending).toBe(1);
    expect(resumed).toBe(false);
    timers.advance(100);
    await expect.poll(() => target.net.requests.filter(isKill).length).toBeGreaterThan(1);
    await expect.poll(() => timers.pending).toBe(1);
    timers.advance(100);
    await settled;
    expect(await late.deliver()).toBe(false);
    await stage.mover.stop();
  });
});

describe('a sweep', () => {
  it('moves what moves, in every database, and nothing else', async () => {
    const stage = await start();
    const [keys, resting] = [stage.keys(300), stage.restingKeys(50)];
    await stage.fill([...keys, ...resting]);
    await source.redis.client({ db: 2 }).set(keys[0] ?? '', 'in 2');
    await stage.mover.sweep();
    expect(stage.swept).toBe(true);
    expect(await stage.at('target').dbsize()).toBe(300);
    expect((await stage.at('source').keys('*')).sort()).toEqual([...resting].sort());
    expect(await target.redis.client({ db: 2 }).get(keys[0] ?? '')).toBe('in 2');
    expect(stage.mover.progress).toEqual({
      ...{ node: 'a', done: true, keysMoved: 301, keysScanned: expect.any(Number), largeKey: null },
    });
    expect(stage.mover.progress.keysScanned).toBeGreaterThanOrEqual(351);
    expect(stage.mover.bytesMoved).toBe(stage.moved.reduce((sum, { bytes }) => sum + bytes, 0));
    // A source without moved keys is remembered as a whole.
    expect(stage.isSettled('anything')).toBe(true);
    await stage.mover.stop();
  });

  it('waits for a key that is being settled, and does not move it as well', async () => {
    const stage = await start();
    const keys = stage.keys(40);
    const [key = ''] = keys;
    await stage.fill(keys);
    const before = target.net.requests.length;
    const restore = target.net.hold(isRestoreOf(key));
    const settled = stage.settle(key);
    await restore.reached;
    const swept = stage.mover.sweep();
    await expect.poll(() => stage.at('target').dbsize()).toBe(39);
    expect(stage.swept).toBe(false);
    await restore.deliver();
    await Promise.all([settled, swept]);
    expect(target.net.requests.slice(before).filter(isRestoreOf(key))).toHaveLength(1);
    await stage.mover.stop();
  });

  it('moves a key whose settling has failed', async () => {
    const stage = await start();
    const keys = stage.keys(40);
    const [key = ''] = keys;
    await stage.fill(keys);
    const restore = target.net.hold(isRestoreOf(key));
    const settled = stage.settle(key);
    await restore.reached;
    const swept = stage.mover.sweep();
    await expect.poll(() => stage.at('target').dbsize()).toBe(39);
    target.net.cutAll();
    await Promise.all([settled, swept]);
    expect(await stage.at('target').get(key)).toBe(key);
    expect(await stage.at('source').dbsize()).toBe(0);
    await stage.mover.stop();
  });

  it('leaves alone what a client has written since its key was settled', async () => {
    const stage = await start();
    const keys = stage.keys(40);
    await stage.fill(keys);
    const batch = source.net.hold('EVAL');
    const swept = stage.mover.sweep();
    await batch.reached;
    const taken = source.net.requests.at(-1) ?? [];
    // The sweep knows of these keys, and has not taken them yet.
    const rest = keys.filter((key) => !taken.includes(key));
    expect(rest.length).toBeGreaterThan(0);
    await Promise.all(rest.map((key) => stage.settle(key)));
    for (const key of rest) await stage.at('target').set(key, 'new');
    await batch.deliver();
    await swept;
    for (const key of rest) expect(await stage.at('target').get(key)).toBe('new');
    await stage.mover.stop();
  });

  it('lets a client wait for a key that it has on its way', async () => {
    const stage = await start();
    const keys = stage.keys(10);
    await stage.fill(keys);
    const batch = source.net.hold('EVAL');
    const swept = stage.mover.sweep();
    await batch.reached;
    const before = countOf(source, 'EVAL');
    const settled = stage.settle(keys[0] ?? '');
    await batch.deliver();
    await Promise.all([settled, swept]);
    expect(countOf(source, 'EVAL')).toBe(before);
    await stage.mover.stop();
  });

  it('is paused by a failure, which is told once, and goes on when it is told to', async () => {
    const stage = await start();
    const keys = stage.keys(100);
    await stage.fill(keys);
    const refused = target.net.answer(
      isRestoreOf(keys[50] ?? ''),
      '-ERR DUMP payload version or checksum are wrong\r\n',
    );
    const swept = stage.mover.sweep();
    await refused;
    await expect.poll(() => stage.mover.paused).toBe(true);
    expect(stage.failures).toEqual([expect.stringContaining('moving keys off a (')]);
    expect(stage.mover.error).toBe(stage.failures[0]);
    await roundTrips();
    expect(stage.swept).toBe(false);
    stage.mover.resume();
    await swept;
    expect(stage.mover.error).toBeNull();
    expect(await stage.at('target').dbsize()).toBe(100);
    await stage.mover.stop();
  });

  it.each(['LOADING Redis is loading the dataset in memory', 'BUSY Redis is busy running a script'])(
    'is not paused by what passes: %s',
    async (error) => {
      const stage = await start();
      await stage.fill(stage.keys(50));
      void target.net.answer('RESTORE', `-${error}\r\n`);
      await stage.mover.sweep();
      expect(stage.failures).toEqual([]);
      expect(await stage.at('target').dbsize()).toBe(50);
      await stage.mover.stop();
    },
  );

  it.each(['SCAN', 'EVAL', 'RESTORE', 'UNLINK', 'CLIENT', 'PEXPIRETIME'])(
    'goes on by itself when a connection is cut, before and behind %s',
    async (word) => {
      const stage = await start();
      const keys = stage.keys(300);
      await stage.fill(keys);
      const large = keys[0] ?? '';
      await stage.at('source').set(large, Buffer.alloc(1_100_000));
      const net = word === 'RESTORE' ? target.net : source.net;
      for (let i = 0; i < 2; i++) {
        void net.cutBefore(word);
        void net.cutAfter(word);
      }
      await stage.mover.sweep();
      net.heal();
      expect(stage.failures).toEqual([]);
      expect(stage.mover.error).toBeNull();
      expect(await stage.at('source').dbsize()).toBe(0);
      expect(await stage.at('target').dbsize()).toBe(300);
      await stage.mover.stop();
    },
  );

  it('tells at once of a node that stays away, tries again all the time, and is paused in the end', async () => {
    const timers = new ManualTimers();
    const stage = await start({ timers, patience: 4000 });
    await stage.fill(stage.keys(50));
    const cut = source.net.cutBefore('EVAL', 1000);
    const swept = stage.mover.sweep();
    await cut;
    const pauses = [100, 200, 400, 800, 1000, 1000, 1000];
    for (const pause of pauses) {
      await expect.poll(() => timers.pending).toBe(1);
      expect(stage.mover.error).toMatch(
        /^moving keys off a \(.*\) failed: node a \(.*\) (?:closed|cut) the connection/,
      );
      expect(stage.mover.paused).toBe(false);
      expect(stage.failures).toEqual([]);
      timers.advance(pause - 1);
      expect(timers.pending).toBe(1);
      timers.advance(1);
    }
    await expect.poll(() => stage.mover.paused).toBe(true);
    expect(stage.failures).toEqual([stage.mover.error]);
    expect(countOf(source, 'EVAL')).toBeGreaterThanOrEqual(pauses.length + 1);
    source.net.heal();
    stage.mover.resume();
    await swept;
    expect(stage.mover.error).toBeNull();
    expect(await stage.at('target').dbsize()).toBe(50);
    await stage.mover.stop();
  });

  it('goes on at once at the word of a person, though it has yet to wait', async () => {
    const timers = new ManualTimers();
    const stage = await start({ timers });
    await stage.fill(stage.keys(50));
    void source.net.cutBefore('EVAL');
    const swept = stage.mover.sweep();
    await expect.poll(() => stage.mover.error).not.toBeNull();
    stage.mover.resume();
    await swept;
    expect(await stage.at('target').dbsize()).toBe(50);
    await stage.mover.stop();
  });

  it('ends with the mover, also when it waits before it tries again', async () => {
    const timers = new ManualTimers();
    const stage = await start({ timers });
    await stage.fill(stage.keys(50));
    void source.net.cutBefore('EVAL', 1000);
    const swept = stage.mover.sweep();
    await expect.poll(() => stage.mover.error).not.toBeNull();
    await Promise.all([stage.mover.stop(), swept]);
    expect(stage.swept).toBe(false);
    source.net.heal();
  });

  it('says no more why a key of a client did not move once keys arrive there again', async () => {
    const stage = await start();
    const [key = '', other = ''] = stage.keys(2);
    await stage.fill([key, other]);
    void target.net.cutBefore('RESTORE');
    await stage.settle(key);
    expect(stage.mover.error).toContain('b (');
    await stage.settle(other);
    expect(stage.mover.error).toBeNull();
    await stage.mover.stop();
  });

  it('does not end while a command of it may still run', async () => {
    const stage = await start();
    const [key = ''] = stage.keys(1);
    await stage.fill([key]);
    const late = target.net.strand('RESTORE');
    const kill = target.net.hold(([first, second]) => first === 'CLIENT' && second === 'KILL');
    const swept = stage.mover.sweep();
    await Promise.all([late.reached, kill.reached]);
    await roundTrips();
    expect(stage.swept).toBe(false);
    await kill.deliver();
    await swept;
    expect(await late.deliver()).toBe(false);
    expect(await stage.at('target').get(key)).toBe(key);
    await stage.mover.stop();
  });

  it('has made the nodes drop whatever of it may still run when it ends', async () => {
    const stage = await start();
    await stage.fill(stage.keys(5));
    const late = source.net.strand('SCAN');
    const swept = stage.mover.sweep();
    await late.reached;
    await swept;
    expect(await late.deliver()).toBe(false);
    expect(stage.failures).toEqual([]);
    await stage.mover.stop();
  });

  it('goes as fast as it is told to', async () => {
    const timers = new ManualTimers();
    const stage = await start({ timers });
    await stage.fill(stage.keys(30));
    stage.mover.throttle(100);
    expect(stage.mover.keysPerSecond).toBe(100);
    const swept = stage.mover.sweep();
    const sizes: number[] = [];
    for (let i = 0; i < 3; i++) {
      await expect.poll(() => timers.pending).toBe(1);
      sizes.push(await stage.at('target').dbsize());
      timers.advance(99);
      await roundTrips(5);
      expect(timers.pending).toBe(1);
      timers.advance(1);
    }
    await swept;
    expect(sizes).toEqual([10, 20, 30]);
    await stage.mover.stop();
  });

  it('stands still while it is paused, and settles go on', async () => {
    const stage = await start();
    const keys = stage.keys(10);
    await stage.fill(keys);
    stage.mover.pause();
    const swept = stage.mover.sweep();
    await stage.settle(keys[0] ?? '');
    expect(await stage.at('target').dbsize()).toBe(1);
    stage.mover.resume();
    await swept;
    expect(await stage.at('target').dbsize()).toBe(10);
    await stage.mover.stop();
  });
});

describe('hold', () => {
  it('waits for what is under way, and begins nothing until it is released', async () => {
    const stage = await start();
    const [one = '', two = ''] = stage.keys(2);
    await stage.fill([one, two]);
    const restore = target.net.hold(isRestoreOf(one));
    const first = stage.settle(one);
    await restore.reached;
    const held = stage.hold(10_000, 10_000);
    const second = stage.settle(two);
    await roundTrips();
    expect(await stage.at('source').exists(one, two)).toBe(2);
    await restore.deliver();
    await first;
    expect(await held).toBe(true);
    await roundTrips();
    expect(stage.isSettled(two)).toBe(false);
    stage.mover.release();
    await second;
    expect(await stage.at('target').exists(one, two)).toBe(2);
    await stage.mover.stop();
  });

  it('lets clients settle keys while it waits for a batch of the sweep', async () => {
    const stage = await start();
    const keys = stage.keys(30);
    await stage.fill(keys);
    const batch = source.net.hold('EVAL');
    const swept = stage.mover.sweep();
    await batch.reached;
    const taken = source.net.requests.at(-1) ?? [];
    const [key = ''] = keys.filter((name) => !taken.includes(name));
    const held = stage.hold(10_000, 10_000);
    await stage.settle(key);
    await batch.deliver();
    expect(await held).toBe(true);
    const size = await stage.at('target').dbsize();
    await roundTrips();
    expect(await stage.at('target').dbsize()).toBe(size);
    expect(stage.swept).toBe(false);
    stage.mover.release();
    await swept;
    expect(await stage.at('target').dbsize()).toBe(30);
    await stage.mover.stop();
  });

  it.each(['sweep', 'settle'] as const)('gives up when a batch (%s) takes too long', async (who) => {
    const timers = new ManualTimers();
    const stage = await start({ timers });
    const [key = ''] = stage.keys(1);
    await stage.fill([key]);
    const restore = target.net.hold(isRestoreOf(key));
    const done = who === 'sweep' ? stage.mover.sweep() : stage.settle(key);
    await restore.reached;
    const held = stage.hold(who === 'sweep' ? 200 : 10_000, who === 'sweep' ? 10_000 : 200);
    await expect.poll(() => timers.pending).toBeGreaterThan(0);
    timers.advance(199);
    await roundTrips(5);
    timers.advance(3);
    expect(await held).toBe(false);
    stage.mover.release();
    await restore.deliver();
    await done;
    await stage.mover.stop();
  });

  it('lets nothing begin that was about to, and has waited for its source', async () => {
    const stage = await start();
    const [settled = '', key = ''] = stage.keys(2);
    await stage.fill([settled, key]);
    stage.mover.noteGone(0, Buffer.from(settled));
    const { goOn, swept } = await sweepThatWaits(stage, 2);
    expect(await stage.hold(10_000, 10_000)).toBe(true);
    await goOn();
    expect(await stage.at('source').exists(key)).toBe(1);
    expect(await stage.at('target').exists(key)).toBe(0);
    stage.mover.release();
    await swept;
    expect(await stage.at('target').exists(key)).toBe(1);
    await stage.mover.stop();
  });

  it('ends with the mover', async () => {
    const stage = await start();
    const [key = ''] = stage.keys(1);
    await stage.fill([key]);
    const restore = target.net.hold(isRestoreOf(key));
    const settled = stage.settle(key);
    await restore.reached;
    const held = stage.hold(10_000, 10_000);
    const stopped = stage.mover.stop();
    expect(await held).toBe(false);
    await restore.deliver();
    await Promise.all([settled, stopped]);
  });
});

describe('a command that looks at all nodes', () => {
  it('is told to wait while keys are on their way, and goes first when they have come', async () => {
    const stage = await start();
    const [one = '', two = ''] = stage.keys(2);
    await stage.fill([one, two]);
    const restore = target.net.hold(isRestoreOf(one));
    const first = stage.settle(one);
    await restore.reached;
    const { holds, resumed } = stage.holdMoves();
    expect(holds).toBe(false);
    const second = stage.settle(two);
    await restore.deliver();
    await Promise.all([first, resumed]);
    // A client that is resumed asks at the end of the turn, or of the next one.
    await new Promise((resolve) => setImmediate(resolve));
    expect(stage.holdMoves().holds).toBe(true);
    await roundTrips();
    expect(stage.isSettled(two)).toBe(false);
    stage.looks.release();
    await second;
    await stage.mover.stop();
  });

  it('keeps everything from moving until all of them are done', async () => {
    const stage = await start();
    const keys = stage.keys(10);
    await stage.fill(keys);
    expect([stage.holdMoves().holds, stage.holdMoves().holds]).toEqual([true, true]);
    const swept = stage.mover.sweep();
    const settled = stage.settle(keys[0] ?? '');
    stage.looks.release();
    await roundTrips();
    expect(await stage.at('target').dbsize()).toBe(0);
    stage.looks.release();
    await Promise.all([swept, settled]);
    expect(await stage.at('target').dbsize()).toBe(10);
    await stage.mover.stop();
  });
});

describe('stop', () => {
  it('waits for what is in flight, and resumes who waits for anything', async () => {
    const stage = await start();
    const [one = '', two = ''] = stage.keys(2);
    await stage.fill([one, two]);
    const restore = target.net.hold(isRestoreOf(one));
    const first = stage.settle(one);
    await restore.reached;
    const { resumed } = stage.holdMoves();
    const second = stage.settle(two);
    const swept = stage.mover.sweep();
    let stopped = false;
    const stopping = stage.mover.stop().then(() => {
      stopped = true;
    });
    await roundTrips();
    expect(stopped).toBe(false);
    await restore.deliver();
    await Promise.all([stopping, first, second, resumed, swept]);
    expect(stage.swept).toBe(false);
    expect(await stage.at('target').get(one)).toBe(one);
    expect(await stage.at('source').get(two)).toBe(two);
  });

  it('says nothing of what it has cut off itself', async () => {
    const stage = await start();
    const [key = ''] = stage.keys(1);
    await stage.fill([key]);
    const restore = target.net.hold(isRestoreOf(key));
    const swept = stage.mover.sweep();
    await restore.reached;
    const stopped = stage.mover.stop();
    target.net.cutAll();
    await Promise.all([stopped, swept]);
    expect(stage.failures).toEqual([]);
    expect(stage.mover.paused).toBe(false);
  });

  it('does not wait for a node that does not answer to drop what is late', async () => {
    const stage = await start();
    const [key = ''] = stage.keys(1);
    await stage.fill([key]);
    const late = target.net.strand('RESTORE');
    const kill = target.net.hold(([first, second]) => first === 'CLIENT' && second === 'KILL');
    const settled = stage.settle(key);
    await Promise.all([late.reached, kill.reached]);
    const stopped = stage.mover.stop();
    target.net.cutAll();
    await Promise.all([stopped, settled]);
    expect(stage.isSettled(key)).toBe(false);
  });
});

describe('a node that is restarted while keys move', () => {
  /** `save` makes a snapshot, which holds the past by the time that the node comes back from it. */
  async function restartFromSnapshot(node: StageNode, meanwhile: () => Promise<unknown>): Promise<void> {
    await node.redis.client().save();
    await meanwhile();
    await node.redis.restart();
  }

  it('as the source shows nothing again that has left it', async () => {
    const stage = await start();
    const keys = stage.keys(20);
    await stage.fill(keys);
    const [deleted = '', written = ''] = keys;
    await restartFromSnapshot(source, async () => {
      await Promise.all([stage.settle(deleted), stage.settle(written)]);
      await stage.at('target').del(deleted);
      await stage.at('target').set(written, 'new');
    });
    expect(await stage.at('source').exists(deleted, written)).toBe(2);
    await stage.mover.sweep();
    expect(await stage.at('source').dbsize()).toBe(0);
    expect(await stage.at('target').exists(deleted)).toBe(0);
    expect(await stage.at('target').get(written)).toBe('new');
    expect(await stage.at('target').dbsize()).toBe(19);
    expect(stage.dropped).toBe(0);
    await stage.mover.stop();
  });

  it('as the source keeps nothing that has left it, although moves were held meanwhile', async () => {
    const stage = await start();
    const [key = ''] = stage.keys(1);
    await stage.fill([key]);
    await restartFromSnapshot(source, () => stage.settle(key));
    const { goOn, swept } = await sweepThatWaits(stage, 1);
    expect(await stage.hold(10_000, 10_000)).toBe(true);
    await goOn();
    expect(await stage.at('source').exists(key)).toBe(1);
    stage.mover.release();
    await swept;
    expect(await stage.at('source').exists(key)).toBe(0);
    expect(await stage.at('target').get(key)).toBe(key);
    await stage.mover.stop();
  });

  it('as the target shows nothing of the past', async () => {
    const stage = await start();
    const [past = '', ...keys] = stage.keys(20);
    await stage.fill(keys);
    await stage.at('target').set(past, 'of the past');
    await restartFromSnapshot(target, async () => {});
    await stage.mover.sweep();
    expect(await stage.at('target').exists(past)).toBe(0);
    expect(await stage.at('target').dbsize()).toBe(19);
    await stage.mover.stop();
  });

  it('that does not come back can be given up: the sweep ends', async () => {
    const stage = await start();
    await stage.fill(stage.keys(200));
    const gone = source.net.cutBefore('EVAL', 1000);
    const swept = stage.mover.sweep();
    await gone;
    // It is tried all the time, and nobody need wait until it is paused.
    stage.mover.giveUp();
    await swept;
    expect(stage.swept).toBe(true);
    expect(stage.isSettled('anything')).toBe(true);
    source.net.heal();
    await stage.mover.stop();
  });
});
