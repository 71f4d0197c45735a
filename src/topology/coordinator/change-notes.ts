/** What becomes known while keys move, recorded with the change: it holds for a proxy that goes on with it, too. */
import { sameNode } from '../../node/identity.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { MoveJob } from '../jobs/move-job.js';
import { note } from '../state/transitions.js';
import type { Recorder } from './recorder.js';
import { messageOf, notCoordinator } from './refusals.js';

/** What is counted while keys move is kept so often at most. */
const KEEP_MS = 200;

export interface NotesPorts {
  /** Whether the ring is about to be recorded anyway, with all of this. */
  isDeciding(): boolean;
  warn(message: string): void;
}

export class ChangeNotes {
  readonly #recorder: () => Recorder | null;
  readonly #ports: NotesPorts;
  readonly #timers: Pick<Timers, 'after'>;
  /** Takes back what is about to be kept; null: nothing is. */
  #keeping: (() => void) | null = null;
  #closed = false;

  constructor(recorder: () => Recorder | null, ports: NotesPorts, timers: Pick<Timers, 'after'> = systemTimers) {
    this.#recorder = recorder;
    this.#ports = ports;
    this.#timers = timers;
  }

  /**
   * A node answers that could not be asked at the fence. When this returns, that is recorded.
   * @param index of the node among those of the change
   * @throws RingproxyError when it may not be recorded
   */
  async firstSeen(job: MoveJob, index: number, runId: string): Promise<void> {
    const node = job.rings.union[index];
    if (node === undefined) return;
    const { name, address } = node;
    await this.#pen().change((state) => {
      const known = (state.change?.processes ?? []).filter((process) => !sameNode(process, node));
      return note(state, job.changeId, { processes: [...known, { name, address, runId }] });
    });
  }

  /** Keys were given up: whoever ends the change says how many they were in all. */
  dropped(job: MoveJob): void {
    this.#keeping ??= this.#timers.after(KEEP_MS, () => {
      this.#keeping = null;
      this.#keep(job);
    });
  }

  close(): void {
    this.#closed = true;
    this.#keeping?.();
  }

  #keep({ changeId, keysDropped }: MoveJob): void {
    const recorder = this.#recorder();
    if (this.#closed || recorder === null || this.#ports.isDeciding()) return;
    recorder
      .change((state) => note(state, changeId, { keysDropped }))
      .catch((error: unknown) =>
        this.#ports.warn(`the number of dropped keys is not kept over a restart: ${messageOf(error)}`),
      );
  }

  #pen(): Recorder {
    const recorder = this.#recorder();
    if (recorder === null) throw notCoordinator();
    return recorder;
  }
}
