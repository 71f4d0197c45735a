import { describe, expect, it } from 'vitest';
import { type ProxyEvent, readEvents } from '../../src/client/event-stream.js';

const TEXT = [
  ': events follow',
  'event: ringproxy:ring:begun\ndata: {"at":"2026-01-31T12:00:00.000Z","summary":"add nœud"}',
  'event: ringproxy:events:left-out\ndata: {"at":"2026-01-31T12:00:00.100Z","channel":"ringproxy:command:answered","events":7}',
].map((block) => `${block}\n\n`);

async function read(chunks: readonly Uint8Array[]): Promise<ProxyEvent[]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const events: ProxyEvent[] = [];
  for await (const event of readEvents(source())) events.push(event);
  return events;
}

describe('server-sent events', () => {
  it('are the same however their bytes are cut', async () => {
    const bytes = Buffer.from(TEXT.join(''));
    const whole = await read([bytes]);
    expect(whole).toEqual([
      { event: 'ringproxy:ring:begun', at: '2026-01-31T12:00:00.000Z', summary: 'add nœud' },
      {
        event: 'ringproxy:events:left-out',
        at: '2026-01-31T12:00:00.100Z',
        channel: 'ringproxy:command:answered',
        events: 7,
      },
    ]);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(await read([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
    }
  });

  it('that were cut off at the end are none', async () => {
    expect(await read([Buffer.from(TEXT.join('').slice(0, -1))])).toHaveLength(1);
  });
});
