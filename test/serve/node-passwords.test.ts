/** Nodes' passwords that change while clients are served: the proxy is told by SIGHUP, in all its processes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../support/redis-process.js';
import { post, settled } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

const CLIENTS = 6;

/** Clients that write and read all the time, until they are told to stop; a reply that is not the right one is kept. */
class Load {
  readonly wrong: string[] = [];
  readonly #ends: Promise<void>[];
  #isOver = false;
  commands = 0;

  constructor(clients: readonly RawClient[]) {
    this.#ends = clients.map((client, index) => this.#run(client, index));
  }

  /** Waits until each client has been answered a few more times. */
  async goesOn(): Promise<void> {
    const from = this.commands;
    await expect.poll(() => this.commands, { timeout: 10_000 }).toBeGreaterThan(from + CLIENTS * 10);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#ends);
  }

  async #run(client: RawClient, index: number): Promise<void> {
    for (let at = 0; !this.#isOver; at++) {
      const key = `load:${index}:${at % 50}`;
      this.#expect(await client.text('SET', key, String(at)), '+OK\r\n');
      this.#expect(await client.text('GET', key), `$${String(at).length}\r\n${at}\r\n`);
      this.commands += 2;
    }
  }

  #expect(reply: string, right: string): void {
    if (reply !== right) this.wrong.push(reply);
  }
}

/** Of these a connection of its own is needed, which logs in anew: the two keys are at different nodes or not. */
async function needsConnections(proxy: RingproxyProcess): Promise<string[]> {
  const client = await RawClient.connect(proxy.port);
  const replies = [];
  for (let at = 0; at < 8; at++) {
    replies.push(await client.text('WATCH', `watched:${at}`), await client.text('UNWATCH'));
    replies.push(await client.text('BLPOP', `list:${at}`, '0.01'));
  }
  client.close();
  return [...new Set(replies)];
}

const WELL = ['+OK\r\n', '*-1\r\n'];

async function forgetConnections(nodes: readonly RedisProcess[], password: string): Promise<void> {
  for (const node of nodes) await node.client({ password }).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
}

it('two passwords for a while, then the new one: no client notices, whichever process serves it', async () => {
  const folder = tempFolder('passwords');
  const [file, secret] = [join(folder, 'ringproxy.yaml'), join(folder, 'secret')];
  const nodes = await startRedises(2, { args: ['--requirepass', 'old'] });
  const third = await startRedis({ args: ['--requirepass', 'new'] });
  writeFileSync(secret, 'old\n');
  writeFileSync(file, `node-password-file: ${secret}\n`);
  const proxy = await startRingproxy({ nodes, args: ['-c', file, '--workers', '2'] });
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => RawClient.connect(proxy.port)));
  const load = new Load(clients);
  await load.goesOn();
  for (const node of nodes) await node.client({ password: 'old' }).call('ACL', 'SETUSER', 'default', '>new');
  writeFileSync(secret, 'new\n');
  proxy.kill('SIGHUP');
  await proxy.logged(/node-password-file in force/);
  expect(await needsConnections(proxy)).toEqual(WELL);
  for (const node of nodes) await node.client({ password: 'new' }).call('ACL', 'SETUSER', 'default', '<old');
  await load.goesOn();
  expect(await needsConnections(proxy)).toEqual(WELL);
  // Moving keys logs in by itself, at nodes and from node to node.
  await post(proxy, 'changes', { kind: 'add', add: [{ name: 'node3', address: third.address }] });
  await settled(proxy);
  await load.goesOn();
  expect(await third.client({ password: 'new' }).dbsize()).toBeGreaterThan(0);
  await load.end();
  expect(load.wrong).toEqual([]);
});

it('the nodes are changed first: connections that have logged in go on, others wait for SIGHUP', async () => {
  const file = join(tempFolder('passwords'), 'ringproxy.yaml');
  const nodes = await startRedises(2, { args: ['--requirepass', 'old'] });
  const [first, second] = nodes as [RedisProcess, RedisProcess];
  const write = (password: string): void =>
    writeFileSync(
      file,
      `node-password: ${password}\nnodes:\n  - a=${first.address}\n  - { name: b, address: "${second.address}", password: ${password} }\n`,
    );
  write('old');
  const proxy = await startRingproxy({ args: ['-c', file], allowLog: [/WRONGPASS|NOAUTH|is down/] });
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => RawClient.connect(proxy.port)));
  const load = new Load(clients);
  await load.goesOn();
  for (const node of nodes) await node.client({ password: 'old' }).config('SET', 'requirepass', 'new');
  // Whoever needs a connection of their own is told so; that is no reason to give the others up.
  expect((await needsConnections(proxy)).join('')).toContain('WRONGPASS');
  await load.goesOn();
  await load.end();
  expect(load.wrong).toEqual([]);
  // What was configured once does not change what is configured of nodes but for their passwords.
  write('new');
  proxy.kill('SIGHUP');
  await proxy.logged(/nodes' logins, node-password in force"/);
  expect(await needsConnections(proxy)).toEqual(WELL);
  // A node that is down for its password alone is back by SIGHUP.
  for (const node of nodes) await node.client({ password: 'new' }).config('SET', 'requirepass', 'newer');
  await forgetConnections(nodes, 'newer');
  const [client] = clients as [RawClient];
  await expect.poll(() => client.text('GET', 'load:0:1')).toMatch(/^-NODEDOWN .*WRONGPASS/);
  write('newer');
  proxy.kill('SIGHUP');
  await expect.poll(() => client.text('GET', 'load:0:1')).toMatch(/^\$/);
  expect(await needsConnections(proxy)).toEqual(WELL);
});
