import type { Command } from '../../commands/command.js';
import { TAKEN } from '../request/verdict.js';
import type { ClientConnection } from './client-connection.js';

/** Answers the command at hand, in its turn, with what `encode` makes of `work`'s result. `work` must not reject. */
export function answerLater<Result>(
  client: ClientConnection,
  command: Command,
  work: Promise<Result>,
  encode: (result: Result) => Buffer,
): typeof TAKEN {
  const request = client.begin(command.id);
  void work.then((result) => {
    const reply = encode(result);
    request.sink.onReply(request, reply, 0, reply.length);
  });
  return TAKEN;
}
