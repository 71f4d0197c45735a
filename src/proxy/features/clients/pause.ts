/**
 * CLIENT PAUSE: commands of clients, or those of them that write, wait in the proxy until its time is over. Nodes know
 * nothing of it, so other users of theirs go on. With several processes all of them wait.
 */
import { arityError } from '../../../commands/arity.js';
import type { Command } from '../../../commands/command.js';
import { OK } from '../../../resp/encode.js';
import { parseStrictInteger } from '../../../resp/integer.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { Peers } from '../../peers/peers.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { answerLater } from '../../session/later.js';
import { answer, answerError, argumentTexts } from '../../session/words.js';
import type { LocalCommand } from '../local-command.js';
import { ReadOnlyFunctions } from './read-only-functions.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a pause needs of others. */
export interface PausePorts {
  readonly router: Router;
  /** Whether the command that `framer` holds may write. @param isReadOnlyFunction whether a function has the flag no-writes */
  readonly mayWrite: (
    command: Command,
    framer: RequestFramer,
    isReadOnlyFunction: (name: string) => boolean,
  ) => boolean;
  /** What the client has queued since MULTI; null: nothing. */
  readonly transactionOf: (client: ClientConnection) => { readonly writes: boolean } | null;
  /** A pause has begun or ended. */
  readonly onChanged: () => void;
}

export class Pause {
  /** Milliseconds since 1970; 0: nobody is paused. */
  until = 0;
  writesOnly = true;
  readonly #waiting = new Set<ClientConnection>();
  readonly #functions = new ReadOnlyFunctions();
  readonly #ports: PausePorts;
  #timer: NodeJS.Timeout | null = null;

  constructor(ports: PausePorts) {
    this.#ports = ports;
  }

  /** How many clients wait for its end. */
  get waiting(): number {
    return this.#waiting.size;
  }

  get active(): boolean {
    return this.until !== 0;
  }

  /** Of two pauses the longer time counts, and whether one of them is of all commands. @param until 0 ends it */
  set(until: number, writesOnly: boolean): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const now = Date.now();
    if (until > now) {
      this.writesOnly = writesOnly && (this.writesOnly || !this.active);
      this.until = Math.max(this.until, until);
      this.#timer = setTimeout(() => this.set(0, true), Math.min(this.until - now, LONGEST_TIMER_MS)).unref();
    } else {
      this.until = 0;
      this.writesOnly = true;
    }
    this.#ports.onChanged();
    if (this.active) return;
    this.#functions.forget();
    this.#release();
  }

  /** Whether the command that `framer` holds must wait; its client is then resumed when it need not any more. */
  holds(client: ClientConnection, command: Command, framer: RequestFramer): boolean {
    this.#waiting.delete(client);
    if (!this.active || command.whilePaused || isMistaken(command, framer)) return false;
    if (this.writesOnly && !this.#mayWrite(client, command, framer)) return false;
    this.#waiting.add(client);
    client.suspend();
    return true;
  }

  forget(client: ClientConnection): void {
    this.#waiting.delete(client);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** What is queued between MULTI and EXEC waits with its EXEC. */
  #mayWrite(client: ClientConnection, command: Command, framer: RequestFramer): boolean {
    const { router, mayWrite, transactionOf } = this.#ports;
    const transaction = transactionOf(client);
    if (transaction !== null) return command.transactionStep === 'runs' && transaction.writes;
    if (!mayWrite(command, framer, (name) => this.#functions.has(name))) return false;
    const node = router.nodes[router.anyNode()];
    if (command.special === 'code' && node !== undefined) this.#functions.ask(node, () => this.#release());
    return true;
  }

  #release(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const client of waiting) client.resumeSoon();
  }
}

/** What is answered with an error anyway need not wait. */
function isMistaken(command: Command, framer: RequestFramer): boolean {
  const isUnknown = command.subcommands !== null && framer.argc > 1;
  return isUnknown || command.route === 'refused' || arityError(command, framer.argc) !== null;
}

export const pause =
  (pauses: Pause, peers: Peers | null): LocalCommand =>
  (client, command, framer) => {
    const mode = argumentTexts(framer)[3]?.toLowerCase() ?? 'all';
    if (framer.argc > 4 || (mode !== 'write' && mode !== 'all')) {
      return answerError(client, command, 'ERR CLIENT PAUSE mode must be WRITE or ALL');
    }
    const timeout = parseStrictInteger(framer.source, args.start[2] as number, args.end[2] as number);
    if (Number.isNaN(timeout)) return answerError(client, command, 'ERR timeout is not an integer or out of range');
    if (timeout < 0) return answerError(client, command, 'ERR timeout is negative');
    return change(client, command, pauses, peers, Date.now() + timeout, mode === 'write');
  };

export const unpause =
  (pauses: Pause, peers: Peers | null): LocalCommand =>
  (client, command) =>
    change(client, command, pauses, peers, 0, true);

function change(
  client: ClientConnection,
  command: Command,
  pauses: Pause,
  peers: Peers | null,
  until: number,
  writesOnly: boolean,
): ReturnType<LocalCommand> {
  pauses.set(until, writesOnly);
  // At the end of a transaction the answer is wanted at once.
  if (client.collectsReply) peers?.tell({ type: 'paused', until, writesOnly });
  if (peers === null || client.collectsReply) return answer(client, command, OK);
  const heeded = peers.ask({ type: 'heed', news: { type: 'paused', until, writesOnly } });
  return answerLater(client, command, heeded, () => OK);
}
