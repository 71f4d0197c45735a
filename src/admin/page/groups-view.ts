/** The table of the groups of keys: how each is cached, and how well that serves at all proxies of the ring. */
import type { GroupCountsView, GroupsView, GroupView } from '../api.js';
import type { ApiClient } from './api-client.js';
import { Asking } from './asking.js';
import { byId, el, keepTable, setText, showMissing } from './dom.js';
import { formatBytes, formatCount, formatPercent, formatRate } from './format.js';

/** Rates are of the last ten seconds, and all proxies are asked for them. */
const INTERVAL_MS = 3000;
const NONE = '–';

export class GroupTable {
  readonly #card = byId('groups-card', HTMLElement);
  readonly #source = byId('groups-source', HTMLElement);
  readonly #command = byId('groups-command', HTMLElement);
  readonly #missing = byId('groups-missing', HTMLElement);
  readonly #body = byId('groups', HTMLElement);
  readonly #asking: Asking<GroupsView>;

  constructor(api: ApiClient) {
    this.#asking = new Asking(INTERVAL_MS, api.groups, (view) => this.#show(view));
    keepTable(this.#body);
  }

  /** What is shown is not true any more. */
  outdate(): void {
    this.#asking.outdate();
  }

  /** @see Asking.refresh */
  refresh(): void {
    this.#asking.refresh();
  }

  #show({ source, groups, other, missing }: GroupsView): void {
    this.#card.hidden = groups.length === 0;
    setText(this.#source, source === 'ring' ? 'of all proxies of the ring' : "of this proxy's configuration");
    showMissing(this.#missing, missing);
    setText(this.#command, commandFor(groups[0]?.group ?? 'pages'));
    const rows = groups.map(textsOf);
    if (other !== null) rows.push(['other', 'sharded', NONE, NONE, ...figures(other), NONE, NONE]);
    for (const [index, texts] of rows.entries()) {
      const row = this.#body.children[index] ?? this.#append();
      for (const [at, text] of texts.entries()) {
        const cell = row.children[at];
        if (cell !== undefined) setText(cell, text);
      }
    }
    while (this.#body.children.length > rows.length) this.#body.lastElementChild?.remove();
  }

  #append(): HTMLElement {
    const cell = (label: string, kind = 'number'): HTMLTableCellElement =>
      el('td', { role: 'cell', 'data-label': label, class: kind });
    const row = el(
      'tr',
      { role: 'row' },
      el('th', { role: 'rowheader', scope: 'row', class: 'key' }),
      ...[cell('Type', 'word type'), cell('Keys begin with', 'word wide'), cell('Policy', 'word wide')],
      ...[cell('Commands/s'), cell('Hit ratio'), cell('Misses'), cell('Errors')],
      cell('Fill', 'number kept'),
      cell('In proxies', 'number kept'),
    );
    this.#body.append(row);
    return row;
  }
}

function textsOf(group: GroupView): string[] {
  const { policy, prefixes } = group;
  const words = Object.entries(policy).flatMap(([word, value]) => (word === 'cache' ? [] : `${word} ${value}`));
  return [
    ...[group.group, policy.cache ?? '', prefixes.join(' ')],
    words.length === 0 ? NONE : words.join(', '),
    ...figures(group),
    filledOf(group),
    keptOf(group),
  ];
}

function figures({ commandsPerSecond, hitRatio, misses, errors }: GroupCountsView): string[] {
  return [
    commandsPerSecond === null ? NONE : formatRate(commandsPerSecond),
    hitRatio === null ? NONE : formatPercent(hitRatio),
    formatCount(misses),
    formatCount(errors),
  ];
}

/** Of what is kept in the proxies themselves: how much, and how often that has served; or how often replicas have. */
function keptOf({ near, replicated, replicaReads, replicaShare }: GroupView): string {
  if (replicaReads !== null)
    return replicaShare === null ? NONE : `replicas answered ${formatPercent(replicaShare)} of reads`;
  if (replicated !== null) return `${formatCount(replicated.keys)} keys, ${formatBytes(replicated.bytes)}`;
  if (near === null) return NONE;
  const served = near.hitRatio === null ? '' : `, served ${formatPercent(near.hitRatio)}`;
  return `${formatCount(near.entries)} replies, ${formatBytes(near.bytes)}${served}`;
}

/** What became of misses where others wait for the client that fills the key; what has not happened is left out. */
function filledOf({ fill, fillShare }: GroupView): string {
  const seen = Object.entries(fill ?? {}).filter(([, count]) => count > 0);
  if (fillShare === null || seen.length === 0) return NONE;
  return `${formatPercent(fillShare)} spared: ${seen.map(([outcome, count]) => `${outcome} ${formatCount(count)}`).join(', ')}`;
}

/** For whoever wants to change something: to be copied. */
function commandFor(group: string): string {
  return `ringproxy groups set ${group} --cache near --near-ttl 5s --admin ${location.origin}`;
}
