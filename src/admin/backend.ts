import type {
  ArcsView,
  ChangeAccepted,
  ChangeRequest,
  HistoryEntry,
  LoadView,
  ProxyView,
  RingView,
  StatsView,
  StrayReport,
  WhichView,
} from './api.js';

/** What the admin API shows and does; errors are RingproxyError. */
export interface AdminBackend {
  ring(): RingView;
  /** @param limit most arcs */
  arcs(limit: number): ArcsView;
  which(keys: readonly Buffer[]): WhichView[];
  change(request: ChangeRequest): Promise<ChangeAccepted>;
  pauseChange(): void;
  /** @param noDrain give up the keys of nodes that do not answer */
  resumeChange(noDrain: boolean): Promise<void>;
  /** @param keysPerSecond 0: as fast as it goes */
  throttleChange(keysPerSecond: number): void;
  cancelChange(): Promise<void>;
  /** What a cancel would move back. */
  previewCancel(): ChangeAccepted;
  history(): Promise<HistoryEntry[]>;
  /** What is known of keys on nodes that do not own them. */
  strays(): StrayReport;
  /** Begins to look for them. @param fix remove them */
  checkStrays(fix: boolean): Promise<StrayReport>;
  proxies(): ProxyView[];
  stats(): Promise<StatsView>;
  /** Over the last seconds; null in the first one. */
  load(seconds: number): LoadView | null;
  /** A sample a second, oldest first. @param since only those that ended later */
  loadHistory(since: Date | null): LoadView[];
  metrics(): Promise<{ contentType: string; text: string }>;
  /** Whether clients can be served; if not, why. */
  ready(): Promise<{ ready: boolean; reason: string }>;
  /** Events of before, oldest first. */
  recentEvents(): readonly { readonly channel: string; readonly at: Date; readonly event: object }[];
  /**
   * @param channels null: those that are not too many for a person
   * @returns a function that ends the subscription
   * @throws RingproxyError when there is no such channel
   */
  onEvents(listener: (channel: string, event: object) => void, channels: readonly string[] | null): () => void;
}
