import { describe, expect, it } from 'vitest';
import { describeEvent } from '../../cli/events-view.js';

const AT = new Date(2026, 0, 31, 14, 3, 9, 20).toISOString();

describe('an event is one line', () => {
  it.each([
    [
      { event: 'ringproxy:ring:finished', change: 'c1', kind: 'add', generation: 2, phase: 'stable', error: null },
      { summary: 'add is done: d', keysMoved: 12, bytesMoved: 480, seconds: 0.123456 },
      '14:03:09.020 ring:finished      add is done: d keysMoved=12 bytesMoved=480 seconds=0.1235',
    ],
    [
      { event: 'ringproxy:client:closed', client: 1234567, address: '127.0.0.1:4711', reason: '' },
      {},
      '14:03:09.020 client:closed      client=1234567 address=127.0.0.1:4711',
    ],
    [
      { event: 'ringproxy:command:failed', command: 'get' },
      { error: 'NODEDOWN node a' },
      '14:03:09.020 command:failed     command=get error="NODEDOWN node a"',
    ],
    [{ event: 'ringproxy:node:health', node: 'a', up: false }, {}, '14:03:09.020 node:health        node=a up=false'],
    [
      { event: 'ringproxy:command:held', client: 3 },
      { reason: 'esc\u001b[31m "quoted"' },
      '14:03:09.020 command:held       client=3 reason="esc\\u001b[31m \\"quoted\\""',
    ],
  ])('%o', (event, more, line) => {
    expect(describeEvent({ at: AT, ...event, ...more })).toBe(line);
  });
});
