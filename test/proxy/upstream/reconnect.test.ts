import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Backoff } from '../../../src/proxy/upstream/backoff.js';
import { Reconnect } from '../../../src/proxy/upstream/reconnect.js';

const MOST = 1000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('each pause is up to twice as long as the one before, and never longer than the bound', () => {
  const backoff = new Backoff();
  for (const full of [20, 40, 80, 160, 320, 640, MOST, MOST]) {
    const pause = backoff.next(MOST);
    expect(pause).toBeGreaterThanOrEqual(full / 2);
    expect(pause).toBeLessThan(full);
  }
  backoff.reset();
  expect(backoff.next(MOST)).toBeLessThan(20);
});

it('an attempt that is scheduled anew takes the place of the former one', () => {
  let attempts = 0;
  const reconnect = new Reconnect(() => {
    attempts++;
  });
  reconnect.schedule(MOST);
  reconnect.schedule(MOST);
  expect(reconnect.isScheduled).toBe(true);
  vi.advanceTimersByTime(MOST);
  expect(attempts).toBe(1);
  expect(reconnect.isScheduled).toBe(false);
});

it('one that is cancelled never comes', () => {
  let attempts = 0;
  const reconnect = new Reconnect(() => {
    attempts++;
  });
  reconnect.schedule(MOST);
  reconnect.cancel();
  vi.advanceTimersByTime(MOST);
  expect(attempts).toBe(0);
  expect(reconnect.isScheduled).toBe(false);
});
