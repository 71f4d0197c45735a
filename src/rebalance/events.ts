/** What moving keys tells, on `node:diagnostics_channel`; public as those of `proxy/events.ts`. */
import { channel } from 'node:diagnostics_channel';

/** A batch of keys has gone from one node to another. */
export interface KeysMovedEvent {
  source: string;
  target: string;
  keys: number;
  /** Of serialized values. */
  bytes: number;
}

const keysMoved = channel('ringproxy:keys:moved');

export function publishKeysMoved(source: string, target: string, keys: number, bytes: number): void {
  if (!keysMoved.hasSubscribers) return;
  const event: KeysMovedEvent = { source, target, keys, bytes };
  keysMoved.publish(event);
}
