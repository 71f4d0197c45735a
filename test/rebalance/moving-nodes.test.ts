/** Connections to real nodes that fail: what was sent on them must not run late. */

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NodeFailure } from '../../src/node/failure.js';
import { readsOnly } from '../../src/node/standing.js';
import { MovingNodes } from '../../src/rebalance/moving-nodes.js';
import type { NodeLink } from '../../src/rebalance/node-link.js';
import { request } from '../../src/resp/encode.js';
import { movingNodes, runIdOf, type StageNode, stageNode } from './stage.js';

let node: StageNode;
let nodes: MovingNodes;

beforeAll(async () => {
  node = await stageNode('node');
});

beforeEach(async () => {
  await node.redis.client().flushall();
  nodes = await movingNodes([node]);
  return () => nodes.close();
});

const set = (link: NodeLink, key: string, value: string) => link.exchange([request(['SET', key, value])], 1, 0);
const kills = () => node.net.requests.filter(([word, sub]) => word === 'CLIENT' && sub === 'KILL').length;

describe('links', () => {
  it('are one for each node and purpose, also for those who ask at the same time', async () => {
    const [one, two, other] = await Promise.all([nodes.link(0, 'a'), nodes.link(0, 'a'), nodes.link(0, 'b')]);
    expect(one).toBe(two);
    expect(other).not.toBe(one);
    expect(await nodes.link(0, 'a')).toBe(one);
  });

  it('are opened anew when they have failed, or could not be opened', async () => {
    const first = await nodes.link(0, 'a');
    void node.net.cutBefore('SET');
    await expect(set(first, 'k', 'v')).rejects.toThrow(NodeFailure);
    void node.net.cutBefore('INFO');
    await expect(nodes.link(0, 'a')).rejects.toThrow(NodeFailure);
    const next = await nodes.link(0, 'a');
    expect(next).not.toBe(first);
    expect(await set(next, 'k', 'v')).toEqual(['OK']);
  });

  it('to a node that is not there are an error in the program', () => {
    expect(() => nodes.at(7)).toThrow(RangeError);
  });

  it('to two nodes that have come to be one server are refused, since a move would remove what it has moved', async () => {
    const one = await movingNodes([node, { ...node, name: 'other' }]);
    await one.link(0, 'a');
    await expect(one.pair(0, 1, 'a')).rejects.toThrow('is the same server as node');
    await one.close();
  });

  it('end with close', async () => {
    const link = await nodes.link(0, 'a');
    await nodes.close();
    await expect(set(link, 'k', 'v')).rejects.toThrow('is not needed any more');
  });
});

describe('late commands', () => {
  it('never run once the node was made to drop their connection', async () => {
    const link = await nodes.link(0, 'a');
    const late = node.net.strand('SET');
    await expect(set(link, 'k', 'late')).rejects.toThrow(NodeFailure);
    await nodes.dropLate();
    expect(await late.deliver()).toBe(false);
    expect(await node.redis.client().get('k')).toBeNull();
  });

  /** The other half of the test above: without dropLate the command runs. */
  it('run otherwise', async () => {
    const link = await nodes.link(0, 'a');
    const late = node.net.strand('SET');
    await expect(set(link, 'k', 'late')).rejects.toThrow(NodeFailure);
    expect(await late.deliver()).toBe(true);
    expect(await node.redis.client().get('k')).toBe('late');
  });

  it('are dropped once', async () => {
    const before = kills();
    void node.net.cutBefore('SET');
    await expect(set(await nodes.link(0, 'a'), 'k', 'v')).rejects.toThrow(NodeFailure);
    await nodes.dropLate();
    await nodes.dropLate();
    expect(kills()).toBe(before + 1);
  });

  it('are asked about again when the node could not be asked', async () => {
    const link = await nodes.link(0, 'a');
    const late = node.net.strand('SET');
    await expect(set(link, 'k', 'late')).rejects.toThrow(NodeFailure);
    void node.net.cutBefore(([word, sub]) => word === 'CLIENT' && sub === 'KILL');
    await expect(nodes.dropLate()).rejects.toThrow(NodeFailure);
    await nodes.dropLate();
    expect(await late.deliver()).toBe(false);
  });

  it('are not there on a connection that failed with nothing in flight', async () => {
    const before = kills();
    const link = await nodes.link(0, 'a');
    link.close();
    await nodes.dropLate();
    expect(kills()).toBe(before);
  });

  it('of a node that is given up are forgotten', async () => {
    const before = kills();
    void node.net.cutBefore('SET');
    await expect(set(await nodes.link(0, 'a'), 'k', 'v')).rejects.toThrow(NodeFailure);
    nodes.forget([0]);
    await nodes.dropLate();
    expect(kills()).toBe(before);
  });

  /** The next process counts its connections anew: the number may be another one's. */
  it('died with a node that was restarted', async () => {
    void node.net.cutBefore('SET');
    await expect(set(await nodes.link(0, 'a'), 'k', 'v')).rejects.toThrow(NodeFailure);
    await node.redis.restart();
    const before = kills();
    await nodes.dropLate();
    expect(kills()).toBe(before);
  });
});

describe('the processes', () => {
  it('are those of the fence until they are restarted', async () => {
    const link = await nodes.link(0, 'a');
    expect(nodes.wasRestarted(0, link)).toBe(false);
    await node.redis.restart();
    await expect.poll(() => link.failure).toBeInstanceOf(NodeFailure);
    expect(nodes.wasRestarted(0, await nodes.link(0, 'a'))).toBe(true);
    expect(nodes.runIdOf(0)).not.toBe(await runIdOf(node));
  });

  it('of a node that could not be asked at the fence are recorded before anything moves', async () => {
    const seen: [number, string][] = [];
    let record: () => void = () => {};
    const recorded = new Promise<void>((resolve) => {
      record = resolve;
    });
    const late = new MovingNodes([nodes.at(0)], [''], {
      pass: () => readsOnly('test'),
      connectTimeout: 2000,
      timeout: 2000,
      onFirstSeen: (index, runId) => {
        seen.push([index, runId]);
        return recorded;
      },
    });
    let opened = false;
    const opening = late.link(0, 'a').then((link) => {
      opened = true;
      return link;
    });
    await expect.poll(() => seen).toEqual([[0, await runIdOf(node)]]);
    expect(opened).toBe(false);
    expect(late.runIdOf(0)).toBe('');
    record();
    expect(late.wasRestarted(0, await opening)).toBe(false);
    expect(late.runIdOf(0)).toBe(await runIdOf(node));
    await late.close();
  });
});
