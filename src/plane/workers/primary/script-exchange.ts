/**
 * In the primary: the scripts that clients of any worker have sent, for those workers that do not know them, and for
 * other proxies.
 */
import { type ScriptPeers, ScriptStore } from '../../../proxy/features/scripts/script-store.js';
import { bytesOf, type FromWorker, type ToWorker } from '../messages.js';

interface Asker {
  send(message: ToWorker): void;
}

export class ScriptExchange {
  readonly #workers: Iterable<Asker>;
  /** Null: this proxy is alone. */
  readonly #fleet: ScriptPeers | null;
  /** All that workers have told of; one that has started since asks for what it needs. */
  readonly #scripts: ScriptStore;

  /** @param workers those that live @param limit bytes @param fleet other proxies; null: this one is alone */
  constructor(workers: Iterable<Asker>, limit: number, fleet: ScriptPeers | null) {
    this.#workers = workers;
    this.#fleet = fleet;
    this.#scripts = new ScriptStore(limit, fleet);
  }

  body(digest: string): Buffer | undefined {
    return this.#scripts.get(digest);
  }

  onLearned({ body }: FromWorker<'learned'>): void {
    const bytes = bytesOf(body);
    this.#scripts.note(bytes, 0, bytes.length);
  }

  onWanted(worker: Asker, { question, digest }: FromWorker<'script-wanted'>): void {
    // What other workers have sent before may be waiting to be read in this turn of the event loop.
    setImmediate(() => {
      const known = this.#scripts.get(digest);
      if (known !== undefined || this.#fleet === null) {
        worker.send({ type: 'script', question, body: known ?? null });
        return;
      }
      this.#fleet.ask(digest, (body) => {
        if (body !== null) this.#scripts.add(body);
        worker.send({ type: 'script', question, body });
      });
    });
  }

  onFlushed(from: Asker): void {
    this.#scripts.flush();
    this.#tell([], from);
  }

  /** Another proxy has sent SCRIPT FLUSH. @param kept digests of scripts that came later */
  flush(kept: ReadonlySet<string>): void {
    this.#scripts.flush(true, kept);
    this.#tell([...kept], null);
  }

  #tell(kept: readonly string[], from: Asker | null): void {
    for (const other of this.#workers) if (other !== from) other.send({ type: 'scripts-flushed', kept });
  }
}
