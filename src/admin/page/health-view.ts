/** One line on how all is, the banner when something is wrong, the page's title and its icon. */
import type { LoadView, NodeView, RingView } from '../api.js';
import { byId, el, setText } from './dom.js';
import { formatRate } from './format.js';
import { areMany, findProblems, isDown, type Problem } from './problems.js';

export interface HealthOptions {
  onRemove(node: NodeView): void;
  onReplace(node: NodeView): void;
  /** The keys that the running change waits for are to be given up. */
  onGiveUp(node: NodeView): void;
  onShow(node: NodeView): void;
}

type Part = 'state' | 'nodes' | 'proxies' | 'errors' | 'change';

export class HealthView {
  readonly #options: HealthOptions;
  readonly #line = byId('health', HTMLElement);
  readonly #banner = byId('banner', HTMLElement);
  readonly #list = byId('banner-list', HTMLElement);
  readonly #actions = byId('banner-actions', HTMLElement);
  readonly #icon = byId('icon', HTMLLinkElement);
  /** For what the buttons are that are shown. */
  #shown = '';

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** @param load of the last second, or null */
  update(ring: RingView, load: LoadView | null): void {
    const problems = findProblems(ring, load);
    const [first] = problems;
    const level = first?.level ?? (ring.change === null ? 'good' : 'busy');
    this.#line.dataset.state = level;
    const up = ring.nodes.filter((node) => !isDown(node)).length;
    const alive = ring.proxies.filter((proxy) => proxy.alive && !proxy.fencedOff).length;
    this.#set('state', first === undefined ? 'All is well' : level === 'bad' ? 'Trouble' : 'Look at this', '');
    this.#set('nodes', `${up} of ${ring.nodes.length} nodes up`, up < ring.nodes.length ? 'bad' : '');
    const fleet = ring.coordination.kind === 'none' ? '' : `${alive} of ${ring.proxies.length} proxies alive`;
    this.#set('proxies', fleet, alive < ring.proxies.length ? 'warn' : '');
    const errors =
      load === null ? '' : load.errorsPerSecond === 0 ? 'no errors' : `${formatRate(load.errorsPerSecond)} errors/s`;
    this.#set('errors', errors, load !== null && areMany(load) ? 'bad' : '');
    this.#set('change', changeOf(ring), '');
    this.#showBanner(problems, ring);
    document.title = titleOf(ring, first);
    this.#showIcon(level === 'bad');
  }

  /** Nothing is known any more. @param why what is shown instead */
  lose(why: string): void {
    this.#line.dataset.state = 'bad';
    this.#set('state', why, '');
    document.title = '✕ no answer · ringproxy';
    this.#showIcon(true);
  }

  #showBanner(problems: readonly Problem[], ring: RingView): void {
    this.#banner.hidden = problems.length === 0;
    this.#banner.dataset.level = problems[0]?.level ?? '';
    while (this.#list.children.length > problems.length) this.#list.lastElementChild?.remove();
    for (const [index, { text }] of problems.entries()) {
      setText(this.#list.children[index] ?? this.#list.appendChild(el('li')), text);
    }
    const down = ring.nodes.filter(isDown);
    const waits = ring.change?.phase === 'moving';
    const shown = JSON.stringify([ring.change?.id, waits, down.map(({ name, address }) => [name, address])]);
    if (shown === this.#shown) return;
    // Who was there goes on from there.
    const had = this.#actions.contains(document.activeElement);
    this.#shown = shown;
    this.#actions.replaceChildren(...down.flatMap((node) => this.#buttonsOf(node, ring.change !== null, waits)));
    this.#actions.hidden = down.length === 0;
    if (had) this.#line.focus();
  }

  #buttonsOf(node: NodeView, changes: boolean, moves: boolean): HTMLButtonElement[] {
    const button = (label: string, act: (node: NodeView) => void, kind = 'quiet operators'): HTMLButtonElement => {
      const made = el('button', { type: 'button', class: kind }, label);
      made.addEventListener('click', () => act(node));
      return made;
    };
    const { onRemove, onReplace, onGiveUp, onShow } = this.#options;
    const show = button(`Show ${node.name}`, onShow, 'quiet');
    if (node.ejection !== null) return changes ? [show] : [button(`Forget ${node.name} …`, onRemove), show];
    if (changes) return moves ? [button(`Give up keys of ${node.name} …`, onGiveUp, 'quiet admins'), show] : [show];
    return [button(`Take ${node.name} out …`, onRemove), button(`Put another server in its place …`, onReplace), show];
  }

  #set(part: Part, text: string, level: '' | 'warn' | 'bad'): void {
    const element = this.#line.querySelector(`[data-part="${part}"]`);
    if (!(element instanceof HTMLElement)) return;
    setText(element, text);
    element.hidden = text === '';
    element.className = level;
  }

  #showIcon(bad: boolean): void {
    const path = bad ? 'page/icon-bad.svg' : 'page/icon.svg';
    if (this.#icon.getAttribute('href') !== path) this.#icon.setAttribute('href', path);
  }
}

function changeOf({ change, generation }: RingView): string {
  if (change === null) return `generation ${generation}, no change`;
  return `${change.summary}: ${change.paused ? 'paused at' : ''} ${change.percent.toFixed(0)} %`.replace(':  ', ': ');
}

function titleOf({ change }: RingView, problem: Problem | undefined): string {
  if (problem?.level === 'bad') return `✕ ${problem.short} · ringproxy`;
  if (problem !== undefined) return `! ${problem.short} · ringproxy`;
  return change === null ? 'ringproxy' : `${change.percent.toFixed(0)} % · ringproxy`;
}
