/** Whether a node is silent. */
import { beforeEach, expect, it } from 'vitest';
import { type HeardLane, Silence } from '../../../src/proxy/upstream/silence.js';

/** Since when a shared lane waits for an answer; Infinity: it does not. */
let waitsSince: number;
let silence: Silence;
const lanes: readonly HeardLane[] = [
  { owner: null, pool: null, isSilent: (now, milliseconds) => now - waitsSince > milliseconds },
];

beforeEach(() => {
  waitsSince = 0;
  silence = new Silence();
});

it('a node is silent when two looks have found a command without an answer', () => {
  expect(silence.lasts(lanes, 400)).toBe(false);
  silence.tick(lanes, 400);
  expect(silence.lasts(lanes, 410)).toBe(false);
  silence.tick(lanes, 500);
  expect(silence.lasts(lanes, 510)).toBe(true);
  silence.tick([], 600);
  expect(silence.lasts(lanes, 610)).toBe(false);
});

/**
 * Symptom: LATENCY LATEST lacked the node that had just answered DBSIZE, after a second in which it said nothing.
 * Cause: that it was silent held until the next look, a tenth of a second later.
 */
it('a node that has answered is not silent, from then on and not from the next look on', () => {
  silence.tick(lanes, 400);
  silence.tick(lanes, 500);
  waitsSince = Number.POSITIVE_INFINITY;
  expect(silence.lasts(lanes, 501)).toBe(false);
});
