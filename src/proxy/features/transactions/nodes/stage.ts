/**
 * What of a transaction runs at once: a part for each node, and behind these the commands that take steps over several
 * nodes, one after the other. Most transactions have one stage, with nothing behind its parts.
 */
import type { ApartCall, ApartOutcome } from '../../../route/apart-commands.js';
import type { Part } from './part.js';
import { ReplyOrder } from './reply-order.js';

/** A command that takes steps over several nodes. */
export interface StepsBehind {
  readonly call: ApartCall;
  /** Null: it has not run. */
  outcome: ApartOutcome | null;
}

export class Stage {
  /** Of the places of the transaction, in their order; those without commands are not sent. */
  readonly parts: readonly Part[];
  readonly order = new ReplyOrder();
  readonly behind: StepsBehind[] = [];
  /** Where its first command stands in the queue. */
  readonly first: number;

  constructor(parts: readonly Part[], first: number) {
    this.parts = parts;
    this.first = first;
  }

  /** What its parts could not do, and so ends the transaction; undefined: nothing. */
  get culprit(): Part | undefined {
    return this.parts.find(({ outcome }) => outcome !== 'ran' && outcome !== 'waits');
  }
}
