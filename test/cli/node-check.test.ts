/** `ringproxy node check`: what is said of real servers, and of what is none. */

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { CliError } from '../../cli/cli-error.js';
import { buildProgram } from '../../cli/program.js';
import type { NodeVerdict } from '../../src/health/verdict.js';
import { aclRules, NODE_RIGHTS } from '../../src/node-rights.js';
import { atEnd } from '../support/cleanup.js';
import { freePort } from '../support/free-port.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { tempFolder } from '../support/temp-folder.js';
import { type Outcome, ringproxy } from './run.js';

const SECRET = 'the-secret-of-the-node';
const PASSWORD = { RINGPROXY_NODE_PASSWORD: SECRET };

let node: RedisProcess;

beforeAll(async () => {
  node = await startRedis();
});

/** A user of a name of its own, so that tests leave each other alone. */
async function user(name: string, rules: string): Promise<void> {
  await node.client().call('ACL', 'SETUSER', name, 'on', `>${SECRET}`, ...rules.split(' '));
}

function check(address: string, ...args: readonly string[]): Promise<Outcome> {
  return ringproxy(['node', 'check', address, ...args], PASSWORD);
}

async function verdictOf(address: string, ...args: readonly string[]): Promise<NodeVerdict & { code: number }> {
  const { code, out, err } = await check(address, '--json', ...args);
  expect(err).toBe('');
  return { code, ...(JSON.parse(out) as NodeVerdict) };
}

/** Without a password: the user `default` has none. */
async function plain(address: string): Promise<NodeVerdict & { code: number }> {
  const { code, out, err } = await ringproxy(['node', 'check', address, '--json']);
  expect(err).toBe('');
  return { code, ...(JSON.parse(out) as NodeVerdict) };
}

const settingOf = ({ settings }: NodeVerdict, name: string) => settings.find((setting) => setting.name === name);

describe('a server that may be asked everything', () => {
  it('does as a node, and is left as it was', async () => {
    const verdict = await plain(node.address);
    expect(verdict).toMatchObject({ code: 0, fit: true, username: 'default', lacking: [], acl: null });
    expect(verdict.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(settingOf(verdict, 'role')).toMatchObject({ value: 'master', state: 'ok' });
    expect(settingOf(verdict, 'maxmemory-policy')).toMatchObject({ value: 'noeviction', state: 'note' });
    expect(await node.client().dbsize()).toBe(0);
    const { out, code } = await ringproxy(['node', 'check', node.address]);
    expect(out).toContain(`${node.address} does as a node\n`);
    expect(out).not.toMatch(/ACL SETUSER|Rights that lack/);
    expect(code).toBe(0);
  });

  it('with the documented user, by a file with its password', async () => {
    await user('documented', aclRules('change'));
    const file = join(tempFolder('node-check'), 'password');
    writeFileSync(file, `${SECRET}\n`);
    const args = ['node', 'check', node.address, '--username', 'documented', '--password-file', file, '--json'];
    const { code, out } = await ringproxy(args, { RINGPROXY_NODE_PASSWORD: 'another' });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ fit: true, username: 'documented', lacking: [] });
  });
});

describe('a user that may not do everything', () => {
  it('lacks what is needed: exit 1, and the printed line is what helps', async () => {
    await user('short', `${aclRules('serve')} -client|kill`);
    const { code, out } = await check(node.address, '--username', 'short');
    expect(code).toBe(1);
    expect(out).toMatch(/needed always:\n {2}client\|kill: to drop connections.*; without: clients are not served/);
    expect(out).toMatch(/when the ring changes:\n.*client\|list: /);
    expect(out).toMatch(/feature alone:\n/);
    expect(out).toMatch(/does not do as a node as it is: client\|kill, client\|list, /);
    expect(out).not.toContain(SECRET);
    const line = /^ {2}(ACL SETUSER short .*)$/m.exec(out)?.[1] ?? '';
    const [command = '', ...words] = line.split(' ');
    expect(await node.client().call(command, ...words)).toBe('OK');
    expect(await verdictOf(node.address, '--username', 'short')).toMatchObject({ code: 0, lacking: [], acl: null });
  });

  // MULTI, SUBSCRIBE and their like cannot be asked like the others: they change what the connection may do.
  const bySpecialMeans = ['client|setname', 'exec', 'setnx', 'sadd', 'rpush', 'subscribe', 'psubscribe', 'ssubscribe'];
  bySpecialMeans.push('unsubscribe', 'punsubscribe', 'sunsubscribe');
  const asked = NODE_RIGHTS.filter(({ command, probe }) => probe !== null || bySpecialMeans.includes(command));
  it('every right is found to lack, and nothing but these', async () => {
    await user('nothing', '~* &* -@all +multi +discard');
    const { lacking } = await verdictOf(node.address, '--username', 'nothing');
    expect(lacking.map(({ command }) => command)).toEqual(asked.map(({ command }) => command));
    expect(new Set(lacking.map(({ why }) => why))).toEqual(new Set(['right']));
  });

  it('lacks a feature, or what goes another way: exit 0, and that is said', async () => {
    await user('featureless', '~* &* +@all -multi -eval -memory|usage -migrate -subscribe');
    const { code, out } = await check(node.address, '--username', 'featureless');
    expect(code).toBe(0);
    expect(out).toMatch(/eval: to read a batch of keys at once; without: plain commands read them/);
    expect(out).toMatch(/migrate: .*goes through the proxy/);
    expect(out).toMatch(/ multi: transactions; without: only that does not work/);
    expect(out).toContain('does as a node, without what lacks above');
    await user('featureless', '-dump');
    const verdict = await verdictOf(node.address, '--username', 'featureless');
    expect(verdict).toMatchObject({ code: 1, fit: false });
    expect(verdict.lacking.filter(({ needed }) => needed).map(({ command }) => command)).toEqual(['dump', 'migrate']);
  });

  it('is restricted to some keys', async () => {
    await user('fenced', '~app:* &app:* +@all');
    const { code, lacking, acl } = await verdictOf(node.address, '--username', 'fenced');
    expect(code).toBe(1);
    expect(lacking.find(({ command }) => command === 'dump')).toMatchObject({ why: 'keys', needed: true });
    expect(lacking.find(({ command }) => command === 'subscribe')).toMatchObject({ why: 'keys', needed: false });
    expect(acl).toBe('ACL SETUSER fenced ~* &*');
  });

  it('may not ask for settings: they are not made up', async () => {
    await user('blind', '~* &* +@all -config -info');
    const verdict = await verdictOf(node.address, '--username', 'blind');
    expect(verdict).toMatchObject({ code: 1, version: null });
    expect(settingOf(verdict, 'timeout')).toMatchObject({ value: null, state: 'note' });
    expect(settingOf(verdict, 'role')).toBeUndefined();
    expect(settingOf(verdict, 'databases')).toMatchObject({ value: '16', state: 'ok' });
  });
});

describe('a server with settings of its own', () => {
  it('has renamed a command: no ACL line is offered for that', async () => {
    const renamed = await startRedis({ args: ['--rename-command', 'EVAL', '', '--rename-command', 'RESTORE', ''] });
    const { code, out } = await ringproxy(['node', 'check', renamed.address]);
    expect(code).toBe(1);
    expect(out).toMatch(/ eval \(the server does not know it\): /);
    expect(out).toMatch(/ restore \(the server does not know it\): .*the ring cannot change/);
    expect(out).toContain('rename-command');
    expect(out).not.toContain('ACL SETUSER');
  });

  it('is a replica', async () => {
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(node.port)] });
    const verdict = await plain(replica.address);
    expect(verdict).toMatchObject({ code: 1, lacking: [] });
    expect(settingOf(verdict, 'role')).toEqual({
      name: 'role',
      value: 'slave',
      state: 'refused',
      remark: `it is a replica of 127.0.0.1:${node.port}: give the address of its master`,
    });
  });

  it('is a node of a Redis Cluster', async () => {
    const verdict = await plain((await startRedis({ args: ['--cluster-enabled', 'yes'] })).address);
    expect(verdict).toMatchObject({ code: 1, lacking: [] });
    expect(settingOf(verdict, 'cluster-enabled')).toMatchObject({ value: 'yes', state: 'refused' });
  });

  it('has few databases, no memory left, keys, and settings that clients notice', async () => {
    const args = ['--databases', '4', '--timeout', '60', '--notify-keyspace-events', 'KEA', '--maxmemory', '1mb'];
    const odd = await startRedis({ args });
    const client = odd.client();
    await client.config('SET', 'maxmemory', '0');
    await client.set('k', 'v');
    await client.config('SET', 'maxmemory', '1');
    const verdict = await plain(odd.address);
    expect(verdict.code).toBe(1);
    const states = verdict.settings.filter(({ state }) => state !== 'ok').map(({ name, state }) => `${name} ${state}`);
    expect(states).toEqual([
      ...['state refused', 'keys note', 'maxmemory-policy note', 'databases refused', 'timeout note'],
      'notify-keyspace-events note',
    ]);
    expect(settingOf(verdict, 'state')).toMatchObject({ value: 'oom', remark: /maxmemory, or an eviction policy$/ });
    await client.config('SET', 'maxmemory', '0');
    const { code } = await ringproxy(['node', 'check', odd.address, '--databases', '4']);
    expect(code).toBe(0);
  });

  // Symptom: of a server that forbids CONFIG and has 4 databases it said that it has 1.
  it('has few databases, and does not say how many', async () => {
    const { address } = await startRedis({ args: ['--databases', '5', '--rename-command', 'CONFIG', ''] });
    expect(settingOf(await plain(address), 'databases')).toMatchObject({ value: '5', state: 'refused' });
  });

  it('loads its keys', async () => {
    const loading = await startRedis();
    const pipeline = loading.client().pipeline();
    for (let i = 0; i < 5000; i++) pipeline.set(`key:${i}`, 'v');
    await pipeline.exec();
    await loading.restartLoading(2000);
    const verdict = await plain(loading.address);
    expect(verdict).toMatchObject({ code: 1, lacking: [] });
    expect(settingOf(verdict, 'state')).toMatchObject({ value: 'loading', state: 'refused' });
  });
});

describe('a server that cannot be asked', () => {
  it('does not take the password, which is not shown', async () => {
    await user('known', '~* &* +@all');
    const { code, err, out } = await ringproxy(['node', 'check', node.address, '--username', 'known'], {
      RINGPROXY_NODE_PASSWORD: 'a-wrong-guess',
    });
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/cannot be checked: WRONGPASS.*\n {2}.*--username.*--password-file/);
    expect(err).not.toContain('a-wrong-guess');
  });

  it('wants a password', async () => {
    const closed = await startRedis({ args: ['--requirepass', SECRET] });
    const { code, err } = await ringproxy(['node', 'check', closed.address]);
    expect(code).toBe(1);
    expect(err).toMatch(/NOAUTH.*\n {2}.*--password-file/);
    expect((await check(closed.address)).code).toBe(0);
  });

  it('is not there', async () => {
    const { code, err } = await check(`127.0.0.1:${await freePort()}`, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'NODE_UNREACHABLE', hint: /^start redis-server/ } });
  });

  it('is no Redis', async () => {
    const server = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(() => void server.close());
    const { code, err } = await check(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(code).toBe(1);
    expect(err).toMatch(/does not speak the Redis protocol\n {2}that is no redis-server/);
  });

  it('does not answer', async () => {
    const silent = await startRedis();
    silent.kill('SIGSTOP');
    const { code, err } = await check(silent.address, '--timeout', '200ms');
    silent.kill('SIGCONT');
    expect(code).toBe(1);
    expect(err).toMatch(/did not answer in time\n {2}.*--timeout/);
  });
});

it.each([
  [['nowhere'], /'nowhere' is not an address\n {2}expected HOST:PORT, rediss/],
  [['a=127.0.0.1:1'], /is not an address/],
  [['127.0.0.1:0'], /is not an address/],
  [['sentinel://127.0.0.1:1/main'], /several servers\n {2}check each/],
  [['127.0.0.1:1', '--timeout', 'soon'], /expected a time/],
  [['127.0.0.1:1', '--databases', '0'], /expected 1 to 1024/],
  [['127.0.0.1:1', '--username', 'app'], /the user app has no password\n {2}give it with --password-file/],
  [[], /missing required argument 'address'/],
])('%s is a wrong call', async (args, says) => {
  const called = buildProgram({ quiet: true }).parseAsync(['node', 'check', ...args], { from: 'user' });
  const error: unknown = await called.catch((thrown: unknown) => thrown);
  if (error instanceof CliError) {
    expect(`${error.message}\n  ${error.hint}`).toMatch(says);
    expect(error.exitCode).toBe(2);
  } else {
    // Exit 2 as well: see cli/report.ts.
    expect(error).toBeInstanceOf(CommanderError);
    expect(String(error)).toMatch(says);
  }
});
