/** The table of what the proxy sends to nodes, against a real node. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { isForbidden } from '../src/node/reply-errors.js';
import { aclRules, lackingForMoves, NODE_RIGHTS, rightsReference } from '../src/node-rights.js';
import { RawClient } from './support/raw-client.js';
import { type RedisProcess, startRedis } from './support/redis-process.js';

let node: RedisProcess;
let admin: RawClient;

beforeAll(async () => {
  node = await startRedis();
  admin = await RawClient.connect(node.port);
});

const probes = NODE_RIGHTS.flatMap(({ command, probe }) => (probe === null ? [] : [{ command, probe }]));

async function login(rules: string): Promise<RawClient> {
  await admin.command('ACL', 'DELUSER', 'probed');
  expect(await admin.text('ACL', 'SETUSER', 'probed', 'on', '>secret', ...rules.split(' '))).toBe('+OK\r\n');
  const client = await RawClient.connect(node.port);
  expect(await client.text('AUTH', 'probed', 'secret')).toBe('+OK\r\n');
  return client;
}

describe('the table of rights', () => {
  it('names every command once, and those that Redis counts as dangerous as such', async () => {
    const commands = NODE_RIGHTS.map(({ command }) => command);
    expect(new Set(commands).size).toBe(commands.length);
    const lists = await admin.pipeline(['admin', 'dangerous'].map((name) => ['ACL', 'CAT', name]));
    const dangerous = new Set(lists.flatMap((list) => list.toString().split('\r\n')));
    const found = commands.filter((command) => dangerous.has(command));
    expect(NODE_RIGHTS.filter((row) => row.dangerous).map(({ command }) => command)).toEqual(found);
  });

  it('every probe leaves the node as it is', async () => {
    const client = await login(aclRules('change'));
    for (const { command, probe } of probes) {
      const reply = await client.text(...(probe as [string, ...string[]]));
      expect(isForbidden(reply.slice(1)), `${command}: ${reply}`).toBe(false);
    }
    expect(await admin.text('DBSIZE')).toBe(':0\r\n');
    expect(await admin.text('PING')).toBe('+PONG\r\n');
  });

  it.each(probes)('the probe of $command tells when the right lacks', async ({ command, probe }) => {
    const client = await login(`~* &* +@all -${command}`);
    const reply = await client.text(...(probe as [string, ...string[]]));
    expect(reply).toMatch(/^-NOPERM/);
    expect(isForbidden(reply.slice(1))).toBe(true);
  });

  it('the least rights are enough for reads and writes, and not for moving keys', async () => {
    const client = await login(aclRules('serve'));
    expect(await client.text('SET', 'k', 'v')).toBe('+OK\r\n');
    expect(await client.text('DEL', 'k')).toBe(':1\r\n');
    expect(await client.text('RESTORE', 'k', '0', '')).toMatch(/^-NOPERM/);
    expect(await client.text('CLIENT', 'LIST')).toMatch(/^-NOPERM/);
  });
});

describe('what keys cannot be moved without', () => {
  const of = (...commands: string[]): string[] =>
    lackingForMoves(NODE_RIGHTS.filter(({ command }) => commands.includes(command)));

  // Symptom: a node without both was let in, and the first batch of keys failed there.
  it('is MEMORY USAGE, or else the lengths of all types', () => {
    expect(of('memory|usage')).toEqual([]);
    expect(of('type', 'xlen')).toEqual([]);
    expect(of('memory|usage', 'type', 'xlen')).toEqual(['type', 'xlen']);
  });
});

describe('the page on nodes', () => {
  const page = readFileSync(new URL('../src/docs/nodes.md', import.meta.url), 'utf8');

  it('has the table', () => {
    expect(/<!-- rights:start -->\n([\s\S]*?)\n<!-- rights:end -->/.exec(page)?.[1]).toBe(rightsReference());
  });

  it.each(['change', 'serve'] as const)('has the line of a user for %s', (need) => {
    expect(page).toContain(`\nACL SETUSER ringproxy on >PASSWORD ${aclRules(need)}\n`);
  });
});
