/**
 * Symptom: two proxies, each alone with its ring on the same nodes, lost 2,989 acknowledged writes within 20 s of
 * `ring add` at one of them, and neither told of anything.
 */
import { describe, expect, it } from 'vitest';
import { listProxies, type ProxyConnection } from '../../../src/rebalance/connections.js';
import { StrangerWatch } from '../../../src/topology/admission/stranger-watch.js';
import { findStrangers, refuseStrangers, type StrangerPorts } from '../../../src/topology/admission/strangers.js';
import { freePort } from '../../support/free-port.js';
import { ManualTimers } from '../../support/manual-timers.js';
import { RawClient } from '../../support/raw-client.js';
import { startRedis, startRedises } from '../../support/redis-process.js';
import { post, settled } from '../../support/ring-api.js';
import { startRingproxy } from '../../support/ringproxy-process.js';

const NODES = [{ id: 0, name: 'a', address: '127.0.0.1:1', weight: 1, access: {} }];
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const connection = (proxy: string, node = 'a', idleSeconds = 3): ProxyConnection => ({
  ...{ proxy, node, idleSeconds },
  peer: '10.0.0.9',
});

/** @param looks what each look finds; the last one for ever */
function ports(...looks: ProxyConnection[][]): StrangerPorts & { looked: number } {
  const found = {
    looked: 0,
    connections: () => Promise.resolve(looks[Math.min(found.looked++, looks.length - 1)] ?? []),
    known: () => Promise.resolve(['own', 'member', 'fenced-off']),
  };
  return found;
}

/** Lets time pass until the work has settled. */
async function passing<T>(timers: ManualTimers, work: Promise<T>): Promise<T> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  while (!isOver) {
    await turn();
    timers.advance(50);
  }
  return over;
}

describe('strangers', () => {
  it('are proxies that are not of this fleet, each with all its nodes', async () => {
    const found = await findStrangers(
      NODES,
      ports([connection('member'), connection('x', 'a', 9), connection('x', 'b', 4), connection('fenced-off')]),
    );
    expect(found).toEqual([{ id: 'x', from: ['10.0.0.9'], nodes: ['a', 'b'], idleSeconds: 4 }]);
  });

  it('refuse a change after a moment, named with where they are', async () => {
    const timers = new ManualTimers();
    const looks = ports([connection('x')]);
    const refused = passing(timers, refuseStrangers(NODES, false, looks, timers));
    await expect(refused).rejects.toMatchObject({
      code: 'FOREIGN_PROXY',
      message: expect.stringMatching(/x \(from 10\.0\.0\.9, at a, idle 3 s\)/),
      hint: expect.stringMatching(/etcd.*--force/),
    });
    expect(looks.looked).toBeGreaterThan(5);
  });

  it('that have just ended refuse nothing', async () => {
    const timers = new ManualTimers();
    expect(await passing(timers, refuseStrangers(NODES, false, ports([connection('x')], []), timers))).toEqual([]);
  });

  it('are a warning where a person answers for it', async () => {
    expect(await refuseStrangers(NODES, true, ports([connection('x')]))).toEqual([
      expect.stringMatching(/x \(from .*may be lost$/),
    ]);
  });

  it('are warned of once, and again when they come back', async () => {
    const timers = new ManualTimers();
    let there = [connection('x')];
    const warnings: string[] = [];
    const watch = new StrangerWatch(
      {
        connections: () => Promise.resolve(there),
        known: () => Promise.resolve(['own']),
        nodes: () => NODES,
        warn: (message) => warnings.push(message),
      },
      timers,
    );
    const pass = async (milliseconds: number): Promise<void> => {
      for (let passed = 0; passed < milliseconds; passed += 500) {
        timers.advance(500);
        await turn();
      }
    };
    watch.start();
    await pass(2000);
    expect(warnings).toEqual([expect.stringMatching(/x \(from 10\.0\.0\.9.*--coordination etcd/)]);
    await pass(180_000);
    expect(warnings).toHaveLength(1);
    there = [];
    await pass(61_000);
    there = [connection('x')];
    await pass(122_000);
    expect(warnings).toHaveLength(2);
    watch.stop();
  });
});

it('connections of proxies are found at nodes that can be asked and allow it, and no others', async () => {
  const [one, two] = [await startRedis(), await startRedis()];
  for (const name of ['ringproxy:abc.2', 'ringproxy-probe:bcd', 'ringproxy-move:cde.1.7', 'somebody']) {
    const client = await RawClient.connect(one.port);
    await client.command('CLIENT', 'SETNAME', name);
  }
  await two.client().call('ACL', 'SETUSER', 'default', '-client|list');
  const at = (name: string, address: string) => ({ name, address, username: '', password: '' });
  const nodes = [at('one', one.address), at('two', two.address), at('gone', `127.0.0.1:${await freePort()}`)];
  expect((await listProxies(nodes, 2000)).sort((a, b) => (a.proxy < b.proxy ? -1 : 1))).toEqual([
    { proxy: 'abc', node: 'one', peer: '127.0.0.1', idleSeconds: expect.any(Number) },
    { proxy: 'cde', node: 'one', peer: '127.0.0.1', idleSeconds: expect.any(Number) },
  ]);
});

describe('two proxies that are each alone with a ring on the same nodes', () => {
  it('warn, refuse to change it and to remove keys, and do it when they are told to, or when the other is gone', async () => {
    const nodes = await startRedises(3);
    const [first, second, third] = nodes;
    if (!first || !second || !third) throw new Error('unreachable');
    const names = [`node1=${first.address}`, `node2=${second.address}`];
    const other = await startRingproxy({ nodes: names, allowLog: [/none of this fleet/] });
    const own = await startRingproxy({ nodes: names, allowLog: [/none of this fleet/] });
    await own.logged(new RegExp(`none of this fleet are connected to the nodes: ${other.id} \\(from 127\\.0\\.0\\.1`));
    const add = { kind: 'add', add: [{ name: 'node3', address: third.address }] };
    const refused = new RegExp(`"FOREIGN_PROXY".*${other.id}`);
    await expect(post(own, 'changes', add)).rejects.toThrow(refused);
    await expect(post(own, 'changes', { ...add, dryRun: true })).rejects.toThrow(refused);
    await expect(post(own, 'check', { fix: true })).rejects.toThrow(refused);
    await post(own, 'changes', { ...add, force: true, dryRun: true });
    other.kill('SIGKILL');
    await post(own, 'changes', add);
    expect((await settled(own)).nodes).toHaveLength(3);
  });
});
