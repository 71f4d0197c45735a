/** What is told of requests to etcd, on `node:diagnostics_channel`; public as those of `proxy/events.ts`. */
import { channel } from 'node:diagnostics_channel';

/** What is asked of etcd; a label of metrics. */
export type EtcdOperation = 'range' | 'txn' | 'grant' | 'keepalive' | 'revoke' | 'watch' | 'login';

/** - `failed`: at this endpoint; the request may have been tried at another one. */
export type EtcdOutcome = 'ok' | 'failed' | 'timeout' | 'refused';

/** A request was answered by an endpoint, or was not; of a watch: it has begun, or was not let. */
export interface EtcdRequestEvent {
  readonly operation: EtcdOperation;
  readonly outcome: EtcdOutcome;
  /** Origin, as it is configured. */
  readonly endpoint: string;
  readonly seconds: number;
  /** What was wrong; empty: nothing. */
  readonly why: string;
}

const requests = channel('ringproxy:etcd:request');

export function publishRequest(event: EtcdRequestEvent): void {
  if (requests.hasSubscribers) requests.publish(event);
}
