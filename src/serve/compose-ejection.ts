/** Composition: nodes that fail leave the ring by themselves, and come back, where that is wanted. */
import type { Config } from '../config/settings.js';
import type { NodeMonitors } from '../health/node-monitors.js';
import { EjectionJob, type Heard } from '../topology/ejection/ejection-job.js';
import type { EjectionNotes } from '../topology/ejection/notes.js';
import type { RingManager } from '../topology/ring-manager.js';
import type { RingStore } from '../topology/store/ring-store.js';

export interface EjectionNeeds {
  readonly config: Config;
  readonly ownId: () => string;
  readonly store: Pick<RingStore, 'members'>;
  readonly ring: RingManager;
  readonly monitors: Pick<NodeMonitors, 'healthOf'>;
  /** What other proxies have told; null: this one is alone. */
  readonly heard: Heard | null;
  readonly notes: EjectionNotes;
  warn(message: string): void;
}

export interface EjectionParts {
  /** These settings are in force from now on. */
  use(read: Config): void;
}

export function composeEjection({
  config,
  ownId,
  store,
  ring,
  monitors,
  heard,
  notes,
  warn,
}: EjectionNeeds): EjectionParts {
  let now = config;
  const job = new EjectionJob({
    ...{ heard, notes, warn },
    settings: () => now,
    memberId: ownId,
    members: () => store.members(),
    state: () => ring.recorded,
    seen: (node) => monitors.healthOf(node),
    ask: (request) => ring.askByFleet(request),
  });
  let withdraw: (() => Promise<void>) | null = null;
  const use = (read: Config): void => {
    now = read;
    notes.turnOff(read.onNodeFailure !== 'eject');
    if (read.onNodeFailure === 'eject') withdraw ??= ring.jobs.add(job);
    else {
      void withdraw?.();
      withdraw = null;
    }
  };
  use(config);
  return { use };
}
