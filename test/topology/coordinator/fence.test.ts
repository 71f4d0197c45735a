import { describe, expect, it } from 'vitest';
import { type FencePorts, passFence } from '../../../src/topology/coordinator/fence.js';
import type { FleetMember } from '../../../src/topology/state/fleet.js';
import type { StoreEvent } from '../../../src/topology/store/ring-store.js';
import { ManualTimers } from '../../support/manual-timers.js';

const NODES = [{ name: 'a', address: '127.0.0.1:1', weight: 1, id: 0, access: {} }];
const RAISED = 7;

/** Members that answer when a test says so. */
class Fleet {
  members: readonly FleetMember[];
  readonly calls: string[] = [];
  readonly timers = new ManualTimers();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  killPredecessors = (): Promise<void> => Promise.resolve();
  readonly ending = new AbortController();

  constructor(...members: readonly FleetMember[]) {
    this.members = members;
  }

  pass(): Promise<string> {
    const ports: FencePorts = {
      store: {
        members: () => Promise.resolve(this.members),
        watch: (listener) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
        deregister: (ids) => {
          this.calls.push(`deregister ${ids.join()}`);
          return Promise.resolve();
        },
        register: () => Promise.resolve(null),
        fenceOff: () => Promise.resolve(false),
        answer: () => Promise.resolve(null),
      },
      killPredecessors: (_nodes, proxies) => {
        this.calls.push(`kill ${proxies.join()}`);
        return this.killPredecessors();
      },
      describe: ({ id, alive }) => `the proxy ${id}, whose lease ${alive ? 'holds' : 'has run out'}`,
      signal: this.ending.signal,
    };
    return passFence(RAISED, NODES, ports, this.timers).then(
      () => 'passed',
      (error: unknown) => (error instanceof Error ? error.message : 'failed'),
    );
  }

  change(id: string, changed: Partial<FleetMember>): void {
    this.members = this.members.map((one) => (one.id === id ? { ...one, ...changed } : one));
    for (const listener of this.#listeners) listener({ kind: 'members', revision: RAISED + 1 });
  }

  get watchers(): number {
    return this.#listeners.size;
  }
}

function member(id: string, revision = -1, why = ''): FleetMember {
  const answer = revision < 0 ? null : { revision, acknowledged: why === '', why };
  return { id, alive: true, fencedOff: false, answer, info: null };
}

const yes = { revision: RAISED, acknowledged: true, why: '' };

describe('a fence over several proxies', () => {
  it('is passed when the last one has acknowledged, and leaves nothing behind', async () => {
    const fleet = new Fleet(member('p1', RAISED), member('p2'));
    const passing = fleet.pass();
    await Promise.resolve();
    fleet.change('p1', {});
    await new Promise(setImmediate);
    expect(fleet.calls).toEqual([]);
    fleet.change('p2', { answer: yes });
    expect(await passing).toBe('passed');
    expect(fleet.calls).toEqual([]);
    expect([fleet.watchers, fleet.timers.pending]).toEqual([0, 0]);
  });

  it('is not passed by what was said to an earlier one', async () => {
    const fleet = new Fleet(member('p1', RAISED), member('p2', RAISED - 1));
    const passing = fleet.pass();
    await new Promise(setImmediate);
    fleet.timers.advance(3000);
    expect(await passing).toBe('the proxy p2, whose lease holds, has not answered');
  });

  it('ends at the first refusal, with its words', async () => {
    const fleet = new Fleet(member('p1'), member('p2', RAISED, 'get of client 7'));
    expect(await fleet.pass()).toBe('get of client 7 (at the proxy p2, whose lease holds)');
    expect(fleet.calls).toEqual([]);
  });

  it('asks nothing of a member that is fenced off: the nodes drop it, and then it is left out', async () => {
    const fleet = new Fleet(member('p1', RAISED), { ...member('old'), alive: false, fencedOff: true });
    expect(await fleet.pass()).toBe('passed');
    expect(fleet.calls).toEqual(['kill old', 'deregister old']);
  });

  it('does not leave a member out that a node has not dropped', async () => {
    const fleet = new Fleet(member('p1', RAISED), { ...member('old'), alive: false, fencedOff: true });
    fleet.killPredecessors = () => Promise.reject(new Error('a does not answer'));
    expect(await fleet.pass()).toBe('a does not answer');
    expect(fleet.calls).toEqual(['kill old']);
  });

  it('waits for nodes no longer than the fence takes', async () => {
    const fleet = new Fleet(member('p1', RAISED), { ...member('old'), alive: false, fencedOff: true });
    fleet.killPredecessors = () => new Promise(() => {});
    const passing = fleet.pass();
    await new Promise(setImmediate);
    fleet.timers.advance(2000);
    expect(await passing).toBe('a node does not drop connections of an earlier proxy');
  });

  it('is waited for no longer by one that decides no more', async () => {
    const fleet = new Fleet(member('p1', RAISED), member('p2'));
    const passing = fleet.pass();
    await new Promise(setImmediate);
    fleet.ending.abort();
    expect(await passing).toBe('the proxy p2, whose lease holds, has not answered');
    expect([fleet.watchers, fleet.timers.pending]).toEqual([0, 0]);
  });
});
