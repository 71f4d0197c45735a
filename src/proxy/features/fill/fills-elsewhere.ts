/**
 * Whether a client of another process of the proxy fills a key: each asks the others before it has a filler of its own.
 * One question at a time, for all keys that are missed meanwhile, so that a cold cache costs a few messages.
 */
import type { FilledKey, Peers } from '../../peers/peers.js';
import type { Fill } from './fill.js';

/** Somebody who does not answer within this fills nothing. Milliseconds. */
const ASK_MS = 50;
const MOST_KEYS = 1000;

/**
 * - `no`: nobody does. `yes`: somebody does, or is about to.
 * - `written`: somebody has done so just now.
 */
export type Elsewhere = 'no' | 'yes' | 'written';

interface Asked {
  readonly fill: Fill;
  readonly told: (found: Elsewhere) => void;
}

export class FillsElsewhere {
  /** This process. */
  readonly own: string;
  readonly #peers: Peers;
  #waiting: Asked[] = [];
  #isAsking = false;

  constructor(own: string, peers: Peers) {
    this.own = own;
    this.#peers = peers;
  }

  ask(fill: Fill, told: (found: Elsewhere) => void): void {
    if (this.#waiting.length === 0 && !this.#isAsking) setImmediate(() => void this.#send());
    this.#waiting.push({ fill, told });
  }

  /** These are not filled here any more: those who wait for them elsewhere go on. */
  tellLeft(fills: readonly Fill[]): void {
    this.#peers.tell({ type: 'unfilled', keys: fills.map(nameOf) });
  }

  async #send(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, MOST_KEYS);
      const question = this.#peers.ask({ type: 'filled', from: this.own, keys: asked.map(({ fill }) => nameOf(fill)) });
      const answers = (await Promise.race([question, sleep(ASK_MS)])) ?? [];
      for (const [i, { told }] of asked.entries()) {
        let found: Elsewhere = 'no';
        for (const answer of answers) {
          if (answer === null || typeof answer !== 'object' || !('filled' in answer)) continue;
          const said = answer.filled[i] ?? 'no';
          if (found === 'no' || said === 'yes') found = said;
        }
        told(found);
      }
    }
    this.#isAsking = false;
  }
}

function nameOf({ key, database }: Fill): FilledKey {
  return { key, database };
}

/**
 * Over only when this process has read what had come by then: one that could not run for so long (a busy machine) has
 * its answers at hand, and timers come before them.
 */
function sleep(milliseconds: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => setImmediate(resolve, null), milliseconds));
}
