/**
 * Server-sent events for many readers at a bounded cost. What happens is made into text once for all who want it, and
 * every reader is sent at most one piece in a while, whatever happens meanwhile:
 *
 *   channel ──▶ topic ──▶ batches of those who want the same channels ──every FLUSH_MS──▶ one write each
 *
 * Of events that come with every command only so many are passed on in a while; how many were left out is an event too.
 */
import type { ServerResponse } from 'node:http';

/** Readers at the same time. */
const MOST_STREAMS = 100;
/** Milliseconds. */
const FLUSH_MS = 50;
/** Of each channel in one piece. */
const MOST_EVENTS = 100;
/** Bytes that wait for a reader before it is cut off. */
const MOST_BACKLOG = 1_048_576;
const LEFT_OUT = 'ringproxy:events:left-out';

type Subscribe = (listener: (channel: string, event: object) => void, channels: readonly string[] | null) => () => void;

export interface PastEvent {
  readonly channel: string;
  readonly at: Date;
  readonly event: object;
}

/** Those who want the same channels. */
interface Group {
  readonly key: string;
  /** Each with whether its reader may still look. */
  readonly streams: Map<ServerResponse, () => boolean>;
  readonly end: () => void;
  pieces: string[];
  /** How often each channel's event came since the last flush. */
  readonly counts: Map<string, number>;
}

export class EventStreams {
  readonly #subscribe: Subscribe;
  readonly #groups = new Map<string, Group>();
  /** The event at hand as text: groups that want it share it. */
  #made: { readonly channel: string; readonly event: object; readonly text: string } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #size = 0;

  /** @param subscribe as `AdminBackend.onEvents` */
  constructor(subscribe: Subscribe) {
    this.#subscribe = subscribe;
  }

  get isFull(): boolean {
    return this.#size >= MOST_STREAMS;
  }

  /**
   * Answers with the events from now on, until the reader goes away or does not keep up.
   * @param channels empty: those that are not too many for a person
   * @param past is sent first
   * @param mayGoOn whether its reader may still look, asked by `endForbidden`
   * @throws RingproxyError when there is no such channel; nothing has been answered then
   */
  add(
    stream: ServerResponse,
    channels: readonly string[],
    past: readonly PastEvent[],
    mayGoOn: () => boolean = () => true,
  ): void {
    const group = this.#groupOf(channels);
    // What came before is for the others.
    this.#flush();
    group.streams.set(stream, mayGoOn);
    this.#size++;
    stream.once('close', () => this.#remove(group, stream));
    // It may be silent for long; whether the reader is still there its kernel says.
    stream.socket?.setTimeout(0);
    stream.socket?.setKeepAlive(true, 60_000);
    stream.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const before = past.map(({ channel, at, event }) => textOf(channel, at, event));
    stream.write(`: events follow\n\n${before.join('')}`);
  }

  /** Ends those whose readers may not look any more: a token is valid for as long as it is one. */
  endForbidden(): void {
    for (const group of this.#groups.values()) {
      for (const [stream, mayGoOn] of group.streams) if (!mayGoOn()) stream.end();
    }
  }

  #groupOf(channels: readonly string[]): Group {
    const names = [...new Set(channels)].sort();
    const key = names.join('\n');
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const listener = (channel: string, event: object): void => this.#onEvent(group, channel, event);
    const end = this.#subscribe(listener, names.length === 0 ? null : names);
    const group: Group = { key, streams: new Map(), end, pieces: [], counts: new Map() };
    this.#groups.set(key, group);
    return group;
  }

  #remove(group: Group, stream: ServerResponse): void {
    if (!group.streams.delete(stream)) return;
    this.#size--;
    if (group.streams.size > 0) return;
    group.end();
    this.#groups.delete(group.key);
  }

  #onEvent(group: Group, channel: string, event: object): void {
    const count = (group.counts.get(channel) ?? 0) + 1;
    group.counts.set(channel, count);
    if (count <= MOST_EVENTS) {
      if (this.#made?.event !== event || this.#made.channel !== channel) {
        this.#made = { channel, event, text: textOf(channel, new Date(), event) };
      }
      group.pieces.push(this.#made.text);
    }
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#made = null;
    for (const group of this.#groups.values()) {
      for (const [channel, count] of group.counts) {
        if (count <= MOST_EVENTS) continue;
        group.pieces.push(textOf(LEFT_OUT, new Date(), { channel, events: count - MOST_EVENTS }));
      }
      group.counts.clear();
      if (group.pieces.length === 0) continue;
      const piece = Buffer.from(group.pieces.join(''));
      group.pieces = [];
      for (const stream of group.streams.keys()) {
        // One that does not keep up would miss events and not know it.
        if (stream.writableLength > MOST_BACKLOG) stream.destroy();
        else stream.write(piece);
      }
    }
  }
}

function textOf(channel: string, at: Date, event: object): string {
  return `event: ${channel}\ndata: ${JSON.stringify({ at: at.toISOString(), ...event })}\n\n`;
}
