/**
 * CLUSTER and its like. With `cluster-mode` the proxy shows itself as a cluster of one node that owns all slots, so
 * that clients of Redis Cluster can use it; otherwise it answers as a Redis without cluster support.
 */
import { createHash } from 'node:crypto';
import * as encode from '../../../resp/encode.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { answer, answerError, argumentBytes, argumentTexts } from '../../session/words.js';
import type { LocalCommand, LocalCommands } from '../local-command.js';
import { keySlot, SLOTS } from './key-slot.js';

const DISABLED = 'ERR This instance has cluster support disabled';
/** Redis' cluster bus is at the port plus this. */
const BUS_OFFSET = 10_000;
const LAST_SLOT = SLOTS - 1;

/** What one subcommand answers. */
type Answer = (node: ClusterNode, words: readonly string[], bytes: readonly Buffer[]) => Buffer;

/** The one node, as a client sees it. */
interface ClusterNode {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly protocol: 2 | 3;
}

const info: Answer = ({ protocol }) =>
  encode.verbatim(
    [
      ...['cluster_state:ok', `cluster_slots_assigned:${SLOTS}`, `cluster_slots_ok:${SLOTS}`, 'cluster_slots_pfail:0'],
      ...['cluster_slots_fail:0', 'cluster_known_nodes:1', 'cluster_size:1', 'cluster_current_epoch:1'],
      ...['cluster_my_epoch:1', 'cluster_stats_messages_sent:0', 'cluster_stats_messages_received:0'],
      'total_cluster_links_buffer_limit_exceeded:0\r\n',
    ].join('\r\n'),
    protocol,
  );

const slots: Answer = ({ id, host, port, protocol }) =>
  encode.array([
    encode.array([
      encode.integer(0),
      encode.integer(LAST_SLOT),
      encode.array([encode.bulk(host), encode.integer(port), encode.bulk(id), encode.map([], protocol)]),
    ]),
  ]);

const shards: Answer = ({ id, host, port, protocol }) => {
  const node = encode.map(
    [
      [encode.bulk('id'), encode.bulk(id)],
      [encode.bulk('port'), encode.integer(port)],
      [encode.bulk('ip'), encode.bulk(host)],
      [encode.bulk('endpoint'), encode.bulk(host)],
      [encode.bulk('role'), encode.bulk('master')],
      [encode.bulk('replication-offset'), encode.integer(0)],
      [encode.bulk('health'), encode.bulk('online')],
    ],
    protocol,
  );
  const shard = encode.map(
    [
      [encode.bulk('slots'), encode.array([encode.integer(0), encode.integer(LAST_SLOT)])],
      [encode.bulk('nodes'), encode.array([node])],
    ],
    protocol,
  );
  return encode.array([shard]);
};

const nodes: Answer = ({ id, host, port, protocol }) =>
  encode.verbatim(
    `${id} ${host}:${port}@${port + BUS_OFFSET} myself,master - 0 0 1 connected 0-${LAST_SLOT}\n`,
    protocol,
  );

/** For what asks about another node: there is only the one. */
const ofNode =
  (reply: Buffer): Answer =>
  ({ id }, words) =>
    words[2] === id ? reply : encode.error(`ERR Unknown node ${words[2]}`);

const ownId: Answer = ({ id }) => encode.bulk(id);
const slotOfKey: Answer = (_node, _words, bytes) => encode.integer(keySlot(bytes[2] as Buffer));
const links: Answer = () => encode.EMPTY_ARRAY;
const replicas = ofNode(encode.EMPTY_ARRAY);
const failureReports = ofNode(encode.integer(0));

const cluster =
  (router: Router, answerOf: Answer): LocalCommand =>
  (client, command, framer) => {
    if (!router.shared.options.clusterMode) return answerError(client, command, DISABLED);
    const reply = answerOf(nodeFor(client, router), argumentTexts(framer), argumentBytes(framer));
    return reply[0] === MINUS ? router.refuse(client, command, reply) : answer(client, command, reply);
  };

const MINUS = 0x2d;

/** READONLY, READWRITE and ASKING change nothing where there is one node. */
const nothing =
  (router: Router): LocalCommand =>
  (client, command) =>
    router.shared.options.clusterMode ? answer(client, command, encode.OK) : answerError(client, command, DISABLED);

/** The proxy under the address that the client has connected to. */
function nodeFor({ localAddress, kind }: ClientConnection, router: Router): ClusterNode {
  const { proxyId } = router.shared.options;
  const colon = localAddress.lastIndexOf(':');
  return {
    // All workers are one node.
    id: createHash('sha1')
      .update(proxyId.replace(/\.\d+$/, ''))
      .digest('hex'),
    host: localAddress.slice(0, Math.max(0, colon)).replace(/^::ffff:(?=\d+\.)/, ''),
    port: colon < 0 ? 0 : Number(localAddress.slice(colon + 1)),
    protocol: kind.protocol,
  };
}

/** The fields of INFO in which a cluster differs. */
export function clusterFigures(clusterMode: boolean): Readonly<Record<string, string>> {
  return clusterMode ? { redis_mode: 'cluster', cluster_enabled: '1' } : {};
}

export function clusterCommands(router: Router) {
  const given = (answerOf: Answer): LocalCommand => cluster(router, answerOf);
  return {
    'cluster|info': given(info),
    'cluster|slots': given(slots),
    'cluster|shards': given(shards),
    'cluster|nodes': given(nodes),
    'cluster|myid': given(ownId),
    'cluster|myshardid': given(ownId),
    'cluster|keyslot': given(slotOfKey),
    'cluster|links': given(links),
    'cluster|replicas': given(replicas),
    'cluster|slaves': given(replicas),
    'cluster|count-failure-reports': given(failureReports),
    readonly: nothing(router),
    readwrite: nothing(router),
    asking: nothing(router),
  } as const satisfies LocalCommands;
}
