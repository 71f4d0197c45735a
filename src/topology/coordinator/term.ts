/** The time for which a proxy decides about the ring: from its claim on, until it loses it. What all decisions need. */

import { messageOf, RingproxyError } from '../../errors.js';
import type { Duty } from '../../fleet/jobs/job.js';
import type { LocalRing } from '../participant/local-ring.js';
import type { Participant } from '../participant/participant.js';
import { afterFence } from '../state/change-protocol.js';
import type { Revision } from '../state/fleet.js';
import { processesSeen } from '../state/move-records.js';
import {
  type Member,
  type NodeProcess,
  type RingState,
  type RunningChange,
  unionOf,
  withoutGivenUp,
} from '../state/ring-state.js';
import { giveUp, goOn, phaseOf } from '../state/transitions.js';
import type { RingStore } from '../store/ring-store.js';
import { passFence } from './fence.js';
import { Passing } from './passing.js';
import { Progress } from './progress.js';
import type { Recorder } from './recorder.js';
import { noChange } from './refusals.js';

export interface TermPorts {
  /** Makes the nodes drop all connections of these proxies. @throws when a node cannot be asked */
  killPredecessors(nodes: readonly Member[], proxies: readonly string[]): Promise<void>;
  /** The run ids of the nodes' processes; empty where one does not say, or not at once. */
  runIds(nodes: readonly Member[]): Promise<string[]>;
  info(message: string): void;
  warn(message: string): void;
}

/** A change that is under way, as it was looked at. */
export interface Running extends LocalRing {
  readonly change: NonNullable<LocalRing['change']>;
  readonly record: RunningChange;
}

/** What follows when a fence is passed. After that record, the change only goes forward. */
export interface AfterPassing {
  step(state: RingState, processes: readonly NodeProcess[]): RingState;
  /** Whether that is what is recorded: it may be although its writing seemed to fail. */
  isRecorded(state: RingState): boolean;
}

export class Term {
  readonly duty: Duty;
  readonly store: RingStore;
  readonly recorder: Recorder;
  readonly progress: Progress;
  readonly passing: Passing;
  readonly #participant: Participant;
  readonly #ports: TermPorts;

  constructor(duty: Duty, store: RingStore, recorder: Recorder, participant: Participant, ports: TermPorts) {
    this.duty = duty;
    this.store = store;
    this.recorder = recorder;
    this.passing = new Passing({
      store,
      nodes: () => this.#reachable(),
      consistency: () => participant.local?.stored.state.consistency ?? 'strict',
      killPredecessors: (...killed) => ports.killPredecessors(...killed),
      info: (message) => ports.info(message),
      warn: (message) => ports.warn(message),
    });
    this.progress = new Progress(store, () => participant.local);
    this.#participant = participant;
    this.#ports = ports;
  }

  /** The ring as this proxy has it. @throws RingproxyError before there is one */
  local(): LocalRing {
    const { local } = this.#participant;
    if (local === null) throw new RingproxyError('NOT_READY', 'the ring is not known yet');
    return local;
  }

  /** @throws RingproxyError when no change is under way */
  running(): Running {
    const local = this.local();
    const record = local.stored.state.change;
    if (record === null || local.change === null) throw noChange();
    return { ...local, record, change: local.change };
  }

  /** @returns when this proxy routes by it as well: whoever has asked for the change sees it here */
  async record(step: (state: RingState) => RingState): Promise<Revision> {
    const revision = await this.recorder.change(step);
    await this.#participant.reached(revision);
    return revision;
  }

  /** Tries until it is recorded, or the term is over. @returns null: it is over */
  async recordAtLast(
    step: (state: RingState) => RingState,
    onFailure: (error: unknown) => void,
  ): Promise<Revision | null> {
    const revision = await this.recorder.changeAtLast(step, onFailure);
    if (revision !== null) await this.#participant.reached(revision);
    return revision;
  }

  /**
   * A fence is raised: makes sure that no command on a moved key is under way anywhere, and records what follows, or
   * else that all is as it was.
   * @param raised the revision of the record that has raised it
   * @returns why that failed, or null
   */
  async pass(raised: Revision, { step, isRecorded }: AfterPassing): Promise<unknown> {
    const { record, change } = this.running();
    // Keys are held while this is asked, so it goes on beside the fence, not behind it. A node that starts anew in between
    // counts as one that was restarted while keys moved.
    const nodes = withoutGivenUp(change.union, record);
    const asked = record.processes.length > 0 ? null : this.#ports.runIds(nodes);
    asked?.catch(() => {});
    try {
      await passFence(raised, this.#reachable(), {
        store: this.store,
        describe: (member) => this.passing.describe(member),
        killPredecessors: (...killed) => this.#ports.killPredecessors(...killed),
        signal: this.duty.signal,
      });
      const processes = asked === null ? await this.#processesSeen(record) : processesOf(nodes, await asked);
      await this.record((state) => step(state, processes));
      return null;
    } catch (error) {
      // The held commands run first: what is wrong may be the store itself.
      const undo = afterFence(false, record.phase === 'turning') === 'give up' ? giveUp : goOn;
      let stands = false;
      const undone = await this.recordAtLast(
        (state) => {
          stands = isRecorded(state);
          return state.change?.id === record.id && phaseOf(state) === record.phase ? undo(state) : state;
        },
        (failure) => this.#ports.warn(`${record.summary}: keys are held, ${messageOf(failure)}`),
      );
      // Its successor finds the record, and decides: what that will be is not known here.
      if (undone === null) return this.recorder.lost();
      return stands ? null : error;
    }
  }

  /** The nodes of the ring, and of the one that follows; without those that were given up. */
  #reachable(): readonly Member[] {
    const local = this.#participant.local;
    if (local === null) return [];
    const { members, change } = local.stored.state;
    return change === null ? members : withoutGivenUp(unionOf(members, change.members), change);
  }

  /** Those of the first fence: what a node has that was restarted since then may be from the past. */
  async #processesSeen(change: RunningChange): Promise<readonly NodeProcess[]> {
    return processesSeen(change.processes, await this.store.moves(change.id));
  }
}

/** @param runIds index-aligned with the nodes */
function processesOf(nodes: readonly Member[], runIds: readonly string[]): readonly NodeProcess[] {
  return nodes.map(({ name, address }, index) => ({ name, address, runId: runIds[index] ?? '' }));
}
