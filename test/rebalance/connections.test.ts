/** Old connections at real nodes are gone when keys begin to move, and nobody else's. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { NodeEndpoint } from '../../src/node/endpoint.js';
import {
  killByName,
  killEarlierMovers,
  killProxies,
  type LateConnection,
  lateKiller,
} from '../../src/rebalance/connections.js';
import { moverPass } from '../../src/rebalance/mover-pass.js';
import { atEnd } from '../support/cleanup.js';
import { FakeStanding } from '../support/fake-standing.js';
import { freePort } from '../support/free-port.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';

let redis: RedisProcess;
let node: NodeEndpoint;

const at = (name: string, address: string): NodeEndpoint => ({ name, address, username: '', password: '' });

beforeAll(async () => {
  redis = await startRedis();
  node = at('a', redis.address);
});

const killLate = lateKiller(2000);

async function connection(name = 'c'): Promise<{ client: RawClient; late: LateConnection }> {
  const client = await RawClient.connect(redis.port);
  await client.command('CLIENT', 'SETNAME', name);
  const id = Number((await client.text('CLIENT', 'ID')).slice(1));
  const peer = `127.0.0.1:${client.socket.localPort}`;
  return { client, late: { node: node.name, address: node.address, id, peer } };
}

const lives = ({ client }: { client: RawClient }) => client.text('PING').catch(() => 'gone');

describe('late connections', () => {
  it('are dropped one by one, each of which is told, and no others', async () => {
    const [first, second, other] = [await connection(), await connection(), await connection()];
    const dropped: LateConnection[] = [];
    await killLate([node], [first.late, second.late], (late) => dropped.push(late));
    await Promise.all([first.client.closed, second.client.closed]);
    expect(dropped).toEqual([first.late, second.late]);
    expect(await lives(other)).toBe('+PONG\r\n');
  });

  it('of which the address is not known are dropped by their number', async () => {
    const late = await connection();
    await killLate([node], [{ ...late.late, peer: '' }], () => {});
    await late.client.closed;
  });

  /** A node that was restarted counts connections anew. */
  it('whose number is now of a connection from elsewhere are gone, and that one is left alone', async () => {
    const other = await connection();
    const dropped: LateConnection[] = [];
    await killLate([node], [{ ...other.late, peer: '127.0.0.1:1' }], (late) => dropped.push(late));
    expect(dropped).toHaveLength(1);
    expect(await lives(other)).toBe('+PONG\r\n');
  });

  it('are asked for at the nodes that have any, by name and address', async () => {
    const late = await connection();
    const down = at('b', `127.0.0.1:${await freePort()}`);
    const moved = { ...late.late, address: '127.0.0.1:1' };
    const dropped: LateConnection[] = [];
    await killLate([down, node], [moved], (gone) => dropped.push(gone));
    expect(dropped).toEqual([]);
    expect(await lives(late)).toBe('+PONG\r\n');
  });

  it('of a node that cannot be asked are an error that names it, and count as there', async () => {
    const stalled = await startRedis();
    stalled.kill('SIGSTOP');
    atEnd(() => stalled.kill('SIGCONT'));
    const dropped: LateConnection[] = [];
    const late = { node: 'b', address: stalled.address, id: 1, peer: '' };
    const killing = lateKiller(300)([at('b', stalled.address)], [late], (gone) => dropped.push(gone));
    await expect(killing).rejects.toThrow(`b (${stalled.address})`);
    expect(dropped).toEqual([]);
  });

  // Symptom: no change of the ring was possible while a node was dead that had died with commands in flight.
  it('are gone with the process that had them', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const dropped: LateConnection[] = [];
    const late = { node: 'b', address, id: 1, peer: '' };
    await killLate([at('b', address)], [late], (gone) => dropped.push(gone));
    expect(dropped).toEqual([late]);
  });
});

describe('connections of processes that are gone', () => {
  it('are dropped by their names', async () => {
    const [gone, too, other, nameless] = [
      await connection('proxy-1:lane'),
      await connection('proxy-1:mover'),
      await connection('proxy-2:lane'),
      await RawClient.connect(redis.port),
    ];
    await nameless.command('PING');
    await killByName([node], (name) => name.startsWith('proxy-1:'), 2000);
    await Promise.all([gone.client.closed, too.client.closed]);
    expect(await lives(other)).toBe('+PONG\r\n');
    expect(await nameless.text('PING')).toBe('+PONG\r\n');
  });

  it('at a node that cannot be asked are an error that names it', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const killing = killByName([at('b', address)], () => true, 2000);
    await expect(killing).rejects.toThrow(`b (${address})`);
  });
});

describe('connections that bear a proxy', () => {
  const names = (id: string): string[] => [
    `ringproxy:${id}`,
    `ringproxy:${id}.3`,
    `ringproxy-move:${id}.2.17`,
    `ringproxy-functions:${id}`,
    `ringproxy-flush:${id}`,
  ];

  it('are dropped by its id, whatever they are for, and those of others and of probes are not', async () => {
    const gone = await Promise.all(names('abc123').map((name) => connection(name)));
    const others = await Promise.all(
      [...names('abc1234'), 'ringproxy-probe:abc123', 'ringproxy-fence'].map((name) => connection(name)),
    );
    await killProxies([node], ['abc123'], 2000);
    await Promise.all(gone.map(({ client }) => client.closed));
    for (const other of others) expect(await lives(other)).toBe('+PONG\r\n');
  });

  it('and move the keys of a source are dropped for whoever has a later right to it', async () => {
    const earlier = [await connection('ringproxy-move:a.2.17'), await connection('ringproxy-move:b.2.9')];
    const kept = [
      await connection('ringproxy-move:a.2.18'),
      await connection('ringproxy-move:a.2.19'),
      await connection('ringproxy-move:a.12.9'),
      await connection('ringproxy:a.2'),
    ];
    await killEarlierMovers([node], { source: 2, revision: 18 }, 2000);
    await Promise.all(earlier.map(({ client }) => client.closed));
    for (const other of kept) expect(await lives(other)).toBe('+PONG\r\n');
  });

  it.each(['client|list', 'client|kill'])('cannot be dropped without the right %s, which is said', async (right) => {
    const own = await startRedis();
    const client = await RawClient.connect(own.port);
    await client.command('CLIENT', 'SETNAME', 'ringproxy:abc123');
    await own.client().call('ACL', 'SETUSER', 'default', `-${right}`);
    const killing = killProxies([at('c', own.address)], ['abc123'], 2000);
    await expect(killing).rejects.toThrow(
      new RegExp(`^c \\(${own.address}\\): .*the right ${right.replace('|', '\\|')}$`),
    );
    if (right === 'client|kill') await expect(killing).rejects.toThrow('ringproxy:abc123');
  });
});

describe('the pass of a mover', () => {
  const right = { holder: 'f00d', source: 2, revision: 17 };

  it.each([
    [true, 'speak'],
    [false, 'fenced-off'],
    [null, 'unsure'],
  ] as const)('whose right is in force (%s): %s', async (inForce, ruling) => {
    const pass = moverPass(new FakeStanding(), right, async () => inForce);
    expect(pass.name).toBe('ringproxy-move:f00d.2.17');
    expect(await pass.look()).toBe(ruling);
  });

  it('is none of a proxy that was passed over, or that bears another id by now', async () => {
    const standing = new FakeStanding();
    standing.lapse();
    const looked = moverPass(standing, right, async () => true).look();
    standing.answer('fenced-off');
    expect(await looked).toBe('fenced-off');
    expect(await moverPass(new FakeStanding('beef'), right, async () => true).look()).toBe('fenced-off');
  });
});
