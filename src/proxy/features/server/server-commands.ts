/** What the proxy says of itself as a server: its users, its role. */
import { createHash } from 'node:crypto';
import * as encode from '../../../resp/encode.js';
import type { Router } from '../../route/router.js';
import { answer, answerError, argumentTexts } from '../../session/words.js';
import type { LocalCommand, LocalCommands } from '../local-command.js';
import { configGet } from './config-command.js';

const USER = 'default';

/** As Redis shows a password: its SHA-256. */
function passwordsOf(router: Router): string[] {
  const { password } = router.shared.options;
  return password === '' ? [] : [createHash('sha256').update(password).digest('hex')];
}

const whoAmI: LocalCommand = (client, command) => answer(client, command, encode.bulk(USER));

const users: LocalCommand = (client, command) => answer(client, command, encode.array([encode.bulk(USER)]));

const list =
  (router: Router): LocalCommand =>
  (client, command) => {
    const [digest] = passwordsOf(router);
    const line = `user ${USER} on ${digest === undefined ? 'nopass' : `#${digest}`} ~* &* +@all`;
    return answer(client, command, encode.array([encode.bulk(line)]));
  };

const getUser =
  (router: Router): LocalCommand =>
  (client, command, framer) => {
    const { protocol } = client.kind;
    if (argumentTexts(framer)[2] !== USER) return answer(client, command, encode.nullBulk(protocol));
    const passwords = passwordsOf(router);
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
const dryRun =
  (router: Router): LocalCommand =>
  (client, command, framer) => {
    const [, , user = '', name = ''] = argumentTexts(framer);
    if (user !== USER) return answerError(client, command, `ERR User '${user}' not found`);
    const row = router.table.get(name.toLowerCase());
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

export function serverCommands(router: Router) {
  return {
    'acl|whoami': whoAmI,
    'acl|users': users,
    'acl|list': list(router),
    'acl|getuser': getUser(router),
    'acl|dryrun': dryRun(router),
    'config|get': configGet(router),
    role,
  } as const satisfies LocalCommands;
}
