import type {
  AdviceView,
  ArcsView,
  AuditView,
  ChangeAccepted,
  ChangeRequest,
  CoordinationView,
  GroupsChange,
  GroupsChangeOptions,
  GroupsPreview,
  GroupsView,
  HistoryEntry,
  HotView,
  LoadView,
  NodeOpinionView,
  OwnNodeView,
  OwnRingView,
  ProxyView,
  StatsView,
  StrayReport,
  WhichView,
} from './api.js';

/** What the admin API shows and does: a port for each part of the proxy. Errors are RingproxyError. */
export interface AdminBackend {
  readonly ring: RingPort;
  readonly strays: StraysPort;
  readonly plane: PlanePort;
  readonly load: LoadPort;
  readonly hotKeys: HotKeysPort;
  readonly advice: AdvicePort;
  readonly groups: GroupsPort;
  readonly audit: AuditPort;
  readonly events: EventsPort;
  /** What Prometheus reads. */
  readonly metrics: { read(): Promise<{ contentType: string; text: string }> };
  readonly fleet: FleetPort;
}

/** The proxies of this ring, and what they tell each other. */
export interface FleetPort {
  proxies(): ProxyView[];
  coordination(): CoordinationView;
  /** What the proxies say for which a node is down. */
  opinionsOf(node: OwnNodeView): NodeOpinionView[];
}

/** The ring, and the change of it that is under way. */
export interface RingPort {
  view(): OwnRingView;
  /** @param limit most arcs */
  arcs(limit: number): ArcsView;
  which(keys: readonly Buffer[]): WhichView[];
  /** @param who asks for it, as the history tells */
  change(request: ChangeRequest, who: string): Promise<ChangeAccepted>;
  pause(): Promise<void>;
  /** @param noDrain give up the keys of nodes that do not answer */
  resume(noDrain: boolean): Promise<void>;
  /** @param keysPerSecond 0: as fast as it goes */
  throttle(keysPerSecond: number): Promise<void>;
  /** @param who asks for it, as the history tells */
  cancel(who: string): Promise<void>;
  /** What a cancel would move back. */
  previewCancel(): ChangeAccepted;
  history(): Promise<HistoryEntry[]>;
  /**
   * Takes a proxy out of the fleet that is dead, as whoever asks for it vouches: the nodes drop its connections, and
   * changes do not wait for it any more.
   * @throws RingproxyError when there is no such proxy, or it lives, or a node cannot be asked
   */
  forget(proxyId: string): Promise<void>;
}

/** Keys on nodes that do not own them. */
export interface StraysPort {
  /** What is known of them. */
  report(): StrayReport;
  /** Begins to look for them. @param fix remove them */
  check(fix: boolean): Promise<StrayReport>;
}

/** All processes that serve clients. */
export interface PlanePort {
  stats(): Promise<StatsView>;
  /** Whether clients can be served; if not, why. */
  ready(): Promise<{ ready: boolean; reason: string }>;
}

export interface LoadPort {
  /** Over the last seconds; null in the first one. */
  over(seconds: number): LoadView | null;
  /** A sample a second, oldest first. @param since only those that ended later */
  samples(since: Date | null): LoadView[];
}

/** Which keys are used most. */
export interface HotKeysPort {
  /** @param options.limit keys at most @param options.fleet at all proxies of the ring, and not at this one alone */
  view(options: { readonly limit: number; readonly fleet: boolean }): Promise<HotView>;
}

/** Which keys commands had on several nodes. */
export interface AdvicePort {
  /** @param options.limit kinds of keys at most @param options.fleet at all proxies of the ring, and not at this one alone */
  view(options: { readonly limit: number; readonly fleet: boolean }): Promise<AdviceView>;
}

/** Who has called what of the admin API. */
export interface AuditPort {
  /** @param options.limit the newest, so many at most @param options.fleet at all proxies of the ring, and not at this one alone */
  view(options: { readonly limit: number; readonly fleet: boolean }): Promise<AuditView>;
}

/** The groups of keys. */
export interface GroupsPort {
  /** @param fleet as counted by all proxies of the ring, and not by this one alone */
  view(fleet: boolean): Promise<GroupsView>;
  /** Of all proxies of the ring. @throws RingproxyError when it is refused, or may not have been recorded */
  change(change: GroupsChange, options: GroupsChangeOptions): Promise<void>;
  /** What it would do. @throws RingproxyError when it could not be done whatever is hidden */
  preview(change: GroupsChange, options: Pick<GroupsChangeOptions, 'revision'>): Promise<GroupsPreview>;
}

export interface EventsPort {
  /** Events of before, oldest first. */
  recent(): readonly { readonly channel: string; readonly at: Date; readonly event: object }[];
  /**
   * @param channels null: those that are not too many for a person
   * @returns a function that ends the subscription
   * @throws RingproxyError when there is no such channel
   */
  subscribe(listener: (channel: string, event: object) => void, channels: readonly string[] | null): () => void;
}
