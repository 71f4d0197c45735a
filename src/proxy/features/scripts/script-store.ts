/**
 * Bodies of the scripts that clients have sent, so that a node that does not know one can be given it: Redis itself
 * gives no script back. Bounded by bytes; what was sent or needed last stays.
 */
import { hash } from 'node:crypto';

/** Other processes of the proxy, or other proxies, which know further scripts. */
export interface ScriptPeers {
  /** A body that this process did not know before. */
  learned(body: Buffer): void;
  /** Calls `onAnswer` later: with the body, or null when nobody knows it. */
  ask(digest: string, onAnswer: (body: Buffer | null) => void): void;
  /** SCRIPT FLUSH. */
  flushed(): void;
}

/** Who waits until another process has answered. */
export interface ScriptWaiter {
  resumeSoon(): void;
}

/** EVAL's bodies are found in a table of this many places first, since the digest of each would cost more. */
const RECENT = 256;
const SAMPLES = 32;
/** What a body costs beside its bytes: its digest, and its places in tables. */
const OVERHEAD_BYTES = 320;
/** A body above this part of the bound would drive out all others. */
const LARGEST_PART = 4;

export class ScriptStore {
  readonly #limit: number;
  readonly #peers: ScriptPeers | null;
  /** By SHA-1 in lower case; the one that was needed last is the last one. */
  readonly #bodies = new Map<string, Buffer>();
  readonly #recent: (Buffer | undefined)[] = new Array(RECENT);
  readonly #asked = new Map<string, Set<ScriptWaiter>>();
  /** Were told that nobody knows the body: they do not ask a second time. */
  readonly #toldNo = new WeakSet<ScriptWaiter>();
  #bytes = 0;

  /** @param limit bytes */
  constructor(limit: number, peers: ScriptPeers | null) {
    this.#limit = limit;
    this.#peers = peers;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#bodies.size;
  }

  /** Remembers the body `buffer[start, end)`. @returns whether it was new */
  note(buffer: Buffer, start: number, end: number): boolean {
    if (end - start > this.#limit / LARGEST_PART) return false;
    const place = placeOf(buffer, start, end);
    const recent = this.#recent[place];
    if (recent !== undefined && recent.compare(buffer, start, end) === 0) return false;
    const body = copyOf(buffer, start, end);
    const isNew = this.#keep(hash('sha1', body), body);
    if (isNew) this.#peers?.learned(body);
    return isNew;
  }

  /** Remembers a body that another process has told of, which may be a part of the message that it came in. */
  add(body: Buffer): void {
    this.#keep(hash('sha1', body), copyOf(body, 0, body.length));
  }

  /** @param digest SHA-1 in lower case */
  get(digest: string): Buffer | undefined {
    const body = this.#bodies.get(digest);
    if (body === undefined || this.#bodies.size === 1) return body;
    this.#bodies.delete(digest);
    this.#bodies.set(digest, body);
    return body;
  }

  /**
   * Asks the other processes for a body that is not here.
   * @returns false when there is nobody to ask, or they have told `waiter` that they do not know it; otherwise it is
   * resumed when they have answered
   */
  ask(digest: string, waiter: ScriptWaiter): boolean {
    if (this.#peers === null || this.#toldNo.delete(waiter)) return false;
    const waiting = this.#asked.get(digest);
    if (waiting !== undefined) {
      waiting.add(waiter);
      return true;
    }
    this.#asked.set(digest, new Set([waiter]));
    this.#peers.ask(digest, (body) => {
      if (body !== null) this.add(body);
      const waiters = this.#asked.get(digest) ?? [];
      this.#asked.delete(digest);
      for (const each of waiters) {
        if (body === null) this.#toldNo.add(each);
        each.resumeSoon();
      }
    });
    return true;
  }

  /** Whether others can be asked. */
  get hasPeers(): boolean {
    return this.#peers !== null;
  }

  /** Asks the others for bodies that are not here. Settles when all have been answered. */
  async fetch(digests: readonly string[]): Promise<readonly string[]> {
    await Promise.all(
      digests.map(
        (digest) =>
          new Promise<void>((resolve) => {
            if (!this.ask(digest, { resumeSoon: resolve })) resolve();
          }),
      ),
    );
    return digests;
  }

  /** Forgets all bodies. @param told whether it comes from another process @param kept digests of those that stay */
  flush(told = false, kept?: ReadonlySet<string>): void {
    const stay = [...this.#bodies].filter(([digest]) => kept?.has(digest) === true);
    this.#bodies.clear();
    this.#recent.fill(undefined);
    this.#bytes = 0;
    for (const [digest, body] of stay) this.#keep(digest, body);
    if (!told) this.#peers?.flushed();
  }

  #keep(digest: string, body: Buffer): boolean {
    const known = this.#bodies.get(digest);
    this.#recent[placeOf(body, 0, body.length)] = known ?? body;
    if (known !== undefined) {
      this.get(digest);
      return false;
    }
    this.#bodies.set(digest, body);
    this.#bytes += body.length + OVERHEAD_BYTES;
    for (const [oldest, bytes] of this.#bodies) {
      if (this.#bytes <= this.#limit) break;
      this.#bodies.delete(oldest);
      this.#bytes -= bytes.length + OVERHEAD_BYTES;
      const place = placeOf(bytes, 0, bytes.length);
      if (this.#recent[place] === bytes) this.#recent[place] = undefined;
    }
    return true;
  }
}

/** A buffer of its own: a part of a shared one would keep all of that for as long as the body is kept. */
function copyOf(buffer: Buffer, start: number, end: number): Buffer {
  const body = Buffer.allocUnsafeSlow(end - start);
  buffer.copy(body, 0, start, end);
  return body;
}

/** FNV-1a over some of the bytes, spread over all of them. */
function placeOf(buffer: Uint8Array, start: number, end: number): number {
  const step = Math.max(1, Math.floor((end - start) / SAMPLES));
  let mixed = 0x811c9dc5 ^ (end - start);
  for (let at = end - 1; at >= start; at -= step) mixed = Math.imul(mixed ^ (buffer[at] as number), 0x01000193);
  return (mixed ^ (mixed >>> 15)) & (RECENT - 1);
}
