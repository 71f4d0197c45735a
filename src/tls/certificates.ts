/** All certificates that the process uses, on whatever link: watched together, and told of together. */
import { RingproxyError } from '../errors.js';
import { systemTimers, type Timers } from '../time/timers.js';
import { type ReadFiles, readTlsFiles } from './files.js';
import type { TlsFiles } from './material.js';
import { type ReloadOutcome, WatchedFiles } from './watched-files.js';

/** How often the files are looked at. */
const CHECKED_EVERY_MS = 5000;
/** Certificates of one file that are told of, those that expire first: bundles hold more than a hundred. */
const MOST_TOLD = 10;

/** What is told of them in metrics. */
export interface TlsFigures {
  readonly certificates: readonly {
    readonly use: string;
    readonly file: string;
    readonly subject: string;
    /** Milliseconds since 1970. */
    readonly expiresAt: number;
  }[];
  readonly reloads: readonly { readonly use: string; readonly outcome: ReloadOutcome; readonly count: number }[];
}

export interface CertificatesOptions {
  readonly timers?: Timers;
  readonly wallNow?: () => number;
  readonly read?: (files: TlsFiles) => Promise<ReadFiles>;
}

export class Certificates {
  readonly #timers: Timers;
  readonly #wallNow: () => number;
  readonly #read: ((files: TlsFiles) => Promise<ReadFiles>) | undefined;
  readonly #watched = new Set<WatchedFiles>();
  #endWatch: (() => void) | null = null;

  constructor({ timers = systemTimers, wallNow = Date.now, read }: CertificatesOptions = {}) {
    this.#timers = timers;
    this.#wallNow = wallNow;
    this.#read = read;
  }

  /**
   * Reads files, and watches them until they are closed.
   * @param use what they are for, in a word, such as `clients`
   * @throws RingproxyError when they cannot be used
   */
  open(use: string, files: TlsFiles): WatchedFiles {
    const { material, mistakes } = readTlsFiles(files);
    if (mistakes.length > 0) throw new RingproxyError('TLS_FILES', mistakes.map(({ message }) => message).join('; '));
    const watched: WatchedFiles = new WatchedFiles({
      ...{ use, files, material, timers: this.#timers, wallNow: this.#wallNow },
      ...(this.#read === undefined ? {} : { read: this.#read }),
      onClose: () => this.#watched.delete(watched),
    });
    this.#watched.add(watched);
    this.#endWatch ??= this.#timers.every(CHECKED_EVERY_MS, () => void this.check());
    return watched;
  }

  /** Looks at all files now. @param asked by a person, such as with SIGHUP: what cannot be used is told of at once */
  async check(asked = false): Promise<void> {
    await Promise.all([...this.#watched].map((watched) => watched.check(asked)));
  }

  figures(): TlsFigures {
    const certificates = new Map<string, TlsFigures['certificates'][number]>();
    const reloads = new Map<string, { use: string; outcome: ReloadOutcome; count: number }>();
    for (const { use, files, facts, counts } of this.#watched) {
      for (const part of ['cert', 'ca'] as const) {
        const told = facts.filter((fact) => fact.part === part).sort((a, b) => a.expiresAt - b.expiresAt);
        for (const { subject, expiresAt } of told.slice(0, MOST_TOLD)) {
          const key = JSON.stringify([use, files[part], subject]);
          // One of a name that is there twice: the one that expires first comes first.
          if (!certificates.has(key)) certificates.set(key, { use, file: files[part], subject, expiresAt });
        }
      }
      for (const outcome of ['ok', 'failed'] as const) {
        const key = `${use} ${outcome}`;
        const row = reloads.get(key) ?? { use, outcome, count: 0 };
        row.count += counts[outcome];
        reloads.set(key, row);
      }
    }
    return { certificates: [...certificates.values()], reloads: [...reloads.values()] };
  }

  stop(): void {
    this.#endWatch?.();
    this.#endWatch = null;
    this.#watched.clear();
  }
}
