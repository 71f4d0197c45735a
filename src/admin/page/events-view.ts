/** What happened lately, newest first: a line for each change of the ring, which goes on with it. */
import type { RingView } from '../api.js';
import { byId, el, setText } from './dom.js';
import { changeOf, describeEvent, type EventData, isBad, kindOf } from './event-words.js';
import { formatTime } from './format.js';
import type { PlotMark } from './plots.js';

const KEPT = 100;
/** What is older is not news. */
const NEW_MS = 5000;
/**
 * Connections come and go by the hundred where clients use pools; phases and fences come with a change, which has a line of its
 * own.
 */
const LEFT_OUT = /^ringproxy:(client:(connected|closed)|ring:phase|fence:(raised|passed))$/;
/** What somebody who does not see the page wants to be told at once. */
const ANNOUNCED =
  /^ringproxy:(ring:(begun|paused|resumed|cancelled|abandoned|finished)|upstream:(up|down)|fleet:(away|fenced-off)|etcd:(lost|back))$/;
/** Where lines of the plots may have to do with it. */
const MARKED_CHANGE = /^ringproxy:ring:(begun|finished|cancelled|abandoned)$/;

/** In place of a change's id: the ring as it was found. */
const FIRST = '';

export class EventList {
  readonly #list = byId('events', HTMLElement);
  readonly #none = byId('events-none', HTMLElement);
  readonly #announcer = byId('announcer', HTMLElement);
  readonly #kind = byId('events-kind', HTMLSelectElement);
  readonly #node = byId('events-node', HTMLSelectElement);
  /** The line of each change, by its id. */
  readonly #changes = new Map<string, HTMLElement>();
  #marks: PlotMark[] = [];
  #nodes = '';

  constructor() {
    for (const select of [this.#kind, this.#node]) select.addEventListener('change', () => this.#filterAll());
  }

  get marks(): readonly PlotMark[] {
    return this.#marks;
  }

  /** The nodes that can be chosen. */
  update({ nodes }: RingView): void {
    const names = nodes.map(({ name }) => name);
    const text = JSON.stringify(names);
    if (text === this.#nodes) return;
    this.#nodes = text;
    const chosen = this.#node.value;
    const [each] = this.#node.options;
    this.#node.replaceChildren(...(each === undefined ? [] : [each]), ...names.map((name) => el('option', {}, name)));
    this.#node.value = names.includes(chosen) ? chosen : '';
    this.#filterAll();
  }

  /** Events come anew, with those of before: what was shown comes again, or was of a proxy that is gone. */
  clear(): void {
    this.#list.replaceChildren();
    this.#changes.clear();
    this.#marks = [];
    this.#none.hidden = false;
  }

  add(channel: string, data: EventData): void {
    const at = new Date(String(data.at ?? ''));
    this.#mark(channel, data, at);
    // Of a ring that has not changed here; otherwise its changes tell.
    const isGeneration = channel === 'ringproxy:ring:generation';
    if (LEFT_OUT.test(channel) || (isGeneration && this.#changes.size > 0 && !this.#changes.has(FIRST))) return;
    const text = describeEvent(channel, data);
    const change = isGeneration ? FIRST : channel.startsWith('ringproxy:ring:') ? changeOf(channel, data) : null;
    if (change !== null && change !== FIRST) {
      this.#changes.get(FIRST)?.remove();
      this.#changes.delete(FIRST);
    }
    const line = (change === null ? undefined : this.#changes.get(change)) ?? el('li', {}, el('time'), el('span'));
    if (change !== null) this.#changes.set(change, line);
    const [time, words] = line.children;
    if (time instanceof HTMLTimeElement) {
      time.dateTime = at.toISOString();
      setText(time, formatTime(at));
    }
    if (words !== undefined) setText(words, text);
    const bad = isBad(channel, data);
    line.className = bad ? 'bad' : '';
    line.dataset.channel = channel;
    line.dataset.kind = kindOf(channel);
    line.dataset.node = String(data.node ?? '');
    this.#none.hidden = true;
    this.#filter(line);
    this.#list.prepend(line);
    while (this.#list.children.length > KEPT) this.#list.lastElementChild?.remove();
    const isNew = Date.now() - at.getTime() < NEW_MS;
    if (isNew && ANNOUNCED.test(channel)) setText(this.#announcer, text);
  }

  #mark(channel: string, data: EventData, at: Date): void {
    const isFailure = channel === 'ringproxy:node:health' && data.up === false;
    if (!isFailure && !MARKED_CHANGE.test(channel)) return;
    this.#marks = [...this.#marks, { at: at.getTime() / 1000, kind: isFailure ? 'failure' : 'change' } as const].slice(
      -KEPT,
    );
  }

  #filterAll(): void {
    for (const line of this.#list.children) if (line instanceof HTMLElement) this.#filter(line);
  }

  #filter(line: HTMLElement): void {
    const kind = this.#kind.value;
    const node = this.#node.value;
    const fits = kind === '' || (kind === 'failure' ? line.classList.contains('bad') : line.dataset.kind === kind);
    line.hidden = !fits || !(node === '' || isAbout(line, node));
  }
}

/** Changes tell their nodes in words. */
function isAbout({ dataset, textContent }: HTMLElement, node: string): boolean {
  return dataset.node === node || (dataset.kind === 'change' && (textContent ?? '').split(/[\s,:]+/).includes(node));
}
