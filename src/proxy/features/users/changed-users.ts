/** Users have become others: each client goes on with its user's rights of now, or is ended. */
import { reachesChannel } from '../../../commands/rights/check.js';
import type { User } from '../../../commands/rights/user.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { MONITORS } from '../../session/modes.js';
import type { Users } from '../../users/users.js';

export interface ChangedUsersPorts {
  readonly users: Users;
  /** Names of what the client is subscribed to, or about to be, with whether it is a pattern. */
  readonly topicsOf: (client: ClientConnection) => readonly { readonly name: Buffer; readonly isPattern: boolean }[];
}

const GONE = 'its user is gone or off, or its password was taken away';
const LESS = 'its user may not hear, or wait for, what it does any more';

export function onUsersChanged(ports: ChangedUsersPorts, clients: Iterable<ClientConnection>): void {
  for (const client of [...clients]) {
    if (!client.authenticated) {
      // It may do something now, if that needs no password any more.
      client.logOut();
      continue;
    }
    const before = client.user;
    const user = ports.users.renew(before, client.credential);
    if (user === undefined) {
      client.close(GONE);
      continue;
    }
    client.becomeUser(user);
    if (user.rules !== before.rules && !user.isAll && goesBeyond(ports, client, user)) client.close(LESS);
  }
}

/** Whether it has entered what goes on by itself, and is not known to be allowed. */
function goesBeyond({ topicsOf }: ChangedUsersPorts, client: ClientConnection, user: User): boolean {
  if (client.blocked !== null) return true;
  if (client.isIn(MONITORS) && !user.selectors.some((selector) => selector.allows('monitor'))) return true;
  return topicsOf(client).some(
    ({ name, isPattern }) => !user.selectors.some((selector) => reachesChannel(selector, name, isPattern)),
  );
}
