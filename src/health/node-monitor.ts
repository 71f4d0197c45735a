/** Looks after one node: is it there, how many keys and how much memory does it have, what commands does it know. */
import { channel } from 'node:diagnostics_channel';
import type { Redis } from 'ioredis';
import { connectNode, describeNodeError, isReplyError } from '../node/client.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import { provesAlive } from '../node/reply-errors.js';
import { processIn, restartedAs } from '../node/restarted.js';
import { readsOnly } from '../node/standing.js';
import { fieldsOf } from '../resp/info-fields.js';
import { readFacts } from './inspect.js';
import { type NodeFigures, readFigures } from './node-figures.js';

export interface NodeHealth {
  readonly up: boolean;
  readonly keys: number | null;
  readonly usedMemory: number | null;
  /** What else it said of itself, or null when it did not answer the last probe, or may not be asked. */
  readonly figures: NodeFigures | null;
  readonly version: string | null;
  /** Of the server process that was seen last, or null. */
  readonly runId: string | null;
  /** Why the node is down, or null. */
  readonly error: string | null;
  /** Since when it is down (ISO date), or null. */
  readonly downSince: string | null;
  /** Why it cannot do what it is there for, although it is up; or null. */
  readonly reason: string | null;
}

export interface MonitorOptions {
  /** Milliseconds between two probes. */
  readonly interval: number;
  /** Milliseconds. */
  readonly timeout: number;
  /** Failed probes in a row after which the node counts as down. */
  readonly failures: number;
  readonly connectionName: string;
}

/** A node was found down, or up again, or up and unable to do its work. */
export interface NodeHealthEvent {
  node: string;
  address: string;
  up: boolean;
  error: string;
  /** Why it cannot do its work although it is up; otherwise empty. */
  reason: string;
}

export const nodeHealthChanged = channel('ringproxy:node:health');

/** A node that serves was restarted, and has keys again that may be older than what clients were told since. */
export interface NodeRestartedEvent {
  node: string;
  address: string;
  /** That it has read from its snapshot. */
  keysLoaded: number;
  summary: string;
}

export const nodeRestarted = channel('ringproxy:node:restarted');

/** A node that was restarted was emptied, and serves again. */
export interface NodeEmptiedEvent {
  node: string;
  address: string;
  summary: string;
}

export const nodeEmptied = channel('ringproxy:node:emptied');

export class NodeMonitor {
  #node: NodeEndpoint;
  readonly #options: MonitorOptions;
  readonly #onCommands: (reply: unknown) => void;
  readonly #onSnapshot: (keysLoaded: number) => void;
  readonly #onRestart: () => void;
  #redis: Redis | null = null;
  /** Of the process that has been looked at last, once it had loaded. */
  #looked: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  #stopped = false;
  /** Its connection may lead to a process of before. */
  #isToConnectAnew = false;
  #health: NodeHealth = {
    up: true,
    keys: null,
    usedMemory: null,
    figures: null,
    version: null,
    runId: null,
    error: null,
    downSince: null,
    reason: null,
  };

  /**
   * @param onCommands is given the node's reply to COMMAND, each time a connection to it is made
   * @param onSnapshot is told when the node has been restarted, and how many keys it has read from a snapshot
   * @param onRestart is told when another process is found than the one that may serve
   */
  constructor(
    node: NodeEndpoint,
    options: MonitorOptions,
    onCommands: (reply: unknown) => void,
    onSnapshot: (keysLoaded: number) => void = () => {},
    onRestart: () => void = () => {},
  ) {
    this.#node = node;
    this.#options = options;
    this.#onCommands = onCommands;
    this.#onSnapshot = onSnapshot;
    this.#onRestart = onRestart;
  }

  get node(): NodeEndpoint {
    return this.#node;
  }

  /** @param node the same one: its next connection logs in as is said here, and the process that may serve is this one */
  use(node: NodeEndpoint): void {
    this.#node = node;
    const { otherProcess: runId } = this;
    if (runId !== null && !this.#isAnother(runId))
      this.#update({ ...this.#health, up: true, error: null, downSince: null });
  }

  /** The run id of the process that is there and may not serve; null: there is none. */
  get otherProcess(): string | null {
    return this.#health.error === null ? null : processIn(this.#health.error);
  }

  /** Somebody has found another process there: the next probe takes a connection of its own. */
  connectAnew(): void {
    this.#isToConnectAnew = true;
  }

  get health(): NodeHealth {
    return this.#health;
  }

  start(): void {
    void this.#probe();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#redis?.disconnect();
    this.#redis = null;
  }

  async #probe(): Promise<void> {
    if (this.#isToConnectAnew) {
      this.#isToConnectAnew = false;
      this.#redis?.disconnect();
      this.#redis = null;
    }
    try {
      const redis = this.#redis ?? (await this.#connect());
      const info = await redis.info();
      const field = fieldsOf(info);
      const figures = readFigures(field);
      this.#failures = 0;
      const { keys, usedMemory, version, runId, impairment: reason } = readFacts(info);
      if (this.#isAnother(runId)) this.#onOther(runId);
      else {
        this.#update({ up: true, keys, usedMemory, figures, version, runId, error: null, downSince: null, reason });
        if (figures.loading === false) this.#lookForRestart(runId, field);
      }
    } catch (error) {
      const reason = livesAndSays(error);
      if (reason === null) this.#onFailure(error);
      else {
        this.#failures = 0;
        this.#update({ ...this.#health, up: true, figures: null, error: null, downSince: null, reason });
      }
    }
    if (this.#stopped) return;
    // A tenth of jitter keeps many proxies from probing in step.
    this.#timer = setTimeout(() => void this.#probe(), this.#options.interval * (0.95 + Math.random() / 10));
  }

  /** What an append-only file has kept is no older than a second or so; Redis before 7.0 does not say what it has read. */
  #lookForRestart(runId: string, field: (name: string) => string): void {
    const before = this.#looked;
    this.#looked = runId;
    if (before === null || before === runId || field('aof_enabled') !== '0') return;
    const keysLoaded = Number(field('rdb_last_load_keys_loaded'));
    if (keysLoaded > 0 && !this.#stopped) this.#onSnapshot(keysLoaded);
  }

  #isAnother(runId: string): boolean {
    const { process = '' } = this.#node;
    return process !== '' && runId !== '' && runId !== process;
  }

  /** It answers, and may not serve: for everybody it is down. */
  #onOther(runId: string): void {
    // What it has read is told of nowhere: it is removed.
    this.#looked = runId;
    const isNews = this.otherProcess !== runId;
    const downSince = this.#health.downSince ?? new Date().toISOString();
    const unknown = { keys: null, usedMemory: null, figures: null, reason: null };
    this.#update({ ...this.#health, ...unknown, up: false, runId, error: restartedAs(runId), downSince });
    if (isNews && !this.#stopped) this.#onRestart();
  }

  #onFailure(error: unknown): void {
    this.#redis?.disconnect();
    this.#redis = null;
    this.#failures++;
    if (this.#failures < this.#options.failures) return;
    this.#update({
      ...this.#health,
      up: false,
      keys: null,
      usedMemory: null,
      figures: null,
      error: describeNodeError(error),
      downSince: this.#health.downSince ?? new Date().toISOString(),
      reason: null,
    });
  }

  async #connect(): Promise<Redis> {
    const { connectionName, timeout } = this.#options;
    const redis = await connectNode(this.#node, readsOnly(connectionName), timeout);
    if (this.#stopped) redis.disconnect();
    this.#redis = redis;
    // A node may forbid COMMAND (ACL, rename-command): it is up all the same, only its own commands stay unknown.
    const commands = await redis.call('COMMAND').catch((error: unknown) => {
      if (isReplyError(error)) return null;
      throw error;
    });
    if (commands !== null) this.#onCommands(commands);
    return redis;
  }

  #update(health: NodeHealth): void {
    if (this.#stopped) return;
    const changed = health.up !== this.#health.up || codeOf(health.reason) !== codeOf(this.#health.reason);
    this.#health = health;
    if (!changed || !nodeHealthChanged.hasSubscribers) return;
    const event: NodeHealthEvent = {
      node: this.#node.name,
      address: this.#node.address,
      up: health.up,
      error: health.error ?? '',
      reason: health.reason ?? '',
    };
    nodeHealthChanged.publish(event);
  }
}

/**
 * A node that runs a script for long says so, and one whose user may not call INFO does, too: both are alive.
 * @returns what it says; null: it is not known to be alive
 */
function livesAndSays(error: unknown): string | null {
  return isReplyError(error) && provesAlive(error.message) ? error.message : null;
}

/** What is news in a reason: of a node that loads, how far it is changes all the time. */
function codeOf(reason: string | null): string | null {
  return reason?.split(' ', 1)[0] ?? null;
}
