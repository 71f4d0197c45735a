/** Channels. */
import { any, type PolicyRows, proxy } from './row.js';

export const PUBSUB = {
  'pubsub|channels': any,
  'pubsub|numpat': any,
  'pubsub|shardchannels': any,
  'pubsub|help': any,
  subscribe: { ...proxy, whileSubscribed: 'follows' },
  unsubscribe: { ...proxy, whileSubscribed: 'allowed' },
  psubscribe: { ...proxy, whileSubscribed: 'follows' },
  punsubscribe: { ...proxy, whileSubscribed: 'allowed' },
  ssubscribe: { ...proxy, whileSubscribed: 'follows' },
  sunsubscribe: { ...proxy, whileSubscribed: 'allowed' },
  publish: { ...proxy, inTransaction: 'by node', replicated: true, publishes: 'channel' },
  spublish: { ...proxy, inTransaction: 'by node', replicated: true, publishes: 'shard' },
  'pubsub|numsub': proxy,
  'pubsub|shardnumsub': proxy,
} as const satisfies PolicyRows;
