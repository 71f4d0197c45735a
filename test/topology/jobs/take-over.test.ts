import { describe, expect, it } from 'vitest';
import { failure, NodeFailure } from '../../../src/node/failure.js';
import { dropPredecessors, Predecessors } from '../../../src/topology/jobs/take-over.js';
import type { Claim, FleetMember } from '../../../src/topology/state/fleet.js';
import { ManualTimers } from '../../support/manual-timers.js';

const NODE_A = { name: 'a', address: '127.0.0.1:1' };
const NODES = ['a', 'b'].map((name, i) => ({ name, address: `127.0.0.1:${i + 1}`, weight: 1, id: i, access: {} }));

interface Stage {
  readonly asked: string[];
  readonly waits: (string | null)[];
  readonly timers: ManualTimers;
  answer: (node: string) => Promise<void>;
  isClosed: boolean;
}

function stage(): Stage {
  return { asked: [], waits: [], timers: new ManualTimers(), answer: () => Promise.resolve(), isClosed: false };
}

function takeOver(on: Stage): Promise<boolean> {
  const drop = (nodes: readonly { name: string }[]): Promise<void> => {
    const [name = ''] = nodes.map((node) => node.name);
    on.asked.push(`${name} drops`);
    return on.answer(name);
  };
  const ports = { drop, onWait: (why: string | null) => on.waits.push(why), isClosed: () => on.isClosed };
  return dropPredecessors(NODES, ports, on.timers);
}

describe('what a predecessor has left at the nodes', () => {
  it('is dropped by each of them', async () => {
    const on = stage();
    expect(await takeOver(on)).toBe(true);
    expect(on.asked).toEqual(['a drops', 'b drops']);
    expect(on.waits).toEqual([null]);
  });

  it('is waited for until a node that does not answer has dropped it', async () => {
    const on = stage();
    // Not its words count, but what it is.
    on.answer = () => Promise.reject(new Error('a refused the connection'));
    const taking = takeOver(on);
    await expect.poll(() => on.timers.pending).toBe(1);
    expect(on.waits).toEqual(['waits for a refused the connection']);
    on.answer = () => Promise.resolve();
    on.timers.advance(500);
    expect(await taking).toBe(true);
    expect(on.asked).toEqual(['a drops', 'a drops', 'b drops']);
    expect(on.waits.at(-1)).toBeNull();
  });

  // Symptom: a change was never gone on with while a node behind a Unix socket was down. Cause: only a port that refuses
  // connections counted as one where nobody listens, and not a socket that is gone.
  it.each(['refused', 'no-socket'] as const)('cannot run where nobody listens: %s', async (kind) => {
    const on = stage();
    on.answer = (name) => (name === 'a' ? Promise.reject(new NodeFailure(NODE_A, failure(kind))) : Promise.resolve());
    expect(await takeOver(on)).toBe(true);
    expect(on.asked).toEqual(['a drops', 'b drops']);
  });

  it('is nobody’s any more when the proxy ends', async () => {
    const on = stage();
    on.answer = () => Promise.reject(new Error('a does not answer'));
    const taking = takeOver(on);
    await expect.poll(() => on.timers.pending).toBe(1);
    on.isClosed = true;
    on.timers.advance(500);
    expect(await taking).toBe(false);
  });
});

describe('who takes a source over', () => {
  const CLAIM: Claim = { job: 'mover/b', holder: 'proxy-3', revision: 9, since: '2026-01-01T00:00:00.000Z' };

  function members(...fencedOff: string[]): FleetMember[] {
    const ids = ['proxy-1', 'proxy-2', 'proxy-3'];
    return ids.map((id) => ({ id, alive: true, fencedOff: fencedOff.includes(id), answer: null, info: null }));
  }

  async function asked(fencedOff: readonly string[], source: number): Promise<string[]> {
    const log: string[] = [];
    const names = (nodes: readonly { name: string }[]): string => nodes.map(({ name }) => name).join();
    const predecessors = new Predecessors(NODES, {
      store: { members: async () => members(...fencedOff) },
      reachable: () => NODES.slice(1),
      killPredecessors: async (nodes, proxies) => void log.push(`${names(nodes)} drops ${proxies.join()}`),
      killEarlierMovers: async (nodes, { name }, { revision }) =>
        void log.push(`${names(nodes)} drops movers of ${name} before ${revision}`),
    });
    expect(await predecessors.takeOver(source, CLAIM, { onWait: () => {}, isClosed: () => false })).toBe(true);
    return log;
  }

  it('has the nodes that are left drop those that moved it by earlier claims', async () => {
    expect(await asked([], 0)).toEqual(['b drops movers of a before 9']);
  });

  it('has them drop first all of the proxies that are fenced off', async () => {
    expect(await asked(['proxy-1', 'proxy-2'], 1)).toEqual(['b drops proxy-1,proxy-2', 'b drops movers of b before 9']);
  });
});
