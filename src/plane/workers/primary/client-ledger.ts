/**
 * In the primary: how many clients of each address, and of each user whose clients are limited, each worker has. By it
 * a limit of connections holds for all workers together, and each worker knows its share of the rates: the part that its
 * own clients are of all.
 */
import { COUNTED_BY, type CountedBy } from '../../../proxy/measure/limit-counts.js';
import { hasRates, type QuotaSettings, Quotas } from '../../../proxy/users/quotas.js';
import type { Timers } from '../../../time/timers.js';
import type { Elsewhere, ToWorker } from '../messages.js';

/** So long, changes are gathered before workers are told of their shares. Milliseconds. */
const TELL_MS = 5;

/** A worker, as it is counted and told. */
export interface CountingWorker {
  send(message: ToWorker): void;
}

/** Clients that are counted together. */
interface Party {
  readonly by: CountedBy;
  readonly name: string;
  readonly clients: Map<CountingWorker, number>;
  /** What each worker was told last that others have; 0 is not kept. */
  readonly told: Map<CountingWorker, number>;
}

export class ClientLedger {
  readonly #timers: Pick<Timers, 'after'>;
  readonly #parties: Readonly<Record<CountedBy, Map<string, Party>>> = { address: new Map(), user: new Map() };
  readonly #changed = new Set<Party>();
  #quotas: Quotas;
  #stopTelling: (() => void) | null = null;

  constructor(settings: QuotaSettings, timers: Pick<Timers, 'after'>) {
    this.#quotas = new Quotas(settings);
    this.#timers = timers;
  }

  /** From now on these limits are in force. */
  use(settings: QuotaSettings): void {
    this.#quotas = new Quotas(settings);
    for (const by of COUNTED_BY) for (const party of this.#parties[by].values()) this.#onChanged(party);
  }

  /** Whether there are as many clients as there may be. */
  isFull(by: CountedBy, name: string): boolean {
    const most = this.#quotas.of(by, name).clients;
    return most > 0 && this.count(by, name) >= most;
  }

  /** Clients of all workers. */
  count(by: CountedBy, name: string): number {
    return sum(this.#parties[by].get(name)?.clients.values() ?? []);
  }

  /** The worker has one client more. */
  enter(by: CountedBy, name: string, worker: CountingWorker): void {
    const parties = this.#parties[by];
    const party = parties.get(name) ?? { by, name, clients: new Map(), told: new Map() };
    parties.set(name, party);
    party.clients.set(worker, (party.clients.get(worker) ?? 0) + 1);
    this.#onChanged(party);
  }

  /** One of the worker's clients has gone, or is another user. */
  leave(by: CountedBy, name: string, worker: CountingWorker): void {
    const party = this.#parties[by].get(name);
    const clients = party?.clients.get(worker);
    if (party === undefined || clients === undefined) return;
    if (clients > 1) party.clients.set(worker, clients - 1);
    else party.clients.delete(worker);
    this.#onChanged(party);
  }

  /** The worker has died, and its clients with it. */
  onExit(worker: CountingWorker): void {
    for (const by of COUNTED_BY) {
      for (const party of this.#parties[by].values()) {
        party.told.delete(worker);
        if (party.clients.delete(worker)) this.#onChanged(party);
      }
    }
  }

  close(): void {
    this.#stopTelling?.();
  }

  #onChanged(party: Party): void {
    // Nobody has a share of what is not limited, or of what one worker has all of.
    const isShared = party.clients.size > 1 && hasRates(this.#quotas.of(party.by, party.name));
    if (party.clients.size === 0) this.#parties[party.by].delete(party.name);
    if (!isShared && party.told.size === 0) return;
    this.#changed.add(party);
    this.#stopTelling ??= this.#timers.after(TELL_MS, () => this.#tell());
  }

  #tell(): void {
    this.#stopTelling = null;
    const news = new Map<CountingWorker, Elsewhere[]>();
    for (const party of this.#changed) {
      const { by, name, clients, told } = party;
      const all = hasRates(this.#quotas.of(by, name)) ? sum(clients.values()) : 0;
      for (const worker of new Set([...clients.keys(), ...told.keys()])) {
        const own = clients.get(worker) ?? 0;
        const others = own === 0 || all === 0 ? 0 : all - own;
        if (others === (told.get(worker) ?? 0)) continue;
        if (others === 0) told.delete(worker);
        else told.set(worker, others);
        const list = news.get(worker) ?? [];
        list.push({ by, name, clients: others });
        news.set(worker, list);
      }
    }
    this.#changed.clear();
    for (const [worker, elsewhere] of news) worker.send({ type: 'elsewhere', elsewhere });
  }
}

function sum(numbers: Iterable<number>): number {
  let all = 0;
  for (const number of numbers) all += number;
  return all;
}
