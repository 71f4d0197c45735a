import type { ChangeAccepted, ChangeRequest, HistoryEntry, ProxyView, RingView, StatsView, WhichView } from './api.js';

/** What the admin API shows and does; errors are RingproxyError. */
export interface AdminBackend {
  ring(): RingView;
  which(keys: readonly Buffer[]): WhichView[];
  change(request: ChangeRequest): Promise<ChangeAccepted>;
  pauseChange(): void;
  /** @param noDrain give up the keys of nodes that do not answer */
  resumeChange(noDrain: boolean): Promise<void>;
  /** @param keysPerSecond 0: as fast as it goes */
  throttleChange(keysPerSecond: number): void;
  cancelChange(): Promise<void>;
  history(): HistoryEntry[];
  proxies(): ProxyView[];
  stats(): Promise<StatsView>;
  metrics(): Promise<{ contentType: string; text: string }>;
  /** Whether clients can be served; if not, why. */
  ready(): Promise<{ ready: boolean; reason: string }>;
  /** @returns a function that ends the subscription */
  onEvents(listener: (channel: string, event: object) => void): () => void;
}
