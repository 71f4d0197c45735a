import type { NodeCounts } from '../../proxy/measure/plane-stats.js';
import type { MetricSource, Sample } from '../metrics.js';
import { durations } from './durations.js';
import type { MetricReads } from './reads.js';
import { add, counter, gauge, joinedByNode, outcomes } from './samples.js';

/**
 * What nodes did for clients. While a node is replaced, two servers have its name, and a series may have one sample
 * only. Counters are those of the newer one: a sum would fall when the older one leaves, and count again what the
 * newer one had counted.
 */
export function nodeSources({ stats }: MetricReads): MetricSource[] {
  const newest = (): NodeCounts[] => [...new Map(stats().nodes.map((node) => [node.node, node])).values()];
  const ofNewest = (read: (node: NodeCounts) => number): Sample[] =>
    newest().map((node) => ({ labels: { node: node.node }, value: read(node) }));
  const joined = (read: (node: NodeCounts) => number, join = add): Sample[] =>
    joinedByNode(
      stats().nodes.map((node) => [node.node, read(node)]),
      join,
    );
  return [
    counter('ringproxy_node_commands_total', 'Commands answered by each node.', () =>
      newest().flatMap((node) => outcomes({ node: node.node }, node.commands, node.errors)),
    ),
    durations('ringproxy_node_duration_seconds', 'Time until a node answered.', newest, ({ node }) => ({ node })),
    gauge('ringproxy_node_inflight', 'Commands that wait for a node (queue length).', () =>
      joined((node) => node.inflight),
    ),
    gauge('ringproxy_node_up', '1 when the node can be reached, otherwise 0.', () =>
      joined((node) => (node.up ? 1 : 0), Math.min),
    ),
    gauge('ringproxy_node_connections', 'Connections to a node.', () => joined((node) => node.connections)),
    counter('ringproxy_node_timeouts_total', 'Requests that a node did not answer in time.', () =>
      ofNewest((node) => node.timeouts),
    ),
    counter('ringproxy_node_reconnects_total', 'Connections to a node that were lost.', () =>
      ofNewest((node) => node.reconnects),
    ),
    counter('ringproxy_node_bytes_total', 'Bytes from (in) and to (out) nodes.', () =>
      newest().flatMap((node) => [
        { labels: { node: node.node, direction: 'in' }, value: node.bytesIn },
        { labels: { node: node.node, direction: 'out' }, value: node.bytesOut },
      ]),
    ),
  ];
}
