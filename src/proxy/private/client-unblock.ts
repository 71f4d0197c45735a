/** CLIENT UNBLOCK: ends the wait of another client's command. */
import { integer } from '../../resp/encode.js';
import { parseStrictInteger } from '../../resp/integer.js';
import { args } from '../../resp/request-framer.js';
import { TAKEN } from '../client/client-connection.js';
import type { LocalCommand } from '../local/index.js';
import { answer, answerError, argumentTexts } from '../local/words.js';
import { unblockFor } from './unblock.js';

export const clientUnblock: LocalCommand = (client, command, framer, dispatcher) => {
  const word = argumentTexts(framer)[3]?.toUpperCase() ?? 'TIMEOUT';
  if (framer.argc > 4 || (word !== 'TIMEOUT' && word !== 'ERROR')) {
    return answerError(client, command, 'ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
  }
  const id = parseStrictInteger(framer.source, args.start[2] as number, args.end[2] as number);
  if (Number.isNaN(id)) return answerError(client, command, 'ERR value is not an integer or out of range');
  const { shared } = dispatcher.context;
  let found = null;
  for (const candidate of shared.clients) if (candidate.id === id) found = candidate.blocked;
  if (found === null) return answer(client, command, integer(0));
  const lane = found.endWait(word);
  if (lane === null) return answer(client, command, integer(1));
  // The node knows whether the command waits still: its answer is the answer.
  if (!unblockFor(client, command, lane, word)) return answer(client, command, integer(0));
  return TAKEN;
};
