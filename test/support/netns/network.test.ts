/** The laboratory proves itself: a cut is a cut, one way is one way, far is far, and nothing is left of it. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Child, startChild } from '../child.js';
import { atEnd } from '../cleanup.js';
import { RawClient } from '../raw-client.js';
import { startRedis } from '../redis-process.js';
import { ROOT } from '../root.js';
import { canMakeNetworks } from './namespace.js';
import { type Host, Network } from './network.js';

const PEER = join(ROOT, 'test/support/netns/peer.mjs');
const PEER_PORT = 7000;

/** A host that says what it is sent, and sends what it is told to. */
interface Peer {
  readonly host: Host;
  readonly child: Child;
}

async function startPeer(network: Network, name: string): Promise<Peer> {
  const host = await network.host(name);
  const child = await startChild(process.execPath, [PEER, host.address], { prefix: host.prefix });
  await child.line((line) => (line === 'ready' ? true : null));
  return { host, child };
}

describe.skipIf(!canMakeNetworks())('a network in namespaces', () => {
  let network: Network;
  let [a, b]: Peer[] = [];
  let socket: Socket;

  beforeAll(async () => {
    network = await Network.make();
    [a, b] = [await startPeer(network, 'a'), await startPeer(network, 'b')];
    socket = createSocket('udp4').bind(0, network.operator.address);
    await once(socket, 'listening');
    atEnd(() => {
      socket.close();
    });
  });

  function peers(): [Peer, Peer] {
    if (a === undefined || b === undefined) throw new Error('not started');
    return [a, b];
  }

  function tell(to: Host, message: string): void {
    socket.send(message, PEER_PORT, to.address);
  }

  /** Has one send a text to the other. */
  function send(from: Peer, to: Peer, text: string): void {
    tell(from.host, `send ${to.host.address} ${text}`);
  }

  function heard(peer: Peer, text: string): Promise<boolean> {
    return peer.child.line((line) => (line === text ? true : null));
  }

  it('cuts two hosts apart, both ways, while others reach both', async () => {
    const [one, other] = peers();
    const cut = network.cut([one.host], [other.host]);
    send(one, other, 'lost there');
    send(other, one, 'lost back');
    await expect.poll(() => cut.packets).toBe(2);
    tell(one.host, 'tell from outside');
    await heard(one, 'from outside');
    cut.heal();
    send(one, other, 'there again');
    send(other, one, 'back again');
    await Promise.all([heard(other, 'there again'), heard(one, 'back again')]);
    expect([...one.child.stdout, ...other.child.stdout].filter((line) => line.startsWith('lost'))).toEqual([]);
  });

  it('cuts one way alone', async () => {
    const [one, other] = peers();
    const cut = network.cutOneWay([one.host], [other.host]);
    send(one, other, 'lost on the one way');
    await expect.poll(() => cut.packets).toBe(1);
    send(other, one, 'the other way');
    await heard(one, 'the other way');
    cut.heal();
    send(one, other, 'healed');
    await heard(other, 'healed');
    expect(other.child.stdout).not.toContain('lost on the one way');
  });

  it('cuts a host off from the test, whose own rules are left alone', async () => {
    const [one, other] = peers();
    const cut = network.cut([one.host], [network.operator]);
    tell(one.host, 'tell lost outside');
    await expect.poll(() => cut.packets).toBe(1);
    send(other, one, 'from inside');
    await heard(one, 'from inside');
    cut.heal();
    tell(one.host, 'tell outside again');
    await heard(one, 'outside again');
    expect(one.child.stdout).not.toContain('lost outside');
  });

  it('loses the share of packets that it is told to', async () => {
    const [, other] = peers();
    const loss = network.lose(other.host, 20);
    const SENT = 1000;
    // A socket keeps only so many.
    const AT_ONCE = 100;
    for (let sent = AT_ONCE; sent <= SENT; sent += AT_ONCE) {
      for (let i = 0; i < AT_ONCE; i++) tell(other.host, 'tell drop');
      await expect.poll(() => loss.packets + count(other)).toBe(sent);
    }
    expect(count(other)).toBeGreaterThan(SENT * 0.7);
    expect(count(other)).toBeLessThan(SENT * 0.9);
    await network.heal();

    function count({ child }: Peer): number {
      return child.stdout.filter((line) => line === 'drop').length;
    }
  });

  it('a connection waits while its packets vanish, and goes on when they do not', async () => {
    const host = await network.host('redis');
    const redis = await startRedis({ host });
    const client = await RawClient.connect(redis.port, host.address);
    expect(await client.text('PING')).toBe('+PONG\r\n');
    const cut = network.cut([host], [network.operator]);
    const reply = client.text('SET', 'key', 'value');
    // Sent, and sent again.
    await expect.poll(() => cut.packets).toBeGreaterThan(1);
    cut.heal();
    expect(await reply).toBe('+OK\r\n');
  });

  it('a cut that refuses ends connections, and lets none begin', async () => {
    const host = await network.host('redis');
    const redis = await startRedis({ host });
    const client = await RawClient.connect(redis.port, host.address);
    const cut = network.cut([host], [network.operator], 'reject');
    await expect(client.text('PING')).rejects.toThrow('closed');
    await expect(RawClient.connect(redis.port, host.address)).rejects.toThrow('ECONNREFUSED');
    cut.heal();
    expect(await (await RawClient.connect(redis.port, host.address)).text('PING')).toBe('+PONG\r\n');
  });

  it('puts a host far away, and near again', async () => {
    const host = await network.host('redis');
    const redis = await startRedis({ host });
    const client = await RawClient.connect(redis.port, host.address);
    const roundTrip = async (): Promise<number> => {
      const before = performance.now();
      expect(await client.text('PING')).toBe('+PONG\r\n');
      return performance.now() - before;
    };
    await network.delay(host, 100);
    expect(await roundTrip()).toBeGreaterThanOrEqual(200);
    // More than one packet has, and both ways at once.
    const value = 'x'.repeat(200_000);
    await client.text('SET', 'large', value);
    expect(await client.text('GET', 'large')).toBe(`$200000\r\n${value}\r\n`);
    await network.heal();
    await expect.poll(roundTrip).toBeLessThan(100);
  });
});

describe.skipIf(!canMakeNetworks())('a network whose test has ended', () => {
  let address = '';
  const addresses = (): string[] =>
    Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map((entry) => entry.address));

  it('was there', async () => {
    const network = await Network.make();
    await network.delay(await network.host('far'), 10);
    address = network.operator.address;
    expect(addresses()).toContain(address);
  });

  it('has left nothing', () => {
    expect(addresses()).not.toContain(address);
  });
});
