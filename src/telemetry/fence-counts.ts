/** Counts fences, and how long they stood, as they are told. */
import { Histogram } from '../proxy/measure/histogram.js';
import type { FenceFigures } from './fleet-figures.js';
import { onEvents } from './subscribers.js';

const PASSED = 'ringproxy:fence:passed';
const GIVEN_UP = 'ringproxy:fence:given-up';

export class FenceCounts {
  readonly #time = new Histogram();
  #passed = 0;
  #givenUp = 0;

  /** Counts from now on. @returns what ends it */
  listen(): () => void {
    return onEvents(
      (channel, event) => {
        const { seconds }: { readonly seconds?: unknown } = event;
        if (channel === PASSED) this.#passed++;
        else this.#givenUp++;
        this.#time.record(Number(seconds) * 1000);
      },
      [PASSED, GIVEN_UP],
    );
  }

  read(): FenceFigures {
    return { passed: this.#passed, givenUp: this.#givenUp, time: this.#time.read() };
  }
}
