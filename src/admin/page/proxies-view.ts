/** The table of proxies, where there are several: what each does for the ring, and its load as it tells the others. */
import type { CoordinationView, ProxyView, RingView } from '../api.js';
import type { ApiClient } from './api-client.js';
import { confirmThat } from './confirm.js';
import { byId, el, keepTable, setText } from './dom.js';
import { formatBytes, formatCount, formatPercent, formatRate, formatSeconds, formatTime } from './format.js';

/** What a proxy tells comes by and by; older than that, it is said how old it is. */
const OLD_MS = 20_000;

type Figure = 'rate' | 'hits' | 'p99' | 'clients' | 'cores' | 'memory' | 'generation';

interface Row {
  readonly element: HTMLTableRowElement;
  readonly name: HTMLElement;
  readonly about: HTMLElement;
  readonly state: HTMLElement;
  readonly jobs: HTMLElement;
  readonly figures: Readonly<Record<Figure, HTMLElement>>;
  readonly forget: HTMLButtonElement;
}

export class ProxyTable {
  readonly #api: ApiClient;
  readonly #refresh: () => void;
  readonly #card = byId('proxies-card', HTMLElement);
  readonly #agree = byId('proxies-agree', HTMLElement);
  readonly #body = byId('proxies', HTMLElement);
  readonly #trouble = byId('trouble', HTMLElement);
  readonly #rows = new Map<string, Row>();

  constructor(api: ApiClient, refresh: () => void) {
    this.#api = api;
    this.#refresh = refresh;
    keepTable(this.#body);
  }

  update({ proxies, coordination, generation }: RingView): void {
    this.#card.hidden = coordination.kind === 'none';
    setText(this.#agree, `agree in ${coordination.kind}, ${coordination.consistency}`);
    const trouble = describeTrouble(coordination);
    this.#trouble.hidden = trouble === '';
    setText(this.#trouble, trouble);
    const newest = Math.max(generation, ...proxies.map((proxy) => proxy.generation));
    for (const [index, proxy] of proxies.entries()) {
      const row = this.#rows.get(proxy.id) ?? this.#create(proxy.id);
      const there = this.#body.children[index] ?? null;
      if (there !== row.element) this.#body.insertBefore(row.element, there);
      fill(row, proxy, newest, proxy.id === coordination.proxy);
    }
    for (const [id, row] of this.#rows) {
      if (proxies.some((proxy) => proxy.id === id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
  }

  #create(id: string): Row {
    const cell = (label: string, kind = 'number'): HTMLTableCellElement =>
      el('td', { role: 'cell', 'data-label': label, class: kind });
    const name = el('span', { class: 'id' });
    const about = el('span', { class: 'muted address' });
    const forget = el('button', { type: 'button', class: 'quiet', 'aria-label': `Forget ${id} …` }, 'Forget …');
    forget.addEventListener('click', () => this.#askToForget(id));
    const [state, jobs] = [cell('State', 'state'), cell('Does', 'jobs')];
    const figures = {
      ...{ rate: cell('Commands/s'), hits: cell('Hit ratio'), p99: cell('p99'), clients: cell('Clients') },
      ...{ cores: cell('Processor'), memory: cell('Memory'), generation: cell('Generation') },
    };
    const element = el(
      'tr',
      { role: 'row', 'data-proxy': id },
      el('th', { role: 'rowheader', scope: 'row' }, name, about),
      ...[state, jobs, ...Object.values(figures)],
      el('td', { role: 'cell', class: 'actions admins' }, el('div', { class: 'buttons' }, forget)),
    );
    const row: Row = { element, name, about, state, jobs, figures, forget };
    this.#rows.set(id, row);
    return row;
  }

  #askToForget(id: string): void {
    confirmThat({
      title: `Forget ${id}`,
      text: 'The nodes drop its connections, and changes of the ring do not wait for it any more. You vouch that it is dead: if it lives on, cut off, it goes on with what it has until it finds out.',
      yes: `Forget ${id}`,
      act: () => this.#api.forget(id).then(this.#refresh),
    });
  }
}

function fill(row: Row, proxy: ProxyView, newest: number, isOwn: boolean): void {
  const { id, admin, load, version, workers } = proxy;
  // What another proxy says of itself becomes a link only where it is one.
  const isLink = !isOwn && /^https?:\/\//.test(admin);
  if (row.name.dataset.link !== (isLink ? admin : '')) {
    row.name.dataset.link = isLink ? admin : '';
    row.name.replaceChildren(isLink ? el('a', { href: admin, rel: 'noreferrer' }, id) : id);
  }
  const processes = workers === 1 ? '' : `, ${workers} workers`;
  setText(row.about, `${isOwn ? 'this proxy' : admin.replace(/^https?:\/\//, '')}, version ${version}${processes}`);
  const state = stateOf(proxy, newest);
  row.element.dataset.state = state;
  setText(row.state, `${STATES[state]}${ageOf(load)}`);
  setText(row.jobs, describeJobs(proxy));
  const reads = load === null ? 0 : load.hitsPerSecond + load.missesPerSecond;
  const { figures } = row;
  setText(figures.rate, load === null ? '–' : formatRate(load.commandsPerSecond));
  setText(figures.hits, load === null || reads === 0 ? '–' : formatPercent(load.hitsPerSecond / reads));
  setText(figures.p99, formatSeconds(load?.p99 ?? null));
  setText(figures.clients, formatCount(load?.clients ?? null));
  setText(figures.cores, load === null ? '–' : formatPercent(load.cores));
  setText(figures.memory, formatBytes(load?.residentMemory ?? null));
  setText(figures.generation, formatCount(proxy.generation));
  row.forget.hidden = proxy.alive || isOwn;
}

type ShownState = 'alive' | 'behind' | 'away' | 'fenced';

const STATES: Readonly<Record<ShownState, string>> = {
  alive: '● alive',
  behind: '◐ behind',
  away: '✕ no sign of it: changes of the ring wait for it',
  fenced: '✕ fenced off: it may not speak to nodes',
};

function stateOf({ alive, fencedOff, generation }: ProxyView, newest: number): ShownState {
  if (fencedOff) return 'fenced';
  if (!alive) return 'away';
  return generation < newest ? 'behind' : 'alive';
}

function ageOf(load: ProxyView['load']): string {
  if (load === null) return '';
  const age = Date.now() - new Date(load.at).getTime();
  return age < OLD_MS ? '' : `; figures of ${formatTime(new Date(load.at))}`;
}

/** Sources that one moves are named once. */
function describeJobs({ coordinator, jobs }: ProxyView): string {
  const moves = jobs.flatMap((job) => (job.startsWith('mover/') ? [job.slice('mover/'.length)] : []));
  return [
    ...(coordinator ? ['coordinates'] : []),
    ...(moves.length === 0 ? [] : [`moves keys of ${moves.join(', ')}`]),
    ...jobs.filter((job) => !job.startsWith('mover/')),
  ].join('; ');
}

function describeTrouble({ trouble, unreachableSince }: CoordinationView): string {
  if (trouble === null) return '';
  return unreachableSince === null ? trouble : `Since ${formatTime(new Date(unreachableSince))}: ${trouble}`;
}
