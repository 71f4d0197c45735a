/** The primary's side of moving keys for workers, with workers that ask late, ask twice, and die. */
import { describe, expect, it } from 'vitest';
import type { ToWorker } from '../../../../src/plane/workers/messages.js';
import { type Asker, SharedMoves } from '../../../../src/plane/workers/primary/shared-moves.js';
import { FakeMoves, snapshotWith } from '../fake-moves.js';

class Worker implements Asker {
  ended = false;
  readonly received: ToWorker[] = [];
  send(message: ToWorker): void {
    if (!this.ended) this.received.push(message);
  }
  /** What it was sent behind its snapshots. */
  get answers(): ToWorker[] {
    return this.received.filter(({ type }) => type !== 'publish');
  }
}

const key = (text: string): Uint8Array => new TextEncoder().encode(text);

function settle(moves: number, token: number, text = 'key', source = 0) {
  return { type: 'settle', moves, keys: [{ token, source, target: 1, database: 0, key: key(text) }] } as const;
}

function begin(workers = 1): { shared: SharedMoves; workers: Worker[]; moves: FakeMoves } {
  const all = Array.from({ length: workers }, () => new Worker());
  const shared = new SharedMoves(all);
  const moves = new FakeMoves();
  shared.publish(snapshotWith(moves));
  return { shared, workers: all, moves };
}

/** @returns the only one, or the one with this index */
function at(workers: readonly Worker[], index = 0): Worker {
  const worker = workers[index];
  if (worker === undefined) throw new Error(`there is no worker ${index}`);
  return worker;
}

describe('what workers are given', () => {
  it('is the snapshot with the number of its change, what was swept, and the nodes’ processes', () => {
    const { shared, workers, moves } = begin(2);
    for (const { received } of workers) {
      expect(received).toMatchObject([{ snapshot: { moves: 1, swept: [], runIds: ['run-0', 'run-1'] } }]);
    }
    moves.sweptSources.push(1);
    shared.sourceSwept(1);
    expect(at(workers).answers).toEqual([{ type: 'swept', moves: 1, source: 1 }]);
    expect(shared.sent).toMatchObject({ moves: 1, swept: [1] });
    // The same change in a further snapshot keeps its number.
    shared.publish(snapshotWith(moves, 2));
    expect(shared.sent).toMatchObject({ generation: 2, moves: 1, swept: [1] });
  });

  it('has another number for a change that was interrupted and goes on, and what was swept before', () => {
    const { shared, moves } = begin();
    moves.sweptSources.push(0);
    shared.sourceSwept(0);
    shared.publish(snapshotWith(null));
    expect(shared.sent).toMatchObject({ moves: 0, swept: [] });
    shared.publish(snapshotWith(moves));
    expect(shared.sent).toMatchObject({ moves: 2, swept: [0] });
    shared.publish(snapshotWith(new FakeMoves()));
    expect(shared.sent).toMatchObject({ moves: 3, swept: [] });
  });

  it('is nothing before there is a ring', () => {
    expect(new SharedMoves([]).sent).toBeNull();
  });
});

describe('a key that a worker asks for', () => {
  it('is moved, and then the worker is told', () => {
    const { shared, workers, moves } = begin();
    shared.onSettle(at(workers), settle(1, 5));
    expect(at(workers).answers).toEqual([]);
    moves.finish(true);
    expect(at(workers).answers).toEqual([{ type: 'settled', moves: 1, token: 5, settled: true }]);
  });

  it('that could not be moved is answered, too', () => {
    const { shared, workers, moves } = begin();
    shared.onSettle(at(workers), settle(1, 5));
    moves.finish(false);
    expect(at(workers).answers).toEqual([{ type: 'settled', moves: 1, token: 5, settled: false }]);
  });

  it('by two workers is moved once, and both are told under their own tokens', () => {
    const { shared, workers, moves } = begin(2);
    shared.onSettle(at(workers, 0), settle(1, 5));
    shared.onSettle(at(workers, 1), settle(1, 9));
    expect(moves.asked.size).toBe(1);
    moves.finish(true);
    expect(at(workers, 0).answers).toMatchObject([{ token: 5, settled: true }]);
    expect(at(workers, 1).answers).toMatchObject([{ token: 9, settled: true }]);
  });

  it('that has moved already is answered at once', () => {
    const { shared, workers } = begin();
    const gone = [{ source: 0, database: 0, key: key('key') }];
    shared.onGone(at(workers), { type: 'gone', moves: 1, question: 3, keys: gone });
    shared.onSettle(at(workers), settle(1, 5));
    expect(at(workers).answers).toEqual([
      { type: 'noted', moves: 1, question: 3, noted: true },
      { type: 'settled', moves: 1, token: 5, settled: true },
    ]);
  });

  it('in a change that is over is answered and not moved: the next snapshot is on its way', () => {
    const { shared, workers, moves } = begin();
    const next = new FakeMoves();
    next.settled.add('0 0 key');
    shared.publish(snapshotWith(next));
    shared.onSettle(at(workers), settle(1, 5));
    const gone = [{ source: 0, database: 0, key: key('other') }];
    shared.onGone(at(workers), { type: 'gone', moves: 1, question: 3, keys: gone });
    expect(at(workers).answers).toEqual([
      { type: 'settled', moves: 1, token: 5, settled: false },
      { type: 'noted', moves: 1, question: 3, noted: false },
    ]);
    expect([moves.asked.size, next.asked.size, moves.settled.size]).toEqual([0, 0, 0]);
    expect(next.settled).toEqual(new Set(['0 0 key']));
    shared.publish(snapshotWith(null));
    shared.onSettle(at(workers), settle(2, 6));
    expect(at(workers).answers.at(-1)).toEqual({ type: 'settled', moves: 2, token: 6, settled: false });
  });

  it('arrives after its worker has died, and disturbs nobody', () => {
    const { shared, workers, moves } = begin(2);
    shared.onSettle(at(workers), settle(1, 5));
    at(workers).ended = true;
    shared.onExit(at(workers));
    moves.finish(true);
    expect(at(workers, 1).answers).toEqual([]);
  });
});

describe('a hold', () => {
  const hold = { type: 'hold', moves: 1 } as const;
  const release = { type: 'release', moves: 1 } as const;

  it('is granted when nothing is in flight, and lasts until its worker releases it', () => {
    const { shared, workers, moves } = begin(2);
    moves.inFlight = true;
    shared.onHold(at(workers), hold);
    expect(at(workers).answers).toEqual([]);
    moves.land();
    expect(at(workers).answers).toEqual([{ type: 'held', moves: 1 }]);
    // Another worker has none to release.
    shared.onRelease(at(workers, 1), release);
    expect(moves.holders).toBe(1);
    shared.onRelease(at(workers), release);
    shared.onRelease(at(workers), release);
    expect(moves.holders).toBe(0);
  });

  it('of a worker that dies is released, each of them once', () => {
    const { shared, workers, moves } = begin(2);
    shared.onHold(at(workers), hold);
    shared.onHold(at(workers), hold);
    shared.onHold(at(workers, 1), hold);
    at(workers).ended = true;
    shared.onExit(at(workers));
    expect(moves.holders).toBe(1);
    shared.onExit(at(workers));
    shared.onRelease(at(workers, 1), release);
    expect(moves.holders).toBe(0);
  });

  it('is not granted to a worker that died while it waited', () => {
    const { shared, workers, moves } = begin();
    moves.inFlight = true;
    shared.onHold(at(workers), hold);
    at(workers).ended = true;
    shared.onExit(at(workers));
    moves.land();
    expect(moves.holders).toBe(0);
  });

  it('is given back to whoever held still, also when that change is over or goes on under another number', () => {
    const { shared, workers, moves } = begin();
    shared.onHold(at(workers), hold);
    shared.publish(snapshotWith(null));
    const next = new FakeMoves();
    shared.publish(snapshotWith(next));
    shared.onHold(at(workers), { type: 'hold', moves: 2 });
    shared.onRelease(at(workers), release);
    expect([moves.holders, next.holders]).toEqual([0, 1]);
    shared.onRelease(at(workers), { type: 'release', moves: 2 });
    expect(next.holders).toBe(0);
  });

  it('is not granted for a change that is over, neither at once nor after waiting', () => {
    const { shared, workers, moves } = begin();
    moves.inFlight = true;
    shared.onHold(at(workers), hold);
    shared.publish(snapshotWith(new FakeMoves()));
    moves.land();
    shared.onHold(at(workers), hold);
    expect(moves.holders).toBe(0);
    expect(at(workers).answers).toEqual([]);
  });
});
