/** PING, ECHO, QUIT, SELECT, HELLO, AUTH, RESET. */
import * as encode from '../../../resp/encode.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { isValidName } from '../../session/client-identity.js';
import { TOO_MANY_OF_USER } from '../../session/limits/client-limits.js';
import { NO_EVICT, NO_TOUCH } from '../../session/modes.js';
import { answer, answerError, argumentBytes, argumentTexts } from '../../session/words.js';
import type { Users } from '../../users/users.js';
import type { LocalCommand, LocalCommands } from '../local-command.js';

/** What the commands on the connection work with. */
export interface ConnectionPorts {
  readonly router: Router;
  /** The version of Redis that clients are told, that of the nodes. */
  readonly redisVersion: () => string;
  /** Whether the client is subscribed to something. */
  readonly isSubscribed: (client: ClientConnection) => boolean;
  readonly users: Users;
  /** Logs the client in. @returns the error that it is answered; null: it has become the user; LATER: it waits */
  readonly logIn: (client: ClientConnection, name: string, password: Uint8Array) => string | null | typeof LATER;
  /** Ends all that the client has entered: a transaction, subscriptions, tracking, MONITOR. */
  readonly leaveAll: (client: ClientConnection) => void;
}

const PONG = Buffer.from('+PONG\r\n');
/** A number as Redis reads it: no plus sign, no leading zeros. */
const INTEGER = /^(?:0|-?[1-9]\d{0,9})$/;
const MOST = 2 ** 31 - 1;
const LONG_MOST = 2n ** 63n - 1n;
const OK = Buffer.from('+OK\r\n');

const ping =
  ({ router, isSubscribed }: ConnectionPorts): LocalCommand =>
  (client, command, framer) => {
    // As the node says itself that answers what has no keys.
    const busy = router.nodes[router.anyNode()]?.busy.reply ?? null;
    if (busy !== null) return router.refuse(client, command, busy);
    if (framer.argc <= 2 && client.kind.protocol === 2 && isSubscribed(client)) {
      const message = argumentBytes(framer)[1] ?? '';
      return answer(client, command, encode.array([encode.bulk('pong'), encode.bulk(message)]));
    }
    if (framer.argc === 1) {
      client.reply(command.id, PONG);
      return TAKEN;
    }
    if (framer.argc > 2) return answerError(client, command, "ERR wrong number of arguments for 'ping' command");
    return answer(client, command, encode.bulk(argumentBytes(framer)[1] ?? ''));
  };

const echo: LocalCommand = (client, command, framer) =>
  answer(client, command, encode.bulk(argumentBytes(framer)[1] ?? ''));

const quit: LocalCommand = (client, command) => {
  client.reply(command.id, OK);
  client.endAfterReplies();
  return TAKEN;
};

const select =
  ({ router }: ConnectionPorts): LocalCommand =>
  (client, command, framer) => {
    if (client.pending > 0) return waitForReplies(client);
    const text = argumentTexts(framer)[1] ?? '';
    if (!isLong(text)) return answerError(client, command, 'ERR value is not an integer or out of range');
    const database = Number(text);
    if (database < -MOST - 1 || database > MOST) {
      return answerError(client, command, `ERR value is out of range, value must between ${-MOST - 1} and ${MOST}`);
    }
    if (database < 0 || database >= router.shared.options.databases) {
      return answerError(client, command, 'ERR DB index is out of range');
    }
    client.lanes.changeKind(client.kind.protocol, database);
    client.reply(command.id, OK);
    return TAKEN;
  };

/** Whether Redis reads the text as an integer of 64 bits. */
function isLong(text: string): boolean {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return false;
  const value = BigInt(text);
  return value <= LONG_MOST && value >= -LONG_MOST - 1n;
}

const auth =
  ({ users, logIn }: ConnectionPorts): LocalCommand =>
  (client, command, framer) => {
    const words = argumentBytes(framer);
    if (words.length > 3) return answerError(client, command, 'ERR syntax error');
    const user = words.length === 3 ? String(words[1]) : 'default';
    if (words.length === 2 && users.default.needsNoPassword) {
      return answerError(
        client,
        command,
        'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
      );
    }
    const failure = logIn(client, user, words.at(-1) ?? Buffer.alloc(0));
    if (failure === LATER) return LATER;
    if (failure !== null) return answerError(client, command, failure);
    client.reply(command.id, OK);
    return TAKEN;
  };

const hello =
  ({ router, redisVersion, logIn }: ConnectionPorts): LocalCommand =>
  (client, command, framer) => {
    if (client.pending > 0) return waitForReplies(client);
    const words = argumentTexts(framer);
    const bytes = argumentBytes(framer);
    let protocol = client.kind.protocol;
    if (words.length > 1) {
      if (!INTEGER.test(words[1] ?? '')) {
        return answerError(client, command, 'ERR Protocol version is not an integer or out of range');
      }
      const wanted = Number(words[1]);
      if (wanted !== 2 && wanted !== 3) return answerError(client, command, 'NOPROTO unsupported protocol version');
      protocol = wanted;
    }
    let name: string | null = null;
    let credentials: { user: string; password: Buffer } | null = null;
    for (let i = 2; i < words.length; i++) {
      const option = (words[i] ?? '').toUpperCase();
      if (option === 'AUTH' && i + 2 < words.length) {
        credentials = { user: words[i + 1] ?? '', password: bytes[i + 2] ?? Buffer.alloc(0) };
        i += 2;
      } else if (option === 'SETNAME' && i + 1 < words.length) {
        name = words[i + 1] ?? '';
        i += 1;
        if (!isValidName(name)) {
          return answerError(
            client,
            command,
            'ERR Client names cannot contain spaces, newlines or special characters.',
          );
        }
      } else {
        return answerError(client, command, `ERR Syntax error in HELLO option '${words[i]}'`);
      }
    }
    if (credentials !== null) {
      const failure = logIn(client, credentials.user, credentials.password);
      if (failure === LATER) return LATER;
      if (failure !== null) return answerError(client, command, failure);
    }
    if (!client.authenticated) {
      return answerError(
        client,
        command,
        'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
      );
    }
    if (name !== null) client.identity.nameItself(name);
    client.lanes.changeKind(protocol, client.kind.database);
    return answer(
      client,
      command,
      encode.map(
        [
          [encode.bulk('server'), encode.bulk('redis')],
          [encode.bulk('version'), encode.bulk(redisVersion())],
          [encode.bulk('proto'), encode.integer(protocol)],
          [encode.bulk('id'), encode.integer(client.id)],
          [encode.bulk('mode'), encode.bulk(router.shared.options.clusterMode ? 'cluster' : 'standalone')],
          [encode.bulk('role'), encode.bulk('master')],
          [encode.bulk('modules'), encode.array([])],
        ],
        protocol,
      ),
    );
  };

const reset =
  ({ router, users, leaveAll }: ConnectionPorts): LocalCommand =>
  (client, command) => {
    if (client.pending > 0) return waitForReplies(client);
    const { limits } = router.shared;
    if (users.areOpen) {
      // It is the user `default` again, which may have as many clients as it may.
      const admission = limits.admit(client, users.default.name);
      if (admission === 'asked') return LATER;
      if (admission === 'full') {
        client.turnAway(TOO_MANY_OF_USER);
        return TAKEN;
      }
    } else limits.leaveUser(client);
    leaveAll(client);
    client.lanes.changeKind(2, 0);
    client.identity.nameItself('');
    client.replyMode.on();
    client.leave(NO_EVICT);
    client.leave(NO_TOUCH);
    client.logOut();
    return answer(client, command, encode.simpleString('RESET'));
  };

export function connectionCommands(ports: ConnectionPorts) {
  return {
    ping: ping(ports),
    echo,
    quit,
    select: select(ports),
    auth: auth(ports),
    hello: hello(ports),
    reset: reset(ports),
  } as const satisfies LocalCommands;
}

/** What follows goes by other lanes: it must not overtake what is in flight. The frame comes again then. */
function waitForReplies(client: ClientConnection): typeof LATER {
  client.raiseBarrier();
  return LATER;
}
