/**
 * Certificates of files, and new ones when the files change. Files are read again every few seconds: that sees whatever
 * replaces them (an editor, `mv`, the symbolic links of a Kubernetes secret, a network file system), where a watch of
 * the system sees some. What is read is taken only when it is whole and fits together, and was the same twice: a
 * certificate may be written before its key, and a bundle in pieces.
 */
import type { Timers } from '../time/timers.js';
import { type TlsFilesEvent, tlsReloaded, tlsReloadFailed } from './events.js';
import { type ReadFiles, readTlsFilesLater } from './files.js';
import { type CertificateFacts, factsOf, TLS_PARTS, type TlsFiles, type TlsMaterial } from './material.js';

/** Until what has changed is read a second time. */
const SETTLES_MS = 250;
/** What cannot be used is told of when it has been so for as many readings: it may be half of a change. */
const PATIENCE = 2;

export type ReloadOutcome = 'ok' | 'failed';

export interface WatchedFilesOptions {
  /** What they are for, in a word: a label of metrics. */
  readonly use: string;
  readonly files: TlsFiles;
  /** As they were read at the start, without mistakes. */
  readonly material: TlsMaterial;
  readonly timers: Timers;
  /** The clock of the day, in milliseconds. */
  readonly wallNow: () => number;
  readonly read?: (files: TlsFiles) => Promise<ReadFiles>;
  readonly onClose: () => void;
}

export class WatchedFiles {
  readonly use: string;
  readonly files: TlsFiles;
  readonly counts: Record<ReloadOutcome, number> = { ok: 0, failed: 0 };
  readonly #options: WatchedFilesOptions;
  readonly #read: (files: TlsFiles) => Promise<ReadFiles>;
  readonly #listeners = new Set<(material: TlsMaterial) => void>();
  #material: TlsMaterial;
  #facts: readonly CertificateFacts[];
  /** What was read last of that which cannot be used, and how often. */
  #unusable = { text: '', times: 0, told: false };
  #checking: Promise<void> | null = null;
  #closed = false;

  constructor(options: WatchedFilesOptions) {
    const { use, files, material, read = readTlsFilesLater } = options;
    this.#options = options;
    this.use = use;
    this.files = files;
    this.#read = read;
    this.#material = material;
    this.#facts = factsOf(material);
  }

  /** What is in force. */
  get material(): TlsMaterial {
    return this.#material;
  }

  /** Of the certificates in force. */
  get facts(): readonly CertificateFacts[] {
    return this.#facts;
  }

  /** @param listener told of each new content, behind `material` @returns what ends that */
  onChange(listener: (material: TlsMaterial) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Looks whether the files have changed, and takes what they hold by now.
   * @param asked by a person: what cannot be used is told of at once
   */
  check(asked = false): Promise<void> {
    // One at a time; who comes meanwhile is told by the one that is under way.
    this.#checking ??= this.#check(asked).finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  close(): void {
    this.#closed = true;
    this.#options.onClose();
    this.#listeners.clear();
  }

  async #check(asked: boolean): Promise<void> {
    const first = await this.#read(this.files);
    if (first.mistakes.length === 0 && isSame(first.material, this.#material)) {
      this.#unusable = { text: '', times: 0, told: false };
      return;
    }
    await new Promise<void>((resolve) => this.#options.timers.after(SETTLES_MS, resolve));
    const second = await this.#read(this.files);
    // It is being written: the next look will see.
    if (this.#closed || !isSame(first.material, second.material)) return;
    const why = this.#whyNot(second);
    if (why !== null) {
      this.#cannotUse(why, asked);
      return;
    }
    if (isSame(second.material, this.#material)) return;
    this.#unusable = { text: '', times: 0, told: false };
    this.#material = second.material;
    this.#facts = factsOf(second.material);
    this.counts.ok++;
    for (const listener of this.#listeners) listener(second.material);
    if (tlsReloaded.hasSubscribers) {
      tlsReloaded.publish(this.#event('', `the certificates for ${this.use} have changed, and are in force`));
    }
  }

  /** One that works is not given up for one that does not. */
  #whyNot({ material, mistakes }: ReadFiles): string | null {
    if (mistakes.length > 0) return mistakes.map(({ message }) => message).join('; ');
    const now = this.#options.wallNow();
    const bad = factsOf(material).find(({ part, validFrom, expiresAt }) => {
      return part === 'cert' && (expiresAt <= now || validFrom > now);
    });
    if (bad === undefined || this.#facts.some(({ part, expiresAt }) => part === 'cert' && expiresAt <= now))
      return null;
    const when = bad.expiresAt <= now ? `expired ${isoOf(bad.expiresAt)}` : `is valid from ${isoOf(bad.validFrom)} on`;
    return `${this.files.cert} holds a certificate (${bad.subject}) that ${when}`;
  }

  #cannotUse(why: string, asked: boolean): void {
    if (this.#unusable.text === why) this.#unusable.times++;
    else this.#unusable = { text: why, times: 1, told: false };
    if (this.#unusable.told || (this.#unusable.times < PATIENCE && !asked)) return;
    this.#unusable.told = true;
    this.counts.failed++;
    if (!tlsReloadFailed.hasSubscribers) return;
    const summary = `the certificates for ${this.use} have changed and cannot be used, those of before stay in force: ${why}`;
    tlsReloadFailed.publish(this.#event(why, summary));
  }

  #event(error: string, summary: string): TlsFilesEvent {
    const { use, files } = this;
    const first = Math.min(...this.#facts.map(({ expiresAt }) => expiresAt));
    const expires = Number.isFinite(first) ? isoOf(first) : '';
    return { use, files: TLS_PARTS.map((part) => files[part]).filter((path) => path !== ''), error, expires, summary };
  }
}

function isSame(one: TlsMaterial, other: TlsMaterial): boolean {
  return TLS_PARTS.every((part) => one[part] === other[part]);
}

/** To the second, as certificates have it. */
export function isoOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z');
}
