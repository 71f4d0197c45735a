/** Ties the page together: asks the proxy once a second, listens to its events, and hands both to the views. */
import type { WhoamiView } from '../api.js';
import { AdviceTable } from './advice-view.js';
import { ApiClient, explain, RequestError, UnreachableError } from './api-client.js';
import { ChangePanel } from './change-view.js';
import { byId, setText, setTitle } from './dom.js';
import { Editor } from './edit-view.js';
import { EventList } from './events-view.js';
import { showFigures } from './figures-view.js';
import { formatTime } from './format.js';
import { GroupTable } from './groups-view.js';
import { HealthView } from './health-view.js';
import { HotTable } from './hot-view.js';
import { NodeTable } from './nodes-view.js';
import { Plots, ratesOf, type Sample } from './plots.js';
import { ProxyTable } from './proxies-view.js';
import { RingDrawing } from './ring-view.js';
import { TokenDialog } from './token-view.js';
import { KeyFinder } from './which-view.js';

const INTERVAL_MS = 1000;
/** While keys move there is more to see. */
const CHANGE_INTERVAL_MS = 400;
const RECONNECT_MS = 2000;
/** As many seconds of samples as the proxy keeps. */
const KEPT_SAMPLES = 300;

const api = new ApiClient();
const connection = byId('connection', HTMLElement);
const identity = byId('identity', HTMLElement);
const ring = new RingDrawing();
const plots = new Plots(
  (node) => ring.colorOf(node),
  () => plots.show(samples, events.marks),
);
const editor = new Editor(api, refreshSoon);
const change = new ChangePanel(api, refreshSoon);
const proxies = new ProxyTable(api, refreshSoon);
const groups = new GroupTable(api);
const hot = new HotTable(api);
const advice = new AdviceTable(api);
const finder = new KeyFinder(api, (which) => ring.mark(which));
const events = new EventList();
const token = new TokenDialog(api, () => {
  role = null;
  refreshSoon();
  void listen();
});
const nodes = new NodeTable({
  colorOf: (node) => ring.colorOf(node),
  onHighlight: (node) => ring.highlight(node),
  onReweigh: (node) => editor.reweigh(node),
  onReplace: (node) => editor.replace(node),
  onRemove: (node) => editor.remove(node),
});

const health = new HealthView({
  onRemove: (node) => editor.remove(node),
  onReplace: (node) => editor.replace(node),
  onGiveUp: (node) => editor.giveUp(node),
  onShow: (node) => nodes.show(node.name),
});

const samples: Sample[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let refreshing = false;
let again = false;
let reachedAt: Date | null = null;
/** Of the change that was shown last. */
let toldGeneration = 0;
/** The id of the proxy that answered last. */
let proxy = '';
/** What whoever looks at the page may do; null: not known yet. */
let role: WhoamiView['role'] | null = null;
let listening: AbortController | null = null;

/** Asks for everything, and shows it. */
async function refresh(): Promise<void> {
  const [view, stats, news] = await Promise.all([api.ring(), api.stats(), api.load(samples.at(-1)?.at ?? null)]);
  if (role === null) showRole(await api.whoami());
  // A proxy that was started anew may have another ring under the same number.
  const isOther = stats.proxy !== proxy;
  if (isOther || ring.differsFrom(view)) {
    ring.setArcs(await api.arcs());
    await finder.refresh();
  }
  if (view.change === null && (isOther || toldGeneration !== view.generation)) {
    // A change is over a moment before it is in the history.
    const entry = (await api.history()).at(-1);
    change.showLast(entry);
    toldGeneration = entry?.generation ?? 0;
  }
  proxy = stats.proxy;
  const last = news.at(-1);
  const rates = ratesOf(view.proxies);
  samples.push(...news.map((sample) => ({ ...sample, proxies: rates })));
  samples.splice(0, samples.length - KEPT_SAMPLES);
  const workers = stats.workers.length === 1 ? '' : `, ${stats.workers.length} workers`;
  setText(identity, `proxy ${stats.proxy}, version ${stats.version}${workers}`);
  health.update(view, samples.at(-1) ?? null);
  ring.update(view);
  change.update(view);
  showFigures(stats, samples.at(-1) ?? null);
  nodes.update(view, samples.at(-1) ?? null);
  proxies.update(view);
  events.update(view);
  if (last !== undefined) plots.show(samples, events.marks);
  groups.refresh();
  hot.refresh();
  advice.refresh();
  reachedAt = new Date();
  connection.className = 'badge good';
  setText(connection, 'live');
  document.body.classList.remove('stale');
  schedule(view.change === null ? INTERVAL_MS : CHANGE_INTERVAL_MS);
}

/** What a role may not do is hidden (`.operators`, `.admins`); the proxy refuses it in any case. */
const ROLES: Readonly<Record<WhoamiView['role'], { readonly badge: string; readonly title: string }>> = {
  viewer: { badge: 'looks only', title: 'is that of a viewer: nothing can be changed with it' },
  operator: { badge: 'operator', title: 'is that of an operator: with it nothing can be done that may lose data' },
  admin: { badge: '', title: '' },
};

function showRole({ role: whose, name }: WhoamiView): void {
  role = whose;
  document.body.dataset.role = whose;
  const { badge, title } = ROLES[whose];
  const shown = byId('role', HTMLElement);
  setText(shown, badge);
  setTitle(shown, `The token${name === null ? '' : ` ${name}`} ${title}`);
  shown.hidden = badge === '';
}

function schedule(milliseconds: number): void {
  clearTimeout(timer);
  // Nobody looks: nothing is asked. The page is brought up to date when somebody does.
  if (document.hidden || token.wanted) return;
  timer = setTimeout(() => void run(), milliseconds);
}

async function run(): Promise<void> {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  again = false;
  try {
    await refresh();
  } catch (error) {
    showFailure(error);
  }
  refreshing = false;
  if (again) schedule(0);
}

function refreshSoon(): void {
  if (refreshing) again = true;
  else schedule(0);
}

function showFailure(error: unknown): void {
  if (error instanceof RequestError && error.status === 401) {
    setText(connection, 'needs a token');
    connection.className = 'badge bad';
    token.ask();
    return;
  }
  connection.className = 'badge bad';
  const since = reachedAt === null ? '' : `; figures of ${formatTime(reachedAt)}`;
  setText(connection, `${explain(error)}${since}`);
  document.body.classList.add('stale');
  health.lose(error instanceof UnreachableError ? 'The proxy does not answer' : explain(error));
  schedule(RECONNECT_MS);
}

/** Listens to the events for as long as the page is open. */
async function listen(): Promise<void> {
  listening?.abort();
  const own = new AbortController();
  listening = own;
  while (!own.signal.aborted) {
    try {
      await api.events(() => events.clear(), onEvent, own.signal);
    } catch (error) {
      // The refresh asks for the token, and begins anew with it.
      if (error instanceof RequestError && error.status === 401) return;
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

function onEvent(channel: string, data: Readonly<Record<string, unknown>>): void {
  events.add(channel, data);
  if (channel === 'ringproxy:groups:changed') groups.outdate();
  if (/^ringproxy:(ring|fleet|etcd|groups):|^ringproxy:node:health$/.test(channel)) refreshSoon();
}

document.addEventListener('visibilitychange', refreshSoon);
void run();
void listen();
