/** Tells which proxies do not reach each other, although both are members: by how long nothing was heard of one. */
import type { Channel } from 'node:diagnostics_channel';
import { type PeerEvent, peerHeard, peerUnheard } from '../fleet-events.js';
import type { SeenFleet } from './fleet-sight.js';

/** Soft state comes several times a second, and an idle proxy gives a sign of itself each ten seconds. */
const UNHEARD_SECONDS = 20;

export class PeerWatcher {
  readonly #unheard = new Set<string>();

  /** @param lags of each other proxy: seconds since something was heard of it */
  observe({ members, self }: SeenFleet, lags: ReadonlyMap<string, number>): void {
    const peers = members.filter(({ id, alive, fencedOff }) => id !== self && alive && !fencedOff);
    for (const { id, info } of peers) {
      const seconds = lags.get(id);
      if (seconds === undefined) continue;
      const isUnheard = seconds > UNHEARD_SECONDS;
      if (isUnheard === this.#unheard.has(id)) continue;
      const event = { proxy: id, admin: info?.admin ?? '', seconds };
      const name = event.admin === '' ? id : `${id} (${event.admin})`;
      if (isUnheard) {
        this.#unheard.add(id);
        const why =
          'it has a lease, so it lives: the proxies do not reach each other (advertise-admin, peer-token, a firewall)';
        tell(peerUnheard, {
          ...event,
          summary: `nothing was heard of proxy ${name} for ${Math.round(seconds)} s: ${why}`,
        });
      } else {
        this.#unheard.delete(id);
        tell(peerHeard, { ...event, summary: `proxy ${name} is heard of again` });
      }
    }
    // One that is gone or away is told of otherwise.
    for (const id of this.#unheard) if (!peers.some((peer) => peer.id === id)) this.#unheard.delete(id);
  }
}

function tell(channel: Channel, event: PeerEvent): void {
  if (channel.hasSubscribers) channel.publish(event);
}
