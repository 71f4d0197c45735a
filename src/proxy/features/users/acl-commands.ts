/** ACL, but for what would change users: that is done in the configuration. */
import { randomBytes } from 'node:crypto';
import { ACL_CATEGORIES } from '../../../commands/acl.js';
import { arityError } from '../../../commands/arity.js';
import {
  describeChannels,
  describeCommands,
  describeKeys,
  describeUser,
  flagsOf,
} from '../../../commands/rights/describe.js';
import type { Selector } from '../../../commands/rights/selector.js';
import type { CommandTable } from '../../../commands/table.js';
import * as encode from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { Peers } from '../../peers/peers.js';
import { type AclLogEntry, entriesIn } from '../../peers/users.js';
import type { Router } from '../../route/router.js';
import { answerLater } from '../../session/later.js';
import { answer, answerError, argumentTexts, isInteger } from '../../session/words.js';
import type { Users } from '../../users/users.js';
import type { LocalCommand, LocalCommands } from '../local-command.js';
import type { AclLog } from './acl-log.js';
import type { Rights } from './rights.js';

/** What these commands work with. */
export interface AclPorts {
  readonly router: Router;
  readonly users: Users;
  readonly rights: Rights;
  readonly log: AclLog;
  /** Null: the proxy has no other processes. */
  readonly peers: Peers | null;
}

const MOST_BITS = 4096;
const SHOWN_ENTRIES = 10;
const HELP = [
  'ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'CAT [<category>]',
  '    List all commands that belong to <category>, or all command categories',
  '    when no category is specified.',
  'DRYRUN <username> <command> [<arg> ...]',
  '    Returns whether the user can execute the given command without executing the command.',
  'GETUSER <username>',
  "    Get the user's details.",
  'GENPASS [<bits>]',
  '    Generate a secure 256-bit user password. The optional `bits` argument can',
  '    be used to specify a different size.',
  'LIST',
  '    Show users details in config file format.',
  'LOG [<count> | RESET]',
  '    Show the ACL log entries.',
  'USERS',
  '    List all the registered usernames.',
  'WHOAMI',
  '    Return the current connection username.',
  'HELP',
  '    Prints this help.',
];

const whoAmI: LocalCommand = (client, command) => answer(client, command, encode.bulk(client.user.name));

const names =
  ({ users }: AclPorts): LocalCommand =>
  (client, command) =>
    answer(client, command, encode.array(users.list().map(({ name }) => encode.bulk(name))));

const list =
  ({ users }: AclPorts): LocalCommand =>
  (client, command) =>
    answer(
      client,
      command,
      encode.array(users.list().map((user) => encode.bulk(`user ${user.name} ${describeUser(user, users.table)}`))),
    );

const getUser =
  ({ users }: AclPorts): LocalCommand =>
  (client, command, framer) => {
    const { protocol } = client.kind;
    const user = users.find(argumentTexts(framer)[2] ?? '');
    if (user === undefined) return answer(client, command, encode.nullBulk(protocol));
    const texts = (words: readonly string[]): Uint8Array[] => words.map((word) => encode.bulk(word));
    const [root, ...others] = user.selectors;
    const { table } = users;
    return answer(
      client,
      command,
      encode.map(
        [
          [encode.bulk('flags'), encode.set(texts(flagsOf(user)), protocol)],
          [encode.bulk('passwords'), encode.array(texts(user.passwords))],
          ...(root === undefined ? [] : selectorFields(root, table)),
          [
            encode.bulk('selectors'),
            encode.array(others.map((selector) => encode.map(selectorFields(selector, table), protocol))),
          ],
        ],
        protocol,
      ),
    );
  };

function selectorFields(selector: Selector, table: CommandTable): [Uint8Array, Uint8Array][] {
  return [
    [encode.bulk('commands'), encode.bulk(describeCommands(selector, table))],
    [encode.bulk('keys'), encode.bulk(describeKeys(selector))],
    [encode.bulk('channels'), encode.bulk(describeChannels(selector))],
  ];
}

const dryRun =
  ({ router, users, rights }: AclPorts): LocalCommand =>
  (client, command, framer) => {
    const words = argumentTexts(framer);
    const [, , name = '', word = ''] = words;
    const user = users.find(name);
    if (user === undefined) return answerError(client, command, `ERR User '${name}' not found`);
    const container = router.table.get(word.toLowerCase());
    const sub = container?.subcommands?.get(`${container.name}|${(words[4] ?? '').toLowerCase()}`);
    const row = sub ?? container;
    if (row === undefined || (sub === undefined && row.subcommands !== null && words.length > 4)) {
      return answerError(client, command, `ERR Command '${word}' not found`);
    }
    const argc = framer.argc - 3;
    const wrongArity = arityError(row, argc);
    if (wrongArity !== null) return answerError(client, command, wrongArity);
    const { source } = framer;
    const denial = rights.dryRun(user, row, { source, start: args.start, end: args.end, from: 3, argc });
    return answer(client, command, denial === null ? encode.OK : encode.bulk(denial));
  };

const categories =
  ({ users }: AclPorts): LocalCommand =>
  (client, command, framer) => {
    const texts = (words: readonly string[]): Buffer => encode.array(words.map((word) => encode.bulk(word)));
    if (framer.argc > 3) return syntaxError(client, command, framer);
    if (framer.argc === 2) return answer(client, command, texts(ACL_CATEGORIES));
    const asked = argumentTexts(framer)[2] ?? '';
    const category = ACL_CATEGORIES.find((name) => name === asked.toLowerCase());
    if (category === undefined) return answerError(client, command, `ERR Unknown category '${asked.slice(0, 128)}'`);
    const all = [...users.table.rows()].flatMap((row) => [row, ...(row.subcommands?.rows() ?? [])]);
    const of = all.filter((row) => !row.isOfModule && row.categories.includes(category));
    return answer(client, command, texts(of.map(({ name }) => name)));
  };

const genPass: LocalCommand = (client, command, framer) => {
  if (framer.argc > 3) return syntaxError(client, command, framer);
  const asked = argumentTexts(framer)[2] ?? '256';
  if (!isInteger(asked)) {
    return answerError(client, command, 'ERR value is not an integer or out of range');
  }
  const bits = Number(asked);
  if (bits <= 0 || bits > MOST_BITS) {
    return answerError(
      client,
      command,
      `ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to ${MOST_BITS}`,
    );
  }
  const digits = Math.ceil(bits / 4);
  return answer(
    client,
    command,
    encode.bulk(
      randomBytes(Math.ceil(digits / 2))
        .toString('hex')
        .slice(0, digits),
    ),
  );
};

const log =
  ({ log: own, peers }: AclPorts): LocalCommand =>
  (client, command, framer) => {
    if (framer.argc > 3) return syntaxError(client, command, framer);
    const asked = argumentTexts(framer)[2];
    if (asked?.toLowerCase() === 'reset') {
      own.reset();
      if (peers === null) return answer(client, command, encode.OK);
      return answerLater(client, command, peers.ask({ type: 'reset-denials' }), () => encode.OK);
    }
    if (asked !== undefined && !isInteger(asked)) {
      return answerError(client, command, 'ERR value is not an integer or out of range');
    }
    const count = Math.max(0, asked === undefined ? SHOWN_ENTRIES : Number(asked));
    const { protocol } = client.kind;
    const shown = (entries: readonly AclLogEntry[]): Buffer => {
      const latest = [...entries].sort((one, other) => other.at - one.at).slice(0, count);
      return encode.array(latest.map((entry) => logEntry(entry, protocol)));
    };
    // Those of one process are in their order already, also within a millisecond.
    if (peers === null) return answer(client, command, shown(own.list()));
    const others = peers.ask({ type: 'denials' });
    return answerLater(client, command, others, (answers) => shown([...own.list(), ...answers.flatMap(entriesIn)]));
  };

function logEntry(entry: AclLogEntry, protocol: 2 | 3): Uint8Array {
  return encode.map(
    [
      [encode.bulk('count'), encode.integer(entry.count)],
      [encode.bulk('reason'), encode.bulk(entry.reason)],
      [encode.bulk('context'), encode.bulk(entry.context)],
      [encode.bulk('object'), encode.bulk(entry.object)],
      [encode.bulk('username'), encode.bulk(entry.username)],
      [encode.bulk('age-seconds'), encode.double(Math.max(0, Date.now() - entry.at) / 1000, protocol)],
      [encode.bulk('client-info'), encode.bulk(entry.clientInfo)],
    ],
    protocol,
  );
}

const help: LocalCommand = (client, command) =>
  answer(client, command, encode.array(HELP.map((line) => encode.simpleString(line))));

function syntaxError(...[client, command, framer]: Parameters<LocalCommand>): ReturnType<LocalCommand> {
  const sub = argumentTexts(framer as RequestFramer)[1] ?? '';
  const text = `ERR unknown subcommand or wrong number of arguments for '${sub.slice(0, 128)}'. Try ACL HELP.`;
  return answerError(client, command, text);
}

export function aclCommands(ports: AclPorts) {
  return {
    'acl|whoami': whoAmI,
    'acl|users': names(ports),
    'acl|list': list(ports),
    'acl|getuser': getUser(ports),
    'acl|dryrun': dryRun(ports),
    'acl|cat': categories(ports),
    'acl|genpass': genPass,
    'acl|log': log(ports),
    'acl|help': help,
  } as const satisfies LocalCommands;
}
