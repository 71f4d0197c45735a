/** Nodes that cannot do what a change asks of them are refused before anything is held, flushed or moved. */
import { describe, expect, it } from 'vitest';
import type { NodeExam } from '../../../src/health/examine.js';
import type { NodeFacts } from '../../../src/health/inspect.js';
import { NODE_RIGHTS } from '../../../src/node-rights.js';
import { checkFitness } from '../../../src/topology/admission/fitness.js';
import { type RedisProcess, startRedis, startRedises } from '../../support/redis-process.js';
import { add, ownersOf, post, ringOf, settled } from '../../support/ring-api.js';
import { startRingproxy } from '../../support/ringproxy-process.js';

/**
 * Symptom: keys of database 9, a node with four databases is added; the change stops, and after `cancel` 144 of 4,000
 * keys were gone from database 9, and 208 stood in database 0.
 */
describe('a node with fewer databases', () => {
  it('is refused, and not a key has moved', async () => {
    const first = await startRedis();
    const few = await startRedis({ args: ['--databases', '4'] });
    const proxy = await startRingproxy({ nodes: [first] });
    const client = proxy.client({ db: 9 });
    for (let i = 0; i < 4000; i++) void client.set(`key:${i}`, String(i));
    await client.set('last', 'x');
    await expect(post(proxy, 'changes', add('few', few))).rejects.toThrow(/NODE_DATABASES.*has 4 databases.*have 16/);
    expect((await ringOf(proxy)).phase).toBe('stable');
    expect(await few.client().dbsize()).toBe(0);
    expect(await client.dbsize()).toBe(4001);
  });

  it('is a member already: it gets no keys of databases that it does not have', async () => {
    const nodes = [await startRedis({ args: ['--databases', '4'] }), await startRedis()] as const;
    const proxy = await startRingproxy({ nodes });
    const owned = Array.from({ length: 100 }, (_, i) => `key:${i}`);
    const owners = await ownersOf(proxy, owned);
    const client = nodes[1].client({ db: 9 });
    for (const [i, key] of owned.entries()) if (owners[i] === nodes[1].address) await client.set(key, 'x');
    await expect(post(proxy, 'changes', { kind: 'remove', remove: ['node2'] })).rejects.toThrow(
      /NODE_DATABASES.*node1 .* has 4 databases.*have 10/,
    );
    await post(proxy, 'changes', { kind: 'remove', remove: ['node1'] });
    await settled(proxy);
  });

  it('may join when clients cannot use more, and no node has keys there', async () => {
    const nodes = await startRedises(2, { args: ['--databases', '4'] });
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 1), config: 'databases: 4\n' });
    await post(proxy, 'changes', add('few', nodes[1]));
    expect((await settled(proxy)).nodes.length).toBe(2);
  });
});

async function restricted(rules: string): Promise<RedisProcess> {
  const node = await startRedis();
  await node.client().call('ACL', 'SETUSER', 'default', ...rules.split(' '));
  return node;
}

describe('a node whose user may not do what a change needs', () => {
  it('is refused, with the right that lacks, whether it joins or loses keys', async () => {
    const [member, joining] = [await startRedis(), await startRedis()];
    const proxy = await startRingproxy({ nodes: [member], allowLog: [/node:health/, /upstream:impaired/] });
    for (const command of [
      // By these, connections of a proxy that is gone are found and dropped, and a node that was restarted is noticed.
      ...['client|kill', 'client|id', 'client|info', 'client|setname', 'client|list', 'info'],
      ...['scan', 'restore', 'unlink'],
    ]) {
      const text = new RegExp(`NODE_RIGHTS.*does not let the proxy use ${command.replace('|', '\\|')}.*ACL SETUSER`);
      for (const node of [member, joining]) {
        await node.client().call('ACL', 'SETUSER', 'default', `-${command}`);
        await expect(post(proxy, 'changes', add('node2', joining))).rejects.toThrow(text);
        await node.client().call('ACL', 'SETUSER', 'default', `+${command}`);
      }
    }
    await post(proxy, 'changes', add('node2', joining));
    await settled(proxy);
  });

  it('a node without scripts and MIGRATE joins, one without DUMP and MIGRATE does not', async () => {
    const nodes = await Promise.all(['-eval -migrate', '-dump', '-dump -migrate'].map(restricted));
    const proxy = await startRingproxy({ nodes: [await startRedis()] });
    await post(proxy, 'changes', add('a', nodes[0]));
    await settled(proxy);
    await post(proxy, 'changes', add('b', nodes[1]));
    await settled(proxy);
    await expect(post(proxy, 'changes', add('c', nodes[2]))).rejects.toThrow(/NODE_RIGHTS.*use dump, migrate/);
  });

  it('and does not know a command says so: no ACL would help', async () => {
    const [member, hidden, both, infoless] = await Promise.all([
      startRedis(),
      startRedis({ args: ['--rename-command', 'SCAN', ''] }),
      startRedis({ args: ['--rename-command', 'SCAN', ''] }),
      startRedis({ args: ['--rename-command', 'INFO', ''] }),
    ]);
    await both.client().call('ACL', 'SETUSER', 'default', '-unlink');
    const proxy = await startRingproxy({ nodes: [member] });
    const hintOf = async (node: RedisProcess): Promise<string> => {
      const response = await fetch(`${proxy.admin}/v1/ring/changes`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(add('node2', node)),
      });
      const { error } = (await response.json()) as { error: { code: string; hint: string } };
      expect(error.code).toBe('NODE_RIGHTS');
      return error.hint;
    };
    const renamed = (command: string) => new RegExp(`the server does not know ${command}, .*rename-command`);
    expect(await hintOf(hidden)).toMatch(renamed('scan'));
    expect(await hintOf(hidden)).not.toMatch(/ACL SETUSER/);
    expect(await hintOf(both)).toMatch(/ACL SETUSER …/);
    expect(await hintOf(both)).toMatch(renamed('scan'));
    expect(await hintOf(infoless)).toMatch(renamed('info'));
  });

  it('and has neither way to read times of expiry does not join', async () => {
    const node = await restricted('-pexpiretime -pttl');
    const proxy = await startRingproxy({ nodes: [await startRedis()] });
    await expect(post(proxy, 'changes', add('c', node))).rejects.toThrow(/NODE_RIGHTS.*use pexpiretime, pttl/);
  });
});

it('warns of settings that differ from those of the ring', async () => {
  const nodes = [await startRedis(), await startRedis({ args: ['--notify-keyspace-events', 'KEA'] })];
  const proxy = await startRingproxy({ nodes: nodes.slice(0, 1), allowLog: [/notify-keyspace-events/] });
  await post(proxy, 'changes', add('node2', nodes[1]));
  await proxy.logged(/node2 has notify-keyspace-events '.*', where node1 has ''/);
  await settled(proxy);
});

it('refuses a node that does not take the values of a newer one', async () => {
  const exam: NodeExam = { lacking: [], databases: 16, settings: new Map() };
  const spec = (name: string) => ({ id: 0, name, address: `127.0.0.1:${name.length}`, weight: 1, access: {} });
  const facts = (version: string): NodeFacts => ({
    ...{ role: 'master', clusterEnabled: false, version, runId: version, keys: 0, databasesInUse: 0, impairment: null },
    ...{ usedMemory: 0, startupMemory: 0, maxMemory: 0, maxMemoryPolicy: '' },
  });
  const asked: string[] = [];
  const hooks = {
    inspect: (node: { name: string }) => Promise.resolve(facts(node.name === 'old' ? '6.2.0' : '7.4.0')),
    examine: () => Promise.resolve(exam),
    takesValuesOf: (source: { name: string }, target: { name: string }) => {
      asked.push(`${source.name} ${target.name}`);
      return Promise.resolve('ERR DUMP payload version or checksum are wrong');
    },
    databases: 16,
  };
  await expect(checkFitness([spec('a'), spec('ab')], [spec('old')], [spec('old')], hooks)).rejects.toThrow(
    /version 6.2.0.*7.4.0/,
  );
  expect(asked).toEqual(['a old']);
  await expect(checkFitness([spec('a')], [spec('new')], [], hooks)).resolves.toEqual([]);
});

it('knows what moving keys cannot do without', () => {
  const members = NODE_RIGHTS.map(({ command }) => command);
  for (const command of ['client|kill', 'restore', 'unlink', 'scan', 'migrate', 'eval'])
    expect(members).toContain(command);
});
