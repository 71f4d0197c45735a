import type { ChangeAccepted, ChangeRequest, HistoryEntry, ProxyView, RingView, StatsView, WhichView } from './api.js';

/** What the admin API shows and does; errors are RingproxyError. */
export interface AdminBackend {
  ring(): RingView;
  which(keys: readonly Buffer[]): WhichView[];
  change(request: ChangeRequest): Promise<ChangeAccepted>;
  history(): HistoryEntry[];
  proxies(): ProxyView[];
  stats(): StatsView;
  metrics(): Promise<{ contentType: string; text: string }>;
  /** Whether clients can be served; if not, why. */
  ready(): { ready: boolean; reason: string };
  /** @returns a function that ends the subscription */
  onEvents(listener: (channel: string, event: object) => void): () => void;
}
