import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';

const nodesOf = (text: string) =>
  loadConfig({ env: { RINGPROXY_NODES: text } }).nodes.map((node) => `${node.name}=${node.address}`);
const mistakeOf = (...nodes: unknown[]): string => {
  try {
    loadConfig({ settings: { nodes } });
  } catch (error) {
    return String(error);
  }
  return '';
};

describe('nodes that fail over, in the configuration', () => {
  it('are read from the environment, where commas stand between nodes as well as Sentinels', () => {
    expect(nodesOf('a=h:1,b=sentinel://y:2,x/m,c=sentinel://z:3/n h:4')).toEqual([
      ...['a=h:1', 'b=sentinel://x:26379,y:2/m', 'c=sentinel://z:3/n', 'h:4=h:4'],
    ]);
  });

  it('have a weight, a login and one form of address', () => {
    const { nodes } = loadConfig({
      settings: { nodes: ['a=sentinel://y:2,x:1/m*3', { name: 'b', address: 'y:2,x:1', password: 'secret' }] },
    });
    expect(nodes).toMatchObject([
      { name: 'a', address: 'sentinel://x:1,y:2/m', weight: 3 },
      { name: 'b', address: 'x:1,y:2', password: 'secret' },
    ]);
  });

  it('say what is wrong', () => {
    expect(mistakeOf('sentinel://x:1/m')).toContain('needs a name: NAME=sentinel://x:1/m');
    expect(mistakeOf('a=sentinel://x:1')).toContain('does not say where a master is: expected sentinel://HOST:PORT');
    expect(mistakeOf('a=x:1,x:1')).toContain('does not say where a master is');
    const peer = { name: 'a', address: 'sentinel://x:1/m', 'peer-address': 'y:2' };
    expect(mistakeOf(peer)).toContain('node a is found where its master is, and has no peer-address');
  });
});
