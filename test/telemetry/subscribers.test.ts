import { channel } from 'node:diagnostics_channel';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { EVENT_CHANNELS, logEvents, onEvents } from '../../src/telemetry/subscribers.js';
import { atEnd } from '../support/cleanup.js';
import { ROOT } from '../support/root.js';

/** Names of channels that are made anywhere in the program. */
const MADE = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => [...readFileSync(join(ROOT, 'src', file), 'utf8').matchAll(/\bchannel\('(ringproxy:[^']+)'\)/g)])
  .map(([, name = '']) => name);

describe('events', () => {
  it('have a row for each channel that is published to, and no other', () => {
    expect([...MADE].sort()).toEqual(Object.keys(EVENT_CHANNELS).sort());
  });

  it('reach who listens, until the subscription ends', () => {
    const seen: [string, object][] = [];
    const end = onEvents((name, event) => seen.push([name, event]), Object.keys(EVENT_CHANNELS));
    for (const name of Object.keys(EVENT_CHANNELS)) channel(name).publish({ name });
    channel('ringproxy:client:closed').publish('not an object');
    end();
    for (const name of Object.keys(EVENT_CHANNELS)) {
      expect(channel(name).hasSubscribers).toBe(false);
      channel(name).publish({ name });
    }
    expect(seen).toEqual(Object.keys(EVENT_CHANNELS).map((name) => [name, { name }]));
  });

  it('that come with every command reach only who asks for them by name', () => {
    const seen: string[] = [];
    atEnd(onEvents((name) => seen.push(name)));
    for (const name of Object.keys(EVENT_CHANNELS)) channel(name).publish({ name });
    expect(seen).toContain('ringproxy:ring:finished');
    expect(seen).not.toContain('ringproxy:command:answered');
    expect(seen).not.toContain('ringproxy:keys:moved');
    expect(() => onEvents(() => {}, ['ringproxy:ring:finished', 'ringproxy:nope'])).toThrow(
      "no channel 'ringproxy:nope'",
    );
  });

  it('are not made for a log that would not write them', () => {
    const log = pino({ level: 'info' }, { write: () => {} });
    atEnd(logEvents(log));
    expect(channel('ringproxy:client:connected').hasSubscribers).toBe(false);
    expect(channel('ringproxy:command:answered').hasSubscribers).toBe(false);
    expect(channel('ringproxy:upstream:down').hasSubscribers).toBe(true);
  });

  it('are logged at the level of their channel, in words', () => {
    const lines: { level: number; event: string; msg: string }[] = [];
    const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    atEnd(logEvents(log));
    const node = { node: 'n1', address: '127.0.0.1:1' };
    channel('ringproxy:upstream:down').publish({ ...node, error: 'refused the connection' });
    channel('ringproxy:node:health').publish({ ...node, up: true, error: '' });
    channel('ringproxy:client:rejected').publish({ client: 0, address: '127.0.0.1', reason: 'max-clients' });
    channel('ringproxy:client:connected').publish({ client: 7, address: '127.0.0.1', reason: '' });
    channel('ringproxy:ring:generation').publish({ generation: 2, summary: 'ring generation 2: n1' });
    expect(lines.map(({ level, event, msg }) => [level, event.replace('ringproxy:', ''), msg])).toEqual([
      [40, 'upstream:down', 'node n1 (127.0.0.1:1) refused the connection: its keys get -NODEDOWN until it answers'],
      [30, 'node:health', 'node n1 (127.0.0.1:1) is up'],
      [40, 'client:rejected', 'client 127.0.0.1 was turned away: max-clients'],
      [20, 'client:connected', 'client 7 (127.0.0.1) is here'],
      [30, 'ring:generation', 'ring generation 2: n1'],
    ]);
  });
});
