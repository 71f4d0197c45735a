import { describe, expect, it } from 'vitest';
import { PATIENCE_MS, Questions } from '../../../src/plane/workers/questions.js';
import { ManualTimers } from '../../support/manual-timers.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Asks, and tells under which number. */
function ask(questions: Questions<string>): { number: number; answer: Promise<string> } {
  let number = 0;
  const answer = questions.ask((question) => {
    number = question;
  });
  return { number, answer };
}

describe('questions to another process', () => {
  it('get their own answers, whatever order they come in', async () => {
    const timers = new ManualTimers();
    const questions = new Questions('nobody answers', timers);
    const [first, second] = [ask(questions), ask(questions)];
    questions.answer(second.number, 'b');
    questions.answer(first.number, 'a');
    expect(await Promise.all([first.answer, second.answer])).toEqual(['a', 'b']);
    expect(timers.pending).toBe(0);
  });

  it('that nobody answers are answered when patience ends, and not before', async () => {
    const timers = new ManualTimers();
    const questions = new Questions('nobody answers', timers);
    const { answer } = ask(questions);
    let outcome = 'open';
    void answer.then((text) => {
      outcome = text;
    });
    timers.advance(PATIENCE_MS - 1);
    await turn();
    expect(outcome).toBe('open');
    timers.advance(1);
    await turn();
    expect(outcome).toBe('nobody answers');
  });

  it('take the first answer: one that is late, comes twice or belongs to nothing changes nothing', async () => {
    const timers = new ManualTimers();
    const questions = new Questions('nobody answers', timers);
    const [late, twice] = [ask(questions), ask(questions)];
    questions.answer(twice.number, 'first');
    questions.answer(twice.number, 'second');
    questions.answer(99, 'to nothing');
    timers.advance(PATIENCE_MS);
    questions.answer(late.number, 'too late');
    expect(await Promise.all([late.answer, twice.answer])).toEqual(['nobody answers', 'first']);
    // No later question has the number of one whose answer may still come.
    expect(ask(questions).number).toBeGreaterThan(twice.number);
  });

  it('may be answered while they are being sent', async () => {
    const questions = new Questions('nobody answers', new ManualTimers());
    expect(await questions.ask((question) => questions.answer(question, 'at once'))).toBe('at once');
  });
});
