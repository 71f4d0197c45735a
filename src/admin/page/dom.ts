/** Small helpers for the document. Text goes in as text only, never as markup. */

/** The element with this id. @throws Error when the page has none of that kind: the markup and the code disagree */
export function byId<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

type Child = Node | string;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Sets the text only where it differs: a screen reader and a selection are left alone otherwise. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** What is shown to who rests on it. */
export function setTitle(element: HTMLElement, text: string): void {
  if (element.title !== text) element.title = text;
}

/** Fills a list of terms and values; the terms must be the same ones in the same order each time. */
export function setFacts(
  list: HTMLElement,
  facts: readonly (readonly [term: string, value: string, name: string])[],
): void {
  for (const [index, [term, value, name]] of facts.entries()) {
    let row = list.children[index];
    if (row === undefined) {
      row = el('div', {}, el('dt', {}, term), el('dd', { 'data-figure': name }));
      list.append(row);
    }
    const [, figure] = row.children;
    if (figure !== undefined) setText(figure, value);
  }
}

/** Says which proxies have not answered, of a question to all of them. */
export function showMissing(
  place: HTMLElement,
  missing: readonly { readonly proxy: string; readonly why: string }[],
): void {
  place.hidden = missing.length === 0;
  setText(place, missing.map(({ proxy, why }) => `without proxy ${proxy}: ${why}`).join('; '));
}

/** On a narrow screen rows are laid out as cards, and browsers then forget that they are a table. */
export function keepTable(body: HTMLElement): void {
  const roles = { table: 'table', 'thead, tbody': 'rowgroup', tr: 'row', th: 'columnheader' };
  const card = body.closest('.listing');
  for (const [selector, role] of Object.entries(roles)) {
    for (const part of card?.querySelectorAll(selector) ?? []) part.setAttribute('role', role);
  }
}
