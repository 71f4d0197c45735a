import { describe, expect, it } from 'vitest';
import { type ConfiguredAccess, type NodeAccess, type Reach, reachOf, takenOver } from '../../src/node/access.js';
import { NodeCredentials } from '../../src/node/tls.js';
import { NO_MATERIAL } from '../../src/tls/material.js';

const node = { name: 'n4', address: '127.0.0.1:4' };
const kept = { username: 'kept', password: 'k', peerAddress: '10.0.0.4:6379' };
const login = { username: 'all', password: 'a' };

const credentials = new NodeCredentials('', NO_MATERIAL, { minVersion: 'TLSv1.2', ciphers: '' });
const OFF = { isOn: false, serverName: '' };

/** With what is said of all nodes. */
function reachWith(
  tls: ConfiguredAccess['tls'],
  access: NodeAccess,
  ...nodes: readonly (typeof node & NodeAccess)[]
): Reach {
  return reachOf({ ...node, access }, { nodes, login, tls, credentialsOf: () => credentials });
}

/** But for TLS, which is off. */
function reach(access: NodeAccess, ...nodes: readonly (typeof node & NodeAccess)[]): unknown {
  const { tls, peerTls, ...rest } = reachWith(OFF, access, ...nodes);
  expect([tls, peerTls]).toEqual([undefined, false]);
  return rest;
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

describe('a node is spoken to by TLS', () => {
  const by = (serverName: string): unknown => ({ serverName, credentials });

  it('as all are, where nothing was said of it', () => {
    expect(reachWith({ isOn: true, serverName: 'redis' }, {})).toMatchObject({ tls: by('redis'), peerTls: true });
    expect(reachWith(OFF, {}).tls).toBeUndefined();
  });

  it('as it was said when it joined, and as the configuration says now', () => {
    const on = { isOn: true, serverName: '' };
    expect(reachWith(OFF, { tls: true, tlsServerName: 'n4' }).tls).toEqual(by('n4'));
    expect(reachWith(on, { tls: false }).tls).toBeUndefined();
    expect(reachWith(OFF, { tls: false }, { ...node, tls: true }).tls).toEqual(by(''));
    expect(reachWith(on, { tls: true }, { ...node, tls: false }).tls).toBeUndefined();
    // Of another server by that name.
    expect(reachWith(OFF, { tls: true }, { ...node, address: '127.0.0.1:9', tls: false }).tls).toEqual(by(''));
  });

  it('by other nodes as by proxies, unless something else is said', () => {
    expect(reachWith(OFF, { tls: true, peerTls: false })).toMatchObject({ tls: by(''), peerTls: false });
    expect(reachWith(OFF, { peerTls: true })).toMatchObject({ tls: undefined, peerTls: true });
  });

  it('never by a Unix socket', () => {
    const socket = { name: 'n4', address: '/run/redis.sock', access: {} };
    const reached = reachOf(socket, {
      nodes: [],
      login,
      tls: { isOn: true, serverName: '' },
      credentialsOf: () => credentials,
    });
    expect(reached).toMatchObject({ tls: undefined, peerTls: false });
  });

  it('and so is the server that takes its place, unless something else is said of that', () => {
    const before = { tls: true, tlsServerName: 'n4' };
    expect(takenOver(before, {})).toMatchObject(before);
    expect(takenOver(before, { tls: false })).toMatchObject({ tls: false, tlsServerName: undefined });
  });
});
