/** What the proxy says of itself as a server: its users, its role, its settings as far as they are harmless. */
import { createHash } from 'node:crypto';
import { decodeReply, type ReplyValue } from '../../resp/decode.js';
import * as encode from '../../resp/encode.js';
import { LATER, TAKEN } from '../client/client-connection.js';
import type { Dispatcher } from '../plan/dispatcher.js';
import type { ReplySink, Request } from '../request.js';
import type { LocalCommand } from './index.js';
import { answer, answerError, argumentTexts } from './words.js';

const NOT_READY = encode.error('NODEDOWN the ring has no nodes yet');
const USER = 'default';

/** As Redis shows a password: its SHA-256. */
function passwordsOf(dispatcher: Dispatcher): string[] {
  const { password } = dispatcher.context.shared.options;
  return password === '' ? [] : [createHash('sha256').update(password).digest('hex')];
}

const whoAmI: LocalCommand = (client, command) => answer(client, command, encode.bulk(USER));

const users: LocalCommand = (client, command) => answer(client, command, encode.array([encode.bulk(USER)]));

const list: LocalCommand = (client, command, _framer, dispatcher) => {
  const [digest] = passwordsOf(dispatcher);
  const line = `user ${USER} on ${digest === undefined ? 'nopass' : `#${digest}`} ~* &* +@all`;
  return answer(client, command, encode.array([encode.bulk(line)]));
};

const getUser: LocalCommand = (client, command, framer, dispatcher) => {
  const { protocol } = client.kind;
  if (argumentTexts(framer)[2] !== USER) return answer(client, command, encode.nullBulk(protocol));
  const passwords = passwordsOf(dispatcher);
  const flags = passwords.length === 0 ? ['on', 'nopass'] : ['on'];
  const texts = (words: readonly string[]): Buffer[] => words.map((word) => encode.bulk(word));
  return answer(
    client,
    command,
    encode.map(
      [
        [encode.bulk('flags'), encode.set(texts(flags), protocol)],
        [encode.bulk('passwords'), encode.array(texts(passwords))],
        [encode.bulk('commands'), encode.bulk('+@all')],
        [encode.bulk('keys'), encode.bulk('~*')],
        [encode.bulk('channels'), encode.bulk('&*')],
        [encode.bulk('selectors'), encode.EMPTY_ARRAY],
      ],
      protocol,
    ),
  );
};

/** The one user may do everything that there is. */
const dryRun: LocalCommand = (client, command, framer, dispatcher) => {
  const [, , user = '', name = ''] = argumentTexts(framer);
  if (user !== USER) return answerError(client, command, `ERR User '${user}' not found`);
  const row = dispatcher.table.get(name.toLowerCase());
  if (row === undefined) return answerError(client, command, `ERR Command '${name}' not found`);
  const given = framer.argc - 3;
  if (row.arity >= 0 ? given !== row.arity : given < -row.arity) {
    return answerError(client, command, `ERR wrong number of arguments for '${row.name}' command`);
  }
  return answer(client, command, encode.OK);
};

/** The proxy is the master, and has no replicas. */
const role: LocalCommand = (client, command) =>
  answer(client, command, encode.array([encode.bulk('master'), encode.integer(0), encode.EMPTY_ARRAY]));

/** The nodes' secrets are not the clients'. */
const SECRETS: ReadonlySet<string> = new Set([
  ...['requirepass', 'masterauth', 'masteruser', 'tls-key-file-pass', 'tls-client-key-file-pass'],
]);

/** CONFIG GET shows the settings of one node, without its secrets. */
const configGet: LocalCommand = (client, command, framer, dispatcher) => {
  if (dispatcher.snapshot === null) return dispatcher.refuse(client, command, NOT_READY);
  if (!dispatcher.bind(client)) return LATER;
  const index = dispatcher.anyNode();
  const lane = dispatcher.laneFor(client, index);
  if (lane === null) return dispatcher.refuse(client, command, dispatcher.nodeAt(index).downReply);
  if (lane.full) {
    client.waitFor(lane);
    return LATER;
  }
  dispatcher.sendOn(client, command, lane, framer.source as Buffer, framer).sink = new WithoutSecrets();
  return TAKEN;
};

class WithoutSecrets implements ReplySink {
  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    const { client } = request;
    const value = decodeReply(buffer.subarray(start, end))?.value ?? null;
    const pairs = value instanceof Map ? [...value] : Array.isArray(value) ? pairsOf(value) : null;
    if (client === null || pairs === null) {
      this.#pass(request, buffer, start, end);
      return;
    }
    const shown = encode.map(
      pairs.map(([name, setting]) => [
        encode.bulk(bytesOf(name)),
        encode.bulk(SECRETS.has(String(name)) ? '' : bytesOf(setting)),
      ]),
      client.kind.protocol,
    );
    this.#pass(request, shown, 0, shown.length);
  }

  onFailure(request: Request, reply: Buffer): void {
    this.#pass(request, reply, 0, reply.length);
  }

  #pass(request: Request, buffer: Buffer, start: number, end: number): void {
    request.sink = null;
    const { client, lane } = request;
    if (client === null) lane?.node.shared.requests.give(request);
    else client.onReply(request, buffer, start, end);
  }
}

function pairsOf(flat: readonly ReplyValue[]): [ReplyValue, ReplyValue][] {
  const pairs: [ReplyValue, ReplyValue][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.push([flat[i] ?? null, flat[i + 1] ?? null]);
  return pairs;
}

function bytesOf(value: ReplyValue): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(String(value));
}

export const serverCommands: Readonly<Record<string, LocalCommand>> = {
  'acl|whoami': whoAmI,
  'acl|users': users,
  'acl|list': list,
  'acl|getuser': getUser,
  'acl|dryrun': dryRun,
  role,
  'config|get': configGet,
};
