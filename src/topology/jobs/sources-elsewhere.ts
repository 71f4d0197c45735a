/** The sources of a change whose keys other proxies move, as they are asked for them here. */
import type { ChangeMoves } from '../../rebalance/moves/change-moves.js';
import type { MovesAnswer, MovesQuestion } from '../../rebalance/moves/peer-protocol.js';
import { PeerSource } from '../../rebalance/moves/peer-source.js';
import type { SettledKeys } from '../../rebalance/settled-keys.js';
import { systemTimers } from '../../time/timers.js';
import type { Claim } from '../state/fleet.js';

/** Asks a member about keys that it moves. @returns null: there is no answer, or it does not move them */
export type AskMover = (member: string, question: MovesQuestion) => Promise<MovesAnswer | null>;

export interface SourcesElsewherePorts {
  /** The change's id. */
  readonly change: string;
  /** Told who moves what. */
  readonly moves: ChangeMoves;
  /** What has moved, whoever has moved it. */
  readonly settled: SettledKeys;
  memberId(): string;
  /** Null: this proxy is alone. */
  readonly ask: AskMover | null;
}

export class SourcesElsewhere {
  readonly #ports: SourcesElsewherePorts;
  readonly #bySource = new Map<number, { readonly claim: Claim; readonly asked: PeerSource }>();

  constructor(ports: SourcesElsewherePorts) {
    this.#ports = ports;
  }

  /** Whoever has the claim is asked for the source's keys from now on; null: nobody has it. */
  assign(source: number, claim: Claim | null): void {
    const before = this.#bySource.get(source);
    if (claim !== null && before?.claim.revision === claim.revision) return;
    this.#bySource.delete(source);
    const { ask, memberId, change, moves, settled } = this.#ports;
    if (claim === null || ask === null || claim.holder === memberId()) {
      if (before !== undefined) moves.assign(source, null, false);
    } else {
      const { holder, revision } = claim;
      const asked = new PeerSource({
        ...{ source, settled, timers: systemTimers },
        ask: (question) => ask(holder, { ...question, change, source, revision }),
      });
      this.#bySource.set(source, { claim, asked });
      moves.assign(source, asked, false);
    }
    before?.asked.close();
  }

  /** It is not asked for elsewhere any more. */
  end(source: number): void {
    const before = this.#bySource.get(source);
    this.#bySource.delete(source);
    before?.asked.close();
  }
}
