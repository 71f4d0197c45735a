/** A link to a real node that fails in each way: all that waits is told so, and whether commands may still run. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NodeFailure } from '../../src/node/failure.js';
import { NodeLink } from '../../src/rebalance/node-link.js';
import { request } from '../../src/resp/encode.js';
import { LINK, moverNode, type StageNode, stageNode } from './stage.js';

let node: StageNode;
let late: NodeLink[];

beforeAll(async () => {
  node = await stageNode('node');
});

beforeEach(() => {
  late = [];
  return () => {
    node.net.heal();
    // What a link that has failed sent before must not come among what the next test sends.
    node.net.cutAll();
  };
});

function open(options: Partial<typeof LINK> = {}): Promise<NodeLink> {
  return NodeLink.open(moverNode(node), { ...LINK, ...options, onLate: (link) => late.push(link) });
}

const ask = (link: NodeLink, ...words: string[]) => link.exchange([request(words)], 1, 0);

describe('a link that is open', () => {
  it('gives errors of the node as values among the replies', async () => {
    const link = await open();
    const replies = await link.exchange([request(['GET']), request(['PING'])], 2, 0);
    expect(replies[0]).toMatchObject({ message: expect.stringContaining('wrong number of arguments') });
    expect(replies[1]).toBe('PONG');
    link.close();
  });

  it('takes replies that come in pieces, and long ones', async () => {
    const link = await open();
    const value = 'x'.repeat(3_000_000);
    await link.exchange([request(['SET', 'long', value])], 1, 0);
    const [reply, pong] = await link.exchange([request(['GET', 'long']), request(['PING'])], 2, 0);
    expect(String(reply)).toBe(value);
    expect(pong).toBe('PONG');
    link.close();
  });

  it('is told of as late when it ends with commands in flight, and fails all of them', async () => {
    const link = await open();
    void node.net.cutBefore('SET');
    const [first, second] = [ask(link, 'SET', 'k', 'v'), ask(link, 'GET', 'k')];
    await expect(first).rejects.toThrow(NodeFailure);
    await expect(second).rejects.toThrow('node node (');
    expect(late).toEqual([link]);
    expect(link.failure).toBeInstanceOf(NodeFailure);
    await expect(ask(link, 'PING')).rejects.toBe(link.failure);
  });

  it('is not told of when nothing was in flight', async () => {
    const link = await open();
    node.net.cutAll();
    await expect.poll(() => link.failure).not.toBeNull();
    expect(late).toEqual([]);
    await expect(ask(link, 'PING')).rejects.toThrow(NodeFailure);
  });

  it('fails when the node does not answer in time', async () => {
    const link = await open();
    const kept = node.net.hold('PING');
    await expect(link.exchange([request(['PING'])], 1, 0, 50)).rejects.toThrow('did not answer within 50 ms');
    expect(late).toEqual([link]);
    void kept.deliver();
  });

  it('does not fail because of a batch that was answered long ago', async () => {
    const link = await open({ timeout: 50 });
    expect(await ask(link, 'PING')).toEqual(['PONG']);
    const kept = node.net.hold('ECHO');
    const reply = link.exchange([request(['ECHO', 'x'])], 1, 0, 10_000);
    await kept.reached;
    for (let i = 0; i < 200; i++) await node.redis.client().ping();
    await kept.deliver();
    expect(String((await reply)[0])).toBe('x');
    link.close();
  });

  it('fails on what is not the protocol, and on a reply that nothing asked for', async () => {
    const [first, second] = [await open(), await open()];
    void node.net.answer('PING', 'HTTP/1.1 400 Bad Request\r\n\r\n');
    await expect(ask(first, 'PING')).rejects.toThrow('not the Redis protocol');
    void node.net.answer('PING', '+PONG\r\n+PONG\r\n');
    await ask(second, 'PING');
    await expect.poll(() => second.failure?.message).toContain('nothing asked for');
  });

  it('fails for all that wait for a database when the node refuses it, and for nobody else before', async () => {
    const link = await open();
    void node.net.answer('SELECT', '-ERR DB index is out of range\r\n');
    const before = ask(link, 'PING');
    const failing = [3, 4].map((database) => link.exchange([request(['PING'])], 1, database));
    expect(await before).toEqual(['PONG']);
    for (const exchange of failing) await expect(exchange).rejects.toThrow('refused SELECT 3');
  });
});

describe('a link that cannot be opened', () => {
  it.each([
    ['CLIENT', '-LOADING Redis is loading the dataset in memory\r\n', 'LOADING'],
    ['INFO', '-ERR out of order\r\n', 'out of order'],
  ])('says why: %s is answered %s', async (word, reply, why) => {
    void node.net.answer(word, reply);
    await expect(open()).rejects.toThrow(why);
  });

  it.each(['CLIENT', 'INFO', 'TIME'])('fails when the node goes away at %s', async (word) => {
    void node.net.cutBefore(word);
    await expect(open()).rejects.toThrow(NodeFailure);
  });

  it('fails when the node does not greet in time', async () => {
    const kept = node.net.hold('CLIENT');
    await expect(open({ connectTimeout: 50 })).rejects.toThrow('did not answer within 50 ms');
    void kept.deliver();
  });

  it('opens where a right is missing that it can do without', async () => {
    void node.net.answer('INFO', "-NOPERM User x has no permissions to run the 'info' command\r\n");
    void node.net.answer('TIME', '-NOPERM no\r\n');
    const link = await open();
    expect([link.runId, link.clockOffset]).toEqual(['', 0]);
    expect(link.connectionId).toBeGreaterThan(0);
    link.close();
  });
});
