import type { ClientConnection } from '../client/client-connection.js';
import { isSubscribed } from '../pubsub/commands.js';
import { redirectOf } from '../tracking/commands.js';

/** A line of CLIENT LIST, without its line break. Fields stand in Redis' order; those of its buffers are left out. */
export function describeClient(client: ClientConnection): string {
  const seconds = (since: number): number => Math.max(0, Math.floor(since / 1000));
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
    `multi=${client.transaction?.frames.length ?? -1}`,
    `qbuf=${client.queryBytes}`,
    `obl=${client.outlet.pending}`,
    `pending=${client.pending}`,
    `cmd=${client.lastCommand?.name ?? 'NULL'}`,
    `user=default redir=${redirectOf(client)}`,
    `resp=${client.kind.protocol}`,
    `lib-name=${client.libraryName}`,
    `lib-ver=${client.libraryVersion}`,
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
