/** What people ask of the ring while a node is ejected, and what a node may be that comes back. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChangeAccepted } from '../../../src/admin/api.js';
import { type RedisProcess, startRedises } from '../../support/redis-process.js';
import { add, fill, post, settled, until } from '../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { tempFolder } from '../../support/temp-folder.js';

const CONFIG = `
on-node-failure: eject
eject-after: 100ms
rejoin-after: 100ms
connect-timeout: 5s
request-timeout: 1s
probe-interval: 100ms
probe-timeout: 2s
probe-failures: 1
databases: 4
`;

/** Three nodes, of which node2 has died and is ejected, and a server that is in no ring. */
async function start(nodeArgs: readonly string[] = []): Promise<{
  proxy: RingproxyProcess;
  node: RedisProcess;
  spare: RedisProcess;
}> {
  const [spare, ...nodes] = (await startRedises(4, { args: nodeArgs })).reverse();
  const [, node] = nodes;
  if (spare === undefined || node === undefined) throw new Error('there are four');
  const proxy = await startRingproxy({ nodes, config: CONFIG, allowLog: [/node\d/, /eject/] });
  await fill(proxy, 200);
  const somebody = node.client();
  await somebody.select(9);
  await somebody.set('of somebody else', '1');
  await somebody.save();
  await node.stop();
  await until(proxy, isOut);
  return { proxy, node, spare };
}

const isOut = ({ nodes, change }: Parameters<Parameters<typeof until>[1]>[0]): boolean =>
  change === null && nodes.some(({ state }) => state === 'ejected');
const isBack = ({ nodes, change }: Parameters<Parameters<typeof until>[1]>[0]): boolean =>
  change === null && nodes.filter(({ state }) => state === 'active').length === 3;

async function look(proxy: RingproxyProcess, body: object): Promise<ChangeAccepted> {
  const headers = { 'content-type': 'application/json' };
  const text = JSON.stringify({ ...body, dryRun: true });
  return (await (
    await fetch(`${proxy.admin}/v1/ring/changes`, { method: 'POST', headers, body: text })
  ).json()) as ChangeAccepted;
}

describe('while a node is ejected', () => {
  it('it has no weight, and nothing takes its place; removed, it is forgotten, and does not come back', async () => {
    const { proxy, node, spare } = await start();
    for (const body of [
      { kind: 'reweight', weights: [{ name: 'node2', weight: 2 }] },
      { kind: 'replace', replace: [{ name: 'node2', address: spare.address }] },
    ]) {
      await expect(post(proxy, 'changes', body)).rejects.toThrow(/NODE_EJECTED.*ring remove NAME forgets it/);
    }
    const removal = { kind: 'remove', remove: ['node2'] };
    const warnings = [
      'node2 is ejected, and owns no keys: nothing moves off it; once forgotten, it does not come back',
    ];
    expect(await look(proxy, removal)).toMatchObject({ generation: 2, moves: [], warnings });
    const more = await look(proxy, { ...removal, remove: ['node2', 'node3'] });
    expect(more).toMatchObject({ moves: [{ source: 'node3' }], warnings: expect.arrayContaining(warnings) });
    expect(isOut(await settled(proxy))).toBe(true);
    await post(proxy, 'changes', removal);
    expect((await settled(proxy)).nodes.map(({ name }) => name)).toEqual(['node1', 'node3']);
    await node.start();
    await expect(post(proxy, 'changes', add('node2', node))).rejects.toThrow(/NODE_NOT_EMPTY/);
    expect((await settled(proxy)).nodes).toHaveLength(2);
  });

  it('another server comes in under its name, and it is forgotten; other changes go as ever', async () => {
    const { proxy, spare } = await start();
    await post(proxy, 'changes', { kind: 'reweight', weights: [{ name: 'node1', weight: 2 }] });
    expect(isOut(await settled(proxy))).toBe(true);
    await post(proxy, 'changes', add('node2', spare));
    const { nodes } = await settled(proxy);
    expect(nodes.map(({ name, address, state }) => [name, address, state])).toContainEqual([
      'node2',
      spare.address,
      'active',
    ]);
    expect(nodes).toHaveLength(3);
  });

  it('what comes back is emptied, but for databases of others', async () => {
    const { proxy, node } = await start();
    await node.start();
    await until(proxy, isBack);
    const held = (await node.client().info('keyspace')).match(/^db\d+/gm);
    expect(held).toEqual(['db9']);
  });
});

// Symptom: it stayed out for good, and all that was said is that it answers again.
it('with on-node-failure turned off meanwhile it stays out, and the ring says by which command it comes in', async () => {
  const nodes = await startRedises(3);
  const file = join(tempFolder('by-hand'), 'ringproxy.yaml');
  writeFileSync(file, CONFIG);
  const proxy = await startRingproxy({ nodes, args: ['-c', file], allowLog: [/node\d/, /eject/] });
  await nodes[1]?.stop();
  await until(proxy, isOut);
  writeFileSync(file, CONFIG.replace('eject', 'error'));
  proxy.kill('SIGHUP');
  await proxy.logged(/on-node-failure in force/);
  await nodes[1]?.start();
  const command = `ringproxy ring add node2=${nodes[1]?.address} --flush`;
  const says = `it answers again; it does not come back by itself, since on-node-failure is error: ${command}`;
  await until(proxy, (ring) => ring.nodes.some(({ reason }) => reason?.endsWith(says) === true));
  writeFileSync(file, CONFIG);
  proxy.kill('SIGHUP');
  await until(proxy, isBack);
});

it('with more than half of the nodes down none is ejected, and the log and the ring say why', async () => {
  const nodes = await startRedises(3);
  const config = `${CONFIG}eject-max-nodes: 2\n`;
  const proxy = await startRingproxy({ nodes, config, allowLog: [/node\d/, /down:/] });
  await Promise.all(nodes.slice(1).map((node) => node.stop()));
  const why = /more than half of the nodes are down/;
  await until(proxy, (ring) => ring.nodes.filter(({ reason }) => why.test(reason ?? '')).length === 2);
  await proxy.logged(why);
});

describe('a node that comes back', () => {
  it.each([
    { as: 'a replica', args: ['--replicaof', '127.0.0.1', '1'], why: /replica/ },
    { as: 'one with another password', args: ['--requirepass', 'other'], why: /NOAUTH|password|log in/i },
  ])('as $as stays out, and the ring says why', async ({ args, why }) => {
    const { proxy, node } = await start();
    await node.restartWith(args);
    await until(proxy, ({ nodes }) => nodes.some(({ reason }) => why.test(reason ?? '')));
    expect(isOut(await settled(proxy))).toBe(true);
    await node.restart();
    await until(proxy, isBack);
  });

  it('stays out, and the ring says what to do, where its snapshot would bring back what it had', async () => {
    const { proxy, node } = await start();
    await node.restartWith(['--rename-command', 'BGSAVE', '']);
    const said = await until(proxy, ({ nodes }) => nodes.some(({ reason }) => /snapshot/.test(reason ?? '')));
    expect(said.nodes.map(({ reason }) => reason).join()).toMatch(/it cannot come back yet: .*BGSAVE; .*\+bgsave/);
    await node.restart();
    await until(proxy, isBack);
  });

  it('may forbid FLUSHALL and FLUSHDB: then its keys are removed one by one', async () => {
    const { proxy, node } = await start();
    await node.restartWith(['--rename-command', 'FLUSHALL', '', '--rename-command', 'FLUSHDB', '']);
    await until(proxy, isBack);
    expect(await proxy.client().dbsize()).toBeLessThan(200);
    expect((await node.client().info('keyspace')).match(/^db\d+/gm)).toEqual(['db9']);
  });
});
