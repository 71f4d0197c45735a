/** Talks to the admin API. */
import { type Dispatcher, request } from 'undici';
import type {
  AdviceView,
  ApiError,
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
} from '../src/admin/api.js';
import { isErrorCode, RingproxyError, systemCode } from '../src/errors.js';
import { CliError } from './cli-error.js';
import { DEFAULT_ADMIN } from './common-options.js';
import { type ProxyEvent, readEvents } from './event-stream.js';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const HEADERS_TIMEOUT_MS = 10_000;
/** A change examines nodes first. */
const CHANGE_TIMEOUT_MS = 120_000;

export interface AdminOptions {
  readonly admin: string;
  readonly token?: string | undefined;
}

/** How a change of the groups is asked for. */
export interface GroupsAsk {
  /** Although keys are not seen any more. */
  readonly force: boolean;
  /** Only say what it would do. */
  readonly dryRun: boolean;
  /** Of the groups that were there; undefined: whatever there is. */
  readonly revision?: number;
}

/** There was no answer, or not all of it: the same may be asked again. */
export class UnreachableError extends CliError {}

export class AdminClient {
  readonly #base: string;
  readonly #token: string;

  constructor(options: AdminOptions) {
    // serve takes HOST:PORT under the same name, --admin: so that one RINGPROXY_ADMIN may serve both.
    const url = isHostPort(options.admin) ? `http://${options.admin}` : options.admin;
    this.#base = url.replace(/\/+$/, '');
    this.#token = options.token ?? '';
    if (!/^https?:\/\/[^/]+/.test(this.#base)) {
      throw new CliError(`'${options.admin}' is not a URL`, `give one with --admin, such as ${DEFAULT_ADMIN}`, 2);
    }
  }

  ring(): Promise<RingView> {
    return this.#get<RingView>('/v1/ring');
  }

  which(keys: readonly string[]): Promise<WhichView[]> {
    return this.#get<WhichView[]>(`/v1/ring/which?${keys.map((key) => `key=${encodeURIComponent(key)}`).join('&')}`);
  }

  history(): Promise<HistoryEntry[]> {
    return this.#get<HistoryEntry[]>('/v1/ring/history');
  }

  /** Begins to look for keys on nodes that do not own them. @param fix remove them */
  check(fix: boolean): Promise<StrayReport> {
    return this.#send<StrayReport>('POST', '/v1/ring/check', { fix });
  }

  /** What has been found of them so far. */
  strays(): Promise<StrayReport> {
    return this.#get<StrayReport>('/v1/ring/check');
  }

  proxies(): Promise<ProxyView[]> {
    return this.#get<ProxyView[]>('/v1/proxies');
  }

  /** @returns the proxies that are left */
  forget(proxyId: string): Promise<ProxyView[]> {
    return this.#send<ProxyView[]>('DELETE', `/v1/proxies/${encodeURIComponent(proxyId)}`, null);
  }

  stats(): Promise<StatsView> {
    return this.#get<StatsView>('/v1/stats');
  }

  /** What the proxy did in the last seconds. */
  load(seconds: number): Promise<LoadView> {
    return this.#get<LoadView>(`/v1/load?seconds=${seconds}`);
  }

  /** The keys that are used most. @param options.fleet at all proxies of the ring, and not at this one alone */
  hot({ limit, fleet }: { readonly limit: number; readonly fleet: boolean }): Promise<HotView> {
    return this.#get<HotView>(`/v1/hot?limit=${limit}&fleet=${fleet}`);
  }

  /** Which keys commands had on several nodes. @param limit kinds of keys at most */
  advice({ limit, fleet }: { readonly limit: number; readonly fleet: boolean }): Promise<AdviceView> {
    return this.#get<AdviceView>(`/v1/advice?limit=${limit}&fleet=${fleet}`);
  }

  /** @param fleet as counted by all proxies of the ring, and not by this one alone */
  groups(fleet = true): Promise<GroupsView> {
    return this.#get<GroupsView>(`/v1/groups${fleet ? '' : '?fleet=false'}`);
  }

  /** @param words with `prefixes`; null: the default again */
  setGroup(group: string, words: object, how: GroupsAsk): Promise<GroupsView | GroupsPreview> {
    return this.#send('PATCH', `${groupPath(group)}${queryOf(how)}`, words);
  }

  removeGroup(group: string, how: GroupsAsk): Promise<GroupsView | GroupsPreview> {
    return this.#send('DELETE', `${groupPath(group)}${queryOf(how)}`, null);
  }

  putGroups(groups: object, how: GroupsAsk): Promise<GroupsView | GroupsPreview> {
    return this.#send('PUT', `/v1/groups${queryOf(how)}`, groups);
  }

  resetGroups(how: GroupsAsk): Promise<GroupsView | GroupsPreview> {
    return this.#send('DELETE', `/v1/groups${queryOf(how)}`, null);
  }

  change(body: ChangeRequest): Promise<ChangeAccepted> {
    return this.#send<ChangeAccepted>('POST', '/v1/ring/changes', body);
  }

  /** The running change, or null. */
  async current(): Promise<ChangeView | null> {
    return (await this.ring()).change;
  }

  pause(): Promise<ChangeView | null> {
    return this.#send<ChangeView | null>('POST', '/v1/ring/changes/current/pause', {});
  }

  resume(noDrain = false): Promise<ChangeView | null> {
    return this.#send<ChangeView | null>('POST', '/v1/ring/changes/current/resume', { noDrain });
  }

  cancel(): Promise<ChangeView | null> {
    return this.#send<ChangeView | null>('POST', '/v1/ring/changes/current/cancel', {});
  }

  /** What a cancel would move back. */
  previewCancel(): Promise<ChangeAccepted> {
    return this.#send<ChangeAccepted>('POST', '/v1/ring/changes/current/cancel', { dryRun: true });
  }

  throttle(keysPerSecond: number): Promise<ChangeView | null> {
    return this.#send<ChangeView | null>('POST', '/v1/ring/changes/current/throttle', { keysPerSecond });
  }

  #get<T>(path: string): Promise<T> {
    return this.#send<T>('GET', path, null);
  }

  /**
   * @param options.channels those to hear of; empty: all that are not frequent
   * @param options.recent what happened lately comes first
   * @param options.signal ends it, with an error
   * @returns when the proxy has answered: what happens there, until it ends the stream
   */
  async events(options: {
    readonly channels: readonly string[];
    readonly recent: boolean;
    readonly signal: AbortSignal;
  }): Promise<AsyncIterable<ProxyEvent>> {
    const query = new URLSearchParams(options.channels.map((name): [string, string] => ['channel', name]));
    if (options.recent) query.set('recent', '');
    // Nothing may happen for long.
    const answer = await this.#ask('GET', `/v1/events?${query}`, null, { bodyTimeout: 0, signal: options.signal });
    if (answer.statusCode !== 200) throw this.#failure(answer.statusCode, parseJson(await answer.body.text()));
    return readEvents(this.#chunks(answer.body));
  }

  async *#chunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  async #send<T>(method: Method, path: string, body: object | null): Promise<T> {
    const answer = await this.#ask(method, path, body);
    const status = answer.statusCode;
    let text: string;
    try {
      text = await answer.body.text();
    } catch (error) {
      throw this.#unreachable(error);
    }
    const parsed = parseJson(text);
    if (status >= 200 && status < 300 && parsed !== undefined) return parsed as T;
    throw this.#failure(status, parsed);
  }

  /** @throws CliError when there is no answer */
  async #ask(
    method: Method,
    path: string,
    body: object | null,
    options: { readonly bodyTimeout?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await request(`${this.#base}${path}`, {
        ...options,
        method,
        headersTimeout: method === 'GET' ? HEADERS_TIMEOUT_MS : CHANGE_TIMEOUT_MS,
        headers: {
          ...(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }),
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
        body: body === null ? null : JSON.stringify(body),
      });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): UnreachableError {
    return new UnreachableError(
      `the admin API at ${this.#base} cannot be reached: ${describe(error)}`,
      'is ringproxy serve running? Give its address with --admin URL or RINGPROXY_ADMIN',
    );
  }

  #failure(status: number, answer: unknown): CliError {
    if (isApiError(answer)) {
      const { code, message, hint } = answer.error;
      return new CliError(message, hint, isErrorCode(code) ? new RingproxyError(code, message).exitCode : 1, code);
    }
    return new CliError(
      `${this.#base} answered ${status}, not as the admin API does`,
      'check --admin: it must be the admin address, not that for Redis clients',
    );
  }
}

function queryOf({ force, dryRun, revision }: GroupsAsk): string {
  return `?${revision === undefined ? '' : `revision=${revision}&`}force=${force}${dryRun ? '&dryRun=true' : ''}`;
}

function groupPath(group: string): string {
  return `/v1/groups/${encodeURIComponent(group)}`;
}

function isHostPort(text: string): boolean {
  return /^([^\s/:]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/.test(text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isApiError(value: unknown): value is ApiError {
  if (typeof value !== 'object' || value === null) return false;
  const error: unknown = Reflect.get(value, 'error');
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error && 'hint' in error;
}

function describe(error: unknown): string {
  const code = systemCode(error);
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name does not resolve';
  if (code.includes('TIMEOUT')) return 'it did not answer in time';
  return error instanceof Error ? error.message : String(error);
}
