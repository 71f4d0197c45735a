/** Old connections at real nodes are gone when keys begin to move, and nobody else's. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { NodeEndpoint } from '../../src/node/endpoint.js';
import { killByName, type LateConnection, lateKiller } from '../../src/rebalance/connections.js';
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
    const address = `127.0.0.1:${await freePort()}`;
    const dropped: LateConnection[] = [];
    const late = { node: 'b', address, id: 1, peer: '' };
    const killing = killLate([at('b', address)], [late], (gone) => dropped.push(gone));
    await expect(killing).rejects.toThrow(`b (${address})`);
    expect(dropped).toEqual([]);
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
