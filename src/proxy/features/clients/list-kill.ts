/** CLIENT LIST and CLIENT KILL, over the clients of all processes of the proxy. */
import { error as encodeError, integer, OK, verbatim } from '../../../resp/encode.js';
import { type ClientFilter, type ClientLine, linesIn } from '../../peers/clients.js';
import type { Peers } from '../../peers/peers.js';
import { TAKEN } from '../../request/verdict.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { answerLater } from '../../session/later.js';
import { answer, answerError, argumentTexts } from '../../session/words.js';
import type { Users } from '../../users/users.js';
import type { LocalCommand } from '../local-command.js';
import { matches, parseClientId, parseClientType } from './client-filter.js';
import { type ClientFacts, describeClient } from './describe.js';

const SYNTAX = 'ERR syntax error';
const NO_SUCH_CLIENT = encodeError('ERR No such client');

/** What the commands on clients work with. */
export interface ClientPorts {
  /** Those of this process. */
  readonly clients: ReadonlySet<ClientConnection>;
  readonly facts: ClientFacts;
  readonly users: Users;
  /** Null: the proxy has no other processes. */
  readonly peers: Peers | null;
}

export const list =
  (ports: ClientPorts): LocalCommand =>
  (client, command, framer) => {
    const filter = parseListFilter(argumentTexts(framer).slice(2));
    if (typeof filter === 'string') return answerError(client, command, filter);
    const { peers } = ports;
    const commandBytes = framer.frameEnd - framer.frameStart;
    const own = linesOf(ports, filter, client, commandBytes);
    const { protocol } = client.kind;
    if (peers === null) return answer(client, command, verbatim(textOf(own), protocol));
    const others = peers.ask({ type: 'list', filter });
    return answerLater(client, command, others, (answers) =>
      verbatim(textOf([...own, ...answers.flatMap(linesIn)]), protocol),
    );
  };

function textOf(lines: readonly ClientLine[]): string {
  return [...lines]
    .sort((a, b) => a.id - b.id)
    .map(({ text }) => `${text}\n`)
    .join('');
}

/** Those of this process. @param asker has sent the command at hand, of `commandBytes`; null: one of another process has */
export function linesOf(
  { clients, facts }: ClientPorts,
  filter: ClientFilter,
  asker: ClientConnection | null,
  commandBytes: number,
): ClientLine[] {
  return [...clients]
    .filter((client) => matches(client, filter, facts.isSubscribed(client)))
    .map((client) => ({ id: client.id, text: describeClient(facts, client, client === asker ? commandBytes : 0) }));
}

function parseListFilter(words: readonly string[]): ClientFilter | string {
  const option = words[0]?.toLowerCase();
  if (option === undefined) return {};
  if (option === 'type' && words.length === 2) {
    const type = parseClientType(words[1] ?? '');
    return type === null ? `ERR Unknown client type '${words[1]}'` : { type };
  }
  if (option !== 'id' || words.length < 2) return SYNTAX;
  const ids = words.slice(1).map(parseClientId);
  return ids.some(Number.isNaN) ? 'ERR Invalid client ID' : { ids };
}

export const kill =
  (ports: ClientPorts): LocalCommand =>
  (client, command, framer) => {
    const words = argumentTexts(framer).slice(2);
    // In its old form the command means one client, which may be the one that sends it.
    const isOldForm = words.length === 1;
    const filter = isOldForm ? { address: words[0] ?? '' } : parseKillFilter(ports.users, words, client.id);
    if (typeof filter === 'string') return answerError(client, command, filter);
    const { peers } = ports;
    const victims = meant(ports, filter);
    for (const victim of victims) if (victim !== client) victim.close('killed by CLIENT KILL');
    const reply = (count: number): Buffer => {
      if (!isOldForm) return integer(count);
      return count === 0 ? NO_SUCH_CLIENT : OK;
    };
    if (peers === null) {
      client.reply(command.id, reply(victims.length), isOldForm && victims.length === 0);
      // The client that asked is told first, as Redis does it.
      if (victims.includes(client)) client.endAfterReplies();
      return TAKEN;
    }
    const others = peers.ask({ type: 'kill', filter });
    const verdict = answerLater(client, command, others, (answers) => reply(victims.length + sumOf(answers)));
    if (victims.includes(client)) client.endAfterReplies();
    return verdict;
  };

function meant({ clients, facts }: ClientPorts, filter: ClientFilter): ClientConnection[] {
  return [...clients].filter((client) => matches(client, filter, facts.isSubscribed(client)));
}

/** @returns how many there were */
export function killOwn(ports: ClientPorts, filter: ClientFilter): number {
  const victims = meant(ports, filter);
  for (const victim of victims) victim.close('killed by CLIENT KILL');
  return victims.length;
}

/** @param own the id of the client that asks, which is spared unless it says otherwise */
function parseKillFilter(users: Users, words: readonly string[], own: number): ClientFilter | string {
  if (words.length === 0 || words.length % 2 !== 0) return SYNTAX;
  let filter: ClientFilter = {};
  let sparesOwn = true;
  for (let i = 0; i < words.length; i += 2) {
    const value = words[i + 1] ?? '';
    switch (words[i]?.toLowerCase()) {
      case 'id': {
        const id = parseClientId(value);
        if (Number.isNaN(id)) return 'ERR client-id should be greater than 0';
        filter = { ...filter, ids: [id] };
        break;
      }
      case 'addr':
        filter = { ...filter, address: value };
        break;
      case 'laddr':
        filter = { ...filter, localAddress: value };
        break;
      case 'user':
        if (users.find(value) === undefined) return `ERR No such user '${value}'`;
        filter = { ...filter, user: value };
        break;
      case 'type': {
        const type = parseClientType(value);
        if (type === null) return `ERR Unknown client type '${value}'`;
        filter = { ...filter, type };
        break;
      }
      case 'skipme':
        if (!/^(?:yes|no)$/i.test(value)) return SYNTAX;
        sparesOwn = value.toLowerCase() === 'yes';
        break;
      default:
        return SYNTAX;
    }
  }
  return sparesOwn ? { ...filter, except: own } : filter;
}

function sumOf(answers: readonly unknown[]): number {
  return answers.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
}
