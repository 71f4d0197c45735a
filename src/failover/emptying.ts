/**
 * A server that became master with what may be of the past is emptied before it serves. All proxies have left who served
 * before by then, and none has a connection to this one that carries commands.
 *
 * Any proxy may do it, one at a time. Each attempt is recorded before it removes anything, then the connections of all that
 * were made before are dropped, and one that is opened later looks whether its attempt still stands: so one that was stalled
 * removes nothing behind another one, which has emptied the server and let it serve.
 */
import { randomUUID } from 'node:crypto';
import { messageOf } from '../errors.js';
import type { Timers } from '../time/timers.js';
import type { Agreed, AgreementPort, StoredAgreed } from './agreement.js';

export interface EmptyingPorts {
  /** Has the server drop the connections by which these proxies, and all of the ring, change data. @throws Error */
  drop(address: string, proxies: readonly string[]): Promise<void>;
  /**
   * @param mayRemove asked with the run id of the process to which the connection leads by which keys are removed: throws when they may not be
   * @returns the run id of the process that is empty now
   * @throws Error when it cannot be emptied
   */
  empty(address: string, mayRemove: (runId: string) => Promise<void>): Promise<string>;
  /** It cannot be emptied yet, as a sentence without its subject; or that is tried again (empty). */
  told(why: string): void;
}

/** Between two attempts. Milliseconds. */
const AGAIN_MS = 1000;
/** An attempt of a proxy that lives is left alone for so long. Milliseconds. */
const TURN_MS = 90_000;

export class MasterEmptying {
  readonly #node: string;
  readonly #port: AgreementPort;
  readonly #timers: Timers;
  readonly #ports: EmptyingPorts;
  #isBusy = false;
  #notBefore = Number.NEGATIVE_INFINITY;
  /** Of another proxy, and since when it is known. */
  #seen = { attempt: '', since: 0 };

  constructor(node: string, port: AgreementPort, timers: Timers, ports: EmptyingPorts) {
    this.#node = node;
    this.#port = port;
    this.#timers = timers;
    this.#ports = ports;
  }

  /** Begins an attempt where none is under way. Does not throw. */
  step(stored: StoredAgreed): void {
    if (this.#isBusy || this.#timers.now() < this.#notBefore) return;
    this.#isBusy = true;
    void this.#step(stored).finally(() => {
      this.#isBusy = false;
    });
  }

  async #step({ revision, record }: StoredAgreed): Promise<void> {
    const { emptying } = record;
    if (emptying === undefined) return;
    let attempt = '';
    try {
      if (!(await this.#isOwnTurn(emptying))) return;
      attempt = randomUUID();
      const by = [...emptying.by.filter((id) => id !== this.#port.ownId), this.#port.ownId];
      if ((await this.#port.save(this.#node, revision, { ...record, emptying: { attempt, by } })) === null) return;
      await this.#ports.drop(record.address, by);
      const runId = await this.#ports.empty(record.address, async () => void (await this.#own(attempt)));
      await this.#end(attempt, ({ emptying: _emptying, ...emptied }) => ({ ...emptied, runId }));
      this.#ports.told('');
    } catch (error) {
      this.#notBefore = this.#timers.now() + AGAIN_MS;
      this.#ports.told(`cannot be emptied yet: ${messageOf(error)}`);
      // Another proxy may be able to.
      await this.#end(attempt, (now) => ({
        ...now,
        ...(now.emptying === undefined ? {} : { emptying: { ...now.emptying, attempt: '' } }),
      })).catch(() => {});
    }
  }

  async #isOwnTurn({ attempt, by }: NonNullable<Agreed['emptying']>): Promise<boolean> {
    const holder = by.at(-1);
    if (attempt === '' || holder === this.#port.ownId) return true;
    const now = this.#timers.now();
    if (this.#seen.attempt !== attempt) this.#seen = { attempt, since: now };
    if (now - this.#seen.since > TURN_MS) return true;
    return !(await this.#port.proxies()).some(({ id, alive }) => id === holder && alive);
  }

  /** @returns what is recorded. @throws Error when the attempt does not stand there any more */
  async #own(attempt: string): Promise<StoredAgreed> {
    const stored = await this.#port.load(this.#node);
    if (stored === null || attempt === '' || stored.record.emptying?.attempt !== attempt)
      throw new Error('another proxy has taken over, or another server is the master by now');
    return stored;
  }

  /** @throws Error when the attempt does not stand there any more, or nothing may have been written */
  async #end(attempt: string, next: (now: Agreed) => Agreed): Promise<void> {
    for (;;) {
      const { revision, record } = await this.#own(attempt);
      if ((await this.#port.save(this.#node, revision, next(record))) !== null) return;
    }
  }
}
