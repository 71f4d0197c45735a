/**
 * A node that was restarted is emptied, and serves then. Symptom where an attempt can remove keys behind that: writes that
 * were acknowledged since are lost.
 */
import { describe, expect, it } from 'vitest';
import { type EmptyingTerm, emptyRestarted } from '../../../src/topology/coordinator/restarted.js';
import { processOf } from '../../../src/topology/state/processes.js';
import type { Member, RingState } from '../../../src/topology/state/ring-state.js';
import type { StoredRing } from '../../../src/topology/store/ring-store.js';
import { OPTIONS } from '../manager-stage.js';

const NODE: Member = { name: 'a', address: 'a:1', weight: 1, id: 0, access: {} };
const BEFORE = { name: 'a', address: 'a:1', runId: 'a1' };
const NOW = { ...BEFORE, runId: 'a2' };

/** One record and one node, at which coordinators that each believe to decide empty it, as their connections let them. */
class Stage {
  stored: StoredRing = {
    revision: 1,
    state: { generation: 1, members: [NODE], options: OPTIONS, change: null, processes: [BEFORE] },
  };
  /** What clients have written since the node serves. */
  acknowledged = 0;
  lost = 0;
  /** Of the process that is there. */
  runId = NOW.runId;
  #drops = 0;

  get serves(): boolean {
    return processOf(NODE, this.stored.state) === NOW.runId;
  }

  /**
   * @param at what happens at these points of the attempt
   * @param local the ring as this coordinator has it, which may be old
   */
  attempt(
    at: {
      connected?: () => Promise<void>;
      looked?: () => Promise<void>;
      recorded?: () => void;
      opening?: () => Promise<void>;
    } = {},
    local = this.stored,
  ): Promise<void> {
    const term: EmptyingTerm = {
      local: () => ({ stored: this.serves && at.recorded === undefined ? this.stored : local }),
      passing: { pass: () => Promise.resolve([]), describe: () => '' },
      store: { load: () => Promise.resolve(this.stored) },
      record: (step) => this.#record(step, at.recorded),
    };
    return emptyRestarted(term, { node: NOW, instead: processOf(NODE, local.state) }, () => Promise.resolve([]), {
      killPredecessors: () => {
        this.#drops += 1;
        return Promise.resolve();
      },
      empty: async (_node, mayRemove) => {
        await at.opening?.();
        const opened = this.#drops;
        await at.connected?.();
        await mayRemove?.(this.runId);
        await at.looked?.();
        if (opened !== this.#drops) throw new Error('the connection was dropped');
        this.lost += this.acknowledged;
        this.acknowledged = 0;
        return this.runId;
      },
    });
  }

  #record(step: (state: RingState) => RingState, failing?: () => void): Promise<number> {
    const state = step(this.stored.state);
    this.stored = { revision: this.stored.revision + 1, state };
    if (this.serves) this.acknowledged += 1;
    if (this.serves) failing?.();
    return Promise.resolve(this.stored.revision);
  }
}

describe('an attempt to empty a node that was restarted', () => {
  it('removes its keys once, and has it serve', async () => {
    const stage = new Stage();
    await stage.attempt();
    expect([stage.serves, stage.lost]).toEqual([true, 0]);
    await expect(stage.attempt()).rejects.toMatchObject({ code: 'CHANGE_RUNNING' });
    expect(stage.lost).toBe(0);
  });

  it.each(['opening', 'connected', 'looked'] as const)(
    'that was stalled (%s) removes nothing behind the one of a successor',
    async (where) => {
      const stage = new Stage();
      let isFirst = true;
      const stalled = stage.attempt({
        [where]: async () => {
          if (isFirst) await stage.attempt();
          isFirst = false;
        },
      });
      await expect(stalled).rejects.toThrow();
      expect([stage.serves, stage.lost, stage.acknowledged]).toEqual([true, 0, 1]);
    },
  );

  it('removes nothing where the record of before was written, although that seemed to fail, and is not seen yet', async () => {
    const stage = new Stage();
    const old = stage.stored;
    const failed = stage.attempt({
      recorded: () => {
        throw new Error('the store does not answer');
      },
    });
    await expect(failed).rejects.toThrow('the store does not answer');
    expect(stage.serves).toBe(true);
    await expect(stage.attempt({ recorded: () => {} }, old)).rejects.toMatchObject({ code: 'CHANGE_RUNNING' });
    expect([stage.lost, stage.acknowledged]).toEqual([0, 1]);
  });

  it('whose proxy dies in between leaves the node to the next', async () => {
    const stage = new Stage();
    await expect(stage.attempt({ looked: () => Promise.reject(new Error('killed')) })).rejects.toThrow('killed');
    expect(stage.serves).toBe(false);
    await stage.attempt();
    expect([stage.serves, stage.lost]).toEqual([true, 0]);
  });

  it('that comes late leaves the node alone that was restarted once more, and serves', async () => {
    const stage = new Stage();
    const old = stage.stored;
    await stage.attempt();
    const third = { ...NOW, runId: 'a3' };
    stage.runId = third.runId;
    stage.stored = { revision: 9, state: { ...stage.stored.state, processes: [third] } };
    await expect(stage.attempt({}, old)).rejects.toMatchObject({ code: 'CHANGE_RUNNING' });
    expect([stage.lost, processOf(NODE, stage.stored.state)]).toEqual([0, 'a3']);
  });

  it('removes nothing of a process that was started meanwhile', async () => {
    const stage = new Stage();
    stage.acknowledged = 1;
    stage.runId = 'a3';
    await expect(stage.attempt()).rejects.toMatchObject({ code: 'CHANGE_RUNNING' });
    expect([stage.lost, stage.serves]).toEqual([0, false]);
  });
});
