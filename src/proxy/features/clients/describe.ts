import type { ClientConnection } from '../../session/client-connection.js';
import { isSubscribed } from '../pubsub/commands.js';
import { redirectOf } from '../tracking/commands.js';

/** What is said of a client's transaction. */
export interface TransactionFigures {
  /** Commands that are queued; -1: the client is in no transaction. */
  readonly queued: number;
  /** What they take, about. */
  readonly bytes: number;
  /** Keys that it watches have changed hands. */
  readonly isBroken: boolean;
}

/** Tells the figures of a client. */
export type TellTransaction = (client: ClientConnection) => TransactionFigures;

/**
 * A line of CLIENT LIST, without its line break. Fields stand in Redis' order; of buffers that the proxy does not have
 * for each client it says 0.
 * @param commandBytes length of the command that the client has sent just now
 */
export function describeClient(client: ClientConnection, transaction: TransactionFigures, commandBytes = 0): string {
  const seconds = (since: number): number => Math.max(0, Math.floor(since / 1000));
  const queryBytes = client.queryBytes + commandBytes;
  const output = client.outlet.pending;
  const [channels, patterns, shards] = client.subscriptions?.topics ?? [];
  return [
    `id=${client.id}`,
    `addr=${client.address}`,
    `laddr=${client.localAddress}`,
    'fd=-1',
    `name=${client.name}`,
    `age=${seconds(Date.now() - client.connectedAt)}`,
    `idle=${seconds(performance.now() - client.lastActiveAt)}`,
    `flags=${flagsOf(client, transaction)}`,
    `db=${client.kind.database}`,
    `sub=${channels?.size ?? 0} psub=${patterns?.size ?? 0} ssub=${shards?.size ?? 0}`,
    `multi=${transaction.queued}`,
    `qbuf=${queryBytes} qbuf-free=0`,
    `argv-mem=${commandBytes} multi-mem=${transaction.bytes}`,
    'rbs=0 rbp=0',
    `obl=${output} oll=0 omem=${output}`,
    `tot-mem=${queryBytes + output + transaction.bytes}`,
    'events=r',
    `cmd=${client.lastCommand?.name ?? 'NULL'}`,
    `user=default redir=${redirectOf(client)}`,
    `resp=${client.kind.protocol}`,
    `lib-name=${client.libraryName}`,
    `lib-ver=${client.libraryVersion}`,
    `pending=${client.pending}`,
  ].join(' ');
}

/** As in Redis, each of what the client is or does by a letter. */
function flagsOf(client: ClientConnection, transaction: TransactionFigures): string {
  const { tracking } = client;
  const flags = [
    client.monitors ? 'O' : '',
    isSubscribed(client) ? 'P' : '',
    transaction.queued < 0 ? '' : 'x',
    client.blocked === null ? '' : 'b',
    tracking === null ? '' : 't',
    tracking?.redirectIsBroken === true ? 'R' : '',
    tracking?.options.bcast === true ? 'B' : '',
    transaction.isBroken ? 'd' : '',
    client.address === 'unix' ? 'U' : '',
    client.noEvict ? 'e' : '',
    client.noTouch ? 'T' : '',
  ].join('');
  return flags === '' ? 'N' : flags;
}
