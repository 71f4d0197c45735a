import { describe, expect, it } from 'vitest';
import type { LoadView, NodeView, RingView } from '../../../src/admin/api.js';
import { findProblems } from '../../../src/admin/page/problems.js';
import { changeView, proxyView, ringView } from '../../cli/fake-admin.js';

const [healthy] = ringView().nodes as [NodeView];
const DOWN: NodeView = { ...healthy, name: 'b', state: 'down', share: 0.2, error: 'it refused the connection' };

/** Only what is looked at: rates. */
function load(errorsPerSecond: number): LoadView {
  return { errorsPerSecond, commandsPerSecond: 1000 } as LoadView;
}

function found(ring: Partial<RingView>, errors = 0): string[] {
  return findProblems(ringView(ring), load(errors)).map(({ level, text }) => `${level}: ${text}`);
}

describe('what is wrong', () => {
  it('is nothing where all is well', () => {
    expect(found({})).toEqual([]);
    expect(findProblems(ringView(), null)).toEqual([]);
  });

  it('a dead node comes before what may wait, with the share that fails', () => {
    const warned: NodeView = { ...healthy, name: 'c', reason: 'it is nearly full' };
    expect(found({ nodes: [warned, DOWN] })).toEqual([
      expect.stringMatching(
        /^bad: b \(.*\) is down.*: it refused the connection\. Its keys, 20\.0 % of the ring, fail\.$/,
      ),
      expect.stringMatching(/^warn: c \(.*\): it is nearly full$/),
    ]);
  });

  it('a dead node that owns nothing fails nothing', () => {
    expect(found({ nodes: [{ ...DOWN, share: 0 }] })[0]).not.toContain('of the ring');
  });

  it('a node that is down for another proxy alone names that proxy', () => {
    const nodes = [{ ...healthy, downFor: ['p2'] }];
    expect(found({ nodes, proxies: [proxyView({ id: 'p1' }), proxyView({ id: 'p2' })] })).toEqual([
      expect.stringMatching(/^bad: a .* is down for the proxy p2, and not for this one/),
    ]);
    // One that is away has no say.
    expect(found({ nodes, proxies: [proxyView({ id: 'p2', alive: false })] })).toEqual([]);
  });

  it('errors are told of from one in a hundred on, and not beside a dead node that makes them', () => {
    expect(found({}, 9)).toEqual([]);
    expect(found({}, 10)).toEqual(['bad: 1.0 % of the commands are answered with an error.']);
    expect(found({ nodes: [DOWN] }, 500)).toHaveLength(1);
  });

  it('a change that is stuck says why', () => {
    const change = changeView({ paused: true, error: 'the disk is full', summary: 'add b' });
    expect(found({ change })).toEqual(['warn: The change (add b) is paused: the disk is full']);
  });
});
