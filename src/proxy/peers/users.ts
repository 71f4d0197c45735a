/** What processes of the proxy tell each other of what users were denied. */
import type { PeerAnswer } from './peers.js';

export type DenialReason = 'command' | 'key' | 'channel' | 'auth';
export type DenialContext = 'toplevel' | 'multi';

/** An entry of ACL LOG. */
export interface AclLogEntry {
  readonly count: number;
  readonly reason: DenialReason;
  readonly context: DenialContext;
  /** The command, the key or the channel. */
  readonly object: string;
  readonly username: string;
  /** When it came last, in milliseconds since 1970. */
  readonly at: number;
  /** Who it was the last time. */
  readonly clientInfo: string;
}

/** The entries that another process has named. */
export function entriesIn(answer: PeerAnswer | null): readonly AclLogEntry[] {
  return answer !== null && typeof answer === 'object' && 'denials' in answer ? answer.denials : [];
}
