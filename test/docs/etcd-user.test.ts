/** The rights at etcd that the documentation gives a ring's proxies are enough, and no more than these. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { firstState } from '../../src/topology/state/ring-state.js';
import { COORDINATOR, moverJob } from '../../src/topology/store/ring-store.js';
import { hasEtcd, startEtcd } from '../support/etcd-process.js';
import { requireProgram } from '../support/programs.js';
import { ROOT } from '../support/root.js';
import { storeAt } from '../topology/store/etcd-place.js';

const INFO = { admin: '', version: '1.0.0', workers: 1, startedAt: '2026-01-01T00:00:00.000Z', format: 1 };
const OPTIONS = { hash: 'murmur3', distribution: 'ketama', hashTag: '', vnodes: 160, weighting: 'own' } as const;

it.skipIf(!hasEtcd)('a user as the page on fleets makes one can do all that a proxy does', async () => {
  const { endpoints } = await startEtcd();
  const etcdctl = (line: string): string => {
    const [program = '', ...args] = line.split(/\s+/);
    expect(program).toBe('etcdctl');
    const env = { PATH: process.env.PATH, ETCDCTL_API: '3' };
    return execFileSync(requireProgram('etcdctl'), ['--endpoints', endpoints.join(), ...args], {
      env,
      stdio: 'pipe',
    }).toString();
  };
  const page = readFileSync(join(ROOT, 'src/docs/fleet.md'), 'utf8');
  const lines = (/^```sh\n(etcdctl role add[\s\S]*?)^```$/m.exec(page)?.[1] ?? '').trim().split('\n');
  expect(lines).toHaveLength(5);
  // What the last line needs.
  for (const line of ['etcdctl user add root:root', 'etcdctl user grant-role root root']) etcdctl(line);
  for (const line of lines)
    etcdctl(
      line
        .replace(/#.*/, '')
        .trim()
        .replace(/^etcdctl user add (\S+)$/, 'etcdctl user add $1:secret'),
    );

  const login = { user: 'ringproxy', password: 'secret' };
  const store = storeAt(endpoints, { login, prefix: '/ringproxy/', ringName: 'default' });
  await store.open();
  const claim = await store.claim(COORDINATOR, 'p1', 'quick');
  if (claim === null) throw new Error('nobody decides');
  const state = firstState([{ name: 'a', address: '127.0.0.1:1', weight: 1 }], OPTIONS);
  const revision = await store.compareAndSave(null, state, claim);
  expect(revision).not.toBeNull();
  expect(await store.register('p1', INFO, revision ?? 0)).not.toBeNull();
  const mover = await store.claim(moverJob('a'), 'p1', 'slow');
  expect(mover).not.toBeNull();
  expect(await store.isKnownMember('p1')).toBe(true);
  expect((await store.members()).map(({ id, alive }) => ({ id, alive }))).toEqual([{ id: 'p1', alive: true }]);
  await store.deregister(['p1']);
  await store.close();

  const elsewhere = storeAt(endpoints, { login, prefix: '/other/', ringName: 'default' });
  await expect(elsewhere.open()).rejects.toMatchObject({ code: 'ETCD_PERMISSION' });
});
