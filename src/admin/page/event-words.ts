/** What an event says, of which kind it is, and which of them belong together. Nothing here touches the document. */

export type EventData = Readonly<Record<string, unknown>>;

/** By what the list can be filtered. */
export type EventKind = 'failure' | 'change' | 'node' | 'fleet' | 'client' | 'other';

export function isBad(channel: string, data: EventData): boolean {
  if (channel === 'ringproxy:node:health') return data.up === false;
  return (
    /:(down|ejected|rejected|attack|abandoned|given-up|away|fenced-off|lease-lost|unheard|lost)$/.test(channel) ||
    (channel.endsWith(':paused') && data.error !== null)
  );
}

const KINDS: readonly (readonly [RegExp, EventKind])[] = [
  [/^ringproxy:(ring|fence):/, 'change'],
  [/^ringproxy:(node|upstream):/, 'node'],
  [/^ringproxy:(fleet|etcd|coordinator|job|peer)/, 'fleet'],
  [/^ringproxy:client:/, 'client'],
];

export function kindOf(channel: string): EventKind {
  return KINDS.find(([pattern]) => pattern.test(channel))?.[1] ?? 'other';
}

/** Of which change an event is, by its id; null: of none. */
export function changeOf(channel: string, data: EventData): string | null {
  return /^ringproxy:(ring|fence):/.test(channel) && typeof data.change === 'string' ? data.change : null;
}

/** An event in words. */
export function describeEvent(channel: string, data: EventData): string {
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
    case 'ringproxy:client:auth-failed':
      return `client ${text('address')} could not log in: ${text('reason')}`;
    default:
      return text('summary') === '' ? channel : text('summary');
  }
}
