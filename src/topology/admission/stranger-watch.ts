/** Looks from time to time for proxies that serve the nodes and are none of this fleet, and warns of each once. */
import type { Timers } from '../../time/timers.js';
import type { Member } from '../state/ring-state.js';
import { describeStrangers, findLastingStrangers, type StrangerPorts } from './strangers.js';

export interface StrangerWatchPorts extends StrangerPorts {
  /** Those that are served now. */
  nodes(): readonly Member[];
  warn(message: string): void;
}

const EVERY_MS = 60_000;

export class StrangerWatch {
  readonly #ports: StrangerWatchPorts;
  readonly #timers: Timers;
  /** Ids of those that were there at the last look. */
  #told: ReadonlySet<string> = new Set();
  #stop = (): void => {};
  #isLooking = false;

  constructor(ports: StrangerWatchPorts, timers: Timers) {
    this.#ports = ports;
    this.#timers = timers;
  }

  /** Looks now, and then once a minute. */
  start(): void {
    this.#stop = this.#timers.every(EVERY_MS, () => void this.#look());
    void this.#look();
  }

  stop(): void {
    this.#stop();
  }

  /** What cannot be asked is asked the next time. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const found = await findLastingStrangers(this.#ports.nodes(), this.#ports, this.#timers).catch(() => []);
    this.#isLooking = false;
    const news = found.filter(({ id }) => !this.#told.has(id));
    this.#told = new Set(found.map(({ id }) => id));
    if (news.length === 0) return;
    this.#ports.warn(
      `${describeStrangers(news)}. Writes are lost at the next change of the ring by one of them: let all proxies of a ring share etcd (--coordination etcd), or end the others`,
    );
  }
}
