/** Composition: which keys are used most, at this proxy and in the whole fleet. */
import type { WhichView } from '../admin/api.js';
import type { HotKeysPort } from '../admin/backend.js';
import type { PlaneHost } from '../plane/host.js';
import type { KeyGroup } from '../proxy/caching/policy.js';
import { type HotReport, mergeHot } from '../proxy/measure/hot-keys/hot-report.js';
import { LISTED_KEYS } from '../proxy/measure/hot-keys/hottest.js';
import { type HotKeyFacts, hotView } from '../telemetry/hot-keys/hot-view.js';
import { fromWire, HOT_KEYS_PATH, toWire } from '../telemetry/hot-keys/wire.js';
import { askOthers, type FleetNeeds, NOBODY } from './ask-fleet.js';

export interface HotKeysNeeds extends FleetNeeds {
  readonly plane: Pick<PlaneHost, 'hotKeys'>;
  readonly groups: { readonly inForce: { readonly groups: readonly KeyGroup[] } };
  readonly ring: { which(keys: readonly Buffer[]): WhichView[] };
}

export interface HotKeysParts extends HotKeysPort {
  /** At this proxy. */
  own(): Promise<HotReport>;
  close(): void;
}

export function composeHotKeys({ plane, ring, groups, ...fleet }: HotKeysNeeds): HotKeysParts {
  const end = fleet.peers?.handlers.on(HOT_KEYS_PATH, async () => toWire(await plane.hotKeys()));

  return {
    own: () => plane.hotKeys(),
    async view({ limit, fleet: isOfFleet }) {
      const proxy = fleet.self();
      const [part, others] = await Promise.all([
        plane.hotKeys(),
        isOfFleet ? askOthers(fleet, HOT_KEYS_PATH, fromWire) : NOBODY,
      ]);
      const told = [{ proxy, part }, ...others.told];
      const report = mergeHot(
        told.map((one) => one.part),
        LISTED_KEYS,
      );
      const types = new Map(groups.inForce.groups.map(({ group, policy }) => [group, policy?.cache ?? 'sharded']));
      const facts: HotKeyFacts = {
        cacheOf: (group) => types.get(group) ?? 'sharded',
        nodeOf: (key) => ring.which([key])[0]?.node ?? '',
      };
      // Of a proxy that has answered, a process may be missing.
      const silent = told.flatMap((one) => one.part.missing.map((why) => ({ proxy: one.proxy, why })));
      return hotView(report, limit, facts, [...silent, ...others.missing]);
    },
    close: () => end?.(),
  };
}
