/*
 * Symptom: with one node gone and a name server that does not answer for it, a proxy that was restarted showed healthy
 * nodes as down, and gave up ring changes since they "did not answer in time".
 * Cause: each attempt to reach the lost node kept one of the two threads that look names up, for ten seconds.
 */
import type { LookupFunction } from 'node:net';
import { describe, expect, it } from 'vitest';
import { shareLookups } from '../../src/node/lookup.js';

type Callback = Parameters<LookupFunction>[2];

function fakeLookup(): { look: LookupFunction; asked: string[]; answers: Callback[] } {
  const asked: string[] = [];
  const answers: Callback[] = [];
  const look: LookupFunction = (hostname, _options, callback) => {
    asked.push(hostname);
    answers.push(callback);
  };
  return { look, asked, answers };
}

describe('shared lookups', () => {
  it('ask once for a name while its answer is awaited, and tell everybody', () => {
    const { look, asked, answers } = fakeLookup();
    const shared = shareLookups(look);
    const heard: unknown[] = [];
    for (let i = 0; i < 10; i++) shared('lost', { all: true }, (error) => heard.push(error?.code));
    shared('well', { all: true }, () => {});
    expect(asked).toEqual(['lost', 'well']);
    answers[0]?.(Object.assign(new Error('no answer'), { code: 'EAI_AGAIN' }), []);
    expect(heard).toEqual(Array.from({ length: 10 }, () => 'EAI_AGAIN'));
  });

  it('ask anew once there was an answer, also from within it, and for what is asked for otherwise', () => {
    const { look, asked, answers } = fakeLookup();
    const shared = shareLookups(look);
    let again = 0;
    shared('n', { all: true }, () => shared('n', { all: true }, () => again++));
    shared('n', { family: 4 }, () => {});
    expect(asked).toHaveLength(2);
    answers[0]?.(null, [{ address: '127.0.0.1', family: 4 }]);
    expect(asked).toHaveLength(3);
    answers[2]?.(null, [{ address: '127.0.0.1', family: 4 }]);
    expect(again).toBe(1);
  });
});
