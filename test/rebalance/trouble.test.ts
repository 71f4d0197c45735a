/** What becomes of a failure: told, tried again with growing pauses, or for a person. */
import { describe, expect, it } from 'vitest';
import { type FailureKind, failure, NodeFailure } from '../../src/node/failure.js';
import { MoveTrouble } from '../../src/rebalance/trouble.js';
import { ManualTimers } from '../support/manual-timers.js';

const failed = (kind: FailureKind) => new NodeFailure({ name: 'n', address: 'h:1' }, failure(kind));

function start() {
  const timers = new ManualTimers();
  return { timers, trouble: new MoveTrouble('moving fails', 1000, timers) };
}

describe('a failure of the sweep', () => {
  it('is for a person at once where only one can mend it', () => {
    const { trouble } = start();
    expect(trouble.sweepFailed(failed('auth'))).toMatchObject({ needsPerson: true });
    expect(trouble.message).toMatch(/^moving fails: node n \(h:1\) refused/);
  });

  it('of a network is for a person when nothing has worked for as long as the patience', () => {
    const { trouble, timers } = start();
    for (let waited = 0; waited < 1000; waited += 250) {
      expect(trouble.sweepFailed(failed('timeout')).needsPerson).toBe(false);
      timers.advance(250);
    }
    expect(trouble.sweepFailed(failed('refused')).needsPerson).toBe(true);
  });

  it('begins anew behind what has worked, and behind an answer that the node is busy', () => {
    const { trouble, timers } = start();
    const sinceLong = () => {
      trouble.sweepFailed(failed('cut'));
      timers.advance(999);
    };
    sinceLong();
    trouble.sweepWorked();
    expect(trouble.message).toBeNull();
    sinceLong();
    expect(trouble.sweepFailed(failed('busy')).needsPerson).toBe(false);
    timers.advance(5000);
    expect(trouble.sweepFailed(failed('busy')).needsPerson).toBe(false);
    expect(trouble.sweepFailed(failed('cut')).needsPerson).toBe(false);
  });

  it('of the store is like one of a network', () => {
    const { trouble, timers } = start();
    expect(trouble.sweepFailed(new Error('etcd does not answer')).needsPerson).toBe(false);
    timers.advance(1000);
    expect(trouble.sweepFailed(new Error('etcd does not answer')).needsPerson).toBe(true);
  });

  it('is tried again with pauses that grow up to a second, and are short again behind what has worked', () => {
    const { trouble } = start();
    const pauses = Array.from({ length: 6 }, () => trouble.sweepFailed(failed('cut')).pause);
    expect(pauses).toEqual([100, 200, 400, 800, 1000, 1000]);
    trouble.sweepWorked();
    expect(trouble.sweepFailed(failed('cut')).pause).toBe(100);
  });
});

describe('a key of a client that does not move', () => {
  it('is told of until keys arrive at that node, or all is tried anew', () => {
    const { trouble } = start();
    trouble.settleFailed(1, failed('timeout'));
    trouble.settleFailed(2, failed('refused'));
    trouble.arrived(1);
    expect(trouble.message).toContain('refused');
    trouble.sweepWorked();
    expect(trouble.message).toContain('refused');
    trouble.forget();
    expect(trouble.message).toBeNull();
  });

  it('is not told of where the sweep says more', () => {
    const { trouble } = start();
    trouble.settleFailed(1, failed('timeout'));
    trouble.sweepFailed(failed('auth'));
    expect(trouble.message).toContain('refused');
  });
});
