/** Who has done what, as operators are told, of a real proxy and a real fleet. */
import { writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { clip } from '../../cli/format.js';
import type { AuditView, HistoryEntry } from '../../src/admin/api.js';
import { startFleet } from '../support/fleet.js';
import { startRedises } from '../support/redis-process.js';
import { headersFor, settled } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';
import { ringproxy } from './run.js';

const SELF = `${userInfo().username}@${hostname()}`;
const QUOTED = clip(JSON.stringify(SELF), 40);

it('a proxy that is killed still knows who has changed what', async () => {
  const folder = tempFolder('audit');
  const [admins, operators, state] = ['admins', 'operators', 'state'].map((name) => join(folder, name));
  writeFileSync(admins ?? '', 'ann: secret-of-ann\n');
  writeFileSync(operators ?? '', 'olga: secret-of-olga\nsecret-of-another\n');
  const config = `admin-token-file: ${admins}\nadmin-operator-token-file: ${operators}\nstate-dir: ${state}\n`;
  const nodes = await startRedises(2);
  const proxy = await startRingproxy({ nodes, config });
  const as = (token: string, ...args: string[]) => ringproxy([...args, '--admin', proxy.admin, '--token', token]);
  expect(await as('secret-of-olga', 'ring', 'set-weight', 'node1', '2')).toMatchObject({ code: 0 });
  const lost = await as('secret-of-another', 'ring', 'remove', 'node2', '--no-drain');
  expect(lost).toMatchObject({
    code: 1,
    err: expect.stringContaining('with noDrain takes the role admin (admin-token)'),
  });
  const history = await as('secret-of-olga', 'ring', 'history');
  expect(history.out).toMatch(new RegExp(`node1.*olga, ${SELF}`));
  expect(await as('secret-of-olga', 'audit')).toMatchObject({ code: 1 });
  proxy.kill('SIGKILL');
  await proxy.child.exited;

  const again = await startRingproxy({ nodes, config, allowLog: [/the ring that exists wins/] });
  const { code, out } = await ringproxy(['audit', '--admin', again.admin, '--token', 'secret-of-ann']);
  expect(code).toBe(0);
  const lines = out.split('\n').map((line) => line.trim().split(/\s{2,}/));
  expect(lines.slice(1, 4).map(([, ...rest]) => rest.slice(0, 5))).toEqual([
    ['olga', 'operator', '127.0.0.1', QUOTED, 'POST /v1/ring/changes'],
    ['admin-operator-token-file:2', 'operator', '127.0.0.1', QUOTED, 'POST /v1/ring/changes'],
    ['olga', 'operator', '127.0.0.1', QUOTED, expect.stringMatching(/^GET \/v1\/audit/)],
  ]);
  expect(lines.map((line) => line.at(-2))).toEqual(
    expect.arrayContaining(['done', 'refused (FORBIDDEN)', 'refused (FORBIDDEN)']),
  );
  expect(out + history.out).not.toContain('secret-of');
});

it('a fleet knows who has asked which proxy, whichever carries it out', async () => {
  const fleet = await startFleet({ nodes: 2, proxies: 2 });
  const [first, second] = fleet.proxies;
  if (first === undefined || second === undefined) throw new Error('two proxies');
  for (const [index, proxy] of [first, second].entries()) {
    const moved = await ringproxy(['ring', 'set-weight', 'node1', String(index + 2), '--admin', proxy.admin]);
    expect(moved).toMatchObject({ code: 0 });
    await settled(proxy);
  }
  const ids = [await first.id(), await second.id()];
  for (const proxy of [first, second]) {
    const history = (await (
      await fetch(`${proxy.admin}/v1/ring/history`, { headers: headersFor(proxy) })
    ).json()) as HistoryEntry[];
    expect(history.slice(1).map(({ by, who }) => [by, who])).toEqual(ids.map((id) => [id, SELF]));
    const audit = await ringproxy(['audit', '--json', '--admin', proxy.admin]);
    const { entries, missing } = JSON.parse(audit.out) as AuditView;
    expect(entries.map(({ proxy: called, client, outcome }) => [called, client, outcome])).toEqual(
      ids.map((id) => [id, SELF, 'done']),
    );
    expect(missing).toEqual([]);
  }
});
