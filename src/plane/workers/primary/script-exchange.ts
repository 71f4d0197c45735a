/** In the primary: the scripts that clients of any worker have sent, for those workers that do not know them. */
import { ScriptStore } from '../../../proxy/features/scripts/script-store.js';
import { bytesOf, type FromWorker, type ToWorker } from '../messages.js';

interface Asker {
  send(message: ToWorker): void;
}

export class ScriptExchange {
  readonly #workers: Iterable<Asker>;
  /** All that workers have told of; one that has started since asks for what it needs. */
  readonly #scripts: ScriptStore;

  /** @param workers those that live @param limit bytes */
  constructor(workers: Iterable<Asker>, limit: number) {
    this.#workers = workers;
    this.#scripts = new ScriptStore(limit, null);
  }

  onLearned({ body }: FromWorker<'learned'>): void {
    this.#scripts.add(bytesOf(body));
  }

  onWanted(worker: Asker, { question, digest }: FromWorker<'script-wanted'>): void {
    // What other workers have sent before may be waiting to be read in this turn of the event loop.
    setImmediate(() => worker.send({ type: 'script', question, body: this.#scripts.get(digest) ?? null }));
  }

  onFlushed(from: Asker): void {
    this.#scripts.flush();
    for (const other of this.#workers) if (other !== from) other.send({ type: 'scripts-flushed' });
  }
}
