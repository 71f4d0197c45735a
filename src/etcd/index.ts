/** What others need of etcd's client. */
export { type Answered, EtcdClient, type EtcdClientOptions, type Lease, type Patience } from './client.js';
export type { EtcdTls } from './endpoints.js';
export type { EtcdOperation, EtcdOutcome, EtcdRequestEvent } from './events.js';
export { EtcdError } from './failure.js';
export type { EtcdLogin } from './login.js';
export { type Compare, type Operation, prefixed, type RangeQuery, type Txn } from './requests.js';
export { type WatchEnd, type WatchListener, watch } from './watch.js';
export { endOfPrefix, type KeyValue, type TxnAnswer, type WatchEvent } from './wire.js';
