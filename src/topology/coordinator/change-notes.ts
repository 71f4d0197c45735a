/** What an operator wants of a change while keys move, recorded with it: it holds for a proxy that goes on with it, too. */
import type { MoveJob } from '../jobs/move-job.js';
import { note } from '../state/transitions.js';
import type { Recorder } from './recorder.js';
import { messageOf } from './refusals.js';

export interface NotesPorts {
  /** Whether the ring is about to be recorded anyway, with all of this. */
  isDeciding(): boolean;
  warn(message: string): void;
}

export class ChangeNotes {
  readonly #recorder: Recorder;
  readonly #ports: NotesPorts;
  #closed = false;

  constructor(recorder: Recorder, ports: NotesPorts) {
    this.#recorder = recorder;
    this.#ports = ports;
  }

  /** The job was throttled. */
  throttled(job: MoveJob): void {
    if (this.#closed || this.#ports.isDeciding()) return;
    const { changeId, keysPerSecond: throttle } = job;
    this.#recorder
      .change((state) => note(state, changeId, { throttle }))
      .catch((error: unknown) => this.#ports.warn(`the throttle is not kept over a restart: ${messageOf(error)}`));
  }

  close(): void {
    this.#closed = true;
  }
}
