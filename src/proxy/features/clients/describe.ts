import type { ClientConnection } from '../../session/client-connection.js';
import { isSubscribed } from '../pubsub/commands.js';
import { redirectOf } from '../tracking/commands.js';

/**
 * A line of CLIENT LIST, without its line break. Fields stand in Redis' order; of buffers that the proxy does not have
 * for each client it says 0.
 * @param commandBytes length of the command that the client has sent just now
 */
export function describeClient(client: ClientConnection, commandBytes = 0): string {
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
    `flags=${flagsOf(client)}`,
    `db=${client.kind.database}`,
    `sub=${channels?.size ?? 0} psub=${patterns?.size ?? 0} ssub=${shards?.size ?? 0}`,
    `multi=${client.transaction?.frames.count ?? -1}`,
    `qbuf=${queryBytes} qbuf-free=0`,
    `argv-mem=${commandBytes} multi-mem=${client.transaction?.bytes ?? 0}`,
    'rbs=0 rbp=0',
    `obl=${output} oll=0 omem=${output}`,
    `tot-mem=${queryBytes + output + (client.transaction?.bytes ?? 0)}`,
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
function flagsOf(client: ClientConnection): string {
  const { tracking } = client;
  const flags = [
    client.monitors ? 'O' : '',
    isSubscribed(client) ? 'P' : '',
    client.transaction === null ? '' : 'x',
    client.blocked === null ? '' : 'b',
    tracking === null ? '' : 't',
    tracking?.redirectIsBroken === true ? 'R' : '',
    tracking?.options.bcast === true ? 'B' : '',
    client.watch?.broken === true ? 'd' : '',
    client.address === 'unix' ? 'U' : '',
    client.noEvict ? 'e' : '',
    client.noTouch ? 'T' : '',
  ].join('');
  return flags === '' ? 'N' : flags;
}
