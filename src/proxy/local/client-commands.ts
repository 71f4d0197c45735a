/** CLIENT and its subcommands, as far as they concern the client's connection to the proxy. */
import * as encode from '../../resp/encode.js';
import { type ClientConnection, TAKEN } from '../client/client-connection.js';
import { isSubscribed } from '../pubsub/commands.js';
import { redirectOf } from '../tracking/commands.js';
import type { LocalCommand } from './index.js';
import { answer, answerError, argumentTexts } from './words.js';

const OK = Buffer.from('+OK\r\n');
const SYNTAX = 'ERR syntax error';

/** Client names must not break the lines of CLIENT LIST. */
export function isValidName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

const id: LocalCommand = (client, command) => answer(client, command, encode.integer(client.id));

const getName: LocalCommand = (client, command) =>
  answer(client, command, client.name === '' ? encode.nullBulk(client.kind.protocol) : encode.bulk(client.name));

const setName: LocalCommand = (client, command, framer) => {
  const name = argumentTexts(framer)[2] ?? '';
  if (!isValidName(name)) {
    return answerError(client, command, 'ERR Client names cannot contain spaces, newlines or special characters.');
  }
  client.name = name;
  return answer(client, command, OK);
};

const setInfo: LocalCommand = (client, command, framer) => {
  const [, , field = '', value = ''] = argumentTexts(framer);
  const known = field.toLowerCase();
  if (known !== 'lib-name' && known !== 'lib-ver') {
    return answerError(client, command, `ERR Unrecognized option '${field}'`);
  }
  if (!isValidName(value)) {
    return answerError(client, command, `ERR ${known} cannot contain spaces, newlines or special characters.`);
  }
  if (known === 'lib-name') client.libraryName = value;
  else client.libraryVersion = value;
  return answer(client, command, OK);
};

const info: LocalCommand = (client, command) =>
  answer(client, command, encode.verbatim(`${describeClient(client)}\n`, client.kind.protocol));

const list: LocalCommand = (client, command, framer, dispatcher) => {
  const words = argumentTexts(framer);
  const all = [...dispatcher.context.shared.clients].sort((a, b) => a.id - b.id);
  let chosen = all;
  const option = words[2]?.toLowerCase();
  if (option === 'type' && words.length === 4) {
    const type = words[3]?.toLowerCase();
    if (type !== 'normal' && type !== 'master' && type !== 'replica' && type !== 'slave' && type !== 'pubsub') {
      return answerError(client, command, `ERR Unknown client type '${words[3]}'`);
    }
    chosen = type === 'normal' ? all : [];
  } else if (option === 'id' && words.length > 3) {
    const ids: number[] = [];
    for (const word of words.slice(3)) {
      if (!/^[1-9]\d{0,15}$/.test(word)) return answerError(client, command, 'ERR Invalid client ID');
      ids.push(Number(word));
    }
    chosen = all.filter((candidate) => ids.includes(candidate.id));
  } else if (words.length > 2) {
    return answerError(client, command, SYNTAX);
  }
  const text = chosen.map((candidate) => `${describeClient(candidate)}\n`).join('');
  return answer(client, command, encode.verbatim(text, client.kind.protocol));
};

interface KillFilter {
  matches: (candidate: ClientConnection) => boolean;
  skipSelf: boolean;
}

const kill: LocalCommand = (client, command, framer, dispatcher) => {
  const words = argumentTexts(framer).slice(2);
  const clients = [...dispatcher.context.shared.clients];
  if (words.length === 1) {
    const victim = clients.find((candidate) => candidate.address === words[0]);
    if (victim === undefined) return answerError(client, command, 'ERR No such client');
    endClient(victim, client);
    return answer(client, command, OK);
  }
  const filter = parseKillFilter(words);
  if (typeof filter === 'string') return answerError(client, command, filter);
  const victims = clients.filter(
    (candidate) => filter.matches(candidate) && !(filter.skipSelf && candidate === client),
  );
  client.reply(command.id, encode.integer(victims.length));
  for (const victim of victims) endClient(victim, client);
  return TAKEN;
};

/** The client that asked is told first, as Redis does it. */
function endClient(victim: ClientConnection, asker: ClientConnection): void {
  if (victim === asker) asker.endAfterReplies();
  else victim.close('killed by CLIENT KILL');
}

function parseKillFilter(words: readonly string[]): KillFilter | string {
  const tests: ((candidate: ClientConnection) => boolean)[] = [];
  let skipSelf = true;
  if (words.length === 0 || words.length % 2 !== 0) return SYNTAX;
  for (let i = 0; i < words.length; i += 2) {
    const value = words[i + 1] ?? '';
    switch (words[i]?.toLowerCase()) {
      case 'id':
        if (!/^[1-9]\d{0,15}$/.test(value)) return 'ERR client-id should be greater than 0';
        tests.push((candidate) => candidate.id === Number(value));
        break;
      case 'addr':
        tests.push((candidate) => candidate.address === value);
        break;
      case 'laddr':
        tests.push((candidate) => candidate.localAddress === value);
        break;
      case 'user':
        if (value !== 'default') return `ERR No such user '${value}'`;
        break;
      case 'type':
        if (!['normal', 'master', 'replica', 'slave', 'pubsub'].includes(value.toLowerCase())) {
          return `ERR Unknown client type '${value}'`;
        }
        tests.push(() => value.toLowerCase() === 'normal');
        break;
      case 'skipme':
        if (!/^(yes|no)$/i.test(value)) return SYNTAX;
        skipSelf = value.toLowerCase() === 'yes';
        break;
      default:
        return SYNTAX;
    }
  }
  return { matches: (candidate) => tests.every((test) => test(candidate)), skipSelf };
}

const reply: LocalCommand = (client, command, framer) => {
  switch (argumentTexts(framer)[2]?.toLowerCase()) {
    case 'on':
      client.repliesOff = false;
      client.skipReply = false;
      return answer(client, command, OK);
    case 'off':
      client.repliesOff = true;
      return TAKEN;
    case 'skip':
      if (!client.repliesOff) client.skipReply = true;
      return TAKEN;
    default:
      return answerError(client, command, SYNTAX);
  }
};

/** An option that is switched on or off and changes nothing but what CLIENT LIST says. */
function flag(set: (client: ClientConnection, on: boolean) => void): LocalCommand {
  return (client, command, framer) => {
    const word = argumentTexts(framer)[2]?.toLowerCase();
    if (word !== 'on' && word !== 'off') return answerError(client, command, SYNTAX);
    set(client, word === 'on');
    return answer(client, command, OK);
  };
}

export const clientCommands: Readonly<Record<string, LocalCommand>> = {
  'client|id': id,
  'client|getname': getName,
  'client|setname': setName,
  'client|setinfo': setInfo,
  'client|info': info,
  'client|list': list,
  'client|kill': kill,
  'client|reply': reply,
  'client|no-evict': flag((client, on) => {
    client.noEvict = on;
  }),
  'client|no-touch': flag((client, on) => {
    client.noTouch = on;
  }),
};

/** As in Redis, each of what the client is or does by a letter. */
function flagsOf(client: ClientConnection): string {
  const { tracking } = client;
  const flags = [
    isSubscribed(client) ? 'P' : '',
    client.transaction === null ? '' : 'x',
    client.blocked === null ? '' : 'b',
    tracking === null ? '' : 't',
    tracking?.redirectIsBroken === true ? 'R' : '',
    tracking?.options.bcast === true ? 'B' : '',
    client.watch?.broken === true ? 'd' : '',
    client.address === 'unix' ? 'U' : '',
    client.noEvict ? 'e' : '',
    client.noTouch ? 'T' : '',
  ].join('');
  return flags === '' ? 'N' : flags;
}

/** A line of CLIENT LIST. */
function describeClient(client: ClientConnection): string {
  const seconds = (since: number): number => Math.max(0, Math.floor(since / 1000));
  const [channels, patterns, shards] = client.subscriptions?.topics ?? [];
  return [
    `id=${client.id}`,
    `addr=${client.address}`,
    `laddr=${client.localAddress}`,
    'fd=-1',
    `name=${client.name}`,
    `age=${seconds(Date.now() - client.connectedAt)}`,
    `idle=${seconds(performance.now() - client.lastActiveAt)}`,
    `flags=${flagsOf(client)}`,
    `db=${client.kind.database}`,
    `sub=${channels?.size ?? 0} psub=${patterns?.size ?? 0} ssub=${shards?.size ?? 0} multi=${client.transaction?.frames.length ?? -1}`,
    `qbuf=${client.queryBytes}`,
    `obl=${client.outlet.pending}`,
    `pending=${client.pending}`,
    `cmd=${client.lastCommand?.name ?? 'NULL'}`,
    `user=default redir=${redirectOf(client)}`,
    `resp=${client.kind.protocol}`,
    `lib-name=${client.libraryName}`,
    `lib-ver=${client.libraryVersion}`,
  ].join(' ');
}
