import { ApartKeysTable } from './apart/apart-keys.js';
import { noAuthFailures } from './auth-failures.js';
import { CrossNodeCounters } from './cross-node-counters.js';
import { ErrorKinds } from './error-kinds.js';
import { noHandshakes } from './handshake-counts.js';
import { Histogram } from './histogram.js';
import type { KeyGroups } from './key-groups.js';
import { noLimitCounts } from './limit-counts.js';
import { NearCounters } from './near-counters.js';

/** What is counted of one node. Kept over reconnects, dropped with the node. */
export class NodeCounters {
  commands = 0;
  errors = 0;
  timeouts = 0;
  reconnects = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly time = new Histogram();
}

/** Who is told of every command while somebody listens. */
export interface AnswerObserver {
  answered(command: number, milliseconds: number, failed: boolean): void;
}

/** What the data plane counts: flat fields and arrays that are read when somebody asks. */
export class Counters {
  /** Indexed by the command's id, as is `time`, which holds how often each was called, too. */
  readonly errors: Float64Array;
  readonly time: (Histogram | undefined)[];
  /** Error replies to clients. */
  readonly errorKinds = new ErrorKinds();
  readonly groups: KeyGroups;
  readonly near = new NearCounters();
  /** How old what replicas were proven to have was when they were sent reads. */
  readonly replicaAge = new Histogram();
  readonly crossNode = new CrossNodeCounters();
  /** Which keys commands have on several nodes. */
  readonly apartKeys = new ApartKeysTable();
  clientsTotal = 0;
  clientsRejected = 0;
  /** Attempts to log in, by why they failed. */
  readonly authFailures = noAuthFailures();
  /** How often clients of an address, or of a user, were at a limit. */
  readonly limited = noLimitCounts();
  readonly handshakes = noHandshakes();
  hits = 0;
  misses = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Set anew a few times a second rather than asked for with every command; null: nobody listens. */
  observer: AnswerObserver | null = null;

  constructor(commandIds: number, groups: KeyGroups) {
    this.groups = groups;
    this.errors = new Float64Array(commandIds);
    this.time = new Array<Histogram | undefined>(commandIds).fill(undefined);
  }

  /** Counts a command that was answered `milliseconds` after it came. @param group of its key, or NO_GROUP */
  answered(command: number, group: number, milliseconds: number, failed: boolean): void {
    if (failed) (this.errors[command] as number)++;
    this.#timeOf(command).record(milliseconds);
    if (this.groups.active) this.groups.answered(group, milliseconds, failed);
    if (this.observer !== null) this.observer.answered(command, milliseconds, failed);
  }

  /** Counts commands that were answered as soon as they came, while there is no `observer`. @param group of all their keys */
  answeredAtOnce(command: number, group: number, count: number): void {
    this.#timeOf(command).recordMany(0, count);
    this.groups.answeredAtOnce(group, count);
  }

  /** Counts reads of the cache: so many that found their keys, and that did not. @param group of all of them */
  readMany(group: number, hits: number, misses: number): void {
    this.hits += hits;
    this.misses += misses;
    this.groups.readMany(group, hits, misses);
  }

  /** Counts a read of the cache that found its key (`hit`), or did not. @param group of the key, or NO_GROUP */
  read(group: number, hit: boolean): void {
    if (hit) this.hits++;
    else this.misses++;
    if (this.groups.active) this.groups.read(group, hit);
  }

  #timeOf(command: number): Histogram {
    let time = this.time[command];
    if (time === undefined) {
      time = new Histogram();
      this.time[command] = time;
    }
    return time;
  }
}
