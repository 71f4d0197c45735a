import type { Request } from '../../request/request.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';

/** What a wait makes of the key's value: its reply, an element of its reply, or nothing, since its reply is another one. */
export type Takes = 'value' | 'element' | 'nothing';

/** A client's read of a key that is being filled. One of its methods is called, once, and it has left the fill then. */
export interface Wait {
  readonly fill: Fill;
  readonly client: ClientConnection;
  /** When it began, by the clock. */
  readonly since: number;
  /** The read, in its client's queue. */
  readonly request: Request;
  readonly takes: Takes;
  /** The key is there: what GET answers, or an error, is `buffer[start, end)`. */
  onReply(buffer: Buffer, start: number, end: number): void;
  /** The key is there, and the client reads it for itself, from this node; never called of an element. */
  onThere(node: UpstreamNode): void;
  /** The client sees the miss. */
  onMiss(): void;
  /** The client has left. */
  onLeft(): void;
}

/**
 * - `none`: nobody fills the key.
 * - `asked`: the proxy's other processes are asked whether a client of theirs does.
 * - `here`, `elsewhere`: a client of this process does, or of another one.
 */
export type FillState = 'none' | 'asked' | 'here' | 'elsewhere';

/** A read that was sent so long after a write may still have run before it, on another connection. Milliseconds. */
export const GRACE_MS = 100;
/** Nobody has written the key that is known of. */
export const NEVER = Number.NEGATIVE_INFINITY;

/** A key that was missed: who fills it, and who waits for that. Times are those of the clock. */
export class Fill {
  readonly key: Buffer;
  readonly database: number;
  state: FillState = 'none';
  /** The client that has seen the miss and is to write the key, while it is filled here; otherwise null. */
  filler: ClientConnection | null = null;
  /** When the filler's turn began, and until when it lasts. */
  since = NEVER;
  until = NEVER;
  /** When a write of the key was last seen: a read that was sent before may have missed it. */
  writtenAt = NEVER;
  /** In the order in which they came. */
  readonly waits = new Set<Wait>();
  /** For the turn's end, or that of the one who has waited longest, whichever is first: `timerAt`, or earlier. */
  timer: NodeJS.Timeout | null = null;
  timerAt = NEVER;
  /** Reads of the proxy's own that are on their way. */
  reads = 0;
  /** The other processes have said that the key was written just now: if it is missing nevertheless, they are not asked again. */
  isSaidWritten = false;
  /** While the other processes are asked: one of them, which asked at the same time, was left the key. */
  isConceded = false;
  /** The key has changed since the last of them was sent. */
  isOutdated = false;

  constructor(key: Buffer, database: number) {
    this.key = key;
    this.database = database;
  }

  /** Whether somebody fills it now. */
  isFilledAt(now: number): boolean {
    return this.state !== 'none' && now < this.until && !hasEnded(this.filler);
  }
}

/** Whether nothing comes from the filler any more. */
function hasEnded(filler: ClientConnection | null): boolean {
  return filler !== null && (filler.closed || filler.inputHasEnded);
}

/** Whether the read may have run before a write that was seen since. */
export function isLate(fill: Fill, request: Request): boolean {
  return request.startedAt <= fill.writtenAt + GRACE_MS;
}

/** Whether the client has sent further reads of the key to nodes, whose replies, to come or there, may be older than now. */
export function hasReadSince({ fill, request }: Wait): boolean {
  const { key, database } = fill;
  for (let behind = request.nextOfClient; behind !== null; behind = behind.nextOfClient) {
    if (behind.misses?.asksFor(key, database)) return true;
  }
  return false;
}
