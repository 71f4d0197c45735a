/** What a transaction holds that was allowed when it was queued: users' rights may be others when it runs. */
export interface QueuedCommands {
  /** Whole frames, one behind the other in each piece. */
  readonly pieces: readonly Buffer[];
  /** Which of them are the proxy's own, by their position. */
  readonly own: readonly number[];
  /** What stands for another command, by its position. */
  readonly instead: readonly { readonly at: number; readonly frame: Buffer }[];
  /** `Users.version` at MULTI. */
  readonly rightsVersion: number;
}
