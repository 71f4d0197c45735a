/** The table of the keys that are used most, at all proxies of the ring. */
import type { HotKeyView, HotView } from '../api.js';
import type { ApiClient } from './api-client.js';
import { Asking } from './asking.js';
import { byId, el, keepTable, setText, showMissing } from './dom.js';
import { formatPercent, formatRate } from './format.js';

/** What is hot changes slowly, and all proxies are asked for it. */
const INTERVAL_MS = 3000;

export class HotTable {
  readonly #card = byId('hot-card', HTMLElement);
  readonly #text = byId('hot-text', HTMLElement);
  readonly #missing = byId('hot-missing', HTMLElement);
  readonly #body = byId('hot', HTMLElement);
  readonly #asking: Asking<HotView>;

  constructor(api: ApiClient) {
    this.#asking = new Asking(INTERVAL_MS, api.hot, (view) => this.#show(view));
    keepTable(this.#body);
  }

  /** @see Asking.refresh */
  refresh(): void {
    this.#asking.refresh();
  }

  #show({ keys, perSecond, missing }: HotView): void {
    this.#card.hidden = keys.length === 0;
    const share = keys.reduce((sum, key) => sum + key.share, 0);
    setText(this.#text, `${formatPercent(share)} of ${formatRate(perSecond)} uses/s`);
    showMissing(this.#missing, missing);
    for (const [index, key] of keys.entries()) {
      const row = this.#body.children[index];
      fill(row instanceof HTMLElement ? row : this.#append(), key);
    }
    while (this.#body.children.length > keys.length) this.#body.lastElementChild?.remove();
  }

  #append(): HTMLElement {
    const cell = (label: string, kind = 'number'): HTMLTableCellElement =>
      el('td', { role: 'cell', 'data-label': label, class: kind });
    const row = el(
      'tr',
      { role: 'row' },
      el('th', { role: 'rowheader', scope: 'row', class: 'key' }),
      ...[cell('Node', 'word'), cell('Group', 'word')],
      ...[cell('Commands/s'), cell('Share'), cell('Reads')],
      cell('In proxies', 'word'),
    );
    this.#body.append(row);
    return row;
  }
}

function fill(
  row: HTMLElement,
  { key, database, node, group, commandsPerSecond, share, reads, near, cache }: HotKeyView,
): void {
  const texts = [
    `${key}${database === 0 ? '' : ` (database ${database})`}`,
    ...[node ?? '–', group ?? '–'],
    ...[formatRate(commandsPerSecond), formatPercent(share), formatPercent(reads)],
    keptAs(near, cache),
  ];
  for (const [index, text] of texts.entries()) {
    const cell = row.children[index];
    if (cell !== undefined) setText(cell, text);
  }
}

/** Why proxies have it themselves. */
function keptAs(near: boolean, cache: HotKeyView['cache']): string {
  if (near) return '● near-auto';
  return cache === null || cache === 'sharded' ? '–' : cache;
}
