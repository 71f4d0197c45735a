import { expect, it } from 'vitest';
import { Unanswered } from '../../../src/proxy/upstream/unanswered.js';

const TIMEOUT = 1000;

function watched(): { unanswered: Unanswered; told: string[] } {
  const told: string[] = [];
  return { unanswered: new Unanswered((reason) => told.push(reason.split(' ')[0] ?? '')), told };
}

it('a node answers nobody when commands that were sent later have had no answer either', () => {
  const { unanswered, told } = watched();
  // All connections at once: it may have stood still for a moment.
  for (const _lane of [1, 2, 3]) unanswered.noteTimeout(7, TIMEOUT, 1000);
  expect(told).toEqual([]);
  unanswered.noteTimeout(7, TIMEOUT, 2000);
  unanswered.noteTimeout(7, TIMEOUT, 3000);
  expect(told).toEqual(['UNANSWERED']);
  unanswered.tick(7, TIMEOUT, 10_900);
  expect(told).toEqual(['UNANSWERED']);
  unanswered.tick(8, TIMEOUT, 10_900);
  expect(told).toEqual(['UNANSWERED', '']);
});

it('one that answers in between, or of which nothing is heard for long, is none of these', () => {
  const { unanswered, told } = watched();
  for (const answered of [1, 2, 3, 4]) unanswered.noteTimeout(answered, TIMEOUT, answered * TIMEOUT);
  unanswered.noteTimeout(4, TIMEOUT, 20_000);
  expect(told).toEqual([]);
  unanswered.noteTimeout(4, TIMEOUT, 21_000);
  unanswered.tick(4, TIMEOUT, 29_001);
  expect(told).toEqual(['UNANSWERED', '']);
});
