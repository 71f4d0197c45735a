import { describe, expect, it } from 'vitest';
import { NodeStates } from '../../../../src/plane/workers/primary/node-states.js';

const UP = 'ringproxy:upstream:up';
const DOWN = 'ringproxy:upstream:down';
const IMPAIRED = 'ringproxy:upstream:impaired';
const RECOVERED = 'ringproxy:upstream:recovered';
const A = { node: 'a', address: 'h:1' };
const ELSEWHERE = { node: 'a', address: 'h:2' };

describe('what several workers find of one node', () => {
  it('is news of the first that finds it down, and of the last that finds it back', () => {
    const states = new NodeStates();
    expect(states.isNews(1, DOWN, A)).toBe(true);
    expect(states.isNews(2, DOWN, A)).toBe(false);
    expect(states.isNews(1, UP, A)).toBe(false);
    expect(states.isNews(2, UP, A)).toBe(true);
    expect(states.isNews(2, DOWN, A)).toBe(true);
  });

  it('is not mixed up with another fault, or with another server of the same name', () => {
    const states = new NodeStates();
    expect(states.isNews(1, DOWN, A)).toBe(true);
    expect(states.isNews(1, IMPAIRED, A)).toBe(true);
    expect(states.isNews(1, DOWN, ELSEWHERE)).toBe(true);
    expect(states.isNews(1, UP, A)).toBe(true);
    expect(states.isNews(1, RECOVERED, A)).toBe(true);
  });

  it('is no news when a worker finds back what it never found down', () => {
    const states = new NodeStates();
    expect(states.isNews(1, UP, A)).toBe(false);
    states.isNews(1, DOWN, A);
    expect(states.isNews(2, UP, A)).toBe(false);
  });

  it('counts once for a worker that says it twice', () => {
    const states = new NodeStates();
    states.isNews(1, DOWN, A);
    states.isNews(1, DOWN, A);
    expect(states.isNews(1, UP, A)).toBe(true);
  });

  it('lets every other event pass', () => {
    const states = new NodeStates();
    expect(states.isNews(1, 'ringproxy:client:closed', {})).toBe(true);
    expect(states.isNews(2, 'ringproxy:client:closed', {})).toBe(true);
  });

  it('ends with the last worker that found it, in the words of an end', () => {
    const states = new NodeStates();
    states.isNews(1, DOWN, { ...A, error: 'refused' });
    states.isNews(2, DOWN, { ...A, error: 'refused' });
    states.isNews(2, IMPAIRED, { ...A, reason: 'OOM' });
    expect(states.forget(1)).toEqual([]);
    expect(states.forget(2)).toEqual([
      { channel: UP, event: { ...A, error: '', reason: '' } },
      { channel: RECOVERED, event: { ...A, error: '', reason: '' } },
    ]);
    expect(states.forget(2)).toEqual([]);
    expect(states.isNews(3, DOWN, A)).toBe(true);
  });

  /*
   * Symptom: a node that was removed while it was down, and added again later, was down a second time, and nobody was told.
   * Cause: workers do not say that a node is back that has left, so all of them counted as having found it down still.
   */
  it('is forgotten with a node that leaves the ring', () => {
    const states = new NodeStates();
    states.isNews(1, DOWN, A);
    states.isNews(2, DOWN, A);
    states.keep([{ name: 'b', address: 'h:9' }]);
    expect(states.forget(1)).toEqual([]);
    states.keep([{ name: 'a', address: 'h:1' }]);
    expect(states.isNews(2, DOWN, A)).toBe(true);
    states.keep([{ name: 'a', address: 'h:1' }]);
    expect(states.isNews(2, UP, A)).toBe(true);
  });
});
