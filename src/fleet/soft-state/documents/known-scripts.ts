/**
 * Scripts that other proxies know: each tells the digests of those that its clients have sent, as a set that is bounded,
 * and a body is asked for from one that has it when a client calls it. SCRIPT FLUSH is told by its stamp: a script that
 * was sent before it is forgotten everywhere, one that was sent after it is kept.
 */
import { hash } from 'node:crypto';
import type { ScriptPeers } from '../../../proxy/features/scripts/script-store.js';
import type { Timers } from '../../../time/timers.js';
import { compareStamps, decodeStamp, type Stamp } from '../../crdt/hybrid-clock.js';
import { type LwwMap, lwwMap, setEntry } from '../../crdt/lww-map.js';
import { addTo, type ObservedSet, observedSet, removeFrom } from '../../crdt/observed-set.js';
import type { SoftDocument } from '../document.js';
import type { SoftState } from '../soft-state.js';

/** Asks another proxy for the body of a script. @returns null: it does not know it, or does not answer soon */
export type AskForScript = (proxy: string, digest: string) => Promise<Buffer | null>;

/** The scripts that this proxy's own processes know. */
export interface OwnScripts {
  body(digest: string): Buffer | undefined;
  /** Forgets all but these. */
  flush(kept: ReadonlySet<string>): void;
}

/** Digests of a proxy. */
const MOST_SCRIPTS = 1000;
/** Whose clients send more different scripts than that within a second, calls none of them by its digest. */
const MOST_PER_SECOND = 100;
const PARTS = 16;
const DIGEST = /^[0-9a-f]{40}$/;
/** Proxies that are asked for a body, one after the other. */
const MOST_ASKED = 3;
const FLUSHED = '';
const NONE: OwnScripts = { body: () => undefined, flush: () => {} };

export class KnownScripts implements ScriptPeers {
  readonly #state: SoftState;
  readonly #askFor: AskForScript;
  readonly #timers: Pick<Timers, 'now'>;
  readonly #digests: SoftDocument<ObservedSet>;
  readonly #flushes: SoftDocument<LwwMap<true>>;
  /** Of the own ones: when they came, the oldest first. */
  readonly #since = new Map<string, Stamp>();
  #own: OwnScripts = NONE;
  /** The last SCRIPT FLUSH that was heeded. */
  #flushed: Stamp;
  /** The second at hand, by the timers' clock, and how many scripts came in it. */
  #second = 0;
  #ofSecond = 0;

  constructor(state: SoftState, timers: Pick<Timers, 'now'>, askFor: AskForScript) {
    this.#state = state;
    this.#timers = timers;
    this.#askFor = askFor;
    this.#flushed = state.clock.next();
    this.#digests = state.add({ name: 'scripts', lattice: observedSet, parts: PARTS, mostEntries: MOST_SCRIPTS / 2 });
    const flushes = lwwMap<true>({ decode: (value) => (value === true ? value : null), longestKey: 0 });
    this.#flushes = state.add({ name: 'script flushes', lattice: flushes, parts: 1, mostEntries: 1 });
    this.#flushes.onHeard((proxy) => this.#onFlush(this.#flushes.read(proxy, 0).get(FLUSHED)?.stamp));
  }

  /** @param own the scripts of the data plane, which is made later */
  serve(own: OwnScripts): void {
    this.#own = own;
  }

  learned(body: Buffer): void {
    const second = Math.floor(this.#timers.now() / 1000);
    if (second !== this.#second) this.#ofSecond = 0;
    this.#second = second;
    if (++this.#ofSecond > MOST_PER_SECOND) return;
    const digest = hash('sha1', body);
    const { clock, own } = this.#state;
    const part = this.#digests.partOf(digest);
    this.#since.delete(digest);
    this.#since.set(digest, clock.next());
    const told = this.#digests.read(own, part);
    if (!told.dots.has(digest)) this.#digests.write(part, addTo(told, digest, own));
    if (this.#since.size <= MOST_SCRIPTS) return;
    const [oldest] = this.#since.keys();
    if (oldest !== undefined) this.#forget(oldest);
  }

  ask(digest: string, onAnswer: (body: Buffer | null) => void): void {
    void this.#find(digest).then(onAnswer);
  }

  flushed(): void {
    const stamp = this.#state.clock.next();
    this.#flushed = stamp;
    for (const digest of [...this.#since.keys()]) this.#forget(digest);
    this.#flushes.write(0, setEntry<true>(FLUSHED, true, stamp));
  }

  /** What another proxy is answered that asks for a script. @param question whatever it has sent */
  answer(question: unknown): Buffer {
    const digest = Buffer.isBuffer(question) ? question.toString('latin1') : '';
    return (DIGEST.test(digest) ? this.#own.body(digest) : undefined) ?? Buffer.alloc(0);
  }

  async #find(digest: string): Promise<Buffer | null> {
    const part = this.#digests.partOf(digest);
    let asked = 0;
    for (const proxy of [...this.#digests.owners]) {
      if (proxy === this.#state.own || !this.#digests.read(proxy, part).dots.has(digest)) continue;
      const body = await this.#askFor(proxy, digest).catch(() => null);
      if (body !== null && hash('sha1', body) === digest) return body;
      if (++asked === MOST_ASKED) break;
    }
    return null;
  }

  /** @param stamp undefined: the proxy that has sent it is gone */
  #onFlush(stamp: Stamp | undefined): void {
    if (stamp === undefined || decodeStamp(stamp) === null || !this.#state.clock.accepts(stamp)) return;
    if (compareStamps(stamp, this.#flushed) <= 0) return;
    this.#flushed = stamp;
    const kept = new Set<string>();
    for (const [digest, since] of [...this.#since]) {
      if (compareStamps(since, stamp) > 0) kept.add(digest);
      else this.#forget(digest);
    }
    this.#own.flush(kept);
  }

  #forget(digest: string): void {
    this.#since.delete(digest);
    const part = this.#digests.partOf(digest);
    this.#digests.write(part, removeFrom(this.#digests.read(this.#state.own, part), digest));
  }
}
