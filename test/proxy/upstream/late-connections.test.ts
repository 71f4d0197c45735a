/**
 * Commands that were given up on and are still under way. Symptom: a write that was answered `-NODEDOWN … the outcome of
 * the command is unknown` ran later, over a write of the same client that had been acknowledged since. Cause: the proxy
 * went on by other connections while the node had not dropped the old one.
 */
import { describe, expect, it } from 'vitest';
import { type GatedRelay, startGatedRelay } from '../../support/gated-relay.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedis } from '../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';

const UNKNOWN = /^-NODEDOWN node node1 .*; the outcome of the command is unknown\r\n$/;

interface Stage {
  readonly node: RedisProcess;
  readonly relay: GatedRelay;
  readonly proxy: RingproxyProcess;
  readonly client: RawClient;
}

async function stage(config: string, args: readonly string[] = []): Promise<Stage> {
  const node = await startRedis();
  const relay = await startGatedRelay(node.port);
  const proxy = await startRingproxy({
    nodes: [`node1=${relay.address}`],
    config,
    args,
    allowLog: [/upstream:down/, /node:health/],
  });
  const client = await RawClient.connect(proxy.port);
  await client.command('SET', 'k', 'first');
  return { node, relay, proxy, client };
}

/** Sends a write that stays in the network. @returns its answer */
async function sendKept(relay: GatedRelay, client: RawClient, ...words: string[]): Promise<{ reply: Promise<string> }> {
  relay.keep();
  const reply = client.text(...words);
  await expect.poll(() => relay.kept).toBeGreaterThan(words.join('').length);
  return { reply };
}

describe.each([
  ['one process', []],
  ['two workers', ['--workers', '2']],
] as const)('a write that its node is too slow for (%s)', (_title, args) => {
  it.each([
    ['SET', 'k', 'late'],
    ['DEL', 'k'],
    ['APPEND', 'k', 'late'],
  ])('%s does not run behind a later write that was acknowledged', async (...words) => {
    const { node, relay, proxy, client } = await stage('request-timeout: 300ms\n', args);
    const back = proxy.logged(/upstream:up/);
    const { reply } = await sendKept(relay, client, ...words);
    expect(await reply).toMatch(UNKNOWN);
    await back;
    expect(await client.text('SET', 'k', 'acknowledged')).toBe('+OK\r\n');
    await relay.release();
    expect(await node.client().get('k')).toBe('acknowledged');
  });
});

describe('a write on a connection that is lost', () => {
  it('does not run behind a later write by a connection that was there before', async () => {
    const { node, relay, proxy, client } = await stage('');
    const { reply } = await sendKept(relay, client, 'SET', 'k', 'late');
    const other = await RawClient.connect(proxy.port);
    await other.command('HELLO', '3');
    expect(await other.text('GET', 'k')).toBe('$5\r\nfirst\r\n');
    relay.cut();
    expect(await reply).toMatch(UNKNOWN);
    expect(await other.text('SET', 'k', 'acknowledged')).toBe('+OK\r\n');
    await relay.release();
    expect(await node.client().get('k')).toBe('acknowledged');
  });

  it('does not run behind a later write by a connection that is new', async () => {
    const { node, relay, proxy, client } = await stage('');
    const { reply } = await sendKept(relay, client, 'SET', 'k', 'late');
    relay.cut();
    expect(await reply).toMatch(UNKNOWN);
    const other = await RawClient.connect(proxy.port);
    await other.command('SELECT', '0');
    expect(await other.text('SET', 'k', 'acknowledged')).toBe('+OK\r\n');
    await relay.release();
    expect(await node.client().get('k')).toBe('acknowledged');
  });
});

// A node that was restarted counts its connections anew: the lost one's number is soon somebody else's.
it('a connection that has the number of a lost one, at a node that was restarted, is left alone', async () => {
  const { node, relay, proxy, client } = await stage('');
  const { reply } = await sendKept(relay, client, 'SET', 'k', 'late');
  const back = proxy.logged(/upstream:up/);
  await node.stop();
  expect(await reply).toMatch(UNKNOWN);
  await proxy.logged(/upstream:down/);
  await node.start();
  const strangers = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(node.port)));
  await back;
  expect(await client.text('SET', 'k', 'acknowledged')).toBe('+OK\r\n');
  for (const stranger of strangers) expect(await stranger.text('PING')).toBe('+PONG\r\n');
});
