import type { ProxyEvent } from '../client/event-stream.js';
import type { RingproxyError } from './errors.js';

export type { ProxyEvent };

export interface StartOptions {
  /** Where the log goes: nowhere, unless it is given. A function is told each line, as JSON without an end. */
  readonly log?: 'stderr' | ((line: string) => void) | undefined;
  /** Aborted when the proxy is not to start after all; without effect once it has started. */
  readonly signal?: AbortSignal | undefined;
}

/** A proxy that serves clients. */
export interface RunningProxy {
  readonly id: string;
  /** Where clients connect: HOST:PORT, or the path of a Unix socket; empty where the setting `listen` is `off`. */
  readonly listen: string;
  /** The port of `listen`; 0 where it is a Unix socket. */
  readonly port: number;
  /** Where they connect by TLS, HOST:PORT; null where the setting `tls-listen` is `off`. */
  readonly tls: string | null;
  /** URL of the admin API, for an `AdminClient`; null where the setting `admin` is `off`. */
  readonly admin: string | null;
  /** Whether clients can be served; if not, why. */
  health(): Promise<{ readonly ready: boolean; readonly reason: string }>;
  /**
   * Tells what happens. Events are told by process: where several proxies run in one, each is told of all of them.
   * @param channels their names; without them all that are not frequent
   * @returns a function that ends it; the end of the proxy does, too
   * @throws RingproxyError when there is no such channel
   */
  onEvent(listener: (event: ProxyEvent) => void, channels?: readonly string[]): () => void;
  /** Takes no more clients, answers what is in flight (`shutdown-timeout`), and ends; the same when it is called again. */
  close(): Promise<void>;
  /**
   * Resolved when the proxy has ended: with null after `close`, with an error when it had to, since another proxy has
   * taken its state directory.
   */
  readonly ended: Promise<RingproxyError | null>;
}
