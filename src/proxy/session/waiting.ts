import type { UnblockMode } from '../peers/peers.js';
import type { Lane } from '../upstream/lane.js';

/** What a client waits for at one or several nodes: nothing else of the client's is handled meanwhile. */
export interface Waiting {
  /** The client has left. */
  abandon(): void;
  /** The client sends nothing more, but may read: nobody waits for it, but what is there it gets. */
  hangUp(): void;
  /** The proxy stops. */
  stop(): void;
  /** CLIENT UNBLOCK. @returns the lane whose node is to be asked; null when that is not needed */
  endWait(mode: UnblockMode): Lane | null;
}
