/** Composition: which keys commands had on several nodes, at this proxy and in the whole fleet. */
import type { AdvicePort } from '../admin/backend.js';
import type { PlaneHost } from '../plane/host.js';
import { type ApartKeys, sumApartKeys } from '../proxy/measure/apart/apart-keys.js';
import { adviceView, type RingTags } from '../telemetry/advice/advice-view.js';
import { APART_KEYS_PATH, apartKeysFrom } from '../telemetry/advice/wire.js';
import { askOthers, type FleetNeeds, NOBODY } from './ask-fleet.js';

export interface AdviceNeeds extends FleetNeeds {
  readonly plane: Pick<PlaneHost, 'stats'>;
  readonly ring: { view(): RingTags };
}

export function composeAdvice({ plane, ring, ...fleet }: AdviceNeeds): AdvicePort & { close(): void } {
  const own = async (): Promise<ApartKeys[]> => (await plane.stats()).apartKeys;
  const end = fleet.peers?.handlers.on(APART_KEYS_PATH, own);

  return {
    async view({ limit, fleet: isOfFleet }) {
      const [here, others] = await Promise.all([
        own(),
        isOfFleet ? askOthers(fleet, APART_KEYS_PATH, apartKeysFrom) : NOBODY,
      ]);
      const rows = sumApartKeys([here, ...others.told.map(({ part }) => part)]);
      return adviceView(rows, limit, ring.view(), others.missing);
    },
    close: () => end?.(),
  };
}
