/** Where clients of all processes are counted together. */
export interface LimitPeers {
  /** @returns whether the user may have one client more, which is counted then */
  ask(user: string): Promise<boolean>;
  /** One client more, however many there are. */
  entered(user: string): void;
  left(user: string): void;
}
