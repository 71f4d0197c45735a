import type { Command } from '../../commands/command.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { LaneKind } from '../upstream/lane-kind.js';

/** What a page of SCAN is asked for, in the place of a node. */
export interface LocalPage {
  /** Where it begins; 0: at the beginning. */
  readonly from: number;
  /** How many keys are looked at, about. */
  readonly count: number;
  /** Null: all. */
  readonly match: Uint8Array | null;
  /** In lower case; null: any. */
  readonly type: string | null;
}

/**
 * Keys that no node has, since every proxy has them: commands on several keys, and those about all keys, are answered by
 * this process beside the nodes.
 */
export interface LocalKeys {
  /** Whether there are any, or may be. */
  readonly isUsed: boolean;
  has(source: Uint8Array, start: number, end: number): boolean;
  /** @returns the error for a value of so many bytes, or null */
  refusalOfValue(bytes: number): Buffer | null;
  /** @returns the error for a command on this key that only nodes could carry out */
  refusal(source: Uint8Array, start: number, end: number): Buffer;
  /**
   * Carries out the part of a command (MGET, DEL …) for the keys at `positions`, or, without any, one about all keys
   * (KEYS, FLUSHALL …). @returns its reply
   */
  run(command: Command, framer: RequestFramer, kind: LaneKind, positions: readonly number[]): Buffer;
  /** Empties this database. @param all every database */
  flush(all: boolean, database: number): void;
  /** @returns keys as bulks, and where the next page begins; 0: there is none */
  scan(database: number, page: LocalPage): { readonly next: number; readonly keys: readonly Buffer[] };
}
