/** Tells the events of fences by comparing the records of the ring: how long each stood, and whom it waited for. */
import type { Channel } from 'node:diagnostics_channel';
import type { Timers } from '../../time/timers.js';
import { type FenceEvent, fenceGivenUp, fencePassed, fenceRaised } from '../fleet-events.js';
import { answersTo, type FleetMember, type Revision } from '../state/fleet.js';
import type { RingState, RunningChange } from '../state/ring-state.js';
import type { StoredRing } from '../store/ring-store.js';

export interface FenceWatcherPorts {
  /** Who decides about the ring, as far as it is known; otherwise empty. */
  coordinator(): string;
  members(): Promise<readonly FleetMember[]>;
  readonly timers: Pick<Timers, 'now'>;
}

interface RaisedFence {
  readonly change: RunningChange;
  readonly generation: number;
  readonly revision: Revision;
  /** By the timers' clock. */
  readonly at: number;
}

export class FenceWatcher {
  readonly #ports: FenceWatcherPorts;
  #raised: RaisedFence | null = null;

  constructor(ports: FenceWatcherPorts) {
    this.#ports = ports;
  }

  /** @param ring each record, in order; some may be left out */
  observe({ revision, state }: StoredRing): void {
    const before = this.#raised;
    const { change, generation } = state;
    if (before !== null && change?.id === before.change.id && change.phase === before.change.phase) return;
    if (before !== null) this.#ended(before, state);
    this.#raised = null;
    if (change === null || change.phase === 'moving') return;
    const raised = { change, generation, revision, at: this.#ports.timers.now() };
    this.#raised = raised;
    tell(fenceRaised, raised, this.#describe(raised, 0), (what, by) => `${what} is raised${by}`);
  }

  #ended(raised: RaisedFence, now: RingState): void {
    const seconds = (this.#ports.timers.now() - raised.at) / 1000;
    if (!isPassed(raised, now)) {
      if (fenceGivenUp.hasSubscribers) void this.#givenUp(raised, seconds);
      return;
    }
    const after = milliseconds(seconds);
    tell(fencePassed, raised, this.#describe(raised, seconds), (what, by) => `${what} was passed after ${after}${by}`);
  }

  async #givenUp(raised: RaisedFence, seconds: number): Promise<void> {
    const members = await this.#ports.members().catch(() => []);
    const waitedFor = answersTo(raised.revision, members).flatMap((answer) =>
      answer.acknowledged ? [] : [answer.why],
    );
    const whom = waitedFor.length === 0 ? '' : `: ${waitedFor.join('; ')}`;
    const left = raised.change.phase === 'turning' ? 'the change goes on as before' : 'nothing has moved';
    tell(
      fenceGivenUp,
      raised,
      { ...this.#describe(raised, seconds), waitedFor },
      (what, by) => `${what} was given up after ${milliseconds(seconds)}${by}${whom}; ${left}`,
    );
  }

  #describe({ change, revision }: RaisedFence, seconds: number): Omit<FenceEvent, 'summary'> {
    const purpose = change.phase === 'turning' ? 'turn round' : 'move';
    return { change: change.id, revision, by: this.#ports.coordinator(), purpose, seconds, waitedFor: [] };
  }
}

/**
 * A change that is turned round has another id; one that is not goes on under its own. One of which the end was not seen
 * has left a generation behind.
 */
function isPassed({ change, generation }: RaisedFence, now: RingState): boolean {
  if (now.generation > generation) return true;
  if (change.phase === 'turning') return false;
  return now.change?.id === change.id && now.change.phase !== 'preparing';
}

function tell(
  channel: Channel,
  { change }: RaisedFence,
  event: Omit<FenceEvent, 'summary'>,
  summaryOf: (what: string, by: string) => string,
): void {
  if (!channel.hasSubscribers) return;
  const what =
    event.purpose === 'move' ? `the fence of '${change.summary}'` : `the fence to turn '${change.summary}' round`;
  const by = event.by === '' ? '' : ` by proxy ${event.by}`;
  const told: FenceEvent = { ...event, summary: summaryOf(what, by) };
  channel.publish(told);
}

function milliseconds(seconds: number): string {
  return `${Math.round(seconds * 1000)} ms`;
}
