/** The table of the commands whose keys are on several nodes, and what would bring these keys together. */
import type { AdviceRow, AdviceView } from '../api.js';
import type { ApiClient } from './api-client.js';
import { Asking } from './asking.js';
import { byId, el, keepTable, setText, showMissing } from './dom.js';
import { formatCount } from './format.js';

/** Counts since the start, of all proxies: what they come to changes in hours. */
const INTERVAL_MS = 10_000;

export class AdviceTable {
  readonly #card = byId('advice-card', HTMLElement);
  readonly #text = byId('advice-text', HTMLElement);
  readonly #missing = byId('advice-missing', HTMLElement);
  readonly #body = byId('advice', HTMLElement);
  readonly #tags = byId('advice-tags', HTMLElement);
  readonly #patterns = byId('advice-patterns', HTMLElement);
  readonly #asking: Asking<AdviceView>;

  constructor(api: ApiClient) {
    this.#asking = new Asking(INTERVAL_MS, api.advice, (view) => this.#show(view));
    keepTable(this.#body);
  }

  /** @see Asking.refresh */
  refresh(): void {
    this.#asking.refresh();
  }

  #show({ commands, advice, hashTags, missing }: AdviceView): void {
    this.#card.hidden = advice.length === 0;
    setText(this.#text, `${formatCount(commands)} since the start`);
    showMissing(this.#missing, missing);
    this.#body.replaceChildren(...advice.map(rowOf));
    this.#tags.hidden = hashTags.length === 0;
    setText(this.#patterns, `hash-tags: ${JSON.stringify(hashTags)}`);
  }
}

function rowOf({ command, calls, refused, keys, tagged, scope }: AdviceRow): HTMLElement {
  const cell = (label: string, kind: string, ...lines: string[]): HTMLElement =>
    el('td', { role: 'cell', 'data-label': label, class: kind }, ...lines.map((line) => el('div', {}, line)));
  const names = tagged === null ? ['nothing in common'] : tagged;
  return el(
    'tr',
    { role: 'row' },
    el('th', { role: 'rowheader', scope: 'row', class: 'key' }, command),
    cell('Keys', 'word', ...keys),
    cell('On one node as', 'word', ...names, ...(scope === 'prefix' ? ['(all of them on one node)'] : [])),
    cell('Commands', 'number', formatCount(calls)),
    cell('Refused', 'number', formatCount(refused)),
  );
}
