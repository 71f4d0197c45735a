import { describe, expect, it } from 'vitest';
import { BoundedNews } from '../../../src/plane/workers/bounded-news.js';
import type { PeerNews } from '../../../src/proxy/peers/peers.js';

const MEGABYTE = 1_048_576;

/** What was sent, and what tells that each is on its way. */
function channel(): { news: BoundedNews; sent: PeerNews[]; onSent: (() => void)[] } {
  const sent: PeerNews[] = [];
  const onSent: (() => void)[] = [];
  const news = new BoundedNews((message, done) => {
    sent.push(message);
    onSent.push(done);
  });
  return { news, sent, onSent };
}

const lines = (megabytes: number): PeerNews => ({ type: 'monitored', lines: new Uint8Array(megabytes * MEGABYTE) });
const LEFT_OUT: PeerNews = { type: 'monitored', lines: null };

/** What was sent, as megabytes; null where it tells that something was left out. */
const sizes = (sent: readonly PeerNews[]): (number | null | string)[] =>
  sent.map((message) => {
    if (message.type !== 'monitored') return message.type;
    return message.lines === null ? null : message.lines.length / MEGABYTE;
  });

describe('news for another process', () => {
  it('are left out beyond what may wait, which is told once', () => {
    const { news, sent } = channel();
    for (let i = 0; i < 5; i++) news.send(lines(5));
    expect(sizes(sent)).toEqual([5, 5, 5, null]);
  });

  it('are never left out where nothing is shown to those who monitor', () => {
    const { news, sent } = channel();
    for (let i = 0; i < 4; i++) news.send(lines(5));
    news.send({ type: 'joined' });
    expect(sizes(sent)).toEqual([5, 5, 5, null, 'joined']);
  });

  it('go on when there is room again, in whatever order they got on their way', () => {
    const { news, sent, onSent } = channel();
    for (let i = 0; i < 3; i++) news.send(lines(5));
    onSent[2]?.();
    onSent[0]?.();
    news.send(lines(10));
    news.send(lines(5));
    expect(sizes(sent)).toEqual([5, 5, 5, 10, null]);
  });

  it('tell anew that something was left out when all of before is through', () => {
    const { news, sent, onSent } = channel();
    news.send(lines(16));
    news.send(lines(1));
    news.send(lines(1));
    for (const done of onSent) done();
    news.send(lines(16));
    news.send(lines(1));
    expect(sizes(sent)).toEqual([16, null, 16, null]);
    expect(sent[1]).toEqual(LEFT_OUT);
  });
});
