import { describe, expect, it } from 'vitest';
import { goesOn, type Served, type Server } from '../../src/failover/continuity.js';

const SERVED: Served = { address: 'a:1', history: 'h1', runId: 'p1' };

function server(address: string, runId: string, history: string, formerHistory = ''): Server {
  const offsets = { formerOffset: formerHistory === '' ? 0 : 10, offset: 12 };
  return { address, runId, replication: { role: 'master', history, formerHistory, ...offsets } };
}

describe('a master goes on from the one that served', () => {
  it.each<[string, Server, [string, string][], boolean]>([
    ['as the same process', server('a:1', 'p1', 'h1'), [], true],
    ['as its replica that was promoted, however late it was', server('b:1', 'p2', 'h2', 'h1'), [], true],
    ['not as one that has followed nobody', server('b:1', 'p2', 'h2'), [], false],
    ['not as one that has followed another', server('b:1', 'p2', 'h2', 'h0'), [], false],
    ['as one that has followed its replica, which was seen', server('c:1', 'p3', 'h3', 'h2'), [['h2', 'h1']], true],
    ['not as one that has followed its replica, which nobody has seen', server('c:1', 'p3', 'h3', 'h2'), [], false],
    ['as the same process, whose history has begun anew without replicas', server('a:1', 'p1', 'h2'), [], true],
    ['not as the same process that has followed somebody', server('a:1', 'p1', 'h2', 'h9'), [], false],
    ['not where it was restarted, also from a snapshot of its own history', server('a:1', 'p2', 'h2', 'h1'), [], false],
    ['not where its process does not say which it is', server('a:1', '', 'h2'), [], false],
    ['where it was restarted, and has followed its replica', server('a:1', 'p2', 'h3', 'h2'), [['h2', 'h1']], true],
    [
      'not by histories that lead in a circle',
      server('c:1', 'p3', 'h3', 'h4'),
      [
        ['h4', 'h5'],
        ['h5', 'h4'],
      ],
      false,
    ],
  ])('%s', (_, next, between, expected) => {
    expect(goesOn(next, SERVED, new Map(between))).toBe(expected);
  });
});
