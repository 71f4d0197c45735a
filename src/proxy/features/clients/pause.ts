/**
 * CLIENT PAUSE: commands of clients, or those of them that write, wait in the proxy until its time is over. Nodes know
 * nothing of it, so other users of theirs go on. With several processes all of them wait.
 */
import { arityError } from '../../../commands/arity.js';
import type { Command } from '../../../commands/command.js';
import { OK } from '../../../resp/encode.js';
import { parseStrictInteger } from '../../../resp/integer.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { answerLater } from '../../session/later.js';
import { IN_TRANSACTION } from '../../session/modes.js';
import { answer, answerError, argumentTexts } from '../../session/words.js';
import type { Features } from '../compose.js';
import type { LocalCommand } from '../index.js';
import { mayWrite } from './may-write.js';
import { ReadOnlyFunctions } from './read-only-functions.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Pause {
  /** Milliseconds since 1970; 0: nobody is paused. */
  until = 0;
  writesOnly = true;
  readonly #waiting = new Set<ClientConnection>();
  readonly #functions = new ReadOnlyFunctions();
  readonly #onChanged: () => void;
  #timer: NodeJS.Timeout | null = null;

  /** @param onChanged called when a pause begins or ends */
  constructor(onChanged: () => void) {
    this.#onChanged = onChanged;
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
    this.#onChanged();
    if (this.active) return;
    this.#functions.forget();
    this.#release();
  }

  /** Whether the command that `framer` holds must wait; its client is then resumed when it need not any more. */
  holds(features: Features, client: ClientConnection, command: Command, framer: RequestFramer): boolean {
    this.#waiting.delete(client);
    if (!this.active || command.whilePaused || isMistaken(command, framer)) return false;
    if (this.writesOnly && !this.#mayWrite(features, client, command, framer)) return false;
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
  #mayWrite(features: Features, client: ClientConnection, command: Command, framer: RequestFramer): boolean {
    if ((client.modes & IN_TRANSACTION) !== 0) {
      return command.transactionStep === 'runs' && features.transactions.writes(client);
    }
    if (!mayWrite(command, framer, features.scripts.store, (name) => this.#functions.has(name))) return false;
    const node = features.router.nodes[features.router.anyNode()];
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

export const pause: LocalCommand = (client, command, framer, features) => {
  const mode = argumentTexts(framer)[3]?.toLowerCase() ?? 'all';
  if (framer.argc > 4 || (mode !== 'write' && mode !== 'all')) {
    return answerError(client, command, 'ERR CLIENT PAUSE mode must be WRITE or ALL');
  }
  const timeout = parseStrictInteger(framer.source, args.start[2] as number, args.end[2] as number);
  if (Number.isNaN(timeout)) return answerError(client, command, 'ERR timeout is not an integer or out of range');
  if (timeout < 0) return answerError(client, command, 'ERR timeout is negative');
  return change(client, command, features, Date.now() + timeout, mode === 'write');
};

export const unpause: LocalCommand = (client, command, _framer, features) => change(client, command, features, 0, true);

function change(
  client: ClientConnection,
  command: Command,
  features: Parameters<LocalCommand>[3],
  until: number,
  writesOnly: boolean,
): ReturnType<LocalCommand> {
  const { peers } = features.context;
  features.pause.set(until, writesOnly);
  // At the end of a transaction the answer is wanted at once.
  if (client.replyTaker !== null) peers?.tell({ type: 'paused', until, writesOnly });
  if (peers === null || client.replyTaker !== null) return answer(client, command, OK);
  const heeded = peers.ask({ type: 'heed', news: { type: 'paused', until, writesOnly } });
  return answerLater(client, command, heeded, () => OK);
}
