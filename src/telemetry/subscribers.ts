/** Who listens to the events: the log, and the admin API's event stream. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { RingproxyError } from '../errors.js';
import type { Logger } from './log.js';

interface ChannelUse {
  /** The level at which the log notes its events; null: not at all. */
  readonly level: 'debug' | 'info' | 'warn' | null;
  /** Whether an event can come with every command or every batch: then only who names the channel gets it. */
  readonly frequent: boolean;
}

const notice: ChannelUse = { level: 'info', frequent: false };
const detail: ChannelUse = { level: 'debug', frequent: false };
const warning: ChannelUse = { level: 'warn', frequent: false };
const frequent: ChannelUse = { level: null, frequent: true };

/** Every channel. What their events say stands in `events.ts` of the folder that publishes them, and in `src/docs/events.md`. */
export const EVENT_CHANNELS: Readonly<Record<string, ChannelUse>> = {
  'ringproxy:client:connected': detail,
  'ringproxy:client:closed': detail,
  'ringproxy:client:rejected': warning,
  'ringproxy:client:attack': warning,
  'ringproxy:client:auth-failed': notice,
  'ringproxy:fence:forced': warning,
  'ringproxy:command:answered': frequent,
  'ringproxy:command:failed': frequent,
  'ringproxy:command:held': frequent,
  'ringproxy:upstream:up': notice,
  'ringproxy:upstream:down': warning,
  'ringproxy:upstream:impaired': warning,
  'ringproxy:upstream:recovered': notice,
  'ringproxy:node:health': notice,
  'ringproxy:node:restarted': notice,
  'ringproxy:node:emptied': warning,
  'ringproxy:node:ejected': warning,
  'ringproxy:node:returned': notice,
  'ringproxy:node:forgotten': notice,
  'ringproxy:node:failover': warning,
  'ringproxy:node:master': notice,
  'ringproxy:ring:generation': notice,
  'ringproxy:ring:begun': notice,
  'ringproxy:ring:phase': detail,
  'ringproxy:ring:paused': notice,
  'ringproxy:ring:resumed': notice,
  'ringproxy:ring:cancelled': notice,
  'ringproxy:ring:abandoned': notice,
  'ringproxy:ring:finished': notice,
  'ringproxy:groups:changed': notice,
  'ringproxy:keys:moved': frequent,
  'ringproxy:fence:raised': detail,
  'ringproxy:fence:passed': detail,
  'ringproxy:fence:given-up': notice,
  'ringproxy:fleet:joined': notice,
  'ringproxy:fleet:rejoined': notice,
  'ringproxy:fleet:left': notice,
  'ringproxy:fleet:away': warning,
  'ringproxy:fleet:back': notice,
  'ringproxy:fleet:fenced-off': warning,
  'ringproxy:fleet:forgotten': notice,
  'ringproxy:fleet:coordinator': notice,
  'ringproxy:fleet:job-taken': detail,
  'ringproxy:fleet:job-lost': detail,
  'ringproxy:fleet:lease-lost': warning,
  'ringproxy:fleet:lease-regained': notice,
  'ringproxy:fleet:unheard': warning,
  'ringproxy:fleet:heard': notice,
  'ringproxy:etcd:request': frequent,
  'ringproxy:etcd:lost': warning,
  'ringproxy:etcd:back': notice,
  'ringproxy:tls:handshake-failed': warning,
  'ringproxy:tls:reloaded': notice,
  'ringproxy:tls:reload-failed': warning,
};

/** Those that are not too many for a person. */
export const CALM_CHANNELS = Object.keys(EVENT_CHANNELS).filter((name) => EVENT_CHANNELS[name]?.frequent === false);

export type EventListener = (channel: string, event: object) => void;

/**
 * @param channels null: those that are not frequent
 * @returns a function that ends the subscription
 * @throws RingproxyError when there is no such channel
 */
export function onEvents(listener: EventListener, channels: readonly string[] | null = null): () => void {
  const unknown = channels?.find((name) => !Object.hasOwn(EVENT_CHANNELS, name));
  if (unknown !== undefined) {
    const known = Object.keys(EVENT_CHANNELS).join(', ');
    throw new RingproxyError('NO_CHANNEL', `there is no channel '${unknown}'`, `there are ${known}`);
  }
  // Who names a channel twice gets its events once.
  const handlers = [...new Set(channels ?? CALM_CHANNELS)].map((name) => {
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
  // A channel whose events would not be written costs nothing when nobody listens to it.
  const noted = Object.entries(EVENT_CHANNELS).filter(([, { level }]) => level !== null && log.isLevelEnabled(level));
  return onEvents(
    (name, event) => {
      const level = EVENT_CHANNELS[name]?.level ?? 'info';
      log[level]({ event: name, ...event }, describe(name, event));
    },
    noted.map(([name]) => name),
  );
}

function describe(name: string, event: object): string {
  const text = (field: string): string => String(Reflect.get(event, field) ?? '');
  switch (name) {
    case 'ringproxy:upstream:up':
      return `node ${text('node')} (${text('address')}) answers again`;
    case 'ringproxy:upstream:down':
      return `node ${text('node')} (${text('address')}) ${text('error')}: its keys get -NODEDOWN until it answers`;
    case 'ringproxy:upstream:impaired':
      if (Reflect.get(event, 'answersNothing') === true)
        return `node ${text('node')} (${text('address')}) is of no use to clients: ${text('reason')}`;
      return `node ${text('node')} (${text('address')}) answers clients: ${text('reason')}`;
    case 'ringproxy:upstream:recovered':
      return `node ${text('node')} (${text('address')}) does not answer so any more`;
    case 'ringproxy:node:health': {
      const up = text('reason') === '' ? 'up' : `up, but: ${text('reason')}`;
      return `node ${text('node')} (${text('address')}) is ${text('up') === 'true' ? up : `down: ${text('error')}`}`;
    }
    case 'ringproxy:client:rejected':
      return `client ${text('address')} was turned away: ${text('reason')}`;
    case 'ringproxy:client:attack':
      return `possible attack: client ${text('address')} ${text('reason')} (${text('clients')} such clients since the last such line)`;
    case 'ringproxy:client:auth-failed':
      return `client ${text('client')} (${text('address')}) could not log in: ${text('reason')} (${text('failures')} such attempts since the last such line)`;
    case 'ringproxy:client:closed':
      return `client ${text('client')} (${text('address')}) is gone${text('reason') === '' ? '' : `: ${text('reason')}`}`;
    case 'ringproxy:client:connected':
      return `client ${text('client')} (${text('address')}) is here`;
    default:
      return text('summary') === '' ? name : text('summary');
  }
}
