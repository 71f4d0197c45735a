/**
 * The fence between two masters of a node: the former one drops the connections of this ring's proxies before the new one
 * serves. One that does not answer is not waited for: then whatever it still acknowledges, it acknowledges to nobody of
 * ours, since this proxy has cut its connections.
 */

import type { Timers } from '../time/timers.js';
import { within } from '../time/within.js';
import { type Loss, lossOf, type Replication } from './replication.js';

export interface HandOverPorts {
  /** Settles when no process of this proxy has a connection to the former master any more, nor opens one. */
  cut(): Promise<void>;
  /** Has the server drop the connections of this ring's proxies. @throws when it does not answer, or refuses */
  drop(address: string): Promise<void>;
  /** @returns what a server says of its part in replication; null: it does not answer */
  read(address: string): Promise<Replication | null>;
  readonly timers: Timers;
}

export interface HandedOver {
  /** The former master has dropped our connections. */
  readonly fenced: boolean;
  readonly loss: Loss;
}

/** How long the former master is waited for. Milliseconds. */
const FENCE_MS = 500;

/** @param before what the former master last said of itself */
export async function handOver(
  from: string,
  to: string,
  before: Replication | null,
  { cut, drop, read, timers }: HandOverPorts,
): Promise<HandedOver> {
  const fence = async (): Promise<{ fenced: boolean; atEnd: Replication | null }> => {
    // Whatever keeps this from being told: the former master drops the connections all the same.
    await cut().catch(() => {});
    const fenced = await drop(from).then(
      () => true,
      () => false,
    );
    return { fenced, atEnd: fenced ? await read(from) : null };
  };
  const [former, next] = await Promise.all([within(FENCE_MS, fence(), timers), within(FENCE_MS, read(to), timers)]);
  const { fenced, atEnd } = typeof former === 'symbol' ? { fenced: false, atEnd: null } : former;
  return { fenced, loss: lossOf(atEnd, before, typeof next === 'symbol' ? null : next) };
}

/** What is said of a loss, for people. */
export function describeLoss({ bytes, known }: Loss): string {
  if (bytes === null) return 'what the former master acknowledged last, and the new one never heard of, cannot be told';
  if (bytes === 0) return known === 'exactly' ? 'nothing is lost' : 'nothing is known to be lost';
  const much = known === 'exactly' ? '' : 'at least ';
  return `${much}${bytes} bytes of its replication stream never reached the new one: writes among them are lost`;
}
