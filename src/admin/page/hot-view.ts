/** The table of the keys that are used most, at all proxies of the ring. */
import type { HotKeyView, HotView } from '../api.js';
import type { ApiClient } from './api-client.js';
import { Asking } from './asking.js';
import { byId, el, keepTable, setText } from './dom.js';
import { formatPercent, formatRate } from './format.js';

/** What is hot changes slowly, and all proxies are asked for it. */
const INTERVAL_MS = 3000;

export class HotTable {
  readonly #api: ApiClient;
  readonly #card = byId('hot-card', HTMLElement);
  readonly #text = byId('hot-text', HTMLElement);
  readonly #missing = byId('hot-missing', HTMLElement);
  readonly #body = byId('hot', HTMLElement);
  readonly #asking = new Asking(INTERVAL_MS);

  constructor(api: ApiClient) {
    this.#api = api;
    keepTable(this.#body);
  }

  /** Asks, if what is shown is not new. What fails here fails for the rest of the page, too, which says so. */
  refresh(): void {
    if (!this.#asking.isDue()) return;
    this.#api.hot().then(
      (view) => this.#show(view),
      () => {},
    );
  }

  #show({ keys, perSecond, missing }: HotView): void {
    this.#card.hidden = keys.length === 0;
    const share = keys.reduce((sum, key) => sum + key.share, 0);
    setText(this.#text, `${formatPercent(share)} of ${formatRate(perSecond)} uses/s`);
    this.#missing.hidden = missing.length === 0;
    setText(this.#missing, missing.map(({ proxy, why }) => `without proxy ${proxy}: ${why}`).join('; '));
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
      cell('Kept near', 'word'),
    );
    this.#body.append(row);
    return row;
  }
}

function fill(
  row: HTMLElement,
  { key, database, node, group, commandsPerSecond, share, reads, near }: HotKeyView,
): void {
  const texts = [
    `${key}${database === 0 ? '' : ` (database ${database})`}`,
    ...[node ?? '–', group ?? '–'],
    ...[formatRate(commandsPerSecond), formatPercent(share), formatPercent(reads)],
    near ? '● near' : '–',
  ];
  for (const [index, text] of texts.entries()) {
    const cell = row.children[index];
    if (cell !== undefined) setText(cell, text);
  }
}
