/**
 * Looks at the commands of clients whose user may not do everything, before anything else is done for them: nothing is
 * sent, waited for or told to others that was denied. Who may do everything never comes here (`RESTRICTED`).
 */
import type { Command } from '../../../commands/command.js';
import {
  ALLOWED,
  DENIED_CHANNEL,
  DENIED_COMMAND,
  DENIED_KEY,
  type Decision,
  decide,
  denied,
  readsAnyKey,
} from '../../../commands/rights/check.js';
import type { Words } from '../../../commands/rights/find-access.js';
import type { User } from '../../../commands/rights/user.js';
import { args, COMPLETE, RequestFramer, readAside } from '../../../resp/request-framer.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { QueuedCommands } from '../queued-commands.js';
import type { AclLog, DenialReason } from './acl-log.js';

const REFUSED_SCRIPTS =
  'inside of scripts and functions rights are not checked, so users without all rights may run none: see user-scripts';

/** Why EXEC runs nothing of what was allowed before, as Redis says it. */
const REASONS = {
  [DENIED_COMMAND]: 'no permission to execute the command or subcommand',
  [DENIED_KEY]: 'no permission to touch the specified keys',
  [DENIED_CHANNEL]: 'no permission to access one of the channels used as arguments',
} as const;

const LOGGED: Readonly<Record<Exclude<Decision, typeof ALLOWED>, DenialReason>> = {
  [DENIED_COMMAND]: 'command',
  [DENIED_KEY]: 'key',
  [DENIED_CHANNEL]: 'channel',
};

export class Rights {
  readonly #router: Router;
  readonly #log: AclLog;

  constructor(router: Router, log: AclLog) {
    this.#router = router;
    this.#log = log;
  }

  /**
   * @param command a subcommand where there is one
   * @param queued what the client has queued since MULTI; null: it is in no transaction
   * @returns the error that the command in `framer` is answered; null: it may go on
   */
  refusal(
    client: ClientConnection,
    command: Command,
    framer: RequestFramer,
    queued: QueuedCommands | null,
  ): string | null {
    const { source, argc } = framer;
    const words: Words = { source, start: args.start, end: args.end, from: 0, argc };
    const decision = decide(client.user, command, words);
    if (decision !== ALLOWED) {
      this.#note(client, decision, command, words, queued !== null);
      return denial(decision, command);
    }
    if (runsCode(command) && !this.mayRunCode) {
      this.#note(client, DENIED_COMMAND, command, words, queued !== null);
      return `${denial(DENIED_COMMAND, command)}: ${REFUSED_SCRIPTS}`;
    }
    if (command.special === 'sort') return sortRefusal(client.user, command, words);
    if (command.transactionStep !== 'runs' || queued === null) return null;
    return queued.rightsVersion === this.#router.shared.users.version ? null : this.#refusalOfQueued(client, queued);
  }

  /** As ACL DRYRUN answers it; null: it may. */
  dryRun(user: User, command: Command, words: Words): string | null {
    if (user.isAll) return null;
    const decision = decide(user, command, words);
    if (decision === DENIED_COMMAND || (decision === ALLOWED && runsCode(command) && !this.mayRunCode)) {
      return `This user has no permissions to run the '${command.name}' command`;
    }
    if (decision === ALLOWED) return null;
    const kind = decision === DENIED_CHANNEL ? 'channel' : 'key';
    return `This user has no permissions to access the '${textOf(words, denied.at)}' ${kind}`;
  }

  get mayRunCode(): boolean {
    return this.#router.shared.options.userScripts === 'allow';
  }

  /** Users have become others since MULTI: all is looked at anew, and one command that is denied keeps all from running. */
  #refusalOfQueued(client: ClientConnection, { pieces, own, instead }: QueuedCommands): string | null {
    const framer = new RequestFramer({
      maxArgs: 2_147_483_647,
      maxBulkLength: this.#router.shared.options.maxBulkLength,
      maxInlineLength: 65_536,
      authenticated: true,
    });
    return readAside(() => {
      let position = 0;
      for (const piece of pieces) {
        for (let at = 0; at < piece.length; at = framer.consumed) {
          if (framer.next(piece, at, piece.length) !== COMPLETE) break;
          const place = position++;
          if (own.includes(place)) continue;
          const other = instead.find((entry) => entry.at === place);
          const refusal =
            other === undefined ? this.#refusalOfOne(client, framer) : this.#refusalOfFrame(client, other.frame);
          if (refusal !== null) return refusal;
        }
      }
      return null;
    });
  }

  #refusalOfFrame(client: ClientConnection, frame: Buffer): string | null {
    const framer = new RequestFramer({
      maxArgs: frame.length,
      maxBulkLength: frame.length,
      maxInlineLength: frame.length,
      authenticated: true,
    });
    if (framer.next(frame, 0, frame.length) !== COMPLETE) return null;
    return this.#refusalOfOne(client, framer);
  }

  #refusalOfOne(client: ClientConnection, framer: RequestFramer): string | null {
    const { source, argc } = framer;
    const { table } = this.#router;
    const container = table.lookup(source, args.start[0] as number, args.end[0] as number);
    const sub =
      argc < 2 ? undefined : container?.subcommands?.lookup(source, args.start[1] as number, args.end[1] as number);
    const command = sub ?? container;
    if (command === undefined) return null;
    const words: Words = { source, start: args.start, end: args.end, from: 0, argc };
    let decision = decide(client.user, command, words);
    if (decision === ALLOWED && runsCode(command) && !this.mayRunCode) decision = DENIED_COMMAND;
    if (decision === ALLOWED && command.special === 'sort' && sortRefusal(client.user, command, words) !== null) {
      decision = DENIED_KEY;
    }
    if (decision === ALLOWED) return null;
    this.#note(client, decision, command, words, true);
    return `NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: ${REASONS[decision]}`;
  }

  #note(
    client: ClientConnection,
    decision: Exclude<Decision, typeof ALLOWED>,
    command: Command,
    words: Words,
    isInside: boolean,
  ): void {
    const object = decision === DENIED_COMMAND ? command.name : textOf(words, denied.at);
    this.#log.add(client, LOGGED[decision], isInside ? 'multi' : 'toplevel', object, client.user.name);
  }
}

function denial(decision: Exclude<Decision, typeof ALLOWED>, command: Command): string {
  if (decision === DENIED_COMMAND) return `NOPERM this user has no permissions to run the '${command.name}' command`;
  const what = decision === DENIED_KEY ? 'keys' : 'channels';
  return `NOPERM this user has no permissions to access one of the ${what} used as arguments`;
}

/** Whether it runs a script or a function: what that does is decided at its node, by the proxy's rights there. */
function runsCode({ special }: Command): boolean {
  return special === 'script' || special === 'digest' || special === 'code';
}

/** SORT's BY and GET read keys that nobody names: only who may read all keys may use them. */
function sortRefusal(user: User, command: Command, words: Words): string | null {
  for (let at = 2; at < words.argc; at++) {
    const behind = words.argc - at - 1;
    const word = textOf(words, at).toLowerCase();
    if (word === 'limit' && behind >= 2) at += 2;
    else if (word === 'store' && behind >= 1) at++;
    else if (word === 'get' && behind >= 1) {
      if (!readsAnyKey(user, command, words)) return sortDenial('GET');
      at++;
    } else if (word === 'by' && behind >= 1) {
      at++;
      if (textOf(words, at).includes('*') && !readsAnyKey(user, command, words)) return sortDenial('BY');
    } else if (word !== 'asc' && word !== 'desc' && word !== 'alpha') return null;
  }
  return null;
}

function sortDenial(option: string): string {
  return `ERR ${option} option of SORT denied due to insufficient ACL permissions.`;
}

function textOf({ source, start, end, from }: Words, at: number): string {
  return Buffer.from(source.subarray(start[from + at], end[from + at])).toString('utf8');
}
