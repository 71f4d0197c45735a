import type { Command } from '../../commands/command.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { Verdict } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { LaneKind } from '../upstream/lane-kind.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import { isRefusal } from './node-refusals.js';

/** Runs what needs one node while its keys are on several, or refuses it. */
export interface ApartCommands {
  /** `framer` holds the command, and `keyPositions` its `count` keys, all of which have arrived at their owners. */
  run(client: ClientConnection, framer: RequestFramer, command: Command, count: number): Verdict;
  /**
   * `framer` holds a command between MULTI and EXEC, and `keyPositions` its `count` keys.
   * @returns the error that it is answered instead of being queued; null: it may be queued
   */
  refusalInside(client: ClientConnection, framer: RequestFramer, command: Command, count: number): Buffer | null;
  /**
   * EXEC is about to carry out the command that `framer` holds, whose keys are in `keyPositions`, among others.
   * @param owners the node of each of these keys
   * @returns the error that forbids all of it; `waits`: the client waits, and sends EXEC once more then
   */
  prepare(
    client: ClientConnection,
    framer: RequestFramer,
    command: Command,
    owners: readonly UpstreamNode[],
  ): ApartCall | Buffer | 'waits';
}

/** A command of a transaction that takes steps over several nodes. What its arguments are, it has kept. */
export interface ApartCall {
  /** @param kind the protocol and database @returns settles when it has ended, and never rejects */
  carryOut(kind: LaneKind): Promise<ApartOutcome>;
}

export interface ApartOutcome {
  readonly reply: Buffer;
  /**
   * The reply is an error that no Redis answers to a command of a transaction that runs: a node was lost, or has refused
   * what it was asked. What stands behind it in the transaction is not to run, as if that had ended here.
   */
  readonly isBroken: boolean;
}

const LONGEST_CODE = 32;
const NOT_REACHED = /^-(?:NODEDOWN|TRYAGAIN|EXECABORT) /;

/** Whether this reply alone says so: a node has refused its part, or was lost. */
export function breaks(reply: Buffer): boolean {
  return isRefusal(reply) || NOT_REACHED.test(reply.toString('latin1', 0, LONGEST_CODE));
}
