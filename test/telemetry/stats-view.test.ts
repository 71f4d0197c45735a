/** What INFO says of the fleet. */
import { expect, it } from 'vitest';
import { fleetLines } from '../../src/telemetry/stats-view.js';
import { coordinationView, proxyView } from '../cli/fake-admin.js';
import { startRedises } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';

const load = {
  ...{ at: '2026-01-01T00:00:00.000Z', clients: 12, commandsPerSecond: 1234.4, errorsPerSecond: 0 },
  ...{ hitsPerSecond: 1, missesPerSecond: 0, p99: 0.001, cores: 0.2, residentMemory: 1 },
};

it('INFO has the members as a master has its replicas, and who coordinates', () => {
  const proxies = [
    proxyView({ id: 'a', admin: 'http://h:1', coordinator: false, jobs: ['mover/n1'], load }),
    proxyView({ id: 'b', admin: 'http://h:2', generation: 2, phase: 'moving' }),
    proxyView({ id: 'c', admin: 'http://h:3', alive: false, fencedOff: true, coordinator: false }),
  ];
  const coordination = coordinationView({ kind: 'etcd', proxy: 'a', reachable: false, leaseSeconds: 3.7 });
  expect(fleetLines(proxies, coordination)).toEqual([
    'ringproxy_members:3',
    'ringproxy_members_alive:2',
    'ringproxy_coordinator:b',
    'ringproxy_is_coordinator:0',
    'ringproxy_jobs:mover/n1',
    'ringproxy_consistency:strict',
    'ringproxy_etcd_status:down',
    'ringproxy_lease_seconds:3',
    'ringproxy_member0:id=a,state=alive,admin=http://h:1,generation=1,phase=stable,coordinator=0,clients=12,ops_per_sec=1234',
    'ringproxy_member1:id=b,state=alive,admin=http://h:2,generation=2,phase=moving,coordinator=1,clients=,ops_per_sec=',
    'ringproxy_member2:id=c,state=fenced,admin=http://h:3,generation=1,phase=stable,coordinator=0,clients=,ops_per_sec=',
  ]);
});

it('INFO of a proxy that is alone says nothing of a fleet', async () => {
  const proxy = await startRingproxy({ nodes: await startRedises(1) });
  const info = await proxy.client().info('ringproxy');
  expect(info).toMatch(/^ringproxy_id:[0-9a-f]{12}\r$/m);
  expect(info).not.toMatch(/member|coordinator|etcd/);
});
