import type { NodeFiguresView, NodeMasterView, OwnNodeView } from '../../admin/api.js';
import type { MetricSource, Sample } from '../metrics.js';
import type { MetricReads } from './reads.js';
import { counter, gauge } from './samples.js';

/**
 * What the nodes' servers say of themselves (INFO), as of the last probe of each. A server that does not answer, may
 * not be asked, or leaves a figure out, has no sample: zero would be a figure. While a node is replaced, two servers
 * have its name; the newer one counts.
 */
export function nodeServerSources({ ring }: MetricReads): MetricSource[] {
  const newest = (): OwnNodeView[] => [...new Map(ring().nodes.map((node) => [node.name, node])).values()];
  const of = (read: (figures: NodeFiguresView) => number | boolean | null): (() => Sample[]) => {
    return () =>
      newest().flatMap(({ name: node, figures }) => {
        const value = figures === null ? null : read(figures);
        return value === null ? [] : [{ labels: { node }, value: Number(value) }];
      });
  };
  /** Of nodes that are several servers, of which one is master. */
  const ofFollowed = (read: (master: NodeMasterView) => number): Sample[] =>
    newest().flatMap(({ name: node, master }) => (master === null ? [] : [{ labels: { node }, value: read(master) }]));
  return [
    gauge(
      'ringproxy_node_max_memory_bytes',
      'The most memory that a node may use for keys (maxmemory); 0: no limit.',
      of(({ maxMemory }) => maxMemory),
    ),
    gauge(
      'ringproxy_node_resident_memory_bytes',
      'Memory that the operating system has given a node.',
      of(({ residentMemory }) => residentMemory),
    ),
    gauge(
      'ringproxy_node_fragmentation_ratio',
      'Memory that the operating system has given a node, divided by what it uses.',
      of(({ fragmentation }) => fragmentation),
    ),
    counter(
      'ringproxy_node_evicted_keys_total',
      'Keys that a node gave up for want of memory.',
      of(({ evictedKeys }) => evictedKeys),
    ),
    counter(
      'ringproxy_node_expired_keys_total',
      'Keys of a node whose time was over.',
      of(({ expiredKeys }) => expiredKeys),
    ),
    gauge(
      'ringproxy_node_connected_clients',
      'Connections to a node, of proxies and everybody else.',
      of(({ connectedClients }) => connectedClients),
    ),
    gauge(
      'ringproxy_node_blocked_clients',
      'Connections to a node that wait for something (BLPOP and the like).',
      of(({ blockedClients }) => blockedClients),
    ),
    gauge(
      'ringproxy_node_max_clients',
      'The most connections that a node takes (maxclients).',
      of(({ maxClients }) => maxClients),
    ),
    gauge(
      'ringproxy_node_replica',
      '1 when a node is a replica, which refuses writes; 0 when it is a master.',
      of(({ role }) => (role === null ? null : role !== 'master')),
    ),
    counter('ringproxy_node_failovers_total', 'Failovers of a node that this proxy has followed.', () =>
      ofFollowed(({ failovers }) => failovers),
    ),
    counter(
      'ringproxy_node_failover_lost_bytes_total',
      'Bytes of the replication stream that new masters of a node never heard of, as far as it could be told.',
      () => ofFollowed(({ lostBytes }) => lostBytes),
    ),
    counter(
      'ringproxy_node_failovers_unrelated_total',
      'Failovers to a server that had not followed the former master of a node: what it had may be of the past.',
      () => ofFollowed(({ unrelated }) => unrelated),
    ),
    counter(
      'ringproxy_node_masters_emptied_total',
      'Masters of a node that were emptied before they served, since what they had may be of the past.',
      () => ofFollowed(({ emptied }) => emptied),
    ),
    gauge('ringproxy_node_master_known', '1 when it is known where the master of a node is, otherwise 0.', () =>
      ofFollowed(({ address }) => (address === null ? 0 : 1)),
    ),
    gauge(
      'ringproxy_node_loading',
      '1 while a node reads its keys from disk, otherwise 0.',
      of(({ loading }) => loading),
    ),
    gauge(
      'ringproxy_node_uptime_seconds',
      'Time since the server of a node was started.',
      of(({ uptimeSeconds }) => uptimeSeconds),
    ),
  ];
}
