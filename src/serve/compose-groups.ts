/** Composition: the groups of keys, and who is asked for keys that a change of them would hide. */
import type { Config } from '../config/settings.js';
import { BUCKETS } from '../fleet/values/entry.js';
import type { PlaneHost } from '../plane/host.js';
import type { Logger } from '../telemetry/log.js';
import { type HiddenLooksPorts, lookForHidden } from '../topology/groups/hidden-looks.js';
import { LiveGroups, type LiveGroupsPorts } from '../topology/groups/live-groups.js';

export interface GroupsNeeds extends Pick<HiddenLooksPorts, 'nodes' | 'open'> {
  readonly config: Config;
  readonly store: LiveGroupsPorts['store'];
  readonly plane: Pick<PlaneHost, 'useGroups' | 'values'>;
  /** This proxy's id, as it is at the moment. */
  readonly ownId: () => string;
  readonly log: Logger;
}

/** Looked at at once: clients of this process wait no longer. */
const BUCKETS_AT_ONCE = 32;

export function composeGroups({ config, store, plane, ownId, log, nodes, open }: GroupsNeeds): LiveGroups {
  const countHere = async (has: (key: string) => boolean): Promise<number> => {
    let keys = 0;
    const { values } = plane;
    for (let database = 0; database < values.databases; database++) {
      // One that holds nothing costs nothing.
      for (let bucket = 0; values.sizeOf(database) > 0 && bucket < BUCKETS; bucket++) {
        for (const { key } of values.bucket(database, bucket)) {
          if (has(key) && values.find(database, key) !== null) keys++;
        }
        if (bucket % BUCKETS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return keys;
  };
  return new LiveGroups({
    store,
    configured: config.keyGroups,
    memberId: ownId,
    use: (inForce) => plane.useGroups(inForce),
    look: (hidden) => lookForHidden(hidden, { nodes, open, countHere }),
    warn: (message) => log.warn(message),
  });
}
