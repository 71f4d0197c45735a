/**
 * Every route of the admin API, once: who may call it, what it does, what it takes. The routes are registered from
 * these rows (a handler without a row, and a row without a handler, do not compile), and so are made what `GET /v1`
 * lists, `/v1/openapi.json` and the documentation's table.
 */
import {
  cancelBody,
  changeBody,
  checkBody,
  groupBody,
  groupsBody,
  groupWordsBody,
  resumeBody,
  throttleBody,
} from './bodies.js';
import type { QueryWord, RouteRow } from './row.js';

export const LIMITS = {
  arcs: { least: 1, most: 4096, otherwise: 720 },
  hotKeys: { least: 1, most: 256, otherwise: 20 },
  advice: { least: 1, most: 256, otherwise: 20 },
  audit: { least: 1, most: 1000, otherwise: 100 },
  /** Older samples are not kept. */
  seconds: { least: 1, most: 300, otherwise: 10 },
} as const;

const ofFleet: QueryWord = { type: 'flag', otherwise: true, help: 'of all proxies of the ring, or of this one alone' };

/** Of what changes groups of keys. */
const howGroups = {
  force: { type: 'flag', otherwise: false, help: 'go on although keys that are there are not seen any more then' },
  revision: {
    type: 'number',
    least: 0,
    help: 'of the groups that whoever asks has seen: refused when they are others by now',
  },
  dryRun: { type: 'flag', otherwise: false, help: 'only say what would change, and which keys it would hide' },
  fleet: ofFleet,
} as const satisfies Readonly<Record<string, QueryWord>>;

export const ROUTES = {
  'GET /': { needs: 'nobody', form: 'html', help: 'the web page' },
  'GET /page/*': { needs: 'nobody', form: 'file', help: 'what the page is made of' },
  'GET /healthz': { needs: 'nobody', answer: 'HealthView', help: 'the process lives' },
  'GET /readyz': { needs: 'nobody', answer: 'ReadyView', help: 'clients can be served' },
  'GET /metrics': { needs: 'viewer', form: 'metrics', help: 'for Prometheus' },
  'GET /v1': { needs: 'viewer', form: 'text', help: 'this list' },
  'GET /v1/openapi.json': {
    needs: 'viewer',
    help: 'this list for programs: OpenAPI 3.1, with the bodies of requests and answers',
  },
  'GET /v1/whoami': { needs: 'viewer', answer: 'WhoamiView', help: 'what the token is good for' },

  'GET /v1/ring': { needs: 'viewer', answer: 'RingView', help: 'generation, nodes, shares' },
  'GET /v1/ring/which': {
    needs: 'viewer',
    answer: 'WhichView[]',
    help: 'where a key is',
    query: { key: { type: 'text', required: true, many: true, help: 'a key; %XX stands for the byte itself' } },
  },
  'GET /v1/ring/arcs': {
    needs: 'viewer',
    answer: 'ArcsView',
    help: 'the ring as at most so many pieces, to be drawn',
    query: { limit: { type: 'number', ...LIMITS.arcs, help: 'pieces' } },
  },
  'GET /v1/ring/history': { needs: 'viewer', answer: 'HistoryEntry[]', help: 'finished changes' },
  'GET /v1/ring/check': {
    needs: 'viewer',
    answer: 'StrayReport',
    help: 'keys on nodes that do not own them, as far as they are known',
  },
  'POST /v1/ring/check': {
    needs: 'operator',
    raised: { words: ['fix'], needs: 'admin' },
    answer: 'StrayReport',
    help: 'look for them; with {"fix": true} remove them',
    body: checkBody,
  },
  'POST /v1/ring/changes': {
    needs: 'operator',
    raised: { words: ['noDrain', 'flush', 'force'], needs: 'admin' },
    answer: 'ChangeAccepted',
    help: 'add, remove, reweight or replace nodes; with "dryRun": true only say what would move',
    body: changeBody,
  },
  'GET /v1/ring/changes/current': { needs: 'viewer', answer: 'ChangeView', help: 'the running change' },
  'POST /v1/ring/changes/current/pause': {
    needs: 'operator',
    answer: 'ChangeView',
    help: 'keys stay where they are until it is resumed',
  },
  'POST /v1/ring/changes/current/resume': {
    needs: 'operator',
    raised: { words: ['noDrain'], needs: 'admin' },
    answer: 'ChangeView',
    help: 'go on; with {"noDrain": true} without the keys of nodes that do not answer',
    body: resumeBody,
  },
  'POST /v1/ring/changes/current/cancel': {
    needs: 'operator',
    answer: 'ChangeView',
    help: 'move everything back; with {"dryRun": true} only say what would move',
    body: cancelBody,
  },
  'POST /v1/ring/changes/current/throttle': {
    needs: 'operator',
    answer: 'ChangeView',
    help: 'move at most so many keys a second',
    body: throttleBody,
  },
  'GET /v1/proxies': { needs: 'viewer', answer: 'ProxyView[]', help: 'the proxies of this ring' },
  'DELETE /v1/proxies/:id': { needs: 'admin', answer: 'ProxyView[]', help: 'forget one that is dead' },

  'GET /v1/audit': {
    needs: 'admin',
    answer: 'AuditView',
    help: 'who has called what: calls that would change something, and those that were refused',
    query: { limit: { type: 'number', ...LIMITS.audit, help: 'the newest calls' }, fleet: ofFleet },
  },

  'GET /v1/stats': { needs: 'viewer', answer: 'StatsView', help: 'counters and latencies' },
  'GET /v1/hot': {
    needs: 'viewer',
    answer: 'HotView',
    help: 'the keys that are used most',
    query: { limit: { type: 'number', ...LIMITS.hotKeys, help: 'keys' }, fleet: ofFleet },
  },
  'GET /v1/advice': {
    needs: 'viewer',
    answer: 'AdviceView',
    help: 'which keys commands had on several nodes, and which hash tags would bring them together',
    query: { limit: { type: 'number', ...LIMITS.advice, help: 'kinds of keys' }, fleet: ofFleet },
  },
  'GET /v1/load': {
    needs: 'viewer',
    answer: 'LoadView',
    help: 'rates and latencies of the last seconds',
    query: { seconds: { type: 'number', ...LIMITS.seconds, help: 'how many' } },
  },
  'GET /v1/load/history': {
    needs: 'viewer',
    answer: 'LoadView[]',
    help: 'the same by the second, for the last five minutes',
    query: { since: { type: 'time', help: 'only what ended later' } },
  },

  'GET /v1/groups': {
    needs: 'viewer',
    answer: 'GroupsView',
    help: 'groups of keys: how each is cached, and what was counted of it',
    query: { fleet: ofFleet },
  },
  'PUT /v1/groups': {
    needs: 'admin',
    answer: 'GroupsView | GroupsPreview',
    help: 'make them as given',
    query: howGroups,
    body: groupsBody,
  },
  'DELETE /v1/groups': {
    needs: 'admin',
    answer: 'GroupsView | GroupsPreview',
    help: 'go back to those of the configuration',
    query: howGroups,
  },
  'PUT /v1/groups/:group': {
    needs: 'admin',
    answer: 'GroupsView | GroupsPreview',
    help: 'make one group as given',
    query: howGroups,
    body: groupBody,
  },
  'PATCH /v1/groups/:group': {
    needs: 'admin',
    answer: 'GroupsView | GroupsPreview',
    help: 'change what is given of one group; null: the default again',
    query: howGroups,
    body: groupWordsBody,
  },
  'DELETE /v1/groups/:group': {
    needs: 'admin',
    answer: 'GroupsView | GroupsPreview',
    help: 'take one group out',
    query: howGroups,
  },

  'GET /v1/events': {
    needs: 'viewer',
    form: 'events',
    help: 'server-sent events: each as it happens',
    query: {
      channel: { type: 'text', many: true, help: 'those to hear of; without one all that are not frequent' },
      recent: { type: 'text', help: 'those of before come first' },
    },
  },
} as const satisfies Readonly<Record<`${Method} /${string}`, RouteRow>>;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type RouteName = keyof typeof ROUTES;

/** The rows, as `RouteRow`. */
export function routeRows(): [RouteName, RouteRow][] {
  return Object.entries<RouteRow>(ROUTES) as [RouteName, RouteRow][];
}

/** @returns the types that answers are made of, each once */
export function answersOfRoutes(): Set<string> {
  return new Set(routeRows().flatMap(([, { answer = '' }]) => answer.match(/\w+/g) ?? []));
}

/** @returns its method, and its path with `:name` for what differs */
export function partsOf(name: RouteName): { method: Method; path: string } {
  const [method, path = ''] = name.split(' ');
  return { method: method as Method, path };
}

/** @returns the methods that a path takes */
export function methodsOf(path: string): string[] {
  return routeRows().flatMap(([name]) => {
    const { method, path: pattern } = partsOf(name);
    const matches = new RegExp(`^${pattern.replace(/:\w+/g, '[^/]+').replace('*', '.+')}$`).test(path);
    return !matches ? [] : method === 'GET' ? [method, 'HEAD'] : [method];
  });
}
