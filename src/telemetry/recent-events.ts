import { CALM_CHANNELS, onEvents } from './subscribers.js';

/** Enough for what happened in the last hours of a ring, or in the last minutes of a bad one. */
const KEPT = 100;
/** Where clients use pools they come and go by the hundred, and would leave no room for anything else. */
const CHANNELS = CALM_CHANNELS.filter((name) => !/^ringproxy:client:(connected|closed)$/.test(name));

export interface RecentEvent {
  readonly channel: string;
  readonly at: Date;
  readonly event: object;
}

/** Keeps the last events, so that who looks later sees what happened before. */
export class RecentEvents {
  readonly #events: RecentEvent[] = [];
  readonly #end: () => void;

  constructor() {
    this.#end = onEvents((channel, event) => {
      this.#events.push({ channel, at: new Date(), event });
      if (this.#events.length > KEPT) this.#events.shift();
    }, CHANNELS);
  }

  /** Oldest first. */
  list(): readonly RecentEvent[] {
    return this.#events;
  }

  stop(): void {
    this.#end();
  }
}
