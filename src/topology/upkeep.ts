/**
 * What a proxy does to nodes' keys beside commands of clients and moves: strays that are removed, a node that is emptied
 * before it joins. Run late, it would hit keys that have got another owner meanwhile. So it is part of the fence: a
 * proxy acknowledges none before its upkeep stands still, and begins none while the ring changes.
 */
import { RingproxyError } from '../errors.js';
import { systemTimers, type Timers } from '../time/timers.js';
import { within } from '../time/within.js';
import type { FenceMember } from './state/change-protocol.js';

interface Work {
  /** For people: `removes strays of a`. */
  readonly what: string;
  readonly abort: AbortController;
  readonly done: Promise<unknown>;
}

export class Upkeep {
  readonly #timers: Timers;
  readonly #running = new Set<Work>();
  #mayBegin = true;
  #isFenced = false;

  constructor(timers: Timers = systemTimers) {
    this.#timers = timers;
  }

  /**
   * @param mayBegin the ring does not change
   * @param isFenced commands on moved keys are held
   */
  follow(mayBegin: boolean, isFenced = !mayBegin): void {
    this.#mayBegin = mayBegin;
    this.#isFenced = isFenced;
  }

  /**
   * @param what for people, of a proxy: `removes strays of a`
   * @param work ends soon when the signal is given; what it has sent to a node by then, it waits for
   * @param alsoWhileKeysMove it is done to a node that nobody is answered by, and only a fence must not be passed meanwhile
   * @throws RingproxyError CHANGE_RUNNING while the ring changes, and where it has begun to change meanwhile; else what `work` throws
   */
  async run<T>(what: string, work: (signal: AbortSignal) => Promise<T>, alsoWhileKeysMove = false): Promise<T> {
    if (this.#isFenced || !(this.#mayBegin || alsoWhileKeysMove)) throw overtaken();
    const abort = new AbortController();
    const done = work(abort.signal);
    const entry: Work = { what, abort, done: done.catch(() => {}) };
    this.#running.add(entry);
    try {
      const result = await done;
      if (abort.signal.aborted) throw overtaken();
      return result;
    } finally {
      this.#running.delete(entry);
    }
  }

  /**
   * Ends what is under way, and lets nothing begin until `follow` says so.
   * @param timeout milliseconds
   * @returns whether everything stands still
   */
  async fence(timeout: number): Promise<FenceMember> {
    this.#mayBegin = false;
    this.#isFenced = true;
    const running = [...this.#running];
    for (const { abort } of running) abort.abort();
    await within(timeout, Promise.all(running.map(({ done }) => done)), this.#timers);
    const [late] = this.#running;
    if (late === undefined) return { acknowledged: true, why: '' };
    return { acknowledged: false, why: `this proxy still ${late.what}` };
  }
}

function overtaken(): RingproxyError {
  return new RingproxyError('CHANGE_RUNNING', 'another change of the ring has begun meanwhile');
}
