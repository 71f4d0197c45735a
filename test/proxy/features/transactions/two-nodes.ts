/** A proxy before two nodes, the second one behind a network that fails where a test says. */
import { FaultRelay } from '../../../support/fault-relay.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { ownersOf } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

export interface TwoNodes {
  readonly proxy: RingproxyProcess;
  readonly nodes: readonly [RedisProcess, RedisProcess];
  /** The second node is behind it. */
  readonly relay: FaultRelay;
  /** Keys of the first node, and of the second. */
  readonly a: readonly string[];
  readonly b: readonly string[];
  readonly client: RawClient;
  readonly other: RawClient;
}

/** @param keys how many there are to choose from @param config of the proxy */
export async function startTwoNodes(keys: number, config?: string): Promise<TwoNodes> {
  const nodes = (await startRedises(2)) as [RedisProcess, RedisProcess];
  const relay = await FaultRelay.start(nodes[1].port);
  const proxy = await startRingproxy({
    nodes: [nodes[0], relay],
    ...(config === undefined ? {} : { config }),
    allowLog: [/down/, /upstream:impaired.*OOM/, /no connection/i],
  });
  const names = Array.from({ length: keys }, (_, i) => `key:${i}`);
  const owners = await ownersOf(proxy, names);
  const [client, other] = await Promise.all([1, 2].map(() => RawClient.connect(proxy.port)));
  return {
    proxy,
    nodes,
    relay,
    a: names.filter((_, i) => owners[i] === nodes[0].address),
    b: names.filter((_, i) => owners[i] === relay.address),
    client: client as RawClient,
    other: other as RawClient,
  };
}

/** MULTI, the commands, EXEC. @returns EXEC's reply */
export async function exec(client: RawClient, ...commands: (readonly string[])[]): Promise<string> {
  return String((await client.pipeline([['MULTI'], ...commands, ['EXEC']])).at(-1));
}
