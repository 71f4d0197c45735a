/** Where the data plane runs: in this process, or in several worker processes. */
import type { WorkerView } from '../admin/api.js';
import type { CommandInfo } from '../commands/build.js';
import type { ValueStore } from '../fleet/values/store.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import type { Standing } from '../node/standing.js';
import type { NodeCredentials } from '../node/tls.js';
import type { KeyGroup } from '../proxy/caching/policy.js';
import type { HotReport } from '../proxy/measure/hot-keys/hot-report.js';
import type { PlaneStats } from '../proxy/measure/plane-stats.js';
import type { LiveSettings } from '../proxy/settings.js';
import type { RoutingSnapshot } from '../proxy/snapshot.js';
import type { TlsMaterial } from '../tls/material.js';
import type { FenceMember } from '../topology/state/change-protocol.js';

/** What clients are told of the proxy itself. */
export interface ProxyInfo {
  readonly redisVersion: string;
  /** Lines of INFO's section on the proxy. */
  readonly lines: readonly string[];
  /** Clients of all processes. */
  readonly clients: number;
}

/** By what right the data plane speaks to nodes, wherever it runs. */
export interface PlaneStanding extends Standing {
  /** Until when that is certain, by `monotonicNow`. */
  readonly validUntil: number;
  /** The id that it has counts no more. */
  revoke(): void;
  /** This proxy is registered, under this id. */
  renew(id: string): void;
}

export interface PlaneHost {
  readonly workers: readonly WorkerView[];
  /** Begins to serve. @returns the address, with the port that was chosen for port 0; null: nowhere but by TLS */
  listen(): Promise<string | null>;
  /** Behind `listen`: serves by TLS as well. @returns the address; null: nowhere */
  listenTls(): Promise<string | null>;
  /** Who comes from now on is shown these certificates. @see TlsDoorOptions.certificates */
  useCertificates(certificates: readonly TlsMaterial[]): void;
  /** From now on commands are routed by this snapshot. */
  publish(snapshot: RoutingSnapshot): void;
  /** Settles when every process routes by what was published last; one that does not answer soon is not waited for. */
  published(): Promise<void>;
  /** What is used with nodes by TLS has changed: connections that are opened from now on have it. */
  useCredentials(credentials: NodeCredentials): void;
  /**
   * Waits until every command that is in flight now on a key that changes hands was answered.
   * @param timeout milliseconds
   * @returns every process that commands come from, and whether all of these commands were answered in time
   */
  fence(timeout: number): Promise<FenceMember[]>;
  /**
   * Makes these nodes drop connections on which commands may still lie. When it returns, none of them runs any more.
   * @throws Error when a node that has such connections cannot be asked
   */
  killLateConnections(nodes: readonly NodeEndpoint[]): Promise<void>;
  /**
   * This proxy was fenced off, or the fleet does not know it any more: all its connections to nodes end at once, those of
   * the mover as well. Commands that wait or come are answered `-TRYAGAIN`, those in flight as when a connection is lost.
   * @param why a sentence, for whoever sends a command
   */
  suspend(why: string): void;
  /**
   * This proxy is registered under a new id, which its connections bear from now on. Nothing is sent before the next
   * `publish`, since the ring that is at hand may be one of the past.
   */
  resume(proxyId: string): void;
  /** `validUntil` of its standing is another one. */
  renewed(): void;
  /** A source has no moved key left. */
  sourceSwept(source: number): void;
  /** The body of a script that clients of this proxy have sent. @param digest SHA-1 in lower case */
  scriptBody(digest: string): Buffer | undefined;
  /** Another proxy has sent SCRIPT FLUSH. @param kept digests of scripts that came later */
  flushScripts(kept: ReadonlySet<string>): void;
  /** From now on these settings are in force. Who has come in stays. */
  useSettings(settings: LiveSettings): void;
  /** From now on these are the groups of keys, and this is how each is cached. */
  useGroups(groups: readonly KeyGroup[]): void;
  /** The values that every process of every proxy has, as this process has them. */
  readonly values: ValueStore;
  /** Commands that the nodes know beyond those of the table at hand. */
  useCommands(commands: readonly CommandInfo[]): void;
  /** Whether a command of this name is in the table at hand. */
  knows(command: string): boolean;
  stats(): Promise<PlaneStats>;
  /** Which keys are used most. A process that does not answer in time is named. */
  hotKeys(): Promise<HotReport>;
  /** @param describe what clients are told, made of what was counted */
  describeBy(describe: (stats: PlaneStats) => ProxyInfo): void;
  /** Whether clients were served in the last tenth of a second or so. */
  isBusy(): boolean;
  /**
   * Stops: no new clients, what is in flight is answered, then everything is closed.
   * @param timeout milliseconds after which clients that still wait are cut
   */
  close(timeout: number): Promise<void>;
}

/** Why a fence was not passed. @param slow what is in flight, and where */
export function stillInFlight(slow: readonly string[]): string {
  return slow.length === 0 ? '' : `commands on keys that move are still in flight at ${slow.join('; ')}`;
}
