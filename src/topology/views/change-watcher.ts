/**
 * Tells the events of ring changes by comparing what the ring is with what it was. So whoever carries a change out
 * (this proxy, another one, one that starts again in the middle) needs to know nothing of events.
 */

import type { Channel } from 'node:diagnostics_channel';
import type { ChangeView, OwnRingView } from '../../admin/api.js';
import { counted } from '../../counted.js';
import {
  changeAbandoned,
  changeBegun,
  changeCancelled,
  changeFinished,
  changePaused,
  changePhase,
  changeResumed,
  type RingChangeEvent,
  type RingFinishedEvent,
} from '../events.js';

type Observed = Pick<OwnRingView, 'generation' | 'phase' | 'change'>;

export class ChangeWatcher {
  readonly #isAlone: boolean;
  #before: Observed | null = null;
  #keysMoved = 0;
  #bytesMoved = 0;

  /** @param isAlone no other proxy moves keys */
  constructor(isAlone: boolean) {
    this.#isAlone = isAlone;
  }

  /** Counts what a change has moved so far. */
  countMoved(keys: number, bytes: number): void {
    this.#keysMoved += keys;
    this.#bytesMoved += bytes;
  }

  /** To be called whenever the ring may have changed. */
  observe(view: Observed): void {
    const before = this.#before;
    this.#before = { generation: view.generation, phase: view.phase, change: view.change };
    const was = before?.change ?? null;
    const { change } = view;
    if (was !== null && was.id !== change?.id) this.#ended(was, before?.generation ?? 0, view);
    if (change === null) return;
    if (was?.id !== change.id) {
      this.#keysMoved = 0;
      this.#bytesMoved = 0;
      tell(changeBegun, change, view, `${change.summary} begins`);
    }
    if (was?.id !== change.id || before?.phase !== view.phase) {
      tell(changePhase, change, view, `${change.summary}: ${view.phase}`);
    }
    const wasPaused = was?.id === change.id && was.paused;
    if (change.paused === wasPaused) return;
    if (change.paused) {
      const why = change.error === null ? '' : `: ${change.error}`;
      tell(changePaused, change, view, `${change.summary} is paused${why}`);
    } else {
      tell(changeResumed, change, view, `${change.summary} goes on`);
    }
  }

  #ended(change: ChangeView, generation: number, view: Observed): void {
    if (view.change?.kind === 'cancel') tell(changeCancelled, change, view, `${change.summary} is turned round`);
    else if (view.generation > generation) this.#finished(change, view);
    else tell(changeAbandoned, change, view, `${change.summary} was given up, nothing has moved`);
  }

  #finished(change: ChangeView, view: Observed): void {
    if (!changeFinished.hasSubscribers) return;
    const seconds = (Date.now() - new Date(change.startedAt).getTime()) / 1000;
    const keysMoved = this.#keysMoved;
    const moved = `${counted(keysMoved, 'key')} moved${this.#isAlone ? '' : ' by this proxy'}`;
    const event: RingFinishedEvent = {
      ...describe(change, view, `${change.summary} is done: ${moved} in ${seconds.toFixed(1)} s`),
      keysMoved,
      bytesMoved: this.#bytesMoved,
      seconds,
    };
    changeFinished.publish(event);
  }
}

function tell(channel: Channel, change: ChangeView, view: Observed, summary: string): void {
  if (channel.hasSubscribers) channel.publish(describe(change, view, summary));
}

function describe(change: ChangeView, view: Observed, summary: string): RingChangeEvent {
  const { generation, phase } = view;
  return { change: change.id, kind: change.kind, generation, phase, error: change.error, summary };
}
