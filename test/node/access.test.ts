import { describe, expect, it } from 'vitest';
import { type NodeAccess, reachOf } from '../../src/node/access.js';

const node = { name: 'n4', address: '127.0.0.1:4' };
const kept = { username: 'kept', password: 'k', peerAddress: '10.0.0.4:6379' };
const login = { username: 'all', password: 'a' };

function reach(access: NodeAccess, ...nodes: readonly (typeof node & NodeAccess)[]): unknown {
  return reachOf({ ...node, access }, { nodes, login });
}

describe('a node is reached', () => {
  it('like all others where nothing was said of it', () => {
    expect(reach({})).toEqual({ ...login, peerAddress: node.address });
    expect(reach({}, node)).toEqual({ ...login, peerAddress: node.address });
  });

  it('as it was said when it joined', () => {
    expect(reach(kept)).toEqual(kept);
    expect(reach(kept, node)).toEqual(kept);
    expect(reach(kept, { name: 'other', address: node.address, password: 'o' })).toEqual(kept);
  });

  it('as the configuration says now, where it says something of this server', () => {
    expect(reach(kept, { ...node, password: 'new' })).toEqual({ ...kept, username: 'all', password: 'new' });
    expect(reach(kept, { ...node, peerAddress: '10.0.0.5:6379' })).toEqual({ ...kept, peerAddress: '10.0.0.5:6379' });
    expect(reach({}, { ...node, username: 'own' })).toEqual({ ...login, username: 'own', peerAddress: node.address });
  });

  // Symptom: keys of a node that had been replaced were sent to itself. Cause: the peer address went by the name alone.
  it('not under the peer address of the server whose place it has taken', () => {
    const before = { name: 'n4', address: '127.0.0.1:3', password: 'b', peerAddress: '10.0.0.3:6379' };
    expect(reach({}, before)).toEqual({ ...login, password: 'b', peerAddress: node.address });
    expect(reach(kept, before)).toEqual(kept);
  });
});
