/** Making sure that old connections are gone before keys move: what still lies in their sockets would run late. */
import type { Redis } from 'ioredis';
import { isReplyError, namingNode, onNode } from '../node/client.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import { unlessNobodyListens } from '../node/failure.js';
import { isForbidden } from '../node/reply-errors.js';
import { proxyOfConnection, readsOnly } from '../node/standing.js';

/** A connection that ended with commands in flight. */
export interface LateConnection {
  readonly node: string;
  readonly address: string;
  /** CLIENT ID at the node. */
  readonly id: number;
  /** Its address as the node sees it; empty: unknown. */
  readonly peer: string;
}

/** Kills late connections at those of them that are to `nodes`, and tells of each that is gone. */
export type LateKiller = (
  nodes: readonly NodeEndpoint[],
  late: readonly LateConnection[],
  onDropped: (late: LateConnection) => void,
) => Promise<void>;

/**
 * A command on a connection that was cut may still lie in the node's socket and run after the fence. The
 * node is asked on another connection to drop the old ones; when it has answered, nothing of theirs runs, nor where no process listens any more.
 * @throws NodeFailure when a node that has such connections cannot be asked
 */
export function lateKiller(timeout: number): LateKiller {
  return async (nodes, late, onDropped) => {
    for (const node of nodes) {
      const own = late.filter((connection) => connection.node === node.name && connection.address === node.address);
      if (own.length === 0) continue;
      const left = new Set(own);
      const dropped = asked(node, timeout, async (redis) => {
        for (const connection of own) {
          // A node that was restarted counts connections anew, and the number may be another one's.
          const address = connection.peer === '' ? [] : ['ADDR', connection.peer];
          await needing(
            'client|kill',
            redis.call('CLIENT', 'KILL', 'ID', connection.id, ...address),
            'this proxy that were lost',
          );
          left.delete(connection);
          onDropped(connection);
        }
      });
      await unlessNobodyListens(dropped);
      for (const connection of left) onDropped(connection);
    }
  };
}

/**
 * Makes the nodes drop the connections of processes that are gone, by the names that they gave them: their last
 * commands may still lie there.
 * @param isGone whether a connection's name is one of theirs
 * @throws NodeFailure when a node cannot be asked
 */
export async function killByName(
  nodes: readonly NodeEndpoint[],
  isGone: (name: string) => boolean,
  timeout: number,
): Promise<void> {
  for (const node of nodes) {
    await asked(node, timeout, async (redis) => {
      const list = String(await needing('client|list', redis.client('LIST')));
      for (const match of list.matchAll(/^id=(\d+) .*? name=(\S+) /gm)) {
        if (!isGone(match[2] ?? '')) continue;
        await needing('client|kill', redis.call('CLIENT', 'KILL', 'ID', match[1] ?? ''), match[2]);
      }
    });
  }
}

/**
 * The same of all connections of these proxies, and of their workers, by which they changed data.
 * @param proxies their ids
 * @throws NodeFailure when a node cannot be asked
 */
export function killProxies(
  nodes: readonly NodeEndpoint[],
  proxies: readonly string[],
  timeout: number,
): Promise<void> {
  return killByName(nodes, (name) => proxies.includes(proxyOfConnection(name)), timeout);
}

/** A connection by which a proxy changes data at a node. */
export interface ProxyConnection {
  /** The proxy's id. */
  readonly proxy: string;
  /** Name of the node. */
  readonly node: string;
  /** The host that it comes from, as the node sees it. */
  readonly peer: string;
  readonly idleSeconds: number;
}

/** @returns those at the nodes that can be asked and allow it */
export async function listProxies(nodes: readonly NodeEndpoint[], timeout: number): Promise<ProxyConnection[]> {
  const lists = await Promise.all(
    nodes.map(async (node) => {
      const list = await onNode(node, readsOnly('ringproxy-fence'), timeout, (redis) => redis.client('LIST')).catch(
        () => '',
      );
      return [...String(list).matchAll(/^id=\d+ addr=(\S+) .*? name=(\S+) .*? idle=(\d+) /gm)].flatMap(
        ([, address = '', name = '', idle = '']) => {
          const proxy = proxyOfConnection(name);
          const peer = address.replace(/:\d+$/, '');
          return proxy === '' ? [] : [{ proxy, node: node.name, peer, idleSeconds: Number(idle) }];
        },
      );
    }),
  );
  return lists.flat();
}

/** The right to move the keys of a source: a later one takes an earlier one's place. */
export interface MoverRight {
  /** The id of the proxy that has it. */
  readonly holder: string;
  /** The source's number in the ring. */
  readonly source: number;
  readonly revision: number;
}

/** What the connections are named by which keys are moved. */
export function moverName({ holder, source, revision }: MoverRight): string {
  return `ringproxy-move:${holder}.${source}.${revision}`;
}

/**
 * Makes the nodes drop the connections of those that moved the source's keys before.
 * @param right whose turn it is
 * @throws NodeFailure when a node cannot be asked
 */
export function killEarlierMovers(
  nodes: readonly NodeEndpoint[],
  right: Omit<MoverRight, 'holder'>,
  timeout: number,
): Promise<void> {
  return killByName(nodes, (name) => isEarlier(name, right), timeout);
}

function isEarlier(name: string, { source, revision }: Omit<MoverRight, 'holder'>): boolean {
  const [, ofSource = '', ofRevision = ''] = /^ringproxy-move:[0-9a-f]+\.(\d+)\.(\d+)$/.exec(name) ?? [];
  return ofSource !== '' && Number(ofSource) === source && Number(ofRevision) < revision;
}

/**
 * Whoever is not dropped may still run a command: nobody is passed over then.
 * @param name of the connection that is to be dropped, where it is known
 * @throws Error that names the right which the proxy's user lacks at the node
 */
async function needing<T>(right: string, answer: Promise<T>, name = 'proxies that are gone'): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!isReplyError(error) || !isForbidden(error.message)) throw error;
    throw new Error(
      `it does not let connections of ${name} be dropped, on which commands may still lie: give the proxy's user the right ${right}`,
    );
  }
}

/** @throws NodeFailure when the node cannot be asked, or Error with what it answers */
async function asked(node: NodeEndpoint, timeout: number, work: (redis: Redis) => Promise<void>): Promise<void> {
  try {
    await onNode(node, readsOnly('ringproxy-fence'), timeout, work);
  } catch (error) {
    throw namingNode(node, error);
  }
}
