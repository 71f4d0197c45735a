/**
 * MONITOR: clients that see the commands of all others, those of other processes too. One that does not read what it
 * is sent is closed at `client-output-limit`, as one that is subscribed.
 */
import type { Command } from '../../../commands/command.js';
import { OK } from '../../../resp/encode.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import type { Turn, TurnTask } from '../../io/turn.js';
import type { Peers } from '../../peers/peers.js';
import { LATER } from '../../request/verdict.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { answerLater } from '../../session/later.js';
import { MONITORS } from '../../session/modes.js';
import { answer } from '../../session/words.js';
import type { LocalCommand } from '../local-command.js';
import { monitorLine } from './monitor-line.js';

const US_PER_MS = 1000;

export class Monitors implements TurnTask {
  readonly #turn: Turn;
  readonly #peers: Peers | null;
  /** Names this process among its peers. */
  readonly #name: string;
  readonly #onChanged: () => void;
  readonly #clients = new Set<ClientConnection>();
  /** Other processes that have such clients. */
  readonly #elsewhere = new Set<string>();
  /** For those, until the end of the turn. */
  #lines: Buffer[] = [];

  /** @param onChanged called when `active` may have changed */
  constructor(turn: Turn, peers: Peers | null, name: string, onChanged: () => void) {
    this.#turn = turn;
    this.#peers = peers;
    this.#name = name;
    this.#onChanged = onChanged;
  }

  /** Whether anybody monitors. */
  get active(): boolean {
    return this.#clients.size > 0 || this.#elsewhere.size > 0;
  }

  add(client: ClientConnection): void {
    client.enter(MONITORS);
    this.#clients.add(client);
    this.#onChanged();
  }

  has(client: ClientConnection): boolean {
    return client.isIn(MONITORS);
  }

  /** The client has left, or was reset. */
  forget(client: ClientConnection): void {
    client.leave(MONITORS);
    if (!this.#clients.delete(client)) return;
    if (this.#clients.size === 0) this.tellWanted();
    this.#onChanged();
  }

  /** Settles when the other processes show what their clients send; null: there are none. */
  announced(): Promise<unknown> | null {
    const news = { type: 'monitors', from: this.#name, wanted: true } as const;
    return this.#peers?.ask({ type: 'heed', news }) ?? null;
  }

  /** Tells the other processes whether their clients' commands are wanted. */
  tellWanted(): void {
    this.#peers?.tell({ type: 'monitors', from: this.#name, wanted: this.#clients.size > 0 });
  }

  onWanted(from: string, wanted: boolean): void {
    if (wanted) this.#elsewhere.add(from);
    else this.#elsewhere.delete(from);
    this.#onChanged();
  }

  /** A client has sent the command that `framer` holds. As in Redis, administration is not shown. */
  onCommand(client: ClientConnection, command: Command, framer: RequestFramer): void {
    if (command.admin) return;
    const line = monitorLine(client, command, framer, (performance.timeOrigin + performance.now()) * US_PER_MS);
    this.#show(line);
    if (this.#elsewhere.size === 0) return;
    if (this.#lines.length === 0) this.#turn.schedule(this);
    this.#lines.push(line);
  }

  endOfTurn(): void {
    const lines = Buffer.concat(this.#lines);
    this.#lines = [];
    this.#peers?.tell({ type: 'monitored', lines });
  }

  /** What clients of another process have sent. @param lines null: some is missing */
  onLines(lines: Uint8Array | null): void {
    if (lines !== null) this.#show(Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength));
    else for (const client of [...this.#clients]) client.close('did not get what other processes have to show');
  }

  #show(lines: Buffer): void {
    for (const client of [...this.#clients]) client.push(lines);
  }
}

export const monitor =
  (monitors: Monitors): LocalCommand =>
  (client, command) => {
    if (monitors.has(client)) return answer(client, command, OK);
    if (client.pending > 0) {
      // What it is shown begins behind the replies that are still to come.
      client.raiseBarrier();
      return LATER;
    }
    const announced = monitors.announced();
    if (announced === null) {
      const verdict = answer(client, command, OK);
      monitors.add(client);
      return verdict;
    }
    const verdict = answerLater(client, command, announced, () => {
      setImmediate(() => {
        if (!client.closed) monitors.add(client);
      });
      return OK;
    });
    client.raiseBarrier();
    return verdict;
  };
