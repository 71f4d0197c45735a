import { type Dashboard, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board } from './board.js';
import { bars, figure, series, states } from './panels.js';
import { ERROR_RATIO, HIT_RATIO, NODE, NOT_BLOCKING, PROXY, quantile, RING_SHARE, rate } from './queries.js';

const KEYS_MOVED = 'ringproxy_rebalance_keys_moved_total';

/** How is the move going, and what do clients notice of it? */
export function rebalancing(): Dashboard {
  return board(
    'ringproxy-rebalancing',
    'ringproxy / Rebalancing',
    'How is the move going, and what do clients notice of it?',
    true,
  )
    .withRow(new RowBuilder('The change'))
    .withPanel(
      figure({
        title: 'Phase',
        shows: 'What the ring is doing.',
        bad: 'preparing for more than two seconds is given up by itself. moving ends when every source is swept.',
        unit: 'none',
        width: 4,
        names: { 0: ['stable', 'green'], 1: ['preparing', 'orange'], 2: ['moving', 'purple'] },
        queries: [
          {
            expr: `max(ringproxy_ring_phase{${PROXY},phase="preparing"} + on (instance) 2 * ringproxy_ring_phase{${PROXY},phase="moving"})`,
            legend: 'phase',
          },
        ],
      }),
    )
    .withPanel(
      figure({
        title: 'Progress',
        shows: 'How far the running change is; 100 % when there is none.',
        bad: 'it stands still while the phase is moving: see State beside it.',
        unit: 'percentunit',
        width: 4,
        max: 1,
        decimals: 0,
        queries: [{ expr: `min(ringproxy_rebalance_progress_ratio{${PROXY}})`, legend: 'progress' }],
      }),
    )
    .withPanel(
      figure({
        title: 'State',
        shows: 'Whether the change goes on.',
        bad: 'paused: somebody said `ringproxy ring pause`; `ring resume` goes on. Stopped: `ringproxy ring status` says why and on which node (out of memory, down); mend it and `ring resume`, or `ring cancel`.',
        unit: 'none',
        width: 4,
        names: { 0: ['goes on', 'green'], 1: ['paused', 'orange'], 2: ['stopped', 'red'], 3: ['stopped', 'red'] },
        queries: [
          {
            expr: `max(ringproxy_rebalance_paused{${PROXY}} + on (instance) 2 * ringproxy_rebalance_failing{${PROXY}})`,
            legend: 'state',
          },
        ],
      }),
    )
    .withPanel(
      figure({
        title: 'Keys a second',
        shows: 'Keys that change their node each second.',
        bad: 'slow by intent: under load it gives way to clients, and `ring throttle` limits it. `ring throttle 0` takes the limit off.',
        unit: 'ops',
        width: 4,
        decimals: 0,
        queries: [{ expr: `${rate(KEYS_MOVED, PROXY)} or vector(0)`, legend: 'keys' }],
      }),
    )
    .withPanel(
      figure({
        title: 'Bytes a second',
        shows: 'Estimated size of what changes its node each second.',
        bad: 'many bytes for few keys: large values, which block their nodes for a moment each.',
        unit: 'Bps',
        width: 4,
        queries: [{ expr: rate('ringproxy_rebalance_bytes_moved_total', PROXY), legend: 'bytes' }],
      }),
    )
    .withPanel(
      figure({
        title: 'Generation',
        shows: 'How many rings there have been; each finished change makes a new one.',
        bad: 'proxies that differ in it route the same key to different nodes: see Proxies.',
        unit: 'none',
        width: 4,
        decimals: 0,
        queries: [{ expr: `max(ringproxy_ring_generation{${PROXY}})`, legend: 'generation' }],
      }),
    )
    .withRow(new RowBuilder('The move'))
    .withPanel(
      series({
        title: 'Keys moved, by way',
        shows: 'Keys a second from each source to each target.',
        bad: 'a way at zero while others run: its source is swept, or one of the two nodes is down.',
        unit: 'ops',
        width: 12,
        queries: [{ expr: rate(KEYS_MOVED, PROXY, 'source, target'), legend: '{{source}} → {{target}}' }],
      }),
    )
    .withPanel(
      bars({
        title: 'Keys moved since the start',
        shows: 'Keys that were moved since the proxy started, by source and target.',
        bad: 'when a node is added, keys only go to that node; when one leaves, only away from it. Anything else is another change, such as a cancelled one.',
        unit: 'short',
        width: 12,
        queries: [{ expr: `sum by (source, target) (${KEYS_MOVED}{${PROXY}})`, legend: '{{source}} → {{target}}' }],
      }),
    )
    .withPanel(
      series({
        title: 'Share of the ring',
        shows: 'Part of the hash space that each node owns.',
        bad: 'it changes only when somebody changes the ring: `ringproxy ring history` says who.',
        unit: 'percentunit',
        width: 12,
        max: 1,
        queries: [{ expr: RING_SHARE, legend: '{{node}}' }],
      }),
    )
    .withPanel(
      series({
        title: 'Keys on each node',
        shows: 'Keys on each node, as of the last probe.',
        bad: 'the sum stays the same while keys move. If it falls: expiry, eviction, or a node that was restarted empty.',
        unit: 'short',
        width: 12,
        queries: [{ expr: `max by (node) (ringproxy_node_keys{${NODE}})`, legend: '{{node}}' }],
      }),
    )
    .withRow(new RowBuilder('What clients notice'))
    .withPanel(
      series({
        title: 'Latency',
        shows: 'Quantiles of all commands, blocking ones left out.',
        bad: 'more than half as much again as before the change: `ringproxy ring throttle 5000`, or `ring pause` until the load is lower.',
        unit: 's',
        width: 8,
        queries: [0.5, 0.99, 0.999].map((q) => ({
          expr: quantile(q, 'ringproxy_command_duration_seconds', `${PROXY},${NOT_BLOCKING}`),
          legend: `p${q * 100}`,
        })),
      }),
    )
    .withPanel(
      series({
        title: 'Held clients',
        shows: 'Clients whose next command waits for the ring: at the fence, or for its key.',
        bad: 'a short peak when a change begins is normal. If it stays, a node does not answer: see Nodes and ring.',
        unit: 'none',
        width: 8,
        queries: [{ expr: `sum(ringproxy_held_commands{${PROXY}})`, legend: 'held' }],
      }),
    )
    .withPanel(
      series({
        title: 'Errors and misses',
        shows: 'Part of the commands that failed, and part of the reads that missed.',
        bad: 'neither may rise through a change. Errors: see their kind on the overview. Misses: was a node removed with `--no-drain`, or added with `--flush`?',
        unit: 'percentunit',
        width: 8,
        queries: [
          { expr: ERROR_RATIO, legend: 'errors' },
          { expr: `1 - ${HIT_RATIO}`, legend: 'misses' },
        ],
      }),
    )
    .withRow(new RowBuilder('Phases'))
    .withPanel(
      states({
        title: 'Phase of each proxy',
        shows: 'Which phase each proxy was in, and when.',
        bad: 'proxies of one ring go through the phases together. One that lags is cut off: see Proxies.',
        unit: 'none',
        width: 24,
        names: { 0: ['stable', 'green'], 1: ['preparing', 'orange'], 2: ['moving', 'purple'] },
        queries: [
          {
            expr: `max by (instance) (ringproxy_ring_phase{${PROXY},phase="preparing"} + on (instance) 2 * ringproxy_ring_phase{${PROXY},phase="moving"})`,
            legend: '{{instance}}',
          },
        ],
      }),
    )
    .build();
}
