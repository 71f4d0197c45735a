import type { ClientConnection } from '../../session/client-connection.js';
import { MONITORS, NO_EVICT, NO_TOUCH } from '../../session/modes.js';

/** What is said of a client's transaction. */
export interface TransactionFigures {
  /** Commands that are queued; -1: the client is in no transaction. */
  readonly queued: number;
  /** What they take, about. */
  readonly bytes: number;
  /** Keys that it watches have changed hands. */
  readonly isBroken: boolean;
}

/** What features know of a client, for CLIENT LIST. */
export interface ClientFacts {
  /** Whether the client is subscribed to something. */
  isSubscribed(client: ClientConnection): boolean;
  subscriptions(client: ClientConnection): readonly [channels: number, patterns: number, shards: number];
  transaction(client: ClientConnection): TransactionFigures;
  /** How it is told of changes of keys; null: it is not. */
  tracking(client: ClientConnection): { readonly isBroken: boolean; readonly bcast: boolean } | null;
  /** The id of the client that is told instead; 0: none is, -1: the client does not track. */
  redirect(client: ClientConnection): number;
}

/**
 * A line of CLIENT LIST, without its line break. Fields stand in Redis' order; of buffers that the proxy does not have
 * for each client it says 0.
 * @param commandBytes length of the command that the client has sent just now
 */
export function describeClient(facts: ClientFacts, client: ClientConnection, commandBytes = 0): string {
  const seconds = (since: number): number => Math.max(0, Math.floor(since / 1000));
  const queryBytes = client.queryBytes + commandBytes;
  const output = client.outlet.pending;
  const [channels, patterns, shards] = facts.subscriptions(client);
  const transaction = facts.transaction(client);
  return [
    `id=${client.id}`,
    `addr=${client.address}`,
    `laddr=${client.localAddress}`,
    'fd=-1',
    `name=${client.name}`,
    `age=${seconds(Date.now() - client.connectedAt)}`,
    `idle=${seconds(performance.now() - client.lastActiveAt)}`,
    `flags=${flagsOf(facts, client)}`,
    `db=${client.kind.database}`,
    `sub=${channels} psub=${patterns} ssub=${shards}`,
    `multi=${transaction.queued}`,
    `qbuf=${queryBytes} qbuf-free=0`,
    `argv-mem=${commandBytes} multi-mem=${transaction.bytes}`,
    'rbs=0 rbp=0',
    `obl=${output} oll=0 omem=${output}`,
    `tot-mem=${queryBytes + output + transaction.bytes}`,
    'events=r',
    `cmd=${client.lastCommand?.name ?? 'NULL'}`,
    `user=${client.user.name} redir=${facts.redirect(client)}`,
    `resp=${client.kind.protocol}`,
    `lib-name=${client.identity.libraryName}`,
    `lib-ver=${client.identity.libraryVersion}`,
    `pending=${client.pending}`,
  ].join(' ');
}

/** As in Redis, each of what the client is or does by a letter. */
function flagsOf(facts: ClientFacts, client: ClientConnection): string {
  const tracking = facts.tracking(client);
  const transaction = facts.transaction(client);
  const flags = [
    client.isIn(MONITORS) ? 'O' : '',
    facts.isSubscribed(client) ? 'P' : '',
    transaction.queued < 0 ? '' : 'x',
    client.blocked === null ? '' : 'b',
    tracking === null ? '' : 't',
    tracking?.isBroken === true ? 'R' : '',
    tracking?.bcast === true ? 'B' : '',
    transaction.isBroken ? 'd' : '',
    client.address === 'unix' ? 'U' : '',
    client.isIn(NO_EVICT) ? 'e' : '',
    client.isIn(NO_TOUCH) ? 'T' : '',
  ].join('');
  return flags === '' ? 'N' : flags;
}
