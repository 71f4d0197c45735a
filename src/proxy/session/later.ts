import type { Command } from '../../commands/command.js';
import type { Dispatcher } from '../dispatcher.js';
import { type ClientConnection, TAKEN } from './client-connection.js';

/** Answers the command at hand, in its turn, with what `encode` makes of `work`'s result. `work` must not reject. */
export function answerLater<Result>(
  dispatcher: Dispatcher,
  client: ClientConnection,
  command: Command,
  work: Promise<Result>,
  encode: (result: Result) => Buffer,
): typeof TAKEN {
  const { requests } = dispatcher.context.shared;
  const request = requests.take();
  request.command = command.id;
  client.enqueue(request);
  void work.then((result) => {
    const reply = encode(result);
    if (request.client === null) requests.give(request);
    else request.client.onReply(request, reply, 0, reply.length);
  });
  return TAKEN;
}
