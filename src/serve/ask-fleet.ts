/** Composition: what each proxy of the ring has of something that every proxy has a part of. */
import type { ProxyView } from '../admin/api.js';
import { peerError } from '../fleet/peers/peers.js';
import type { PeersParts } from './compose-peers.js';

/** Longer than a proxy waits for its workers. */
const PATIENCE_MS = 3000;

export interface FleetNeeds {
  /** This proxy's id, as it is at the moment. */
  readonly self: () => string;
  /** Those of the ring. */
  readonly proxies: () => ProxyView[];
  /** Null: this one is alone. */
  readonly peers: PeersParts | null;
}

export interface Told<Part> {
  readonly proxy: string;
  readonly part: Part;
}

export interface FleetAnswers<Part> {
  readonly told: readonly Told<Part>[];
  /** Who has not answered, and why. */
  readonly missing: { proxy: string; why: string }[];
}

/** Where nobody else is asked. */
export const NOBODY: FleetAnswers<never> = { told: [], missing: [] };

/**
 * Asks all other proxies of the ring that are alive.
 * @param read what one has answered; null: it is not understood
 */
export async function askOthers<Part>(
  { self, proxies, peers }: FleetNeeds,
  path: string,
  read: (body: unknown) => Part | null,
): Promise<FleetAnswers<Part>> {
  const ask = async (proxy: string): Promise<Told<Part> | { readonly proxy: string; readonly why: string }> => {
    const answer = await peers?.peers.ask(proxy, path, {}, PATIENCE_MS);
    if (answer === undefined) return { proxy, why: 'there is nobody to ask' };
    if (!answer.ok) return { proxy, why: peerError(answer.failure).message };
    const part = read(answer.body);
    return part === null ? { proxy, why: 'its answer is not understood' } : { proxy, part };
  };
  const own = self();
  const others = proxies().filter(({ id, alive, fencedOff }) => alive && !fencedOff && id !== own);
  const answers = await Promise.all(others.map(({ id }) => ask(id)));
  return {
    told: answers.flatMap((one) => ('part' in one ? [one] : [])),
    missing: answers.flatMap((one) => ('why' in one ? [one] : [])),
  };
}
