/**
 * The data plane's events, on `node:diagnostics_channel`: free while nobody listens. Logs, metrics and a
 * user's own instrumentation subscribe; the data plane knows none of them.
 */
import { channel } from 'node:diagnostics_channel';

/** A node was reached, or stopped answering. */
export interface NodeConnectionEvent {
  node: string;
  address: string;
  /** Why the node is unreachable; empty when it is up. */
  error: string;
}

/** A client was let in, left, or was cut. */
export interface ClientEvent {
  client: number;
  address: string;
  /** Why the proxy ended the connection; empty when the client did. */
  reason: string;
}

/** Those that a worker process passes on to its primary. */
export const FORWARDED_CHANNELS: readonly string[] = [
  'ringproxy:upstream:up',
  'ringproxy:upstream:down',
  'ringproxy:client:connected',
  'ringproxy:client:closed',
  'ringproxy:client:rejected',
];

export const nodeUp = channel('ringproxy:upstream:up');
export const nodeDown = channel('ringproxy:upstream:down');
export const clientConnected = channel('ringproxy:client:connected');
export const clientClosed = channel('ringproxy:client:closed');
export const clientRejected = channel('ringproxy:client:rejected');
