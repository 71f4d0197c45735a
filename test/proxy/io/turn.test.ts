/** Who has waited goes on at the end of a turn, in front of the flush, and once a turn. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Turn } from '../../../src/proxy/io/turn.js';

const task = (endOfTurn: () => void) => ({ endOfTurn });

describe('the end of a turn', () => {
  it('flushes what those have written who went on in it', async () => {
    const turn = new Turn();
    const done: string[] = [];
    turn.schedule(task(() => done.push('written before')));
    turn.resume(
      task(() => {
        done.push('went on');
        turn.schedule(task(() => done.push('written then')));
      }),
    );
    await nextTurn();
    expect(done).toEqual(['went on', 'written before', 'written then']);
  });

  it('lets others be read before somebody who waits again goes on once more', async () => {
    const turn = new Turn();
    let turns = 0;
    const again = task(() => {
      turns++;
      if (turns < 3) turn.resume(again);
    });
    turn.resume(again);
    for (let expected = 1; expected <= 3; expected++) {
      await nextTurn();
      expect(turns).toBe(expected);
    }
    await nextTurn();
    expect(turns).toBe(3);
  });

  it('flushes in the next turn what is written while it flushes', async () => {
    const turn = new Turn();
    const done: string[] = [];
    turn.schedule(
      task(() => {
        done.push('first');
        turn.schedule(task(() => done.push('second')));
      }),
    );
    await nextTurn();
    expect(done).toEqual(['first']);
    await nextTurn();
    expect(done).toEqual(['first', 'second']);
  });

  it('is crowded from six sockets on, each time anew', async () => {
    const turn = new Turn();
    const seen: boolean[] = [];
    for (const sockets of [5, 6, 5]) {
      for (let i = 0; i < sockets; i++) turn.schedule(task(() => i === 0 && seen.push(turn.isCrowded)));
      await nextTurn();
    }
    expect(seen).toEqual([false, true, false]);
  });
});
