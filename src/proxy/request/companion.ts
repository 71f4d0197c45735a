import type { Request } from './request.js';

/** Goes with a client's request, from when it is sent until its reply has left or nobody waits for it any more. */
export interface Companion {
  /** The request stands in its client's queue. */
  onSent(request: Request): void;
  /** Whether the request reads the key with this hash: so keys are told apart by those who send companions. */
  reads(keyHash: number): boolean;
  /** Nothing further comes of the request. */
  onDone(): void;
}
