/** What others need of etcd's client. */
export { EtcdClient, type EtcdClientOptions, type Lease, type Patience } from './client.js';
export type { EtcdRequestEvent } from './events.js';
export { EtcdError, isLeaseGone } from './failure.js';
export { type Compare, prefixed, type RangeQuery } from './requests.js';
export { watch } from './watch.js';
export { endOfPrefix, type KeyValue, type TxnAnswer, type WatchEvent } from './wire.js';
