import { expect, it } from 'vitest';
import { Looks } from '../../../src/rebalance/looks.js';
import { OwnTurns } from '../../../src/rebalance/migrate-turns.js';
import { MoveMemory } from '../../../src/rebalance/move-memory.js';
import { RingBuilder } from '../../../src/topology/change-rings.js';
import { OwnMoves } from '../../../src/topology/jobs/own-moves.js';
import { SourceMove, type SourceMovePorts } from '../../../src/topology/jobs/source-move.js';
import type { Claim } from '../../../src/topology/state/fleet.js';
import type { Member } from '../../../src/topology/state/ring-state.js';
import { moverJob } from '../../../src/topology/store/ring-store.js';
import { ManualTimers } from '../../support/manual-timers.js';
import { FakeMover, OPTIONS } from '../manager-stage.js';

const MEMBERS: readonly Member[] = ['a', 'b', 'c'].map((name, id) => ({
  ...{ name, address: `127.0.0.1:${id + 1}`, weight: 1, id, access: {} },
}));
const GOING = { paused: false, keysPerSecond: 0, held: null };
const SIGNAL = new AbortController().signal;

async function stage() {
  const on = { log: [] as string[], error: null as string | null, lost: new Set<string>(), movers: [] as FakeMover[] };
  const own = new OwnMoves({
    reachable: () => MEMBERS,
    dropEarlier: async ({ name }, source, { revision }) => {
      on.log.push(`${name} drops ${source} before ${revision}`);
    },
    isInForce: async ({ job }) => !on.lost.has(job),
    share: (source) => on.log.push(`${source} is shared`),
    error: () => on.error,
  });
  const { union, rings } = await new RingBuilder().buildBetween(MEMBERS.slice(0, 2), MEMBERS, OPTIONS);
  /** A source whose keys move here. */
  const moves = async (source: number): Promise<{ move: SourceMove; mover: FakeMover }> => {
    const job = moverJob(union[source]?.name ?? '');
    const claim: Claim = { job, holder: 'proxy-1', revision: 7, since: '2026-01-01T00:00:00.000Z' };
    const right = { holder: claim.holder, source, revision: claim.revision };
    const ports: SourceMovePorts = {
      ...{ nodes: union, processes: [], steering: () => GOING, onWait: () => {} },
      note: async () => 1,
      create: (runIds, callbacks) => {
        const start = {
          ...{ nodes: union, rings, source, runIds, right, looks: new Looks(), turns: new OwnTurns() },
          ...{ memory: new MoveMemory(union, null), sweeping: () => 2, isInForce: async () => true },
        };
        const mover = new FakeMover(start, { ...callbacks, onFailure: () => {}, onMoved: () => {} });
        on.movers.push(mover);
        return mover;
      },
    };
    const move = new SourceMove(source, claim, null, ports, new ManualTimers());
    own.add(move);
    await move.begin(async () => true, SIGNAL);
    const mover = on.movers.at(-1);
    if (mover === undefined) throw new Error('no mover was made');
    return { move, mover };
  };
  return { on, own, moves };
}

it('knows what it moves, until that is ended', async () => {
  const { own, moves } = await stage();
  expect(own.areMoving).toBe(false);
  const { move } = await moves(0);
  expect(own.of(0)).toBe(move);
  expect(own.areMoving).toBe(true);
  await own.end(move);
  expect(own.remove(move)).toBe(true);
  expect(own.of(0)).toBeNull();
  expect(own.areMoving).toBe(false);
});

it('a move that another one has followed takes that one not away', async () => {
  const { own, moves } = await stage();
  const { move: first } = await moves(0);
  const { move: second } = await moves(0);
  expect(own.remove(first)).toBe(false);
  expect(own.of(0)).toBe(second);
});

it('steers all of them, and resumes what has failed only when it is asked to', async () => {
  const { own, moves, on } = await stage();
  const movers = [(await moves(0)).mover, (await moves(1)).mover];
  own.steer({ paused: true, keysPerSecond: 100, held: 'sweep' }, false);
  const shown = () => movers.map(({ paused, keysPerSecond, held }) => [paused, keysPerSecond, held]);
  expect(shown()).toEqual([
    [true, 100, 'sweep'],
    [true, 100, 'sweep'],
  ]);
  own.steer(GOING, false);
  expect(shown()[0]).toEqual([true, 0, null]);
  own.steer(GOING, true);
  expect(shown()[0]).toEqual([false, 0, null]);
  expect(on.log).toEqual([]);
});

it('holds its sweeps still, and says so when one has keys under way that do not arrive', async () => {
  const { own, moves } = await stage();
  const { mover } = await moves(0);
  const { mover: other } = await moves(1);
  expect(await own.still(100)).toEqual({ acknowledged: true, why: '' });
  expect([mover.held, other.held]).toEqual(['sweep', 'sweep']);
  other.holds = false;
  expect(await own.still(100)).toEqual({ acknowledged: false, why: 'keys are under way that do not arrive' });
});

it('stands still when the nodes have dropped what an ended move has left, and shares what it has lost meanwhile', async () => {
  const { own, moves, on } = await stage();
  const { move, mover } = await moves(0);
  await moves(1);
  mover.leavesLate = true;
  await own.end(move);
  own.remove(move);
  on.lost.add(moverJob('b'));
  expect(await own.standstill(100)).toEqual({ acknowledged: true, why: '' });
  expect(on.log).toEqual(['a drops 0 before 8', 'b drops 0 before 8', 'c drops 0 before 8', '1 is shared']);
});

it('does not stand still while keys are under way, and says why the change cannot go on', async () => {
  const { own, moves, on } = await stage();
  const { mover } = await moves(0);
  mover.holds = false;
  on.error = 'waits for a';
  expect(await own.standstill(100)).toEqual({ acknowledged: false, why: 'waits for a' });
  on.error = null;
  expect(await own.standstill(100)).toEqual({ acknowledged: false, why: 'keys are under way that do not arrive' });
});

it('does not stand still while a node cannot be asked to drop what was left', async () => {
  const { own, moves } = await stage();
  const { mover } = await moves(0);
  mover.dropLateConnections = () => Promise.reject(new Error('b does not answer'));
  expect(await own.standstill(100)).toEqual({ acknowledged: false, why: 'b does not answer' });
});
