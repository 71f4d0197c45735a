/** Which clients CLIENT LIST and CLIENT KILL mean, as plain data: it is asked of other processes as well. */

import type { ClientFilter, ClientType } from '../../peers/clients.js';
import type { ClientConnection } from '../../session/client-connection.js';

/** @param isSubscribed whether the client is subscribed to something */
export function matches(client: ClientConnection, filter: ClientFilter, isSubscribed: boolean): boolean {
  const { ids, address, localAddress, type, user, except } = filter;
  return (
    (ids === undefined || ids.includes(client.id)) &&
    (address === undefined || client.address === address) &&
    (localAddress === undefined || client.localAddress === localAddress) &&
    (type === undefined || type === (isSubscribed ? 'pubsub' : 'normal')) &&
    (user === undefined || client.user.name === user) &&
    client.id !== except
  );
}

/** @returns null when there is no such type */
export function parseClientType(word: string): ClientType | null {
  const type = word.toLowerCase();
  if (type === 'slave') return 'replica';
  return type === 'normal' || type === 'pubsub' || type === 'master' || type === 'replica' ? type : null;
}

/** The id of a client, or NaN. */
export function parseClientId(word: string): number {
  return /^[1-9]\d{0,15}$/.test(word) ? Number(word) : Number.NaN;
}
