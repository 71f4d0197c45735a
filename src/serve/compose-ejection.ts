/** Composition: nodes that fail leave the ring by themselves, and come back, where that is wanted. */
import type { Config } from '../config/settings.js';
import { messageOf } from '../errors.js';
import type { NodeMonitors } from '../health/node-monitors.js';
import { EjectionJob, type Heard } from '../topology/ejection/ejection-job.js';
import type { EjectionNotes } from '../topology/ejection/notes.js';
import type { RingManager } from '../topology/ring-manager.js';
import type { RingStore } from '../topology/store/ring-store.js';
import { emptiesRestarted } from './node-processes.js';

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

const AGAIN_MS = 1000;

/**
 * Which process a node is is not followed while nobody asks: what is recorded of it would take nodes that are restarted
 * meanwhile for strange ones, as soon as somebody asks again.
 */
class ForgottenProcesses {
  readonly #ring: Pick<RingManager, 'recorded' | 'askByFleet'>;
  readonly #warn: (message: string) => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(ring: Pick<RingManager, 'recorded' | 'askByFleet'>, warn: (message: string) => void) {
    this.#ring = ring;
    this.#warn = warn;
  }

  /** @param isWanted whether they are to be forgotten, once */
  want(isWanted: boolean): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (isWanted) this.#wait();
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.#look(), AGAIN_MS).unref();
  }

  async #look(): Promise<void> {
    const { recorded } = this.#ring;
    if (recorded === null) return this.#wait();
    if (recorded.processes === undefined) return;
    try {
      await this.#ring.askByFleet({ kind: 'processes', processes: null });
    } catch (error) {
      this.#warn(`it is still recorded which processes the nodes were: ${messageOf(error)}`);
      this.#wait();
    }
  }
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
  const forgetProcesses = new ForgottenProcesses(ring, warn);
  const use = (read: Config): void => {
    now = read;
    forgetProcesses.want(!emptiesRestarted(read));
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
