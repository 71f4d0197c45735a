import { type Dashboard, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board } from './board.js';
import { figure, type Query, series, states } from './panels.js';
import { NOT_BLOCKING, PROXY, quantile, RINGS_DIFFER, rate } from './queries.js';

const perProxy = (expr: string): Query[] => [{ expr, legend: '{{instance}}' }];

const perWorker = (expr: string): Query[] => [{ expr, legend: '{{instance}} {{worker}}' }];

/** Are the proxies themselves well? Processor, event loop, memory, clients, generations. */
export function proxies(): Dashboard {
  return board(
    'ringproxy-proxies',
    'ringproxy / Proxies',
    'Are the proxies themselves well? Processor, event loop, memory, clients, and whether they agree on the ring.',
    false,
  )
    .withRow(new RowBuilder('Now'))
    .withPanel(
      figure({
        title: 'Proxies down',
        shows: 'Proxies that Prometheus cannot scrape.',
        bad: 'is the process there (`docker compose ps`, its log)? Is its admin address reachable, and the token right? Clients go to the other proxies if the balancer checks `/readyz`.',
        unit: 'none',
        width: 6,
        badFrom: 1,
        queries: [{ expr: `count(up{${PROXY}} == 0) or vector(0)`, legend: 'down' }],
      }),
    )
    .withPanel(
      figure({
        title: 'Rings differ',
        shows:
          'Whether the proxies route by different rings: another generation, other shares, or a change that some of them take no part in.',
        bad: 'proxies with different rings send the same key to different nodes, and values go out of date. Bring the one that lags up to date or stop it: `ringproxy ring show` on each.',
        unit: 'none',
        width: 6,
        names: { 0: ['no', 'green'], 1: ['yes', 'red'] },
        queries: [{ expr: RINGS_DIFFER, legend: 'rings differ' }],
      }),
    )
    .withPanel(
      figure({
        title: 'Busiest processor',
        shows: 'Processor time a second of the busiest process of a proxy: 1 is a whole core.',
        bad: 'a process serves with one core. Near 1 it is full: more `workers`, another proxy, or clients with fewer, larger pipelines.',
        unit: 'percentunit',
        width: 6,
        warn: 0.8,
        badFrom: 0.95,
        queries: [
          { expr: `max(rate(ringproxy_worker_cpu_seconds_total{${PROXY}}[$__rate_interval]))`, legend: 'core' },
        ],
      }),
    )
    .withPanel(
      figure({
        title: 'Shortest uptime',
        shows: 'How long the youngest proxy has been running.',
        bad: 'it starts over again and again: its log says why (`docker compose logs ringproxy`).',
        unit: 's',
        width: 6,
        warn: 300,
        badFrom: 60,
        lowIsBad: true,
        queries: [{ expr: `min(ringproxy_uptime_seconds{${PROXY}})`, legend: 'uptime' }],
      }),
    )
    .withRow(new RowBuilder('Health'))
    .withPanel(
      states({
        title: 'Up',
        shows: 'Whether Prometheus can scrape the proxy.',
        bad: 'as for Proxies down.',
        unit: 'none',
        width: 12,
        names: { 0: ['down', 'red'], 1: ['up', 'green'] },
        queries: perProxy(`up{${PROXY}}`),
      }),
    )
    .withPanel(
      series({
        title: 'Generation of the ring',
        shows: 'Which ring each proxy routes by.',
        bad: 'lines that stay apart: as for Rings differ.',
        unit: 'none',
        width: 6,
        decimals: 0,
        queries: perProxy(`ringproxy_ring_generation{${PROXY}}`),
      }),
    )
    .withPanel(
      series({
        title: 'Version',
        shows: 'How many proxies run each version.',
        bad: 'several versions for long: an update was not finished.',
        unit: 'none',
        width: 6,
        decimals: 0,
        queries: [
          {
            expr: `count by (version, node) (ringproxy_build_info{${PROXY}})`,
            legend: '{{version}}, Node.js {{node}}',
          },
        ],
      }),
    )
    .withRow(new RowBuilder('Work'))
    .withPanel(
      series({
        title: 'Commands',
        shows: 'Commands a second that each proxy answers.',
        bad: 'one gets far more than the others: long-lived connections were not spread again after a restart. Restart the clients one by one, or balance by least connections.',
        unit: 'ops',
        width: 12,
        queries: perProxy(rate('ringproxy_commands_total', PROXY, 'instance')),
      }),
    )
    .withPanel(
      series({
        title: 'p99 latency',
        shows: 'Of a hundred commands, 99 are answered within this time, by proxy; blocking commands left out.',
        bad: 'one proxy alone: see its event loop and its processor. All: see the nodes.',
        unit: 's',
        width: 12,
        warn: 0.01,
        badFrom: 0.05,
        queries: perProxy(
          `${quantile(0.99, 'ringproxy_command_duration_seconds', `${PROXY},${NOT_BLOCKING}`, 'instance')} >= 0`,
        ),
      }),
    )
    .withPanel(
      series({
        title: 'Clients',
        shows: 'Clients connected to each proxy.',
        bad: 'at `max-clients` further ones are turned away.',
        unit: 'none',
        width: 12,
        queries: perProxy(`ringproxy_client_connections{${PROXY}}`),
      }),
    )
    .withPanel(
      series({
        title: 'Replies that clients do not take',
        shows: 'Bytes that wait in a proxy because clients do not read.',
        bad: 'a client asks for more than it reads. It is paused at `client-output-limit`, and closed after `client-stall-timeout` without any progress.',
        unit: 'bytes',
        width: 12,
        queries: perProxy(`ringproxy_client_pending_bytes{${PROXY}}`),
      }),
    )
    .withPanel(
      series({
        title: 'Clients at a limit',
        shows:
          'How often a second clients of an address, or of a user, are at a limit of connections, commands or bytes.',
        bad: 'they are turned away, slowed down or refused: `max-clients-per-…`, `commands-per-…`, `bytes-per-…`, `user-limits`. Raise the limit, or find who sends so much (`ringproxy hot`, CLIENT LIST).',
        unit: 'none',
        width: 24,
        queries: [
          {
            expr: rate('ringproxy_limited_total', PROXY, 'of, limit'),
            legend: '{{of}} {{limit}}',
          },
        ],
      }),
    )
    .withRow(new RowBuilder('Process'))
    .withPanel(
      series({
        title: 'Processor',
        shows: 'Processor time a second of all processes of a proxy: 1 is a whole core.',
        bad: 'near the number of its workers the proxy is full: more `workers`, or another proxy.',
        unit: 'percentunit',
        width: 8,
        queries: perProxy(`rate(ringproxy_cpu_seconds_total{${PROXY}}[$__rate_interval])`),
      }),
    )
    .withPanel(
      series({
        title: 'Event-loop lag',
        shows:
          'By how much the proxy was late on average in the last second, its latest worker; every command waits that long.',
        bad: 'above 10 ms: the processor is full, the machine swaps, or it is short of cores.',
        unit: 's',
        width: 8,
        warn: 0.01,
        badFrom: 0.05,
        queries: perProxy(`ringproxy_event_loop_lag_seconds{${PROXY}}`),
      }),
    )
    .withPanel(
      series({
        title: 'Memory',
        shows: 'Resident memory of each proxy, and the heap that it uses.',
        bad: 'it follows the clients and the replies that they do not take. If it rises without them, keep a heap snapshot and report it.',
        unit: 'bytes',
        width: 8,
        queries: [
          { expr: `ringproxy_resident_memory_bytes{${PROXY}}`, legend: '{{instance}} resident' },
          { expr: `ringproxy_heap_bytes{${PROXY}}`, legend: '{{instance}} heap' },
        ],
      }),
    )
    .withRow(new RowBuilder('Workers'))
    .withPanel(
      series({
        title: 'Processor by worker',
        shows: 'Processor time a second of each process; 1 is a whole core, and no process can use more.',
        bad: 'one at 1 and the others idle: few clients send nearly everything; let them open more connections. All at 1: more `workers`. The primary at 1: it is busy moving keys or answering the admin API.',
        unit: 'percentunit',
        width: 6,
        warn: 0.8,
        badFrom: 0.95,
        queries: perWorker(`rate(ringproxy_worker_cpu_seconds_total{${PROXY}}[$__rate_interval])`),
      }),
    )
    .withPanel(
      series({
        title: 'Event-loop lag by worker',
        shows: 'By how much each process was late on average in the last second; its commands wait that long.',
        bad: 'one worker alone: it is full, or one of its clients sends very large commands.',
        unit: 's',
        width: 6,
        warn: 0.01,
        badFrom: 0.05,
        queries: perWorker(`ringproxy_worker_event_loop_lag_seconds{${PROXY}}`),
      }),
    )
    .withPanel(
      series({
        title: 'Memory by worker',
        shows: 'Resident memory of each process.',
        bad: 'one worker alone: one of its clients does not take its replies.',
        unit: 'bytes',
        width: 6,
        queries: perWorker(`ringproxy_worker_resident_memory_bytes{${PROXY}}`),
      }),
    )
    .withPanel(
      series({
        title: 'Clients by worker',
        shows: 'Clients connected to each worker; a new one goes to the worker with the fewest.',
        bad: 'uneven: a worker was replaced not long ago. It evens out as clients come and go.',
        unit: 'none',
        width: 6,
        queries: perWorker(`ringproxy_worker_client_connections{${PROXY},worker!="primary"}`),
      }),
    )
    .build();
}
