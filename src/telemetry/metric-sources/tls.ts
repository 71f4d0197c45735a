import type { MetricSource } from '../metrics.js';
import type { MetricReads } from './reads.js';
import { counter, gauge, one } from './samples.js';

export function tlsSources({ stats, tls }: MetricReads): MetricSource[] {
  return [
    counter(
      'ringproxy_tls_handshakes_total',
      'Handshakes with clients by their outcome; wrong-port: TLS was sent to listen.',
      () => Object.entries(stats().handshakes).map(([outcome, value]) => ({ labels: { outcome }, value })),
    ),
    gauge('ringproxy_tls_handshakes_pending', 'Handshakes with clients that are under way.', () =>
      one(stats().entering),
    ),
    gauge(
      'ringproxy_tls_certificate_expiry_timestamp_seconds',
      'When a certificate in use expires, in seconds since 1970; of each file the ten that expire first.',
      () =>
        tls().certificates.map(({ use, file, subject, expiresAt }) => {
          return { labels: { use, file, subject }, value: expiresAt / 1000 };
        }),
    ),
    counter(
      'ringproxy_tls_reloads_total',
      'Changes of files of certificates: those in force since (ok), and those that could not be used (failed).',
      () => tls().reloads.map(({ use, outcome, count }) => ({ labels: { use, outcome }, value: count })),
    ),
  ];
}
