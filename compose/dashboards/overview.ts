import { type Dashboard, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board } from './board.js';
import { toBoard } from './links.js';
import { figure, series } from './panels.js';
import { ERROR_RATIO, HIT_RATIO, NOT_BLOCKING, PROXY, quantile, rate } from './queries.js';

const COMMANDS = 'ringproxy_commands_total';
const DURATION = 'ringproxy_command_duration_seconds';
const GROUP_READS = 'ringproxy_key_group_cache_requests_total';
const NODES = toBoard('ringproxy-nodes', 'Nodes and ring');
const SERVED = `${PROXY},${NOT_BLOCKING}`;

/** Is the cache well? Throughput, latency, reliability, hits, queues. */
export function overview(): Dashboard {
  return board(
    'ringproxy-overview',
    'ringproxy / Overview',
    'Is the cache well? Start here; the links at the top lead on.',
    false,
  )
    .withRow(new RowBuilder('Now'))
    .withPanel(
      figure({
        title: 'Commands',
        shows: 'Commands answered a second.',
        bad: 'a sudden drop with clients still connected means that they wait: see the latency and the nodes. A drop of both is a matter of the clients or of the network before the proxy.',
        unit: 'ops',
        width: 4,
        decimals: 0,
        queries: [{ expr: rate(COMMANDS, PROXY), legend: 'commands' }],
      }),
    )
    .withPanel(
      figure({
        title: 'p99 latency',
        shows: 'Of a hundred commands, 99 are answered within this time, from the whole command to the whole reply.',
        bad: 'see which command it is (below), then which node (Nodes and ring). All nodes at once: look at the event loop of the proxies.',
        unit: 's',
        width: 4,
        warn: 0.01,
        badFrom: 0.05,
        queries: [{ expr: quantile(0.99, DURATION, SERVED), legend: 'p99' }],
        link: NODES,
      }),
    )
    .withPanel(
      figure({
        title: 'Errors',
        shows: 'Part of the commands that were answered with an error.',
        bad: 'see which errors they are (Reliability). NODEDOWN: a node is gone. TRYAGAIN: a ring change stands still. WRONGTYPE and ERR: the application.',
        unit: 'percentunit',
        width: 4,
        warn: 0.001,
        badFrom: 0.01,
        queries: [{ expr: ERROR_RATIO, legend: 'errors' }],
      }),
    )
    .withPanel(
      figure({
        title: 'Hit ratio',
        shows: 'Part of the reads that found their key.',
        bad: 'after a node was lost or emptied it recovers by itself as the cache fills. Otherwise look for keys that expire or are evicted too early (memory of the nodes). A ring change by itself costs no hits.',
        unit: 'percentunit',
        width: 4,
        warn: 0.8,
        badFrom: 0.5,
        lowIsBad: true,
        queries: [{ expr: HIT_RATIO, legend: 'hits' }],
      }),
    )
    .withPanel(
      figure({
        title: 'Nodes down',
        shows: 'Redis nodes that at least one proxy cannot reach.',
        bad: 'see which one (Nodes and ring). Its keys are answered with -NODEDOWN until it is back; if it will not come back, `ringproxy ring remove NAME --no-drain`.',
        unit: 'none',
        width: 4,
        badFrom: 1,
        queries: [
          { expr: `count(min by (node) (ringproxy_node_up{${PROXY}}) == 0) or vector(0)`, legend: 'nodes down' },
        ],
        link: NODES,
      }),
    )
    .withPanel(
      figure({
        title: 'Ring',
        shows: 'Whether the ring is stable or keys are on the move.',
        bad: 'moving is no fault. If it takes longer than expected, see Rebalancing.',
        unit: 'none',
        width: 4,
        names: { 0: ['stable', 'green'], 1: ['moving', 'purple'] },
        queries: [{ expr: `max(ringproxy_ring_phase{${PROXY},phase!="stable"})`, legend: 'phase' }],
        link: toBoard('ringproxy-rebalancing', 'Rebalancing'),
      }),
    )
    .withRow(new RowBuilder('Throughput'))
    .withPanel(
      series({
        title: 'Commands by name',
        shows: 'Commands a second, the ten most frequent.',
        bad: 'a command that is new here, such as KEYS or FLUSHALL, asks all nodes at once and slows everybody down: find out who sends it.',
        unit: 'ops',
        width: 12,
        stacked: true,
        queries: [{ expr: `topk(10, ${rate(COMMANDS, PROXY, 'command')})`, legend: '{{command}}' }],
      }),
    )
    .withPanel(
      series({
        title: 'Bytes',
        shows: 'Bytes a second from clients (in) and to clients (out).',
        bad: 'near the speed of the network everything waits: fewer bytes (smaller values, compression) or more proxies.',
        unit: 'Bps',
        width: 6,
        queries: [{ expr: rate('ringproxy_client_bytes_total', PROXY, 'direction'), legend: '{{direction}}' }],
      }),
    )
    .withPanel(
      series({
        title: 'Clients',
        shows: 'Clients that are connected, and how many come each second.',
        bad: 'many new ones a second: an application connects for each request instead of keeping its connection. A steady rise: connections are never closed; see `idle-timeout`.',
        unit: 'none',
        width: 6,
        queries: [
          { expr: `sum(ringproxy_client_connections{${PROXY}})`, legend: 'connected' },
          { expr: rate('ringproxy_client_connections_total', PROXY), legend: 'new a second' },
        ],
      }),
    )
    .withRow(new RowBuilder('Latency'))
    .withPanel(
      series({
        title: 'Latency of all commands',
        shows: 'Quantiles of the time from a whole command to its whole reply, blocking commands left out.',
        bad: 'all quantiles rise: nodes or proxies are at their limit. Only p99.9: single slow commands, or large values.',
        unit: 's',
        width: 12,
        queries: [0.5, 0.9, 0.99, 0.999].map((q) => ({
          expr: quantile(q, DURATION, SERVED),
          legend: `p${q * 100}`,
        })),
      }),
    )
    .withPanel(
      series({
        title: 'p99 by command',
        shows: 'The ten commands with the highest 99th percentile, blocking commands left out.',
        bad: 'commands over many keys or large values are slow by nature: split them. If a plain GET is slow, it waits for its node: see Nodes and ring.',
        unit: 's',
        width: 12,
        warn: 0.01,
        badFrom: 0.05,
        queries: [{ expr: `topk(10, ${quantile(0.99, DURATION, SERVED, 'command')} >= 0)`, legend: '{{command}}' }],
      }),
    )
    .withRow(new RowBuilder('Reliability'))
    .withPanel(
      series({
        title: 'Errors by kind',
        shows: 'Error replies to clients a second, by the word that they begin with.',
        bad: 'NODEDOWN: a node is down. TRYAGAIN: a key did not arrive in time. OOM: a node is full. NOAUTH, WRONGPASS: a client has the wrong password. CROSSSLOT: use a hash tag. WRONGTYPE, ERR: the application.',
        unit: 'ops',
        width: 12,
        queries: [{ expr: `${rate('ringproxy_errors_total', PROXY, 'kind')} > 0`, legend: '{{kind}}' }],
      }),
    )
    .withPanel(
      series({
        title: 'Timeouts, lost connections, clients turned away',
        shows:
          'How often a second a node did not answer in time, a connection to a node was lost, a client was one too many.',
        bad: 'timeouts: the node is overloaded or stalled (slow commands, swapping, saving). Lost connections: it restarts, or the network drops them. Clients turned away: raise `max-clients`, or find out who opens so many.',
        unit: 'ops',
        width: 12,
        queries: [
          { expr: rate('ringproxy_node_timeouts_total', PROXY), legend: 'timeouts' },
          { expr: rate('ringproxy_node_reconnects_total', PROXY), legend: 'lost connections' },
          { expr: rate('ringproxy_client_rejected_total', PROXY), legend: 'clients turned away' },
        ],
      }),
    )
    .withRow(new RowBuilder('Cache and queues'))
    .withPanel(
      series({
        title: 'Hits and misses',
        shows: 'Reads a second that found their key, and that did not.',
        bad: 'misses that rise while the reads stay: keys are gone. See keys and memory of the nodes.',
        unit: 'ops',
        width: 12,
        stacked: true,
        queries: [{ expr: rate('ringproxy_cache_requests_total', PROXY, 'result'), legend: '{{result}}' }],
      }),
    )
    .withPanel(
      series({
        title: 'Queues',
        shows:
          'Commands that clients wait for; of these, those that are at a node; clients that are held because the ring changes.',
        bad: 'waiting at nodes: a node is slow. Held for more than two seconds: see Rebalancing.',
        unit: 'none',
        width: 12,
        queries: [
          { expr: `sum(ringproxy_client_pending_commands{${PROXY}})`, legend: 'waiting' },
          { expr: `sum(ringproxy_node_inflight{${PROXY}})`, legend: 'at nodes' },
          { expr: `sum(ringproxy_held_commands{${PROXY}})`, legend: 'held clients' },
        ],
      }),
    )
    .withRow(new RowBuilder('Uses of the cache (key-groups)'))
    .withPanel(
      series({
        title: 'Commands by use',
        shows: 'Commands a second on the keys of each group that `key-groups` names, and on all others.',
        bad: 'one use grows and the others do not: it is an application of its own that changed. Nothing here: `key-groups` is not set. Much in other: give it groups of its own.',
        unit: 'ops',
        width: 8,
        stacked: true,
        queries: [{ expr: rate('ringproxy_key_group_commands_total', PROXY, 'group'), legend: '{{group}}' }],
      }),
    )
    .withPanel(
      series({
        title: 'Hit ratio by use',
        shows: 'Part of the reads that found their key, for each group of keys that is read.',
        bad: 'one use alone: its keys expire too early, or the application asks for what it never stores. All of them: a node was lost, or memory is full.',
        unit: 'percentunit',
        width: 8,
        max: 1,
        warn: 0.8,
        badFrom: 0.5,
        lowIsBad: true,
        queries: [
          {
            expr:
              `${rate(GROUP_READS, `${PROXY},result="hit"`, 'group')} / ` +
              `(${rate(GROUP_READS, PROXY, 'group')} > 0)`,
            legend: '{{group}}',
          },
        ],
      }),
    )
    .withPanel(
      series({
        title: 'p99 by use',
        shows:
          'Of a hundred commands of a use, 99 are answered within this time; commands that block are counted, too.',
        bad: 'one use alone: large values, or commands over many keys. All of them: see the latency of all commands.',
        unit: 's',
        width: 8,
        warn: 0.01,
        badFrom: 0.05,
        queries: [
          {
            expr: `${quantile(0.99, 'ringproxy_key_group_duration_seconds', PROXY, 'group')} >= 0`,
            legend: '{{group}}',
          },
        ],
      }),
    )
    .withRow(new RowBuilder('How they are cached (policies of key-groups)'))
    .withPanel(
      series({
        title: 'Served near',
        shows: 'Part of the reads of a group with `cache: near` that the proxy has answered by itself.',
        bad: 'few: keys are read less often than they change, or than `near-ttl`; or `near-memory` is too small for what is hot.',
        unit: 'percentunit',
        width: 8,
        max: 1,
        queries: [
          {
            expr:
              `${rate('ringproxy_near_requests_total', `${PROXY},result="hit"`, 'group')} / ` +
              `(${rate('ringproxy_near_requests_total', PROXY, 'group')} > 0)`,
            legend: '{{group}}',
          },
        ],
      }),
    )
    .withPanel(
      series({
        title: 'Kept in the proxies',
        shows:
          'Bytes of replies that are kept near, and of the values of replicated groups, of which each process has all.',
        bad: 'near at its bound (`near-memory`, for each worker) with few reads served: raise it. Replicated near `replicated-memory`: writes are refused with -OOM when it is reached.',
        unit: 'bytes',
        width: 8,
        queries: [
          { expr: `sum(ringproxy_near_bytes{${PROXY}})`, legend: 'near' },
          { expr: `max(ringproxy_replicated_bytes{${PROXY}})`, legend: 'replicated, in each process' },
        ],
      }),
    )
    .withPanel(
      series({
        title: 'Misses that wait',
        shows:
          'Misses a second in groups with `fill-wait`, by what became of them: those that got the value from the client that fills the key (filled) have asked no database.',
        bad: 'timeout: whoever fills takes longer than `fill-wait`, or does not fill at all. Full: more wait for one key than may.',
        unit: 'ops',
        width: 8,
        stacked: true,
        queries: [{ expr: rate('ringproxy_fill_waits_total', PROXY, 'outcome'), legend: '{{outcome}}' }],
      }),
    )
    .withRow(new RowBuilder('Hot keys'))
    .withPanel(
      series({
        title: 'Share of the hottest keys',
        shows:
          'Part of all uses of keys that the hottest key has, and the 20 hottest; at the proxy where it is largest.',
        bad: 'the hottest key above some percent: its node carries it alone. `ringproxy hot` names it; keep it near (`near-auto: on`, or `cache: near` for its group).',
        unit: 'percentunit',
        width: 8,
        max: 1,
        queries: [{ expr: `max by (top) (ringproxy_hot_keys_share{${PROXY}})`, legend: 'the {{top}} hottest' }],
      }),
    )
    .withPanel(
      series({
        title: 'Kept near since they are hot',
        shows: 'Keys that `near-auto` keeps near, at the proxy that has the most of them.',
        bad: 'up and down all the time: what is hot changes faster than it pays to keep it.',
        unit: 'none',
        width: 8,
        queries: [{ expr: `max(ringproxy_hot_keys_near{${PROXY}})`, legend: 'keys' }],
      }),
    )
    .withPanel(
      series({
        title: 'Ends of what is kept near',
        shows: 'Keys a second that nodes have said to have changed, where replies are kept near.',
        bad: 'about as many as reads of these groups: they are written too often to be kept near.',
        unit: 'ops',
        width: 8,
        queries: [{ expr: rate('ringproxy_near_invalidations_total', PROXY), legend: 'keys' }],
      }),
    )
    .build();
}
