/** A client that is ended too early loses replies that it was about to read; one that is never ended keeps memory. */
import { beforeEach, expect, it } from 'vitest';
import { StallWatch } from '../../../src/proxy/session/stall-watch.js';

/** By a clock that has run for a day when the client comes. */
const CAME = 86_400_000;
const MOST = 60_000;

let outlet: { pending: number; written: number };
let watch: StallWatch;

beforeEach(() => {
  outlet = { pending: 0, written: 0 };
  watch = new StallWatch(outlet, CAME);
});

it('a client that has just come, and whose first reply has not left yet, is not stalled', () => {
  outlet.pending = 71;
  expect(watch.isLongerThan(MOST, CAME + 1)).toBe(false);
  expect(watch.isLongerThan(MOST, CAME + MOST)).toBe(false);
  expect(watch.isLongerThan(MOST, CAME + MOST + 1)).toBe(true);
});

it('a client that takes something now and then is not stalled', () => {
  outlet.pending = 1_000_000;
  for (let now = CAME; now < CAME + 10 * MOST; now += MOST) {
    outlet.written++;
    expect(watch.isLongerThan(MOST, now)).toBe(false);
  }
});

it('what has waited is counted from when it began to', () => {
  expect(watch.isLongerThan(MOST, CAME + 10 * MOST)).toBe(false);
  outlet.pending = 71;
  expect(watch.isLongerThan(MOST, CAME + 11 * MOST)).toBe(false);
  expect(watch.isLongerThan(MOST, CAME + 11 * MOST + 1)).toBe(true);
});
