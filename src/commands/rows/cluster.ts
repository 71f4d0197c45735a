/** CLUSTER and its like: one node that owns all slots. */
import { type PolicyRow, type PolicyRows, proxy, refused } from './row.js';

const connection = { acl: ['connection'] } as const satisfies PolicyRow;

export const CLUSTER = {
  'cluster|info': proxy,
  'cluster|slots': proxy,
  'cluster|shards': proxy,
  'cluster|nodes': proxy,
  'cluster|myid': proxy,
  'cluster|myshardid': proxy,
  'cluster|keyslot': proxy,
  'cluster|links': proxy,
  'cluster|replicas': proxy,
  'cluster|slaves': proxy,
  'cluster|count-failure-reports': proxy,
  readonly: { ...connection, ...proxy },
  readwrite: { ...connection, ...proxy },
  asking: { ...connection, ...proxy },
  'cluster|countkeysinslot': refused('keys are not kept by slots'),
  'cluster|getkeysinslot': refused('keys are not kept by slots'),
  cluster: refused('nodes are managed with `ringproxy ring`'),
} as const satisfies PolicyRows;
