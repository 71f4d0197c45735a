/** A worker's side of moving keys: what it asks of the primary, and what becomes of its clients in every order. */
import { describe, expect, it } from 'vitest';
import type { FromWorker } from '../../../../src/plane/workers/messages.js';
import { RemoteMoves } from '../../../../src/plane/workers/worker/remote-moves.js';
import { ManualTimers } from '../../../support/manual-timers.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const KEY = Buffer.from('key');
const OTHER = Buffer.from('other');

class Client {
  resumed = 0;
  resumeSoon(): void {
    this.resumed++;
  }
}

function remote(swept: readonly number[] = []): { moves: RemoteMoves; sent: FromWorker[]; timers: ManualTimers } {
  const sent: FromWorker[] = [];
  const timers = new ManualTimers();
  const moves = new RemoteMoves(7, swept, ['run-0', 'run-1'], (message) => sent.push(message), timers);
  return { moves, sent, timers };
}

const isSettled = (moves: RemoteMoves, key: Buffer, source = 0, database = 0): boolean =>
  moves.isSettled(source, database, key, 0, key.length);

describe('a key that has to be moved before its command', () => {
  it('is asked for once, with all others of this turn', async () => {
    const { moves, sent } = remote();
    const clients = [new Client(), new Client(), new Client()] as const;
    moves.settle(0, 1, 0, KEY, clients[0]);
    moves.settle(0, 1, 0, KEY, clients[1]);
    moves.settle(0, 1, 3, KEY, clients[2]);
    expect(sent).toEqual([]);
    await turn();
    const keys = [
      { token: 1, source: 0, target: 1, database: 0, key: KEY },
      { token: 2, source: 0, target: 1, database: 3, key: KEY },
    ];
    expect(sent).toEqual([{ type: 'settle', moves: 7, keys }]);
    moves.onSettled(1, true);
    expect(clients.map(({ resumed }) => resumed)).toEqual([1, 1, 0]);
    expect(isSettled(moves, KEY)).toBe(true);
    expect(isSettled(moves, KEY, 0, 3)).toBe(false);
  });

  it('is asked for anew when it did not move, or when it is asked for after the answer', async () => {
    const { moves, sent } = remote();
    const client = new Client();
    moves.settle(0, 1, 0, KEY, client);
    await turn();
    moves.onSettled(1, false);
    expect(client.resumed).toBe(1);
    expect(isSettled(moves, KEY)).toBe(false);
    moves.settle(0, 1, 0, KEY, client);
    await turn();
    expect(sent).toMatchObject([{ keys: [{ token: 1 }] }, { keys: [{ token: 2 }] }]);
    // The first answer a second time is for nobody.
    moves.onSettled(1, true);
    expect(client.resumed).toBe(1);
    expect(isSettled(moves, KEY)).toBe(false);
  });

  it('resumes those who wait for it, in whatever order answers come', async () => {
    const { moves } = remote();
    const [first, second] = [new Client(), new Client()];
    moves.settle(0, 1, 0, KEY, first);
    await turn();
    moves.settle(0, 1, 0, OTHER, second);
    await turn();
    moves.onSettled(2, true);
    expect([first.resumed, second.resumed]).toEqual([0, 1]);
    moves.onSettled(1, true);
    expect([first.resumed, second.resumed]).toEqual([1, 1]);
  });

  it('counts as moved where its source was swept, before and after', () => {
    const { moves } = remote([1]);
    expect(isSettled(moves, KEY, 1, 5)).toBe(true);
    expect(isSettled(moves, KEY, 0)).toBe(false);
    moves.onSwept(0);
    expect(isSettled(moves, KEY, 0)).toBe(true);
  });

  it('counts as moved when the primary knows that its source has said to be without it', async () => {
    const { moves, sent } = remote();
    moves.noteGone(0, 0, KEY);
    moves.noteGone(0, 2, OTHER);
    await turn();
    const keys = [
      { source: 0, database: 0, key: KEY },
      { source: 0, database: 2, key: OTHER },
    ];
    expect(sent).toEqual([{ type: 'gone', moves: 7, question: 1, keys }]);
    expect(isSettled(moves, KEY)).toBe(false);
    moves.onNoted(1, true);
    expect(isSettled(moves, KEY)).toBe(true);
    moves.noteGone(0, 0, KEY);
    await turn();
    expect(sent).toHaveLength(1);
  });

  it('does not count as moved when whoever moves it could not be told', async () => {
    const { moves } = remote();
    moves.noteGone(0, 0, KEY);
    await turn();
    moves.onNoted(1, false);
    moves.onNoted(1, true);
    expect(isSettled(moves, KEY)).toBe(false);
  });
});

describe('when the change is over', () => {
  it('everybody who waits asks anew, and answers that come yet are for nobody', async () => {
    const { moves } = remote();
    const clients = [new Client(), new Client(), new Client()] as const;
    moves.settle(0, 1, 0, KEY, clients[0]);
    moves.settle(0, 1, 0, OTHER, clients[1]);
    moves.holdMoves(clients[2]);
    await turn();
    moves.close();
    expect(clients.map(({ resumed }) => resumed)).toEqual([1, 1, 1]);
    moves.onSettled(1, true);
    moves.onSettled(2, false);
    expect(clients.map(({ resumed }) => resumed)).toEqual([1, 1, 1]);
  });

  it('a key that was asked for in the same turn leaves nobody waiting', async () => {
    const { moves } = remote();
    const client = new Client();
    moves.settle(0, 1, 0, KEY, client);
    moves.close();
    await turn();
    expect(client.resumed).toBe(1);
  });

  /*
   * Cause: the key's token was kept, and whoever asked for the key again was added to those who waited for an answer that
   * had been forgotten.
   */
  it('whoever asks by it yet is resumed at once', async () => {
    const { moves, sent } = remote();
    const [before, after, other] = [new Client(), new Client(), new Client()];
    moves.settle(0, 1, 0, KEY, before);
    await turn();
    moves.close();
    moves.settle(0, 1, 0, KEY, after);
    moves.settle(0, 1, 0, OTHER, other);
    expect(moves.holdMoves(other)).toBe(false);
    expect([after.resumed, other.resumed]).toEqual([1, 2]);
    await turn();
    expect(sent).toHaveLength(1);
  });
});

describe('a command that looks at all nodes at once', () => {
  it('runs when nothing moves, and lets moves go on afterwards', () => {
    const { moves, sent, timers } = remote();
    const client = new Client();
    expect(moves.holdMoves(client)).toBe(false);
    expect(sent).toEqual([{ type: 'hold', moves: 7 }]);
    moves.onHeld();
    expect(client.resumed).toBe(1);
    expect(moves.holdMoves(client)).toBe(true);
    moves.releaseMoves();
    timers.advance(10_000);
    expect(sent).toEqual([
      { type: 'hold', moves: 7 },
      { type: 'release', moves: 7 },
    ]);
  });

  it('is one of several: each hold that is granted is taken by one, and released by one', () => {
    const { moves, sent, timers } = remote();
    const clients = [new Client(), new Client()] as const;
    for (const client of clients) expect(moves.holdMoves(client)).toBe(false);
    moves.onHeld();
    moves.onHeld();
    expect(clients.map(({ resumed }) => resumed)).toEqual([1, 1]);
    for (const client of clients) expect(moves.holdMoves(client)).toBe(true);
    expect(moves.holdMoves(new Client())).toBe(false);
    for (const _client of clients) moves.releaseMoves();
    timers.advance(10_000);
    expect(sent.map(({ type }) => type)).toEqual(['hold', 'hold', 'hold', 'release', 'release']);
  });

  it('that never comes back for its hold does not stop moves for ever', () => {
    const { moves, sent, timers } = remote();
    const client = new Client();
    moves.holdMoves(client);
    moves.onHeld();
    timers.advance(99);
    expect(sent).toHaveLength(1);
    timers.advance(1);
    expect(sent.at(-1)).toEqual({ type: 'release', moves: 7 });
    // Too late for this one: it asks anew.
    expect(moves.holdMoves(client)).toBe(false);
  });

  it('is let go of when its change ends, and what was granted to nobody is released', () => {
    const { moves, sent, timers } = remote();
    moves.holdMoves(new Client());
    moves.onHeld();
    moves.close();
    timers.advance(100);
    expect(sent.map(({ type }) => type)).toEqual(['hold', 'release']);
  });
});
