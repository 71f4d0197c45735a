/** The state directory: the ring as one JSON file, replaced atomically. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, RingproxyError, systemCode } from '../../errors.js';
import type { MoveRecord, Revision } from '../state/fleet.js';
import { RECORD_FORMAT, type RingState, recordFormat } from '../state/ring-state.js';
import { replaceFile, writeSynced } from './files.js';
import { FleetFile } from './fleet-file.js';
import { GroupsFile } from './groups-file.js';
import { HistoryFile } from './history-file.js';
import { MastersFile } from './masters-file.js';
import { ringState } from './ring-schema.js';
import { StateLock } from './state-lock.js';

const schema = z.object({
  format: z.number().int().min(1).max(RECORD_FORMAT),
  /** Missing in records of before. */
  revision: z.number().int().nonnegative().default(0),
  proxies: z.array(z.string()).default([]),
  moves: z
    .array(
      z.object({
        source: z.string(),
        keysDropped: z.number().nonnegative(),
        processes: z.array(z.object({ name: z.string(), address: z.string(), runId: z.string() })),
      }),
    )
    .default([]),
  ...ringState.shape,
});

/** What is kept of how far a source is: what cannot be found out anew. */
export type KeptMove = Pick<MoveRecord, 'source' | 'keysDropped' | 'processes'>;

/** What the directory holds. */
export interface KeptRing {
  readonly revision: Revision;
  /** Whose connections the nodes may still have: this proxy's, and those of proxies that ran on this directory before. */
  readonly proxies: readonly string[];
  /** Of the change that is under way. */
  readonly moves: readonly KeptMove[];
  readonly state: RingState;
}

export class StateDir {
  readonly #directory: string;
  readonly #file: string;
  readonly #lock: StateLock;
  /** Finished changes. */
  readonly history: HistoryFile;
  readonly groups: GroupsFile;
  /** Of a proxy that is alone with its ring. */
  readonly masters: MastersFile;
  /** Of a proxy whose ring is agreed on elsewhere: what it knew last. */
  readonly fleet: FleetFile;

  /**
   * @param onLost called when another process has taken the directory: this one must not serve any more
   * @param onTrouble told when the directory is gone or cannot be written, and when it can again
   */
  constructor(directory: string, onLost: (why: string) => void, onTrouble?: (message: string) => void) {
    this.#directory = directory;
    this.#file = join(directory, 'ring.json');
    this.history = new HistoryFile(join(directory, 'history.json'), (message) => onTrouble?.(message));
    this.groups = new GroupsFile(join(directory, 'groups.json'));
    this.masters = new MastersFile(join(directory, 'masters.json'), (message) => onTrouble?.(message));
    this.fleet = new FleetFile(join(directory, 'fleet.json'));
    this.#lock = new StateLock(directory, onLost, undefined, onTrouble);
  }

  /** Makes the directory this process' own. @throws RingproxyError when a living process has it */
  async open(): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true });
      await this.#lock.take();
    } catch (error) {
      if (error instanceof RingproxyError) throw error;
      throw this.#failure('cannot be used', error);
    }
  }

  /** @returns the ring that is kept, or null when there is none yet. @throws RingproxyError when it cannot be read */
  async load(): Promise<KeptRing | null> {
    let text: string;
    try {
      text = await readFile(this.#file, 'utf8');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null;
      throw this.#failure('cannot be read', error);
    }
    try {
      const { format: _format, revision, proxies, moves, ...state } = schema.parse(JSON.parse(text));
      return { revision, proxies, moves, state };
    } catch {
      throw new RingproxyError('STATE_CORRUPT', `${this.#file} does not hold a ring`);
    }
  }

  /**
   * Makes sure that this ring could be recorded now: writes as much as that takes, and takes it away again.
   * @throws RingproxyError when there is no room for it, or the directory cannot be written
   */
  async rehearse(ring: KeptRing): Promise<void> {
    // Not the file of `save`, which may be at work.
    const temporary = `${this.#file}.try`;
    try {
      await writeSynced(temporary, textOf(ring));
    } catch (error) {
      // What was written of it takes room that is needed.
      await rm(temporary, { force: true }).catch(() => {});
      throw this.#failure('cannot be written', error);
    }
    await rm(temporary, { force: true }).catch(() => {});
  }

  /**
   * Replaces the kept ring; to be called again only when that is done. When this returns, it survives a power failure.
   * @throws RingproxyError when it may not have been written
   */
  async save(ring: KeptRing): Promise<void> {
    try {
      await replaceFile(this.#file, textOf(ring));
    } catch (error) {
      throw this.#failure('cannot be written', error);
    }
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }

  #failure(what: string, error: unknown): RingproxyError {
    const why = messageOf(error);
    return new RingproxyError('STATE_DIR', `the state directory ${this.#directory} ${what}: ${why}`);
  }
}

function textOf({ state, ...rest }: KeptRing): string {
  return `${JSON.stringify({ format: recordFormat(state), ...rest, ...state }, null, 2)}\n`;
}
