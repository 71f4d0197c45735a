/** The commands of this process that wait for keys on several nodes. */
import type { Command } from '../../../../commands/command.js';
import type { Router } from '../../../route/router.js';
import type { RoutingSnapshot } from '../../../snapshot.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { ApartWait, type MoveElement, type WaitingCall } from './apart-wait.js';
import { KeyQueues } from './key-queues.js';

export interface WaitingPorts {
  /** Whether clients are paused: nothing is taken for them meanwhile. */
  readonly isPaused: () => boolean;
  readonly moveElement: MoveElement;
}

export class WaitsApart {
  readonly #router: Router;
  readonly #queues: KeyQueues;
  readonly #isPaused: () => boolean;
  readonly #moveElement: MoveElement;
  readonly #all = new Set<ApartWait>();

  constructor(router: Router, { isPaused, moveElement }: WaitingPorts) {
    this.#router = router;
    this.#moveElement = moveElement;
    this.#isPaused = isPaused;
    this.#queues = new KeyQueues(router, isPaused);
  }

  /** How many there are. */
  get waiting(): number {
    return this.#all.size;
  }

  /** Whether this command may wait so. */
  takes({ crossNode }: Command): boolean {
    return crossNode === 'waits' && this.#router.shared.options.crossNode === 'allow';
  }

  /** Lets a command wait; its client waits behind it. */
  begin(call: WaitingCall): ApartWait {
    const { client } = call;
    const wait = new ApartWait(this.#router, this.#queues, this.#moveElement, this.#all, call);
    client.blockOn(wait);
    wait.begin();
    if (client.inputHasEnded) wait.hangUp();
    return wait;
  }

  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    this.#queues.onPublish(snapshot, nodes);
  }

  /** Clients are paused, or not any more. */
  onPause(): void {
    if (!this.#isPaused()) this.#queues.resume();
  }

  /** Called about ten times a second. */
  tick(now: number): void {
    const { requestTimeout } = this.#router.shared.options;
    for (const wait of this.#all) wait.checkTime(now, requestTimeout);
    this.#queues.tick(now);
  }

  close(): void {
    this.#queues.close();
  }
}
