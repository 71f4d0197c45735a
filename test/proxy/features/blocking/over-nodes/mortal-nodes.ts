import { type RedisProcess, startRedises } from '../../../../support/redis-process.js';
import { ownersOf } from '../../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../../support/ringproxy-process.js';

interface MortalNodes {
  readonly one: RedisProcess;
  readonly two: RedisProcess;
  readonly small: RingproxyProcess;
  /** A key of node `one`. */
  readonly x: string;
  /** A key of node `two`. */
  readonly y: string;
}

/** A ring of two nodes which the test may stop, and a key at each. */
export async function startMortalNodes(): Promise<MortalNodes> {
  const [one, two] = (await startRedises(2)) as [RedisProcess, RedisProcess];
  const small = await startRingproxy({
    nodes: [one, two],
    allowLog: [/down/, /cut the connection/, /refused/, /health/],
  });
  const names = Array.from({ length: 60 }, (_, i) => `key:${i}`);
  const owners = await ownersOf(small, names);
  const [x = '', y = ''] = [one, two].map((node) => names[owners.indexOf(node.address)]);
  return { one, two, small, x, y };
}
