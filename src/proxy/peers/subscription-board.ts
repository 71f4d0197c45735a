/**
 * Where the processes of one proxy see of each other, at once and without asking, whether nodes are still to hear of
 * something that clients have subscribed to.
 */
export interface SubscriptionBoard {
  /** Whether that is so in this process. */
  show(isBehind: boolean): void;
  /** Whether that is so in another one, as far as can be told. */
  othersAreBehind(): boolean;
}
