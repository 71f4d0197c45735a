import type { OwnNodeView } from '../../admin/api.js';
import type { MetricSource, Sample } from '../metrics.js';
import type { MetricReads } from './reads.js';
import { add, counter, gauge, joinedByNode, one } from './samples.js';

const PHASES = ['stable', 'preparing', 'moving'] as const;

/** The ring, its nodes' keys, and what a change of it does. */
export function ringSources({ stats, ring, movedKeys, bytesMoved, strays, ejections }: MetricReads): MetricSource[] {
  const nodes = (read: (node: OwnNodeView) => number | null): Sample[] =>
    joinedByNode(
      ring().nodes.flatMap((node) => {
        const value = read(node);
        return value === null ? [] : [[node.name, value]];
      }),
      add,
    );
  return [
    gauge('ringproxy_ring_generation', 'Generation of the ring.', () => one(ring().generation)),
    gauge('ringproxy_ring_share', 'Part of the hash space that a node owns.', () => nodes((node) => node.share)),
    gauge('ringproxy_node_keys', 'Keys on a node in all databases, as of the last probe.', () =>
      nodes((node) => (node.ejection === null ? node.keys : null)),
    ),
    gauge('ringproxy_node_memory_bytes', 'Memory that a node uses, as of the last probe.', () =>
      nodes((node) => node.usedMemory),
    ),
    gauge('ringproxy_node_ejected', '1 while a node is ejected: taken out of the ring, since it did not answer.', () =>
      nodes((node) => (node.ejection === null ? 0 : 1)),
    ),
    counter(
      'ringproxy_node_ejections_total',
      'How often a node was ejected, as each proxy of the ring has seen it since its start.',
      () =>
        [...new Set(ring().nodes.map(({ name }) => name))].map((node) => ({
          labels: { node },
          value: ejections().get(node) ?? 0,
        })),
    ),
    gauge(
      'ringproxy_stray_keys',
      'Keys on a node that it does not own, as of the last look at all of them (ring check).',
      () =>
        strays().flatMap(({ node, checkedAt, strays: found }) =>
          checkedAt === null ? [] : [{ labels: { node }, value: found }],
        ),
    ),
    gauge('ringproxy_ring_phase', '1 for the phase that the ring is in.', () =>
      PHASES.map((phase) => ({ labels: { phase }, value: ring().phase === phase ? 1 : 0 })),
    ),
    gauge('ringproxy_held_commands', 'Clients whose next command waits for the ring.', () => one(stats().heldClients)),
    counter('ringproxy_rebalance_keys_moved_total', 'Keys that were moved, by source and target.', () =>
      [...movedKeys()].map(({ source, target, keys }) => ({ labels: { source, target }, value: keys })),
    ),
    counter('ringproxy_rebalance_bytes_moved_total', 'Bytes that were moved, estimated.', () => one(bytesMoved())),
    gauge('ringproxy_rebalance_progress_ratio', 'How far the running change is, 0 to 1; 1 when there is none.', () =>
      one((ring().change?.percent ?? 100) / 100),
    ),
    gauge('ringproxy_rebalance_paused', '1 while the running change is paused.', () =>
      one(ring().change?.paused === true ? 1 : 0),
    ),
    gauge('ringproxy_rebalance_failing', '1 while the running change cannot go on; ring status says why.', () =>
      one((ring().change?.error ?? null) === null ? 0 : 1),
    ),
  ];
}
