/** The lines of a plot by name, with their values at the cursor or now. A line can be left out, with the keyboard too. */
import { byId, el, setText } from './dom.js';

export interface LegendLine {
  readonly label: string;
  readonly color: string;
}

interface Entry {
  readonly label: string;
  readonly value: HTMLElement;
}

export class PlotLegend {
  readonly #list: HTMLElement;
  readonly #onToggle: () => void;
  readonly #at = el('li', { class: 'at' });
  /** Labels: they outlive the entries, which are made anew with the lines. */
  readonly #hidden = new Set<string>();
  #entries: readonly Entry[] = [];

  /** @param onToggle a line is to be shown, or not to be shown, from now on */
  constructor(id: string, onToggle: () => void) {
    this.#list = byId(id, HTMLElement);
    this.#onToggle = onToggle;
  }

  setLines(lines: readonly LegendLine[]): void {
    const items = lines.map(({ label, color }) => {
      const patch = el('span', { class: 'swatch', 'aria-hidden': 'true' });
      patch.style.setProperty('--color', color);
      const value = el('span', { class: 'value' });
      const shown = String(!this.#hidden.has(label));
      const button = el('button', { type: 'button', class: 'quiet', title: label, 'aria-pressed': shown }, patch);
      button.append(el('span', { class: 'label' }, label), value);
      button.addEventListener('click', () => this.#toggle(label, button));
      return { label, value, button };
    });
    this.#entries = items;
    this.#list.replaceChildren(this.#at, ...items.map(({ button }) => el('li', {}, button)));
  }

  isShown(label: string): boolean {
    return !this.#hidden.has(label);
  }

  /** @param values of the lines, in their order */
  show(at: string, values: readonly string[]): void {
    setText(this.#at, at);
    for (const [index, { value }] of this.#entries.entries()) setText(value, values[index] ?? '–');
  }

  #toggle(label: string, button: HTMLButtonElement): void {
    if (!this.#hidden.delete(label)) this.#hidden.add(label);
    button.setAttribute('aria-pressed', String(this.isShown(label)));
    this.#onToggle();
  }
}
