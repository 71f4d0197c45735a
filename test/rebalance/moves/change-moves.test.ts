/** Who is asked for the keys of which source, as movers come and go, here and at other proxies. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Looks } from '../../../src/rebalance/looks.js';
import { MoveMemory } from '../../../src/rebalance/move-memory.js';
import { ChangeMoves, type SourceMoves } from '../../../src/rebalance/moves/change-moves.js';
import { ManualTimers } from '../../support/manual-timers.js';

const NODES = ['a', 'b', 'c'].map((name, i) => ({ name, address: `127.0.0.1:${i + 1}` }));
const KEY = Buffer.from('key');

const turns = async (count = 6): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

class Client {
  resumed = 0;
  resumeSoon(): void {
    this.resumed++;
  }
}

/** Moves the keys of a source at another proxy. */
class Elsewhere implements SourceMoves {
  readonly asked: string[] = [];
  /** Commands for which it holds still. */
  holders = 0;
  /** What its proxy says to a hold. */
  holds: () => Promise<boolean> = () => Promise.resolve(true);

  settle(_target: number, _database: number, key: Buffer): void {
    this.asked.push(key.toString());
  }

  noteGone(): void {}

  async hold(): Promise<(() => void) | null> {
    if (!(await this.holds())) return null;
    this.holders++;
    return () => {
      this.holders--;
    };
  }
}

let timers: ManualTimers;
let looks: Looks;
let moves: ChangeMoves;

beforeEach(() => {
  timers = new ManualTimers();
  looks = new Looks();
  moves = new ChangeMoves([0, 1], new MoveMemory(NODES, null), looks, () => '', timers);
});

describe('a key', () => {
  it('is asked for wherever its source is moved now', () => {
    const [one, other] = [new Elsewhere(), new Elsewhere()];
    moves.assign(0, one, false);
    moves.assign(1, other, false);
    moves.settle(0, 2, 0, KEY, new Client());
    moves.assign(0, other, false);
    moves.settle(0, 2, 0, Buffer.from('next'), new Client());
    expect([one.asked, other.asked]).toEqual([['key'], ['next']]);
  });

  it('waits while nobody moves its source: for the next one, or until the source is swept', () => {
    const [first, second] = [new Client(), new Client()];
    moves.settle(0, 2, 0, KEY, first);
    moves.settle(1, 2, 0, KEY, second);
    expect([first.resumed, second.resumed]).toEqual([0, 0]);
    moves.assign(0, new Elsewhere(), false);
    expect([first.resumed, second.resumed]).toEqual([1, 0]);
    moves.swept(1);
    expect(second.resumed).toBe(1);
    expect(moves.isSettled(1, 0, KEY, 0, KEY.length)).toBe(true);
    expect(moves.isSettled(0, 0, KEY, 0, KEY.length)).toBe(false);
  });

  it('is asked for anew when the change is over', () => {
    const client = new Client();
    moves.settle(0, 2, 0, KEY, client);
    moves.close();
    moves.settle(0, 2, 0, KEY, client);
    expect(client.resumed).toBe(2);
  });
});

describe('a command that looks at all nodes', () => {
  it('holds all movers, here and elsewhere', async () => {
    const there = new Elsewhere();
    moves.assign(0, new Elsewhere(), true);
    moves.assign(1, there, false);
    const client = new Client();
    looks.moves();
    expect(moves.holdMoves(client)).toBe(false);
    await turns();
    expect(client.resumed).toBe(0);
    looks.moved();
    await turns();
    expect(client.resumed).toBe(1);
    expect(moves.holdMoves(client)).toBe(true);
    expect([looks.comeFirst, there.holders]).toEqual([true, 1]);
    moves.releaseMoves();
    await turns();
    expect([looks.comeFirst, there.holders]).toEqual([false, 0]);
  });

  it('waits until every source has a mover', async () => {
    moves.assign(0, new Elsewhere(), false);
    const client = new Client();
    moves.holdMoves(client);
    await turns();
    expect(client.resumed).toBe(0);
    moves.assign(1, new Elsewhere(), false);
    await turns();
    expect(moves.holdMoves(client)).toBe(true);
  });

  it('lets the others go on while one does not hold, and asks again', async () => {
    const [good, bad] = [new Elsewhere(), new Elsewhere()];
    moves.assign(0, good, false);
    moves.assign(1, bad, false);
    bad.holds = () => Promise.resolve(false);
    const client = new Client();
    moves.holdMoves(client);
    await turns();
    expect([client.resumed, good.holders]).toEqual([0, 0]);
    bad.holds = () => Promise.resolve(true);
    timers.advance(200);
    await turns();
    expect([client.resumed, good.holders, bad.holders]).toEqual([1, 1, 1]);
  });

  it('asks the next mover when one is succeeded while it is asked', async () => {
    const [dead, next] = [new Elsewhere(), new Elsewhere()];
    let answer: (holds: boolean) => void = () => {};
    dead.holds = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    moves.assign(0, dead, false);
    moves.swept(1);
    const client = new Client();
    moves.holdMoves(client);
    await turns();
    moves.assign(0, next, false);
    answer(true);
    await turns();
    expect([client.resumed, dead.holders, next.holders]).toEqual([1, 0, 1]);
  });

  it('that has left lets go of what it was granted', async () => {
    const there = new Elsewhere();
    moves.assign(0, there, false);
    moves.swept(1);
    moves.holdMoves(new Client());
    await turns();
    expect(there.holders).toBe(1);
    timers.advance(100);
    await turns();
    expect([there.holders, looks.comeFirst]).toEqual([0, false]);
  });

  it('asks anew when the change is over', async () => {
    moves.assign(0, new Elsewhere(), false);
    const client = new Client();
    moves.holdMoves(client);
    moves.close();
    await turns();
    expect(client.resumed).toBe(1);
  });
});
