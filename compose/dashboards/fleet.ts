import { type Dashboard, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board } from './board.js';
import { figure, type Query, series, states } from './panels.js';
import { PROXY, quantile, rate } from './queries.js';

const perProxy = (expr: string): Query[] => [{ expr, legend: '{{instance}}' }];

/** Of what only proxies that tell each other something have. */
const orNone = (expr: string): string => `${expr} or on () vector(0)`;

const MEMBERS = 'ringproxy_fleet_members';
const ETCD = 'ringproxy_etcd_requests_total';

/** Do the proxies of the ring agree, and does what they agree by work? */
export function fleet(): Dashboard {
  return board(
    'ringproxy-fleet',
    'ringproxy / Fleet',
    'Do the proxies of the ring agree, who does what for all of them, and does what they agree by work?',
    false,
  )
    .withRow(new RowBuilder('Now'))
    .withPanel(
      figure({
        title: 'Members',
        shows: 'Proxies of the ring whose lease holds, as the one says that sees the fewest.',
        bad: 'fewer than you run: one is down, cut off from etcd, or not of this ring (`ringproxy proxies`, its log).',
        unit: 'none',
        width: 4,
        decimals: 0,
        queries: [{ expr: `min(${MEMBERS}{${PROXY},state="alive"})`, legend: 'alive' }],
      }),
    )
    .withPanel(
      figure({
        title: 'Away or fenced off',
        shows: 'Proxies without a lease, and proxies that may not speak to nodes any more.',
        bad: 'start it again, or say `ringproxy proxies forget ID` when it is dead for good. Under `consistency: available` each ring change waits for one that is away.',
        unit: 'none',
        width: 4,
        decimals: 0,
        warn: 1,
        queries: [{ expr: `max(sum by (instance) (${MEMBERS}{${PROXY},state!="alive"}))`, legend: 'away' }],
      }),
    )
    .withPanel(
      figure({
        title: 'Coordinators',
        shows: 'Proxies that decide about the ring: one, and for some seconds none when it dies.',
        bad: 'none for a minute: etcd is out of reach. More than one: these proxies are not one fleet (`coordination`, `ring-name`), and a change at one of them loses writes of the others.',
        unit: 'none',
        width: 4,
        names: { 0: ['none', 'red'], 1: ['one', 'green'], 2: ['two', 'red'], 3: ['three', 'red'] },
        queries: [{ expr: `sum(ringproxy_fleet_coordinator{${PROXY}})`, legend: 'coordinators' }],
      }),
    )
    .withPanel(
      figure({
        title: 'etcd',
        shows: 'Whether etcd answers every proxy.',
        bad: 'clients are served by the connections that there are; the ring cannot be changed, and under `consistency: strict` new connections to nodes wait. Mend etcd, or the network to it.',
        unit: 'none',
        width: 4,
        names: { 0: ['out of reach', 'red'], 1: ['answers', 'green'] },
        queries: [{ expr: `min(ringproxy_etcd_up{${PROXY}})`, legend: 'etcd' }],
      }),
    )
    .withPanel(
      figure({
        title: 'Shortest lease',
        shows: 'For how long the lease of the proxy holds that has the least left.',
        bad: 'renewals come late (etcd is slow, or a proxy stands still), or fail. At 0 the others may pass that proxy in a ring change, and it begins anew.',
        unit: 's',
        width: 4,
        lowIsBad: true,
        badFrom: 1,
        warn: 3,
        queries: [{ expr: `min(ringproxy_fleet_lease_seconds{${PROXY}})`, legend: 'lease' }],
      }),
    )
    .withPanel(
      figure({
        title: 'Generations behind',
        shows: 'By how many rings the proxy lags that lags the most.',
        bad: 'it has not heard of the newest ring, so it sends keys to their former nodes: it is cut off from etcd. Look at its log; stop it when it does not catch up.',
        unit: 'none',
        width: 4,
        decimals: 0,
        badFrom: 1,
        queries: [{ expr: `max(ringproxy_fleet_generation_lag{${PROXY}})`, legend: 'lag' }],
      }),
    )
    .withRow(new RowBuilder('Members'))
    .withPanel(
      states({
        title: 'Coordinator',
        shows: 'Which proxy decides about the ring, and since when.',
        bad: 'it changes again and again: proxies lose their leases (see Leases), or are restarted.',
        unit: 'none',
        width: 12,
        names: { 0: ['follows', 'blue'], 1: ['coordinates', 'purple'] },
        queries: perProxy(`ringproxy_fleet_coordinator{${PROXY}}`),
      }),
    )
    .withPanel(
      series({
        title: 'Members by state',
        shows: 'Alive, away (no lease) and fenced off, as the proxy sees it that sees the most of them.',
        bad: 'away that does not go back to 0 is a proxy that died without leaving; fenced that stays is one whose connections a node could not be asked to drop.',
        unit: 'none',
        width: 12,
        decimals: 0,
        queries: [{ expr: `max by (state) (${MEMBERS}{${PROXY}})`, legend: '{{state}}' }],
      }),
    )
    .withPanel(
      series({
        title: 'Jobs',
        shows: 'How many jobs of the fleet each proxy does, such as moving the keys of a source.',
        bad: 'while keys move, a proxy without any is new, or all sources are with others: they are spread by hashing, a few of them unevenly.',
        unit: 'none',
        width: 12,
        decimals: 0,
        queries: [{ expr: orNone(`sum by (instance) (ringproxy_fleet_jobs{${PROXY}})`), legend: '{{instance}}' }],
      }),
    )
    .withPanel(
      series({
        title: 'Leases',
        shows: 'For how long the lease of each proxy holds; it is renewed before a third of it is gone.',
        bad: 'a line that falls to 0 is a proxy that etcd does not hear of: it stands still, or the way to etcd is cut.',
        unit: 's',
        width: 12,
        queries: perProxy(`ringproxy_fleet_lease_seconds{${PROXY}}`),
      }),
    )
    .withPanel(
      series({
        title: 'Fences',
        shows: 'Fences a minute, by whether they were passed. Each proxy counts all of them.',
        bad: 'given up: nothing was lost, and nothing moves. `ringproxy events --channel ringproxy:fence:given-up` says for whom it waited: a proxy, a node, or a client.',
        unit: 'none',
        width: 12,
        queries: [
          {
            expr: `max by (outcome) (60 * rate(ringproxy_fences_total{${PROXY}}[$__rate_interval]))`,
            legend: '{{outcome}}',
          },
        ],
      }),
    )
    .withPanel(
      series({
        title: 'Time of a fence',
        shows: 'For how long commands on moved keys were held: the mean of the fences at that time.',
        bad: 'near 2 s, after which it is given up: a proxy or a node answers late. Some milliseconds are usual.',
        unit: 's',
        width: 12,
        warn: 0.5,
        badFrom: 1.5,
        queries: [
          {
            expr: orNone(
              `(${rate('ringproxy_fence_duration_seconds_sum', PROXY)} / (${rate('ringproxy_fence_duration_seconds_count', PROXY)} > 0))`,
            ),
            legend: 'held',
          },
        ],
      }),
    )
    .withRow(new RowBuilder('etcd'))
    .withPanel(
      series({
        title: 'Requests to etcd',
        shows: 'Requests a second of all proxies, by operation.',
        bad: 'many range or watch: watches are cut again and again. An idle fleet of 20 stays below 10 a second.',
        unit: 'ops',
        width: 12,
        queries: [{ expr: rate(ETCD, PROXY, 'operation'), legend: '{{operation}}' }],
      }),
    )
    .withPanel(
      series({
        title: 'Errors of etcd',
        shows: 'Requests a second that an endpoint did not answer as it should, by what was wrong.',
        bad: 'timeout: etcd has no majority, or is overloaded. refused: user, rights or certificates. failed: the endpoint is down; another one may have answered.',
        unit: 'ops',
        width: 12,
        queries: [
          {
            expr: orNone(rate(ETCD, `${PROXY},outcome!="ok"`, 'operation, outcome')),
            legend: '{{operation}} {{outcome}}',
          },
        ],
      }),
    )
    .withPanel(
      series({
        title: 'Latency of etcd',
        shows: 'Time until etcd answered.',
        bad: "above a tenth of a second its disk is slow (it writes each record before it answers), or its members are far apart. Clients' commands never wait for it, ring changes do.",
        unit: 's',
        width: 12,
        queries: [
          { expr: orNone(`(${quantile(0.5, 'ringproxy_etcd_duration_seconds', PROXY)} >= 0)`), legend: 'p50' },
          { expr: orNone(`(${quantile(0.99, 'ringproxy_etcd_duration_seconds', PROXY)} >= 0)`), legend: 'p99' },
        ],
      }),
    )
    .withPanel(
      series({
        title: 'Lease renewals',
        shows: 'Renewals of leases a second, by outcome.',
        bad: 'errors while other requests work: etcd has forgotten the lease (it was restored from a backup, or the proxy stood still), and the proxy registers anew.',
        unit: 'ops',
        width: 12,
        queries: [{ expr: rate('ringproxy_fleet_lease_renewals_total', PROXY, 'outcome'), legend: '{{outcome}}' }],
      }),
    )
    .withRow(new RowBuilder('What proxies tell each other'))
    .withPanel(
      series({
        title: 'Bytes of soft state',
        shows: 'Bytes a second that the proxies tell each other of load, health, subscribers and scripts.',
        bad: 'much of it while nothing changes: a proxy cannot keep what it is told (see Conflicts).',
        unit: 'Bps',
        width: 12,
        queries: [{ expr: orNone(rate('ringproxy_crdt_bytes_total', PROXY, 'direction')), legend: '{{direction}}' }],
      }),
    )
    .withPanel(
      series({
        title: 'Lag of soft state',
        shows: 'Since when the proxy has not heard of the one that it has heard of least lately.',
        bad: 'what its page shows of that proxy is so old. They cannot reach each other: `advertise-admin`, `peer-token`, a firewall.',
        unit: 's',
        width: 12,
        warn: 5,
        badFrom: 15,
        queries: [{ expr: orNone(`max by (instance) (ringproxy_crdt_lag_seconds{${PROXY}})`), legend: '{{instance}}' }],
      }),
    )
    .withPanel(
      series({
        title: 'Conflicts',
        shows: 'Parts a second that differed between two proxies and were mended, and what was refused.',
        bad: 'conflicts now and then mend what was lost on the way. Refused: a proxy of another version, or one whose clock is minutes ahead.',
        unit: 'ops',
        width: 12,
        queries: [
          { expr: orNone(rate('ringproxy_crdt_conflicts_total', PROXY)), legend: 'conflicts' },
          { expr: orNone(rate('ringproxy_crdt_refused_total', PROXY)), legend: 'refused' },
        ],
      }),
    )
    .withPanel(
      series({
        title: 'Entries of soft state',
        shows: 'What a proxy keeps of all proxies: live entries, and tombstones of those that are gone.',
        bad: 'tombstones go after a while; entries that only grow are those of proxies that were never forgotten.',
        unit: 'short',
        width: 12,
        queries: [{ expr: orNone(`max by (kind) (ringproxy_crdt_entries{${PROXY}})`), legend: '{{kind}}' }],
      }),
    )
    .build();
}
