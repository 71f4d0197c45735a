import { type Dashboard, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board } from './board.js';
import { TO_NODE } from './links.js';
import { bars, type Query, series, states } from './panels.js';
import { LOAD_SHARE, NODE, quantile, RING_SHARE, rate } from './queries.js';

const perNode = (expr: string): Query[] => [{ expr, legend: '{{node}}' }];

/** Which node is it? Shares against load, queues, latency, health, contents. */
export function nodes(): Dashboard {
  return board(
    'ringproxy-nodes',
    'ringproxy / Nodes and ring',
    'Which node is it? Shares of the ring against measured load, queues, latency, health and contents of each node.',
    true,
  )
    .withRow(new RowBuilder('Ring and load'))
    .withPanel(
      bars({
        title: 'Share of the ring',
        shows: 'Part of the hash space that each node owns.',
        bad: 'equal nodes differ by a few percent with the default `vnodes`. Larger differences are weights (`ringproxy ring set-weight`) or few points (`vnodes: 160`).',
        unit: 'percentunit',
        width: 8,
        decimals: 1,
        max: 1,
        queries: perNode(RING_SHARE),
      }),
    )
    .withPanel(
      bars({
        title: 'Share of the load',
        shows: 'Part of all commands to nodes that each node gets.',
        bad: 'compare it with the share of the ring: what lies above it is traffic on few keys.',
        unit: 'percentunit',
        width: 8,
        decimals: 1,
        max: 1,
        queries: perNode(LOAD_SHARE),
      }),
    )
    .withPanel(
      bars({
        title: 'Hot nodes',
        shows: 'Share of the load divided by the share of the ring: 1 is what the node ought to get.',
        bad: 'above 1.5 a node has one or more hot keys (`ringproxy hot` names them). Keep those near (`near-auto: on`, or `cache: near`), or spread them over several keys; another node would not help.',
        unit: 'none',
        width: 8,
        decimals: 2,
        warn: 1.25,
        badFrom: 1.5,
        max: 3,
        queries: perNode(`(${LOAD_SHARE}) / on (node) (${RING_SHARE} > 0)`),
        link: TO_NODE,
      }),
    )
    .withRow(new RowBuilder('Work'))
    .withPanel(
      series({
        title: 'Commands',
        shows: 'Commands a second that each node answers.',
        bad: 'one node far above the others: see Hot nodes. One at zero: see Health.',
        unit: 'ops',
        width: 12,
        queries: perNode(rate('ringproxy_node_commands_total', NODE, 'node')),
        link: TO_NODE,
      }),
    )
    .withPanel(
      series({
        title: 'p99 latency',
        shows: 'Of a hundred commands to a node, 99 are answered within this time, as the proxies see it.',
        bad: 'one node: slow commands there (SLOWLOG GET on it), saving, swapping, a noisy neighbour. All nodes: the proxies themselves are busy (Proxies).',
        unit: 's',
        width: 12,
        warn: 0.01,
        badFrom: 0.05,
        queries: perNode(`${quantile(0.99, 'ringproxy_node_duration_seconds', NODE, 'node')} >= 0`),
        link: TO_NODE,
      }),
    )
    .withPanel(
      series({
        title: 'Queue length',
        shows: 'Commands that are sent to a node and not answered yet.',
        bad: 'it grows when a node is slower than what comes. At `node-max-inflight` the proxy stops reading from clients.',
        unit: 'none',
        width: 12,
        queries: perNode(`sum by (node) (ringproxy_node_inflight{${NODE}})`),
        link: TO_NODE,
      }),
    )
    .withPanel(
      series({
        title: 'Bytes',
        shows: 'Bytes a second to (out) and from (in) each node.',
        bad: 'a node with many bytes and few commands holds large values; moving them takes longer, too.',
        unit: 'Bps',
        width: 12,
        queries: [
          { expr: rate('ringproxy_node_bytes_total', NODE, 'node, direction'), legend: '{{node}} {{direction}}' },
        ],
      }),
    )
    .withRow(new RowBuilder('Health'))
    .withPanel(
      states({
        title: 'Up',
        shows: 'Whether every proxy reaches the node.',
        bad: 'the log of the proxy and `ringproxy ring show` say why it is down. The proxy tries again every second at the latest. Gone for good: `ringproxy ring remove NAME --no-drain`.',
        unit: 'none',
        width: 12,
        names: { 0: ['down', 'red'], 1: ['up', 'green'] },
        queries: perNode(`min by (node) (ringproxy_node_up{${NODE}})`),
      }),
    )
    .withPanel(
      series({
        title: 'Errors',
        shows: 'Commands a second that each node answered with an error, or did not answer at all.',
        bad: 'at one node: it is full (OOM), read-only or loading. At all alike: the application sends them.',
        unit: 'ops',
        width: 12,
        queries: perNode(rate('ringproxy_node_commands_total', `${NODE},outcome="error"`, 'node')),
      }),
    )
    .withPanel(
      series({
        title: 'Timeouts and lost connections',
        shows: 'How often a second a node did not answer within `request-timeout`, and a connection to it was lost.',
        bad: 'see the log of the node at that time. Its commands in flight were answered with -NODEDOWN, outcome unknown.',
        unit: 'ops',
        width: 12,
        queries: [
          { expr: rate('ringproxy_node_timeouts_total', NODE, 'node'), legend: '{{node}} timeouts' },
          { expr: rate('ringproxy_node_reconnects_total', NODE, 'node'), legend: '{{node}} lost' },
        ],
      }),
    )
    .withPanel(
      series({
        title: 'Connections',
        shows: 'Connections of the proxies to each node.',
        bad: 'they grow with databases and protocols in use, and with clients that read large values. Near `maxclients` of the node: lower `node-private-connections`.',
        unit: 'none',
        width: 12,
        queries: perNode(`sum by (node) (ringproxy_node_connections{${NODE}})`),
      }),
    )
    .withRow(new RowBuilder('Contents'))
    .withPanel(
      series({
        title: 'Keys',
        shows: 'Keys on each node, as of the last probe.',
        bad: 'a sudden fall to zero: the node was restarted or flushed. A fall on one and a rise on another: a ring change.',
        unit: 'short',
        width: 12,
        queries: perNode(`max by (node) (ringproxy_node_keys{${NODE}})`),
      }),
    )
    .withPanel(
      series({
        title: 'Memory',
        shows: 'Memory that each node uses, as of the last probe.',
        bad: 'near `maxmemory` of the node it evicts keys or answers OOM: add a node (`ringproxy ring add`).',
        unit: 'bytes',
        width: 12,
        queries: perNode(`max by (node) (ringproxy_node_memory_bytes{${NODE}})`),
      }),
    )
    .withRow(new RowBuilder('Servers'))
    .withPanel(
      series({
        title: 'Memory of its limit',
        shows: 'Part of `maxmemory` that each node uses; nodes without a limit have no line.',
        bad: 'at 1 the node evicts keys, or answers OOM where its `maxmemory-policy` is noeviction: add a node (`ringproxy ring add`).',
        unit: 'percentunit',
        width: 8,
        warn: 0.9,
        badFrom: 1,
        queries: perNode(
          `max by (node) (ringproxy_node_memory_bytes{${NODE}}) / (max by (node) (ringproxy_node_max_memory_bytes{${NODE}}) > 0)`,
        ),
      }),
    )
    .withPanel(
      series({
        title: 'Keys evicted and expired',
        shows: 'Keys a second that each node gave up for want of memory, and those whose time was over.',
        bad: 'evictions with a falling hit ratio: the cache is too small. Without: it is full, as a cache may be.',
        unit: 'ops',
        width: 8,
        queries: [
          { expr: serverRate('ringproxy_node_evicted_keys_total'), legend: '{{node}} evicted' },
          { expr: serverRate('ringproxy_node_expired_keys_total'), legend: '{{node}} expired' },
        ],
      }),
    )
    .withPanel(
      series({
        title: 'Connections of its limit',
        shows: 'Part of `maxclients` that is in use at each node, by proxies and everybody else.',
        bad: 'near 1 the node turns proxies away: raise `maxclients` there, or lower `node-private-connections`.',
        unit: 'percentunit',
        width: 8,
        warn: 0.8,
        badFrom: 0.9,
        queries: perNode(
          `max by (node) (ringproxy_node_connected_clients{${NODE}}) / (max by (node) (ringproxy_node_max_clients{${NODE}}) > 0)`,
        ),
      }),
    )
    .withPanel(
      series({
        title: 'Fragmentation',
        shows:
          'Memory that the operating system has given each node, divided by what it uses. Of small nodes it means nothing.',
        bad: 'far above 1.5 for long: `activedefrag yes`, or `ringproxy ring replace` by a fresh server.',
        unit: 'none',
        width: 8,
        decimals: 2,
        queries: perNode(`max by (node) (ringproxy_node_fragmentation_ratio{${NODE}})`),
      }),
    )
    .withPanel(
      series({
        title: 'Blocked clients',
        shows: 'Connections to each node that wait for something (BLPOP and the like).',
        bad: 'each takes a connection of the node: see `node-blocking-connections`.',
        unit: 'none',
        width: 8,
        queries: perNode(`max by (node) (ringproxy_node_blocked_clients{${NODE}})`),
      }),
    )
    .withPanel(
      series({
        title: 'Up for',
        shows: 'Time since the server of each node was started.',
        bad: 'a fall to zero: it was started anew, and is empty unless it keeps its keys on disk.',
        unit: 's',
        width: 8,
        queries: perNode(`max by (node) (ringproxy_node_uptime_seconds{${NODE}})`),
      }),
    )
    .build();
}

/** What servers count: each proxy tells the same of them. */
function serverRate(counter: string): string {
  return `max by (node) (rate(${counter}{${NODE}}[$__rate_interval]))`;
}
