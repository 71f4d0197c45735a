/**
 * Clients behind connections that are not this data plane's: those of the proxy's other processes, which are asked, and
 * those of other proxies, which have told.
 */

import { matchesGlob } from '../../../resp/glob.js';
import type { FleetSubscribers } from '../../peers/fleet.js';
import type { Subscribed, SubscribedQuestion } from '../../peers/peers.js';

export const NOBODY: Subscribed = { clients: 0, connections: 0 };

export interface Others {
  /** Of the proxy's other processes. */
  readonly processes: Subscribed;
  /** Of other proxies, as far as they have told. */
  readonly fleet: Subscribed;
}

export interface OtherCounts {
  /** Whether a node's count of others' connections is right as it stands. */
  readonly isNobody: boolean;
  ask(about: SubscribedQuestion): Others | Promise<Others>;
}

/** Who of other proxies is subscribed to the topic; a channel's patterns, too, where the question says so. */
export function subscribedElsewhere(
  fleet: FleetSubscribers,
  { kind, key, withPatterns }: Omit<SubscribedQuestion, 'node' | 'address'>,
): Subscribed {
  if (fleet.isEmpty) return NOBODY;
  let sum = fleet.subscribed(kind, key);
  if (!withPatterns) return sum;
  const channel = Buffer.from(key, 'latin1');
  for (const [pattern, subscribed] of fleet.patterns) {
    if (matchesGlob(Buffer.from(pattern, 'latin1'), channel)) sum = add(sum, subscribed);
  }
  return sum;
}

/**
 * What other proxies have told may be late, a node's count of connections is not: where it counts fewer than those that
 * were told of, fewer clients are there, in proportion.
 * @param connections of other proxies, as the node counts them
 */
export function clientsElsewhere(connections: number, told: Subscribed): number {
  if (told.connections <= connections) return connections - told.connections + told.clients;
  return Math.max(connections, Math.round((told.clients * connections) / told.connections));
}

export function add(a: Subscribed, b: Subscribed): Subscribed {
  return { clients: a.clients + b.clients, connections: a.connections + b.connections };
}

/** Of other proxies alone, for a proxy of one process. */
export class FleetCounts implements OtherCounts {
  readonly #fleet: FleetSubscribers;

  constructor(fleet: FleetSubscribers) {
    this.#fleet = fleet;
  }

  get isNobody(): boolean {
    return this.#fleet.isEmpty;
  }

  ask(about: SubscribedQuestion): Others {
    return { processes: NOBODY, fleet: subscribedElsewhere(this.#fleet, about) };
  }
}
