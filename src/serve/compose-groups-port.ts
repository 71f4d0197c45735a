/** Composition: what operators see of the groups of keys, with what all proxies of the ring have counted. */
import type { GroupsPort, LoadPort } from '../admin/backend.js';
import type { PlaneHost } from '../plane/host.js';
import { type GroupFigures, groupFigures, mergeFigures } from '../proxy/measure/group-figures.js';
import { figuresFrom, GROUP_FIGURES_PATH } from '../telemetry/group-figures-wire.js';
import { groupsView } from '../topology/groups/groups-view.js';
import type { LiveGroups } from '../topology/groups/live-groups.js';
import { askOthers, type FleetNeeds, NOBODY } from './ask-fleet.js';

export interface GroupsPortNeeds extends FleetNeeds {
  readonly groups: LiveGroups;
  readonly plane: Pick<PlaneHost, 'stats'>;
  readonly load: LoadPort;
}

/** What a rate of the moment is measured over. */
const RATE_SECONDS = 10;

export function composeGroupsPort({ groups, plane, load, ...fleet }: GroupsPortNeeds): GroupsPort & { close(): void } {
  const own = async (): Promise<GroupFigures[]> => {
    const rates = load.over(RATE_SECONDS)?.keyGroups ?? [];
    const perSecond = (name: string): number | null =>
      rates.find(({ group }) => group === name)?.commandsPerSecond ?? null;
    return groupFigures((await plane.stats()).groups, perSecond);
  };
  const end = fleet.peers?.handlers.on(GROUP_FIGURES_PATH, own);

  return {
    async view(isOfFleet) {
      const [here, others] = await Promise.all([
        own(),
        isOfFleet ? askOthers(fleet, GROUP_FIGURES_PATH, figuresFrom) : NOBODY,
      ]);
      const figures = mergeFigures([here, ...others.told.map(({ part }) => part)]);
      return groupsView(groups.inForce, figures, others.missing);
    },
    change: (...change) => groups.change(...change),
    preview: (...change) => groups.preview(...change),
    close: () => end?.(),
  };
}
