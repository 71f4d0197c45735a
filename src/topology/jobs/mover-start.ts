/** How a job has the mover of a source made: what that starts from, and whom it tells. */
import type { MoverOptions } from '../../rebalance/mover.js';
import type { Member } from '../state/ring-state.js';
import type { SourceMoveCallbacks, SourceMover } from './source-move.js';

/** What the mover of a source starts from. */
export interface MoverStart
  extends Pick<MoverOptions, 'rings' | 'source' | 'runIds' | 'memory' | 'looks' | 'turns' | 'sweeping'> {
  /** Those of the change; `rings` is over them. */
  readonly nodes: readonly Member[];
  /** The claim, by the number that the source has in the ring. */
  readonly right: { readonly holder: string; readonly source: number; readonly revision: number };
  /** Whether it is in force: a read that cannot be stale; null: no answer. */
  readonly isInForce: () => Promise<boolean | null>;
}

export interface MoverCallbacks extends SourceMoveCallbacks {
  onFailure(message: string): void;
  onMoved(source: string, target: string, keys: number, bytes: number): void;
}

export type CreateMover = (start: MoverStart, callbacks: MoverCallbacks) => SourceMover;
