/** Talks to the admin API of the proxy that served this page. */
import type {
  AdviceView,
  ApiError,
  ArcsView,
  ChangeAccepted,
  ChangeRequest,
  ChangeView,
  GroupsView,
  HistoryEntry,
  HotView,
  LoadView,
  RingView,
  StatsView,
  WhichView,
  WhoamiView,
} from '../api.js';

const TOKEN = 'ringproxy-token';
const TIMEOUT_MS = 10_000;
/** A change examines nodes first. */
const CHANGE_TIMEOUT_MS = 120_000;

/** What the API answered instead of what was asked for. */
export class RequestError extends Error {
  readonly status: number;
  readonly hint: string;

  constructor(status: number, message: string, hint: string) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

/** Nothing was answered. */
export class UnreachableError extends Error {}

export class ApiClient {
  ring = (): Promise<RingView> => this.#get('v1/ring');
  whoami = (): Promise<WhoamiView> => this.#get('v1/whoami');
  arcs = (): Promise<ArcsView> => this.#get('v1/ring/arcs?limit=480');
  stats = (): Promise<StatsView> => this.#get('v1/stats');
  history = (): Promise<HistoryEntry[]> => this.#get('v1/ring/history');
  groups = (): Promise<GroupsView> => this.#get('v1/groups');
  hot = (): Promise<HotView> => this.#get('v1/hot?limit=10');
  advice = (): Promise<AdviceView> => this.#get('v1/advice?limit=10');

  load(since: string | null): Promise<LoadView[]> {
    return this.#get(`v1/load/history${since === null ? '' : `?since=${encodeURIComponent(since)}`}`);
  }

  async which(key: string): Promise<WhichView | undefined> {
    const [row] = await this.#get<WhichView[]>(`v1/ring/which?key=${encodeURIComponent(key)}`);
    return row;
  }

  change(body: ChangeRequest): Promise<ChangeAccepted> {
    return this.#send('POST', 'v1/ring/changes', body);
  }

  steer(what: 'pause' | 'resume' | 'cancel'): Promise<ChangeView | null> {
    return this.#send('POST', `v1/ring/changes/current/${what}`, null);
  }

  /** The change goes on, without the keys of nodes that do not answer. */
  resumeWithoutDead(): Promise<ChangeView | null> {
    return this.#send('POST', 'v1/ring/changes/current/resume', { noDrain: true });
  }

  /** @param keysPerSecond 0: as fast as it goes */
  throttle(keysPerSecond: number): Promise<ChangeView | null> {
    return this.#send('POST', 'v1/ring/changes/current/throttle', { keysPerSecond });
  }

  /** Takes a proxy out of the fleet that is dead, as whoever asks vouches. */
  forget(proxy: string): Promise<unknown> {
    return this.#send('DELETE', `v1/proxies/${encodeURIComponent(proxy)}`, null);
  }

  /**
   * The proxy's last events and those from now on, until `signal`.
   * @param onOpen the proxy answers, and its events follow
   * @throws RequestError, or the browser's error when it is cut
   */
  async events(
    onOpen: () => void,
    onEvent: (channel: string, data: Record<string, unknown>) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await fetch('v1/events?recent', { headers: this.#headers(), signal });
    if (!answer.ok || answer.body === null) throw await failureOf(answer);
    onOpen();
    let text = '';
    const decoder = new TextDecoder();
    const reader = answer.body.getReader();
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      text += decoder.decode(chunk.value, { stream: true });
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const channel = /^event: (.*)$/m.exec(event)?.[1];
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (channel !== undefined && data !== undefined) onEvent(channel, JSON.parse(data));
      }
    }
  }

  /** Kept until the tab is closed. */
  setToken(token: string): void {
    sessionStorage.setItem(TOKEN, token);
  }

  get hasToken(): boolean {
    return sessionStorage.getItem(TOKEN) !== null;
  }

  #headers(): Record<string, string> {
    const token = sessionStorage.getItem(TOKEN);
    return token === null ? {} : { authorization: `Bearer ${token}` };
  }

  #get<T>(path: string): Promise<T> {
    return this.#send('GET', path, null);
  }

  async #send<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body: object | null): Promise<T> {
    const request = {
      method,
      headers: { ...this.#headers(), ...(body === null ? {} : { 'content-type': 'application/json' }) },
      body: body === null ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(method === 'GET' ? TIMEOUT_MS : CHANGE_TIMEOUT_MS),
    };
    const answer = await reach(fetch(path, request));
    if (!answer.ok) throw await failureOf(answer);
    return (await reach(answer.json())) as T;
  }
}

/** The browser says of an answer that did not come what it says of a fault in the page. */
async function reach<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new UnreachableError('the proxy cannot be reached', { cause });
  }
}

async function failureOf(answer: Response): Promise<RequestError> {
  const body = (await answer.json().catch(() => null)) as ApiError | null;
  return new RequestError(answer.status, body?.error.message ?? `answered ${answer.status}`, body?.error.hint ?? '');
}

/** For people: what went wrong, and what to do. */
export function explain(error: unknown): string {
  if (error instanceof RequestError) return error.hint === '' ? error.message : `${error.message} – ${error.hint}`;
  if (error instanceof UnreachableError) return error.message;
  return `this page has failed: ${error instanceof Error ? error.message : error}`;
}
