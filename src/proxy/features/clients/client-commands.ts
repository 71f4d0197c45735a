/** CLIENT and its subcommands, as far as they concern the client's connection to the proxy. */
import * as encode from '../../../resp/encode.js';
import { TAKEN } from '../../request/verdict.js';
import { isValidName } from '../../session/client-identity.js';
import { type Mode, NO_EVICT, NO_TOUCH } from '../../session/modes.js';
import { answer, answerError, argumentTexts } from '../../session/words.js';
import type { LocalCommand, LocalCommands } from '../local-command.js';
import { describeClient } from './describe.js';
import { type ClientPorts, kill, list } from './list-kill.js';
import { type Pause, pause, unpause } from './pause.js';

const OK = Buffer.from('+OK\r\n');
const SYNTAX = 'ERR syntax error';

const id: LocalCommand = (client, command) => answer(client, command, encode.integer(client.id));

const getName: LocalCommand = (client, command) =>
  answer(client, command, client.name === '' ? encode.nullBulk(client.kind.protocol) : encode.bulk(client.name));

const setName: LocalCommand = (client, command, framer) => {
  const name = argumentTexts(framer)[2] ?? '';
  if (!isValidName(name)) {
    return answerError(client, command, 'ERR Client names cannot contain spaces, newlines or special characters.');
  }
  client.identity.nameItself(name);
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
  client.identity.describeLibrary(known, value);
  return answer(client, command, OK);
};

const info =
  ({ facts }: ClientPorts): LocalCommand =>
  (client, command, framer) => {
    const line = describeClient(facts, client, framer.frameEnd - framer.frameStart);
    return answer(client, command, encode.verbatim(`${line}\n`, client.kind.protocol));
  };

const reply: LocalCommand = (client, command, framer) => {
  switch (argumentTexts(framer)[2]?.toLowerCase()) {
    case 'on':
      client.replyMode.on();
      return answer(client, command, OK);
    case 'off':
      client.replyMode.off();
      return TAKEN;
    case 'skip':
      client.replyMode.skip();
      return TAKEN;
    default:
      return answerError(client, command, SYNTAX);
  }
};

/** An option that is switched on or off and changes nothing but what CLIENT LIST says. */
function flag(mode: Mode): LocalCommand {
  return (client, command, framer) => {
    const word = argumentTexts(framer)[2]?.toLowerCase();
    if (word !== 'on' && word !== 'off') return answerError(client, command, SYNTAX);
    if (word === 'on') client.enter(mode);
    else client.leave(mode);
    return answer(client, command, OK);
  };
}

export function clientCommands(ports: ClientPorts, pauses: Pause) {
  return {
    'client|id': id,
    'client|getname': getName,
    'client|setname': setName,
    'client|setinfo': setInfo,
    'client|info': info(ports),
    'client|list': list(ports),
    'client|kill': kill(ports),
    'client|pause': pause(pauses, ports.peers),
    'client|unpause': unpause(pauses, ports.peers),
    'client|reply': reply,
    'client|no-evict': flag(NO_EVICT),
    'client|no-touch': flag(NO_TOUCH),
  } as const satisfies LocalCommands;
}
