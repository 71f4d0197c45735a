import { describe, expect, it } from 'vitest';
import { handOver } from '../../src/failover/hand-over.js';
import type { Replication } from '../../src/failover/replication.js';
import { systemTimers } from '../../src/time/timers.js';

const former: Replication = { role: 'master', history: 'a', formerHistory: '', formerOffset: 0, offset: 150 };
const next: Replication = { role: 'master', history: 'b', formerHistory: 'a', formerOffset: 100, offset: 110 };

function ports(done: string[], drop: () => Promise<void>) {
  return {
    cut: () => {
      done.push('cut');
      return Promise.resolve();
    },
    drop: (address: string) => {
      done.push(`drop ${address}`);
      return drop();
    },
    read: (address: string) => {
      done.push(`read ${address}`);
      return Promise.resolve(address === 'old:1' ? former : next);
    },
    timers: systemTimers,
  };
}

describe('the hand-over between two masters', () => {
  it('cuts, then has the former one drop connections, and asks it last', async () => {
    const done: string[] = [];
    const { fenced, loss } = await handOver(
      'old:1',
      'new:1',
      null,
      ports(done, () => Promise.resolve()),
    );
    expect(done.filter((step) => step !== 'read new:1')).toEqual(['cut', 'drop old:1', 'read old:1']);
    expect({ fenced, loss }).toEqual({ fenced: true, loss: { bytes: 50, known: 'exactly' } });
  });

  it('does not wait for a former master that says nothing, or refuses', async () => {
    const before = { ...former, offset: 120 };
    for (const drop of [() => new Promise<void>(() => {}), () => Promise.reject(new Error('refused'))]) {
      const { fenced, loss } = await handOver('old:1', 'new:1', before, ports([], drop));
      expect({ fenced, loss }).toEqual({ fenced: false, loss: { bytes: 20, known: 'at least' } });
    }
  });

  it('goes on where it is not told that all processes have cut', async () => {
    const done: string[] = [];
    const own = { ...ports(done, () => Promise.resolve()), cut: () => Promise.reject(new Error('no answer')) };
    expect((await handOver('old:1', 'new:1', null, own)).fenced).toBe(true);
  });
});
