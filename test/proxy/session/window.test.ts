import { expect, it } from 'vitest';
import { Window } from '../../../src/proxy/session/window.js';

function after(window: Window, replies: number, bytes: number): number {
  for (let i = 0; i < replies; i++) window.onReply(bytes);
  window.adapt();
  return window.requests;
}

it('grows by steps of two while replies are small, up to its bound', () => {
  const window = new Window(3000);
  expect([
    window.requests,
    after(window, 10, 5),
    after(window, 10, 5),
    after(window, 10, 5),
    after(window, 10, 5),
  ]).toEqual([512, 1024, 2048, 3000, 3000]);
});

it('shrinks at once to what fits large replies, but not to nothing', () => {
  const window = new Window(100_000);
  expect(after(window, 4, 100_000)).toBe(83);
  expect(after(window, 1, 100_000_000)).toBe(16);
  expect(after(window, 1, 5)).toBe(32);
});

it('stays as it is when nothing has come', () => {
  const window = new Window(100);
  expect([window.requests, after(window, 0, 0)]).toEqual([100, 100]);
});
