/** The running change, and the buttons that steer it. */
import type { ChangeView, HistoryEntry, RingView } from '../api.js';
import { type ApiClient, explain } from './api-client.js';
import { confirmThat } from './confirm.js';
import { byId, el, setFacts, setText } from './dom.js';
import { formatBytes, formatCount, formatRate, formatSeconds, formatTime } from './format.js';

export class ChangePanel {
  readonly #api: ApiClient;
  readonly #refresh: () => void;
  readonly #card = byId('change', HTMLElement);
  readonly #headline = byId('change-headline', HTMLElement);
  readonly #progress = byId('change-progress', HTMLProgressElement);
  readonly #figures = byId('change-figures', HTMLElement);
  readonly #sources = byId('change-sources', HTMLElement);
  readonly #error = byId('change-error', HTMLElement);
  readonly #pause = byId('change-pause', HTMLButtonElement);
  readonly #resume = byId('change-resume', HTMLButtonElement);
  readonly #cancel = byId('change-cancel', HTMLButtonElement);
  readonly #form = byId('throttle', HTMLFormElement);
  readonly #rate = byId('throttle-rate', HTMLInputElement);
  readonly #throttled = byId('throttle-now', HTMLElement);
  readonly #last = byId('change-last', HTMLElement);
  /** As it was shown last. */
  #throttle = 0;
  /** What a button was answered. */
  #failure = '';

  constructor(api: ApiClient, refresh: () => void) {
    this.#api = api;
    this.#refresh = refresh;
    this.#pause.addEventListener('click', () => void this.#steer(() => this.#api.steer('pause')));
    this.#resume.addEventListener('click', () => void this.#steer(() => this.#api.steer('resume')));
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#steer(() => this.#api.throttle(this.#rate.valueAsNumber));
    });
    this.#cancel.addEventListener('click', () => {
      confirmThat({
        title: 'Cancel the change',
        text: 'Everything that has moved moves back to where it was, while clients go on.',
        yes: 'Move everything back',
        act: () => this.#api.steer('cancel').then(this.#refresh),
      });
    });
  }

  update(ring: RingView): void {
    const { change } = ring;
    this.#card.hidden = change === null;
    if (change === null) {
      this.#failure = '';
      return;
    }
    const state = change.paused ? 'paused' : change.phase;
    setText(this.#headline, `${change.summary}: ${state}, ${change.percent.toFixed(1)} %`);
    this.#progress.value = change.percent;
    const seconds = (Date.now() - new Date(change.startedAt).getTime()) / 1000;
    setFacts(this.#figures, [
      ['Keys moved', formatCount(change.keysMoved), 'keys-moved'],
      ['Keys looked at', `${formatCount(change.keysScanned)} of ${formatCount(change.keysEstimated)}`, 'keys-scanned'],
      ['Data moved', formatBytes(change.bytesMoved), 'bytes-moved'],
      ['Keys/s', change.paused ? '–' : formatRate(change.keysPerSecond), 'key-rate'],
      ['Running for', formatSeconds(Math.max(0, seconds)), 'running-for'],
      ['Time left', formatSeconds(change.etaSeconds), 'eta'],
    ]);
    this.#showSources(ring, change);
    setText(this.#error, [change.error ?? '', this.#failure].filter((text) => text !== '').join('; '));
    const moving = change.phase === 'moving';
    // A button that had the focus and goes away would drop it: the one that takes its place gets it.
    const focused = document.activeElement;
    this.#pause.hidden = change.paused;
    this.#resume.hidden = !change.paused;
    if (focused === this.#pause && change.paused) this.#resume.focus();
    if (focused === this.#resume && !change.paused) this.#pause.focus();
    for (const button of [this.#pause, this.#resume]) button.disabled = !moving;
    this.#form.hidden = !moving;
    this.#showThrottle(change.throttle);
    this.#cancel.disabled = !moving || change.kind === 'cancel';
  }

  /** @param entry the newest of the history */
  showLast(entry: HistoryEntry | undefined): void {
    if (entry === undefined) return;
    const at = formatTime(new Date(entry.finishedAt));
    if (entry.kind === 'bootstrap') {
      setText(this.#last, `No change since the ring began at ${at}.`);
      return;
    }
    const moved = `${formatCount(entry.keysMoved)} keys moved in ${formatSeconds(entry.durationSeconds)}`;
    setText(this.#last, `Last change: ${entry.summary} (generation ${entry.generation}, ${at}, ${moved}).`);
  }

  #showThrottle(throttle: number): void {
    setText(this.#throttled, throttle === 0 ? 'now: no limit' : `now: ${formatCount(throttle)} keys/s`);
    // What somebody has begun to type is theirs.
    if (throttle !== this.#throttle && document.activeElement !== this.#rate) this.#rate.value = String(throttle);
    this.#throttle = throttle;
  }

  #showSources(ring: RingView, change: ChangeView): void {
    const place = (node: string): number => ring.nodes.findIndex(({ name }) => name === node);
    const texts = [...change.sources]
      .sort((a, b) => place(a.node) - place(b.node))
      .map(({ node, keysMoved, keysScanned, done, largeKey, owner }) => {
        const large =
          largeKey === null ? '' : `; ${largeKey.key} is large (${formatBytes(largeKey.bytes)}) and moves alone`;
        return `${node}: ${formatCount(keysMoved)} keys moved, ${formatCount(keysScanned)} looked at${done ? ', done' : moverOf(owner, ring)}${large}`;
      });
    while (this.#sources.children.length > texts.length) this.#sources.lastElementChild?.remove();
    for (const [index, text] of texts.entries()) {
      const item = this.#sources.children[index] ?? this.#sources.appendChild(el('li'));
      setText(item, text);
    }
  }

  async #steer(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
      this.#failure = '';
    } catch (error) {
      this.#failure = explain(error);
    }
    this.#refresh();
  }
}

/** Whose job it is to move the keys of a source, where there are several proxies that could. */
function moverOf(owner: string, { proxies, coordination }: RingView): string {
  if (proxies.length < 2) return '';
  if (owner === '') return ', waits for a proxy to move them';
  return owner === coordination.proxy ? ', by this proxy' : `, by proxy ${owner}`;
}
