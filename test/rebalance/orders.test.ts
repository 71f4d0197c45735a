/**
 * Keys move between two real nodes while clients read, write and delete them, and requests of the mover fail anywhere, in
 * any order: cut before or behind the node, left to run late, refused.
 *
 * Invariant: what a client has written or deleted once its key was settled is what is there in the end, and no key is
 * lost, in two places, or left behind.
 */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { systemTimers } from '../../src/time/timers.js';
import type { Kept } from '../support/fault-relay.js';
import { MoverStage } from './mover-stage.js';
import { type StageNode, stageNode } from './stage.js';

const KEYS = 60;
/** Of these, clients need so many. */
const WANTED = 25;
/** Retries are quicker than for real nodes, in the same order. */
const HURRY = 20;

interface Fault {
  readonly node: 'source' | 'target';
  readonly word: string;
  readonly kind: 'cutBefore' | 'cutAfter' | 'strand' | 'refuse';
}

const fault: fc.Arbitrary<Fault> = fc.record({
  node: fc.constantFrom('source', 'target'),
  word: fc.constantFrom('EVAL', 'RESTORE', 'UNLINK', 'SCAN', 'INFO', 'CLIENT', 'TIME'),
  kind: fc.constantFrom('cutBefore', 'cutAfter', 'strand', 'refuse'),
});

let source: StageNode;
let target: StageNode;

beforeAll(async () => {
  [source, target] = await Promise.all([stageNode('a'), stageNode('b')]);
});

async function play(faults: readonly Fault[]): Promise<void> {
  const stage: MoverStage = await MoverStage.start(source, target, {
    timers: { ...systemTimers, after: (ms, callback) => systemTimers.after(ms / HURRY, callback) },
    onFailure: () => setImmediate(() => stage.mover.resume()),
  });
  const keys = stage.keys(KEYS);
  await stage.fill(keys);
  const expected = new Map<string, string | null>(keys.map((key) => [key, key]));
  const late: Kept[] = [];
  for (const { node, word, kind } of faults) {
    const { net } = stage[node];
    if (kind === 'strand') {
      const kept = net.strand(word);
      void kept.reached.then(() => late.push(kept));
    } else if (kind === 'refuse') void net.answer(word, '-ERR refused by the test\r\n');
    else void net[kind](word);
  }
  const clients = keys.slice(0, WANTED).map(async (key, i) => {
    while (!stage.isSettled(key)) await stage.settle(key);
    // In the turn in which it is known: nothing may come behind this.
    const [value, done] =
      i % 3 === 0 ? [null, stage.at('target').del(key)] : [`new ${i}`, stage.at('target').set(key, `new ${i}`)];
    expected.set(key, value);
    await done;
    // Whatever is late runs now, if the nodes have not dropped it.
    await Promise.all(late.map((kept) => kept.deliver()));
  });
  await Promise.all([stage.mover.sweep(), ...clients]);
  for (const { net } of [source, target]) net.heal();
  await Promise.all(late.map((kept) => kept.deliver()));
  const found = await stage.at('target').mget(...keys);
  expect(Object.fromEntries(keys.map((key, i) => [key, found[i]]))).toEqual(Object.fromEntries(expected));
  expect(await stage.at('source').dbsize()).toBe(0);
  await stage.mover.stop();
}

it('keeps every key, and what clients have made of it, through every order of failures', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fault, { maxLength: 8 }), play), { numRuns: 60 });
});
