/**
 * When keys were written through this process, so that a replica is not asked for one that may lack that write: by the
 * keys' hashes, of which a place is shared by several keys, so a key may count as written that was not.
 */
import type { ClientConnection } from '../../session/client-connection.js';

const PLACES = 1 << 14;
/** A command of several steps that a client has left behind is over then, at the latest. Milliseconds. */
const LEFT_MS = 60_000;

/** A command that takes several steps, or none that a connection shows: it ends when its client is answered. */
interface LongWrite {
  readonly client: ClientConnection;
  /** Which of the client's requests it is. */
  readonly number: number;
  readonly since: number;
}

export class Writes {
  readonly #at = new Float64Array(PLACES).fill(Number.NEGATIVE_INFINITY);
  #all = Number.NEGATIVE_INFINITY;
  #long: LongWrite[] = [];
  /** Commands of several steps may be under way that were not noted, since this time; Infinity: none are. */
  #unnotedSince = Number.POSITIVE_INFINITY;

  /** When the key was written last, by the clock; -Infinity: not since this process looks. */
  of(hash: number): number {
    return Math.max(this.#at[hash & (PLACES - 1)] as number, this.#all);
  }

  /** The command at hand may write the key. @param now by the clock, as below */
  note(hash: number, now: number): void {
    this.#at[hash & (PLACES - 1)] = now;
  }

  /** Any key may be written. */
  noteAll(now: number): void {
    this.#all = now;
  }

  /**
   * What was written until now was not all noted: any key may have been written.
   * @param someRun commands of several steps are under way
   */
  beginAnew(now: number, someRun: boolean): void {
    this.noteAll(now);
    this.#unnotedSince = someRun ? now : Number.POSITIVE_INFINITY;
  }

  /** The client's next request writes, and not by one command to one node. */
  begin(client: ClientConnection, now: number): void {
    const number = client.enqueued + 1;
    const last = this.#long.at(-1);
    // It is offered again when it has waited.
    if (last !== undefined && last.client === client && last.number === number) return;
    this.#long.push({ client, number, since: now });
  }

  /**
   * Since when such a command is under way; Infinity: none is. Not to be asked in the turn in which one begins.
   * @param someRun commands of several steps are under way, maybe of clients that have left
   */
  underWaySince(now: number, someRun: boolean): number {
    this.#long = this.#long.filter(({ client, number, since }) =>
      // What the proxy answers by itself to a client that waits for nothing is no request.
      client.closed
        ? someRun && now - since < LEFT_MS
        : client.pending > 0 && client.enqueued - client.pending < number,
    );
    if (!someRun || now - this.#unnotedSince > LEFT_MS) this.#unnotedSince = Number.POSITIVE_INFINITY;
    return Math.min(this.#unnotedSince, this.#long[0]?.since ?? Number.POSITIVE_INFINITY);
  }
}
