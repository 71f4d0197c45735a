/** In the primary: which keys are used most, as all workers have seen it. */
import { type HotReport, mergeHot, NOTHING_HOT } from '../../../proxy/measure/hot-keys/hot-report.js';
import { LISTED_KEYS } from '../../../proxy/measure/hot-keys/hottest.js';
import type { Timers } from '../../../time/timers.js';
import type { FromWorker, ToWorker } from '../messages.js';
import { Questions } from '../questions.js';

/** A worker, as it is asked. */
export interface Asked {
  /** It has begun to serve, and can answer. */
  readonly started: boolean;
  readonly number: number;
  send(message: ToWorker): void;
}

export class HotKeysOfWorkers {
  readonly #workers: Iterable<Asked>;
  readonly #questions: Questions<HotReport | null>;

  /** @param workers those that live */
  constructor(workers: Iterable<Asked>, timers: Pick<Timers, 'after'>) {
    this.#workers = workers;
    this.#questions = new Questions<HotReport | null>(null, timers);
  }

  /** @returns what those say that answer in time; the others are named */
  async read(): Promise<HotReport> {
    const asked = [...this.#workers].filter(({ started }) => started);
    const reports = await Promise.all(
      asked.map(async (worker): Promise<HotReport> => {
        const report = await this.#questions.ask((question) => worker.send({ type: 'hot-keys', question }));
        return report ?? { ...NOTHING_HOT, missing: [`worker ${worker.number} does not answer`] };
      }),
    );
    return mergeHot(reports, LISTED_KEYS);
  }

  onAnswer({ question, report }: FromWorker<'hot-keys'>): void {
    this.#questions.answer(question, report);
  }
}
