/** Who listens to the events: the log, and the admin API's event stream. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Logger } from './log.js';

/** The channels, with the level at which the log notes their events. */
export const EVENT_CHANNELS = {
  'ringproxy:upstream:up': 'info',
  'ringproxy:upstream:down': 'warn',
  'ringproxy:node:health': 'info',
  'ringproxy:ring:generation': 'info',
  'ringproxy:client:connected': 'debug',
  'ringproxy:client:closed': 'debug',
  'ringproxy:client:rejected': 'warn',
} as const satisfies Record<string, 'debug' | 'info' | 'warn'>;

export type EventListener = (channel: string, event: object) => void;

/** @returns a function that ends the subscription */
export function onEvents(listener: EventListener): () => void {
  const handlers = Object.keys(EVENT_CHANNELS).map((name) => {
    const handler = (message: unknown): void => {
      if (typeof message === 'object' && message !== null) listener(name, message);
    };
    subscribe(name, handler);
    return { name, handler };
  });
  return () => {
    for (const { name, handler } of handlers) unsubscribe(name, handler);
  };
}

/** @returns a function that ends the subscription */
export function logEvents(log: Logger): () => void {
  return onEvents((name, event) => {
    const level = Object.entries(EVENT_CHANNELS).find(([channel]) => channel === name)?.[1] ?? 'info';
    log[level]({ event: name, ...event }, describe(name, event));
  });
}

function describe(name: string, event: object): string {
  const text = (field: string): string => String(Reflect.get(event, field) ?? '');
  switch (name) {
    case 'ringproxy:upstream:up':
      return `node ${text('node')} (${text('address')}) answers again`;
    case 'ringproxy:upstream:down':
      return `node ${text('node')} (${text('address')}) ${text('error')}: its keys get -NODEDOWN until it answers`;
    case 'ringproxy:node:health':
      return `node ${text('node')} (${text('address')}) is ${text('up') === 'true' ? 'up' : `down: ${text('error')}`}`;
    case 'ringproxy:client:rejected':
      return `client ${text('address')} was turned away: ${text('reason')}`;
    case 'ringproxy:client:closed':
      return `client ${text('client')} (${text('address')}) is gone${text('reason') === '' ? '' : `: ${text('reason')}`}`;
    case 'ringproxy:client:connected':
      return `client ${text('client')} (${text('address')}) is here`;
    default:
      return text('summary') === '' ? name : text('summary');
  }
}
