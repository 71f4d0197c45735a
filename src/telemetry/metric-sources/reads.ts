import type { NodeStrays, OwnRingView } from '../../admin/api.js';
import type { ProxyIdentity } from '../../identity.js';
import type { HotReport } from '../../proxy/measure/hot-keys/hot-report.js';
import type { PlaneStats } from '../../proxy/measure/plane-stats.js';
import type { TlsFigures } from '../../tls/certificates.js';
import type { FleetReads } from '../fleet-figures.js';

/** What metrics are made of: read when somebody scrapes. */
export interface MetricReads extends FleetReads {
  readonly identity: ProxyIdentity;
  readonly stats: () => PlaneStats;
  readonly ring: () => OwnRingView;
  /** At this proxy. */
  readonly hotKeys: () => HotReport;
  /** Since the start. */
  readonly movedKeys: () => Iterable<{ readonly source: string; readonly target: string; readonly keys: number }>;
  /** Since the start, estimated. */
  readonly bytesMoved: () => number;
  /** Calls of the admin API that were refused for who it was that called, since the start, by the error's code. */
  readonly refused: () => ReadonlyMap<string, number>;
  /** How often each node was ejected since the start, by its name. */
  readonly ejections: () => ReadonlyMap<string, number>;
  readonly strays: () => readonly NodeStrays[];
  readonly tls: () => TlsFigures;
}
