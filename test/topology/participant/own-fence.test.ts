import { describe, expect, it } from 'vitest';
import { type OwnFencePorts, raiseOwnFence } from '../../../src/topology/participant/own-fence.js';
import { ManualTimers } from '../../support/manual-timers.js';

const NODES = ['a', 'b'].map((name, i) => ({ name, address: `127.0.0.1:${i + 1}`, weight: 1, id: i, access: {} }));
const YES = { acknowledged: true, why: '' };

function ports(changed: Partial<OwnFencePorts> = {}): OwnFencePorts {
  const nothing = (): Promise<void> => Promise.resolve();
  return { fence: () => Promise.resolve([YES, YES]), killLateConnections: nothing, dropLateMoves: nothing, ...changed };
}

describe("a proxy's own fence", () => {
  it('stands when every process has, and every node has dropped what could run late', async () => {
    const asked: string[] = [];
    const killLateConnections: OwnFencePorts['killLateConnections'] = (nodes) => {
      asked.push(...nodes.map(({ name }) => name));
      return Promise.resolve();
    };
    expect(await raiseOwnFence(NODES, ports({ killLateConnections }))).toEqual(YES);
    expect(asked).toEqual(['a', 'b']);
  });

  it('does not stand while a process has commands in flight; then no node is asked', async () => {
    const no = { acknowledged: false, why: 'get of client 7' };
    const killLateConnections = (): never => {
      throw new Error('asked');
    };
    const fence = (): Promise<(typeof YES)[]> => Promise.resolve([YES, no]);
    expect(await raiseOwnFence(NODES, ports({ fence, killLateConnections }))).toEqual(no);
  });

  it('says which node cannot drop connections, and why', async () => {
    const killLateConnections = (): Promise<void> => Promise.reject(new Error('a (127.0.0.1:1) refused'));
    expect(await raiseOwnFence(NODES, ports({ killLateConnections }))).toMatchObject({
      acknowledged: false,
      why: 'a (127.0.0.1:1) refused',
    });
  });

  it('waits for nodes as long as is left of the fence, at least half a second', async () => {
    const timers = new ManualTimers();
    const fence = (): Promise<(typeof YES)[]> => {
      timers.advance(1900);
      return Promise.resolve([YES]);
    };
    const standing = raiseOwnFence(NODES, ports({ fence, killLateConnections: () => new Promise(() => {}) }), timers);
    await expect.poll(() => timers.pending).toBe(1);
    timers.advance(499);
    await new Promise(setImmediate);
    expect(timers.pending).toBe(1);
    timers.advance(1);
    expect(await standing).toMatchObject({ why: expect.stringMatching(/^a \(127.0.0.1:1\) does not drop/) });
  });

  it('does not stand while moves of this proxy may lie at a node', async () => {
    const dropLateMoves = (): Promise<void> => Promise.reject(new Error('keys are under way that do not arrive'));
    expect(await raiseOwnFence(NODES, ports({ dropLateMoves }))).toEqual({
      acknowledged: false,
      why: 'keys are under way that do not arrive',
    });
  });
});
