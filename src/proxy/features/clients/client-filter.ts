/** Which clients CLIENT LIST and CLIENT KILL mean, as plain data: it is asked of other processes as well. */
import type { ClientConnection } from '../../session/client-connection.js';
import { isSubscribed } from '../pubsub/commands.js';

export type ClientType = 'normal' | 'pubsub' | 'master' | 'replica';

/** Every field that is there must fit. */
export interface ClientFilter {
  readonly ids?: readonly number[];
  readonly address?: string;
  readonly localAddress?: string;
  readonly type?: ClientType;
  /** This one is not meant. */
  readonly except?: number;
}

/** A client as CLIENT LIST has it. */
export interface ClientLine {
  readonly id: number;
  readonly text: string;
}

export function matches(client: ClientConnection, filter: ClientFilter): boolean {
  const { ids, address, localAddress, type, except } = filter;
  return (
    (ids === undefined || ids.includes(client.id)) &&
    (address === undefined || client.address === address) &&
    (localAddress === undefined || client.localAddress === localAddress) &&
    (type === undefined || type === (isSubscribed(client) ? 'pubsub' : 'normal')) &&
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
