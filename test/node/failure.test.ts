import { describe, expect, it } from 'vitest';
import {
  type FailureKind,
  failure,
  NodeFailure,
  predicateOf,
  sentenceOf,
  systemFailure,
  timedOut,
} from '../../src/node/failure.js';

const KINDS = [
  ...['refused', 'no-socket', 'not-found', 'unreachable', 'cut', 'closed', 'timeout', 'auth', 'turned-away'],
  ...['database', 'busy', 'greeting', 'protocol', 'unasked', 'done'],
] as FailureKind[];

describe('a failure', () => {
  it.each([
    ['ECONNREFUSED', 'refused', 'refused the connection', 'it refused the connection'],
    ['ENOENT', 'no-socket', 'cannot be reached: the socket does not exist', undefined],
    ['ENOTFOUND', 'not-found', 'cannot be found: its name does not resolve', 'its name does not resolve'],
    ['EAI_AGAIN', 'not-found', 'cannot be found: its name does not resolve', 'its name does not resolve'],
    ['ECONNRESET', 'cut', 'cut the connection', 'it cut the connection'],
    ['EPIPE', 'cut', 'cut the connection', 'it cut the connection'],
    ['EHOSTUNREACH', 'unreachable', 'cannot be reached: no route', 'no route'],
  ])('of the system has its kind and its words: %s', (code, kind, predicate, sentence) => {
    const found = systemFailure(Object.assign(new Error('no route'), { code }));
    expect(found.kind).toBe(kind);
    expect(predicateOf(found)).toBe(predicate);
    expect(sentenceOf(found)).toBe(sentence ?? `it ${predicate}`);
  });

  it('says how long was waited, and what the node has said', () => {
    expect(predicateOf(timedOut(200))).toBe('did not answer within 200 ms');
    expect(sentenceOf(timedOut(200))).toBe('it did not answer in time');
    const wrong = failure('auth', 'WRONGPASS invalid username-password pair', 'AUTH');
    expect(predicateOf(wrong)).toBe('refused AUTH: WRONGPASS invalid username-password pair');
    expect(sentenceOf(wrong)).toBe('WRONGPASS invalid username-password pair');
    const denied = failure('turned-away', 'DENIED Redis is running in protected mode. And so on, for a page.');
    expect(predicateOf(denied)).toBe('refused the connection: DENIED Redis is running in protected mode');
    expect(predicateOf(failure('closed', 'ERR no more'))).toBe('closed the connection: ERR no more');
  });

  it.each(KINDS)('is worded whatever it is, and has at most two meanings: %s', (kind) => {
    const error = new NodeFailure({ name: 'n', address: 'h:1' }, failure(kind, 'said', 'STEP'));
    expect(error.message).toMatch(/^node n \(h:1\) \w/);
    expect(sentenceOf(error.failure)).not.toBe('');
    expect(error.nobodyListens).toBe(['refused', 'no-socket'].includes(kind));
    expect(['passes', 'may pass', 'stays']).toContain(error.outlook);
  });

  it.each([
    [['busy', 'unsure', 'fenced-off'], 'passes'],
    [['refused', 'no-socket', 'not-found', 'unreachable', 'cut', 'closed', 'timeout', 'turned-away'], 'may pass'],
    [['auth', 'database', 'greeting', 'protocol', 'unasked', 'unnamed'], 'stays'],
  ] as const)('of the kinds %j is one that %s', (kinds, outlook) => {
    for (const kind of kinds)
      expect(new NodeFailure({ name: 'n', address: 'h:1' }, failure(kind)).outlook).toBe(outlook);
  });

  it('carries no password, whatever it is told of', () => {
    const node = { name: 'n', address: 'h:1', username: 'app', password: 'hunter2' };
    const error = new NodeFailure(node, failure('refused'));
    expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.toContain('hunter2');
  });
});
