/**
 * Tells all proxies how far a source is: at once where something hangs on it, otherwise once a second at most, and only
 * what is news. A note is made by the claim, so that one who has lost it tells nothing.
 */
import { messageOf } from '../../errors.js';
import type { Timers } from '../../time/timers.js';
import type { MoveRecord } from '../state/fleet.js';
import type { Written } from '../store/ring-store.js';

const NOTE_MS = 1000;
const RETRY_MS = 500;

export interface NotesPorts {
  /** How far it is now. */
  record(): MoveRecord;
  /** @throws RingproxyError when it may not have been written */
  write(record: MoveRecord): Promise<Written>;
  /** What keeps it from being written, or null: nothing any more. */
  onFailure(failure: string | null): void;
}

export class MoveNotes {
  readonly #ports: NotesPorts;
  readonly #timers: Timers;
  /** What was written last. */
  #written = '';
  #writing: Promise<unknown> = Promise.resolve();
  #endNotes: (() => void) | null = null;
  #stopped = false;

  constructor(ports: NotesPorts, timers: Timers) {
    this.#ports = ports;
    this.#timers = timers;
  }

  /** From now on news are told once a second. */
  start(): void {
    this.#endNotes = this.#timers.every(NOTE_MS, () => {
      // What fails is tried again with the next one.
      this.write().catch(() => {});
    });
  }

  /** @returns false when the claim is not in force any more. @throws RingproxyError when it may not have been written */
  write(): Promise<boolean> {
    const written = this.#writing.then(() => this.#write());
    this.#writing = written.catch(() => {});
    return written;
  }

  /** Tries again until it is written. @returns false when the claim is not in force any more, or it was stopped */
  async writeAtLast(): Promise<boolean> {
    while (!this.#stopped) {
      try {
        return await this.write();
      } catch {
        await new Promise<void>((resolve) => this.#timers.after(RETRY_MS, resolve));
      }
    }
    return false;
  }

  /** Tells what is to be told yet, if that can be. */
  async stop(): Promise<void> {
    this.#endNotes?.();
    this.#stopped = true;
    await this.write().catch(() => {});
  }

  async #write(): Promise<boolean> {
    const record = this.#ports.record();
    const text = JSON.stringify(record);
    if (text === this.#written) return true;
    try {
      const revision = await this.#ports.write(record);
      this.#ports.onFailure(null);
      if (revision === null) return false;
      this.#written = text;
      return true;
    } catch (error) {
      this.#ports.onFailure(messageOf(error));
      throw error;
    }
  }
}
