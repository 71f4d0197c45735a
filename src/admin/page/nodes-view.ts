/** The table of nodes. Rows stay in the document as long as their nodes are in the ring, so that focus stays too. */
import type { LoadView, NodeLoad, NodeView, RingView } from '../api.js';
import { byId, el, keepTable, setText, setTitle } from './dom.js';
import { formatBytes, formatCount, formatPercent, formatRate, formatSeconds, withLocalTimes } from './format.js';
import { createMenu } from './menu.js';
import { downFor, isDown } from './problems.js';
import { swatch } from './ring-view.js';

export interface NodesOptions {
  colorOf(node: string): string;
  /** Null: none is shown above the others any more. */
  onHighlight(node: string | null): void;
  onReweigh(node: NodeView): void;
  onReplace(node: NodeView): void;
  onRemove(node: NodeView): void;
}

const STATES: Readonly<Record<NodeView['state'], string>> = {
  active: '● active',
  joining: '◐ joining',
  leaving: '◑ leaving',
  down: '✕ down',
  ejected: '✕ ejected',
};

interface Row {
  readonly element: HTMLTableRowElement;
  /** Where the node is now. */
  readonly address: HTMLElement;
  readonly name: HTMLButtonElement;
  /** They change the ring. */
  readonly actions: readonly HTMLButtonElement[];
  readonly cells: Readonly<Record<'state' | 'rate' | 'p99' | 'inflight' | 'keys' | 'memory', HTMLElement>>;
  readonly state: Text;
  /** For whom it is down, where it is not so for all. */
  readonly elsewhere: HTMLElement;
  readonly share: HTMLElement;
  readonly load: HTMLElement;
  node: NodeView;
}

/** What a node is shown with. */
interface Around {
  readonly ring: RingView;
  readonly load: NodeLoad | undefined;
  /** Commands a second of all nodes. */
  readonly total: number;
}

export class NodeTable {
  readonly #body = byId('nodes', HTMLElement);
  readonly #totals = byId('nodes-totals', HTMLElement);
  readonly #options: NodesOptions;
  readonly #rows = new Map<string, Row>();
  #highlighted: string | null = null;

  constructor(options: NodesOptions) {
    this.#options = options;
    keepTable(this.#body);
  }

  /** @param load of the last seconds, or null */
  update(ring: RingView, load: LoadView | null): void {
    const present = new Set<string>();
    // Of what the nodes did: a command on keys of several nodes is one for each of them.
    const total = load?.nodes.reduce((sum, row) => sum + row.commandsPerSecond, 0) ?? 0;
    for (const [index, node] of [...ring.nodes].sort(troubleFirst).entries()) {
      const identity = `${node.name}\n${node.address}`;
      present.add(identity);
      const row = this.#rows.get(identity) ?? this.#create(identity, node);
      this.#place(row.element, index);
      const measured = load?.nodes.find((candidate) => `${candidate.node}\n${candidate.address}` === identity);
      this.#fill(row, node, { ring, load: measured, total });
      for (const [at, button] of row.actions.entries()) {
        // One that is ejected has no place on the ring: it can be forgotten, with the last of the actions.
        button.disabled = ring.change !== null || (node.ejection !== null && at < row.actions.length - 1);
      }
    }
    this.#showTotals(ring, load);
    for (const [identity, row] of this.#rows) {
      if (present.has(identity)) continue;
      row.element.remove();
      this.#rows.delete(identity);
    }
  }

  #create(identity: string, node: NodeView): Row {
    const name = el('button', { type: 'button', class: 'name', 'aria-pressed': 'false' });
    const menu = createMenu(`Actions on ${node.name}`, [
      { label: 'Weight …', whole: `Weight of ${node.name} …`, act: () => this.#options.onReweigh(row.node) },
      { label: 'Replace …', whole: `Replace ${node.name} …`, act: () => this.#options.onReplace(row.node) },
      { label: 'Remove …', whole: `Remove ${node.name} …`, act: () => this.#options.onRemove(row.node) },
    ]);
    const share = el('span', { class: 'bar' });
    const load = el('span', { class: 'bar' });
    const cell = (label: string, kind = 'number'): HTMLTableCellElement =>
      el('td', { role: 'cell', 'data-label': label, class: kind });
    const cells = {
      ...{ state: cell('State', 'state'), rate: cell('Commands/s'), p99: cell('p99') },
      ...{ inflight: cell('In flight'), keys: cell('Keys'), memory: cell('Memory') },
    };
    const state = document.createTextNode('');
    const elsewhere = el('span', { class: 'elsewhere' });
    cells.state.append(state, elsewhere);
    const bars = cell('Share and load', 'bars');
    bars.append(el('span', { class: 'meter' }, share), el('span', { class: 'meter load' }, load));
    const address = el('span', { class: 'muted address' });
    const element = el(
      'tr',
      { role: 'row', 'data-node': node.name },
      el('th', { role: 'rowheader', scope: 'row' }, name, address),
      cells.state,
      bars,
      ...[cells.rate, cells.p99, cells.inflight, cells.keys, cells.memory],
      el('td', { role: 'cell', class: 'actions operators' }, menu.opener, menu.list),
    );
    const row: Row = { element, name, address, actions: menu.buttons, cells, state, elsewhere, share, load, node };
    name.addEventListener('click', () => this.#toggle(row.node.name));
    this.#rows.set(identity, row);
    return row;
  }

  #fill(row: Row, node: NodeView, { ring, load, total }: Around): void {
    row.node = node;
    const color = this.#options.colorOf(node.name);
    if (row.element.style.getPropertyValue('--color') !== color) {
      row.element.style.setProperty('--color', color);
      row.name.replaceChildren(swatch(color), node.name);
    }
    setText(row.address, whereabouts(node));
    const weight = node.weight === 1 ? '' : ` ×${node.weight}`;
    const state = `${STATES[node.state]}${weight}${node.reason === null ? '' : `: ${withLocalTimes(node.reason)}`}`;
    if (row.state.data !== state) row.state.data = state;
    setText(row.elsewhere, downElsewhere(node, ring));
    row.elsewhere.hidden = row.elsewhere.textContent === '';
    row.element.dataset.state = node.state;
    const measured = total === 0 || load === undefined ? null : load.commandsPerSecond / total;
    const next = node.nextShare === null || node.nextShare === node.share ? '' : ` → ${formatPercent(node.nextShare)}`;
    bar(row.share, node.share, `${formatPercent(node.share)}${next} of the ring`);
    bar(row.load, measured ?? 0, measured === null ? 'no load' : `${formatPercent(measured)} of the load`);
    setText(row.cells.rate, load === undefined ? '–' : formatRate(load.commandsPerSecond));
    setText(row.cells.p99, formatSeconds(load?.p99 ?? null));
    setText(row.cells.inflight, formatCount(load?.inflight ?? null));
    setText(row.cells.keys, formatCount(node.keys));
    setText(row.cells.memory, memoryOf(node));
    setTitle(row.cells.memory, serverOf(node));
  }

  /** Brings a node's row into view, and the focus to it. */
  show(name: string): void {
    for (const row of this.#rows.values()) if (row.node.name === name) row.name.focus();
  }

  /** @param index among the rows */
  #place(element: HTMLElement, index: number): void {
    const there = this.#body.children[index] ?? null;
    if (there === element) return;
    const focused = element.contains(document.activeElement) ? document.activeElement : null;
    this.#body.insertBefore(element, there);
    // What moves in the document drops it.
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }

  #showTotals({ nodes }: RingView, load: LoadView | null): void {
    const down = nodes.filter(isDown).length;
    const sum = (values: readonly (number | null)[]): number =>
      values.reduce<number>((all, one) => all + (one ?? 0), 0);
    const rows = load?.nodes ?? [];
    const slowest = Math.max(...rows.map(({ p99 }) => p99 ?? 0));
    const texts = [
      nodes.length === 1 ? '1 node' : `All ${nodes.length} nodes`,
      down === 0 ? '' : `${down} down`,
      '',
      formatRate(sum(rows.map((row) => row.commandsPerSecond))),
      slowest > 0 ? `≤ ${formatSeconds(slowest)}` : '–',
      formatCount(sum(rows.map((row) => row.inflight))),
      formatCount(sum(nodes.map(({ keys }) => keys))),
      formatBytes(sum(nodes.map(({ usedMemory }) => usedMemory))),
    ];
    for (const [index, text] of texts.entries()) {
      const cell = this.#totals.children[index];
      if (cell !== undefined) setText(cell, text);
    }
    this.#totals.dataset.state = down === 0 ? 'active' : 'down';
  }

  #toggle(node: string): void {
    this.#highlighted = this.#highlighted === node ? null : node;
    for (const row of this.#rows.values()) {
      row.name.setAttribute('aria-pressed', String(row.node.name === this.#highlighted));
    }
    this.#options.onHighlight(this.#highlighted);
  }
}

const collator = new Intl.Collator('en', { numeric: true });

/** Of its limit, where it has one. */
function memoryOf({ usedMemory, figures }: NodeView): string {
  const most = figures?.maxMemory ?? 0;
  return most === 0 ? formatBytes(usedMemory) : `${formatBytes(usedMemory)} of ${formatBytes(most)}`;
}

/** What its server says of itself, for who rests there. */
function serverOf({ version, figures }: NodeView): string {
  if (figures === null) return '';
  const { fragmentation, evictedKeys, expiredKeys, connectedClients, blockedClients, maxClients } = figures;
  return [
    `Redis ${version ?? ''}, ${figures.role ?? ''}, up for ${formatSeconds(figures.uptimeSeconds)}`,
    `${formatCount(evictedKeys)} keys evicted, ${formatCount(expiredKeys)} expired (${figures.maxMemoryPolicy ?? ''})`,
    `fragmentation ${fragmentation?.toFixed(2) ?? '–'}`,
    `${formatCount(connectedClients)} of ${formatCount(maxClients)} connections, ${formatCount(blockedClients)} blocked`,
  ].join('\n');
}

/** Those that need somebody first, then by name: node2 before node10. */
function troubleFirst(a: NodeView, b: NodeView): number {
  return rankOf(a) - rankOf(b) || collator.compare(a.name, b.name);
}

function rankOf(node: NodeView): number {
  if (isDown(node)) return 0;
  if (node.reason !== null) return 1;
  return node.state === 'active' ? 3 : 2;
}

/** Of a node that only some proxies cannot reach, the network between is to blame rather than the node. */
function downElsewhere(node: NodeView, ring: RingView): string {
  const serving = ring.proxies.filter(({ alive, fencedOff }) => alive && !fencedOff);
  const down = downFor(node, ring);
  if (down.length === 0 || serving.length === 1) return '';
  if (down.length === serving.length) return `down for all ${serving.length} proxies`;
  const names = down.map((id) => (id === ring.coordination.proxy ? 'this proxy' : id));
  return `down for ${down.length} of ${serving.length} proxies: ${names.join(', ')}`;
}

function bar(element: HTMLElement, part: number, text: string): void {
  element.style.setProperty('--part', part.toFixed(4));
  setText(element, text);
}

/** Of a node that is several servers: its master, and who says so. A proxy of an earlier version says nothing of masters. */
function whereabouts({
  address,
  master = null,
}: Pick<NodeView, 'address'> & Partial<Pick<NodeView, 'master'>>): string {
  return master === null ? address : `${master.address ?? 'no master'} (${master.source})`;
}
