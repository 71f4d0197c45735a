import { AUTH_FAILURES } from '../../proxy/measure/auth-failures.js';
import { COUNTED_BY } from '../../proxy/measure/limit-counts.js';
import type { MetricSource } from '../metrics.js';
import type { MetricReads } from './reads.js';
import { counter, gauge, one } from './samples.js';

export function clientSources({ stats }: MetricReads): MetricSource[] {
  return [
    gauge('ringproxy_client_pending_commands', 'Commands of all clients that are not answered (queue length).', () =>
      one(stats().pendingCommands),
    ),
    gauge('ringproxy_client_pending_bytes', 'Bytes of replies that clients have not taken yet.', () =>
      one(stats().pendingBytes),
    ),
    gauge('ringproxy_client_connections', 'Clients that are connected.', () => one(stats().clients)),
    counter('ringproxy_client_connections_total', 'Clients that ever connected.', () => one(stats().clientsTotal)),
    counter(
      'ringproxy_client_rejected_total',
      'Clients turned away at max-clients, max-clients-per-address or max-clients-per-user, or by protected-mode.',
      () => one(stats().clientsRejected),
    ),
    counter(
      'ringproxy_limited_total',
      'How often clients of an address, or of a user, were at its limit: turned away (connections), not read for a while, or a command refused (commands, bytes).',
      () =>
        COUNTED_BY.flatMap((by) =>
          Object.entries<number>({ ...stats().limited[by] }).map(([limit, value]) => ({
            labels: { limit, of: by },
            value,
          })),
        ),
    ),
    counter('ringproxy_auth_failures_total', 'Attempts to log in (AUTH, HELLO) that failed, by why.', () =>
      AUTH_FAILURES.map((reason) => ({ labels: { reason }, value: stats().authFailures[reason] })),
    ),
    counter('ringproxy_client_bytes_total', 'Bytes from (in) and to (out) clients.', () => [
      { labels: { direction: 'in' }, value: stats().bytesIn },
      { labels: { direction: 'out' }, value: stats().bytesOut },
    ]),
  ];
}
