/** What can be asked of the admin API, each with its answer. */
import type {
  AdviceView,
  AuditView,
  ChangeAccepted,
  ChangeRequest,
  ChangeView,
  GroupsPreview,
  GroupsView,
  HistoryEntry,
  HotView,
  LoadView,
  ProxyView,
  RingView,
  StatsView,
  StrayReport,
  WhichView,
} from '../admin/api.js';
import type { ProxyEvent } from './event-stream.js';
import { type FollowOptions, followChange } from './follow.js';
import { type AdminOptions, Transport } from './transport.js';

/** How a change of the groups is asked for. */
export interface GroupsAsk {
  /** Although keys are not seen any more. */
  readonly force?: boolean | undefined;
  /** Only say what it would do. */
  readonly dryRun?: boolean | undefined;
  /** Of the groups that were there; undefined: whatever there is. */
  readonly revision?: number | undefined;
}

/** Of how much is told. */
export interface FleetAsk {
  /** Keys, kinds of them, or calls, at most. */
  readonly limit?: number | undefined;
  /** At all proxies of the ring, and not at this one alone. */
  readonly fleet?: boolean | undefined;
}

/** Which events are wanted. */
export interface EventsAsk {
  /** Names of channels; empty: all that are not frequent. */
  readonly channels?: readonly string[] | undefined;
  /** What happened lately comes first. */
  readonly recent?: boolean | undefined;
  /** Ends the stream, with an error. */
  readonly signal?: AbortSignal | undefined;
}

/** The admin API of a proxy. Each method rejects with an AdminError when it refuses, or cannot be asked. */
export class AdminClient {
  readonly #api: Transport;

  /** @throws AdminError when `admin` is no address */
  constructor(options: AdminOptions) {
    this.#api = new Transport(options);
  }

  ring(): Promise<RingView> {
    return this.#api.get<RingView>('/v1/ring');
  }

  which(keys: readonly string[]): Promise<WhichView[]> {
    return this.#api.get<WhichView[]>(
      `/v1/ring/which?${keys.map((key) => `key=${encodeURIComponent(key)}`).join('&')}`,
    );
  }

  history(): Promise<HistoryEntry[]> {
    return this.#api.get<HistoryEntry[]>('/v1/ring/history');
  }

  /** Begins to look for keys on nodes that do not own them. @param fix remove them */
  check(fix = false): Promise<StrayReport> {
    return this.#api.send<StrayReport>('POST', '/v1/ring/check', { fix });
  }

  /** What has been found of them so far. */
  strays(): Promise<StrayReport> {
    return this.#api.get<StrayReport>('/v1/ring/check');
  }

  proxies(): Promise<ProxyView[]> {
    return this.#api.get<ProxyView[]>('/v1/proxies');
  }

  /** @returns the proxies that are left */
  forget(proxyId: string): Promise<ProxyView[]> {
    return this.#api.send<ProxyView[]>('DELETE', `/v1/proxies/${encodeURIComponent(proxyId)}`, null);
  }

  stats(): Promise<StatsView> {
    return this.#api.get<StatsView>('/v1/stats');
  }

  /** What the proxy did in the last seconds. */
  load(seconds = 10): Promise<LoadView> {
    return this.#api.get<LoadView>(`/v1/load?seconds=${seconds}`);
  }

  /** The keys that are used most. */
  hot({ limit = 20, fleet = true }: FleetAsk = {}): Promise<HotView> {
    return this.#api.get<HotView>(`/v1/hot?limit=${limit}&fleet=${fleet}`);
  }

  /** Which keys commands had on several nodes. */
  advice({ limit = 20, fleet = true }: FleetAsk = {}): Promise<AdviceView> {
    return this.#api.get<AdviceView>(`/v1/advice?limit=${limit}&fleet=${fleet}`);
  }

  /** Who has called what of the admin API. */
  audit({ limit = 100, fleet = true }: FleetAsk = {}): Promise<AuditView> {
    return this.#api.get<AuditView>(`/v1/audit?limit=${limit}&fleet=${fleet}`);
  }

  /** @param fleet as counted by all proxies of the ring, and not by this one alone */
  groups(fleet = true): Promise<GroupsView> {
    return this.#api.get<GroupsView>(`/v1/groups${fleet ? '' : '?fleet=false'}`);
  }

  /** @param words with `prefixes`; null: the default again */
  setGroup(group: string, words: object, how: GroupsAsk = {}): Promise<GroupsView | GroupsPreview> {
    return this.#api.send('PATCH', `${groupPath(group)}${queryOf(how)}`, words);
  }

  removeGroup(group: string, how: GroupsAsk = {}): Promise<GroupsView | GroupsPreview> {
    return this.#api.send('DELETE', `${groupPath(group)}${queryOf(how)}`, null);
  }

  putGroups(groups: object, how: GroupsAsk = {}): Promise<GroupsView | GroupsPreview> {
    return this.#api.send('PUT', `/v1/groups${queryOf(how)}`, groups);
  }

  resetGroups(how: GroupsAsk = {}): Promise<GroupsView | GroupsPreview> {
    return this.#api.send('DELETE', `/v1/groups${queryOf(how)}`, null);
  }

  change(body: ChangeRequest): Promise<ChangeAccepted> {
    return this.#api.send<ChangeAccepted>('POST', '/v1/ring/changes', body);
  }

  /** The running change, or null. */
  async current(): Promise<ChangeView | null> {
    return (await this.ring()).change;
  }

  pause(): Promise<ChangeView | null> {
    return this.#api.send<ChangeView | null>('POST', '/v1/ring/changes/current/pause', {});
  }

  resume(noDrain = false): Promise<ChangeView | null> {
    return this.#api.send<ChangeView | null>('POST', '/v1/ring/changes/current/resume', { noDrain });
  }

  cancel(): Promise<ChangeView | null> {
    return this.#api.send<ChangeView | null>('POST', '/v1/ring/changes/current/cancel', {});
  }

  /** What a cancel would move back. */
  previewCancel(): Promise<ChangeAccepted> {
    return this.#api.send<ChangeAccepted>('POST', '/v1/ring/changes/current/cancel', { dryRun: true });
  }

  throttle(keysPerSecond: number): Promise<ChangeView | null> {
    return this.#api.send<ChangeView | null>('POST', '/v1/ring/changes/current/throttle', { keysPerSecond });
  }

  /**
   * Waits until a change is over.
   * @param change what `change` or `cancel` was answered
   * @returns what the history says of it
   * @throws AdminError when it has paused because of a failure, or was turned round by somebody else
   */
  follow({ generation }: Pick<ChangeAccepted, 'generation'>, options?: FollowOptions): Promise<HistoryEntry> {
    return followChange(this, generation, options);
  }

  /** @returns when the proxy has answered: what happens there, until it ends the stream */
  events({ channels = [], recent = false, signal }: EventsAsk = {}): Promise<AsyncIterable<ProxyEvent>> {
    const query = new URLSearchParams(channels.map((name): [string, string] => ['channel', name]));
    if (recent) query.set('recent', '');
    return this.#api.events(`/v1/events?${query}`, signal);
  }
}

function queryOf({ force = false, dryRun = false, revision }: GroupsAsk): string {
  return `?${revision === undefined ? '' : `revision=${revision}&`}force=${force}${dryRun ? '&dryRun=true' : ''}`;
}

function groupPath(group: string): string {
  return `/v1/groups/${encodeURIComponent(group)}`;
}
