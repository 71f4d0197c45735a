/** What the processes of one proxy ask and tell each other on behalf of their clients. All of it is plain data. */

import type { ClientCount, ClientFilter, ClientLine } from './clients.js';
import type { TopicKind } from './topic-kind.js';
import type { AclLogEntry } from './users.js';

/** As CLIENT UNBLOCK has it: the wait ends as if its time were over, or with an error. */
export type UnblockMode = 'TIMEOUT' | 'ERROR';

/** Who is subscribed to this topic, as the node with this name and address counts? */
export interface SubscribedQuestion {
  readonly node: string;
  readonly address: string;
  readonly kind: TopicKind;
  /** One character for each byte. */
  readonly key: string;
  /** Whether patterns count that the topic, a channel, matches. */
  readonly withPatterns: boolean;
}

/** Clients that are subscribed, and how many connections a node counts for them. */
export interface Subscribed {
  readonly clients: number;
  readonly connections: number;
}

/** A key that clients have missed. */
export interface FilledKey {
  readonly key: Uint8Array;
  readonly database: number;
}

export type PeerQuestion =
  /** Which clients are these? */
  | { readonly type: 'list'; readonly filter: ClientFilter }
  /** End these clients. The answer is how many there were. */
  | { readonly type: 'kill'; readonly filter: ClientFilter }
  /** End the wait of this client's command. The answer is 1 when it waited. */
  | { readonly type: 'unblock'; readonly client: number; readonly mode: UnblockMode }
  /** These keys have changed, which is told this client in the place of another one; null: all. The answer is 1 where it is. */
  | { readonly type: 'invalidated'; readonly client: number; readonly keys: readonly Uint8Array[] | null }
  /** Who is subscribed to each of these topics? */
  | { readonly type: 'subscribed'; readonly about: readonly SubscribedQuestion[] }
  /** Tell when this node has heard of all that clients have subscribed to by now. The answer is 1. */
  | { readonly type: 'heard'; readonly node: string; readonly address: string }
  /** Does a client fill these keys? If not, one of the process `from` is about to. */
  | { readonly type: 'filled'; readonly from: string; readonly keys: readonly FilledKey[] }
  /** What was denied lately? */
  | { readonly type: 'denials' }
  /** Forget what was denied. The answer is 1. */
  | { readonly type: 'reset-denials' }
  /** How many clients are there? */
  | { readonly type: 'count' }
  /** Tell when everything is done that was told before. The answer is 1. */
  | { readonly type: 'caught-up' }
  /** Do what these news say, and tell when that is done. The answer is 1. */
  | { readonly type: 'heed'; readonly news: PeerNews };

/** `subscribed` is in the order of the topics, `filled` in that of the keys. */
export type PeerAnswer =
  | number
  | { readonly lines: readonly ClientLine[] }
  | { readonly count: ClientCount }
  | { readonly denials: readonly AclLogEntry[] }
  | { readonly subscribed: readonly Subscribed[] }
  | { readonly filled: readonly ('no' | 'yes' | 'written')[] }
  /** What other proxies have told of the topics, which the primary process adds. */
  | { readonly fleet: readonly Subscribed[] };

export type PeerNews =
  /** Clients are paused until then (milliseconds since 1970); 0: not any more. */
  | { readonly type: 'paused'; readonly until: number; readonly writesOnly: boolean }
  /** The table of keys for clients that track has another bound. */
  | { readonly type: 'tracking-bound'; readonly maxKeys: number }
  /** Whether there are clients that monitor. */
  | { readonly type: 'monitors'; readonly from: string; readonly wanted: boolean }
  /** For clients that monitor; null: there was more than can be kept. */
  | { readonly type: 'monitored'; readonly lines: Uint8Array | null }
  /** No client fills these keys any more. */
  | { readonly type: 'unfilled'; readonly keys: readonly FilledKey[] }
  /** Another process serves from now on, and knows of nothing yet. */
  | { readonly type: 'joined' }
  /** It does not any more. */
  | { readonly type: 'left'; readonly from: string };

/** The other processes of the proxy. */
export interface Peers {
  /** @returns the answer of each; null: it does not answer soon, and does what it was asked for when it can */
  ask(question: PeerQuestion): Promise<readonly (PeerAnswer | null)[]>;
  tell(news: PeerNews): void;
}
