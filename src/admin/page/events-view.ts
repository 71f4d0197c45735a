/** What happened lately, newest first. */
import { byId, el, setText } from './dom.js';
import { formatTime } from './format.js';

const KEPT = 100;
/** What is older is not news. */
const NEW_MS = 5000;
/** Connections come and go by the hundred where clients use pools. */
const LEFT_OUT: ReadonlySet<string> = new Set(['ringproxy:client:connected', 'ringproxy:client:closed']);
/** What somebody who does not see the page wants to be told at once. */
const ANNOUNCED =
  /^ringproxy:(ring:(begun|paused|resumed|cancelled|abandoned|finished)|upstream:(up|down)|fleet:(away|fenced-off)|etcd:(lost|back))$/;

export class EventList {
  readonly #list = byId('events', HTMLElement);
  readonly #none = byId('events-none', HTMLElement);
  readonly #announcer = byId('announcer', HTMLElement);

  /** Of the last generation: it is told anew with each phase of a change. */
  #generation = '';

  /** Events come anew, with those of before: what was shown comes again, or was of a proxy that is gone. */
  clear(): void {
    this.#list.replaceChildren();
    this.#generation = '';
    this.#none.hidden = false;
  }

  add(channel: string, data: Readonly<Record<string, unknown>>): void {
    if (LEFT_OUT.has(channel)) return;
    const text = describeEvent(channel, data);
    if (channel === 'ringproxy:ring:generation') {
      if (text === this.#generation) return;
      this.#generation = text;
    }
    const at = new Date(String(data.at ?? ''));
    this.#none.hidden = true;
    this.#list.prepend(
      el(
        'li',
        { 'data-channel': channel, class: isBad(channel, data) ? 'bad' : '' },
        el('time', { datetime: at.toISOString() }, formatTime(at)),
        el('span', {}, text),
      ),
    );
    while (this.#list.children.length > KEPT) this.#list.lastElementChild?.remove();
    const isNew = Date.now() - at.getTime() < NEW_MS;
    if (isNew && ANNOUNCED.test(channel)) setText(this.#announcer, text);
  }
}

function isBad(channel: string, data: Readonly<Record<string, unknown>>): boolean {
  if (channel === 'ringproxy:node:health') return data.up === false;
  return (
    /:(down|rejected|attack|abandoned|given-up|away|fenced-off|lease-lost|unheard|lost)$/.test(channel) ||
    (channel.endsWith(':paused') && data.error !== null)
  );
}

/** An event in words. */
export function describeEvent(channel: string, data: Readonly<Record<string, unknown>>): string {
  const text = (field: string): string => String(data[field] ?? '');
  const node = `${text('node')} (${text('address')})`;
  switch (channel) {
    case 'ringproxy:upstream:up':
      return `${node} answers again`;
    case 'ringproxy:upstream:down':
      return `${node} ${text('error')}`;
    case 'ringproxy:node:health':
      return data.up === true ? `${node} is up` : `${node} is down: ${text('error')}`;
    case 'ringproxy:client:rejected':
      return `client ${text('address')} was turned away: ${text('reason')}`;
    case 'ringproxy:client:attack':
      return `possible attack: client ${text('address')} ${text('reason')}`;
    default:
      return text('summary') === '' ? channel : text('summary');
  }
}
