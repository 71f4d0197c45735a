/** The settings that are in force while clients are served: with `limit-scope: fleet` the limits are this proxy's part. */
import type { PlaneHost } from '../plane/host.js';
import type { LiveSettings } from '../proxy/settings.js';
import { partOfOne } from '../proxy/users/limit-parts.js';
import type { FleetMember } from '../topology/state/fleet.js';

export class FleetLimits {
  readonly #plane: Pick<PlaneHost, 'useSettings'>;
  readonly #tell: (message: string) => void;
  #settings: LiveSettings;
  #proxies = 1;

  /** @param settings of the start, which the plane has already, as for a lone proxy */
  constructor(settings: LiveSettings, plane: Pick<PlaneHost, 'useSettings'>, tell: (message: string) => void) {
    this.#settings = settings;
    this.#plane = plane;
    this.#tell = tell;
  }

  /** The configuration was read again. */
  use(settings: LiveSettings): void {
    this.#settings = settings;
    this.#plane.useSettings(partOfOne(settings, this.#proxies));
  }

  /** What is seen of the fleet; who is cut off from the store sees what it saw last. */
  onMembers(members: readonly Pick<FleetMember, 'alive' | 'fencedOff'>[]): void {
    const proxies = Math.max(1, members.filter(({ alive, fencedOff }) => alive && !fencedOff).length);
    if (proxies === this.#proxies) return;
    this.#proxies = proxies;
    if (this.#settings.limitScope === 'proxy') return;
    this.#plane.useSettings(partOfOne(this.#settings, proxies));
    this.#tell(`limits of addresses and users: this proxy has one of ${proxies} parts (limit-scope: fleet)`);
  }
}
