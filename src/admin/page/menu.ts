/** What can be done with a row of a table, behind one button. Made of the browser's own popover, which closes by itself. */
import { el } from './dom.js';

export interface MenuItem {
  readonly label: string;
  /** With what it is about, for those who do not see the row. */
  readonly whole: string;
  act(): void;
}

export interface Menu {
  readonly opener: HTMLButtonElement;
  readonly list: HTMLElement;
  readonly buttons: readonly HTMLButtonElement[];
}

/** Pixels between the button and the list. */
const GAP = 4;
let made = 0;

/** @param label of the button, for those who do not see the row */
export function createMenu(label: string, items: readonly MenuItem[]): Menu {
  made++;
  const id = `menu-${made}`;
  const opener = el('button', { type: 'button', class: 'quiet opener', 'aria-label': label, popovertarget: id }, '⋯');
  const list = el('div', { id, popover: 'auto', class: 'menu', role: 'group', 'aria-label': label });
  const buttons = items.map(({ label: text, whole, act }) => {
    const button = el('button', { type: 'button', class: 'quiet', 'aria-label': whole }, text);
    button.addEventListener('click', () => {
      list.hidePopover();
      act();
    });
    return button;
  });
  list.append(...buttons);
  list.addEventListener('toggle', () => {
    // What scrolls cuts off what stands in it: the list is above the page, and so has to be put where its button is.
    const place = opener.getBoundingClientRect();
    const below = place.bottom + GAP + list.offsetHeight <= document.documentElement.clientHeight;
    const top = below ? place.bottom + GAP : Math.max(0, place.top - GAP - list.offsetHeight);
    list.style.setProperty('top', `${top}px`);
    list.style.setProperty('left', `${Math.max(GAP, place.right - list.offsetWidth)}px`);
    if (list.matches(':popover-open')) buttons.find((button) => !button.disabled)?.focus();
  });
  return { opener, list, buttons };
}
