/** The commands of this process that wait for keys on several nodes. */
import type { Command } from '../../../../commands/command.js';
import type { Router } from '../../../route/router.js';
import type { ClientConnection } from '../../../session/client-connection.js';
import type { RoutingSnapshot } from '../../../snapshot.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { ApartWait, type MoveElement } from './apart-wait.js';
import type { ClientWait, WaitingCall } from './client-wait.js';
import { KeyQueues } from './key-queues.js';
import { type LookAtStreams, StreamWait } from './stream-wait.js';

export interface WaitingPorts {
  /** Whether clients are paused: nothing is taken for them meanwhile. */
  readonly isPaused: () => boolean;
  readonly moveElement: MoveElement;
  readonly lookAtStreams: LookAtStreams;
}

export class WaitsApart {
  readonly #router: Router;
  readonly #queues: KeyQueues;
  readonly #ports: WaitingPorts;
  readonly #all = new Set<ClientWait>();

  constructor(router: Router, ports: WaitingPorts) {
    this.#router = router;
    this.#ports = ports;
    this.#queues = new KeyQueues(router, ports.isPaused);
  }

  /** How many there are. */
  get waiting(): number {
    return this.#all.size;
  }

  /** Whether this command, which is to wait, may wait so. */
  takes(client: ClientConnection, { crossNode }: Command): boolean {
    const waits = crossNode === 'waits' || crossNode === 'streams';
    return waits && client.crossNode === 'allow';
  }

  /** Lets a command wait; its client waits behind it. */
  begin(call: WaitingCall): void {
    const { moveElement, lookAtStreams } = this.#ports;
    const seeker =
      call.command.crossNode === 'streams'
        ? new StreamWait(this.#router, this.#queues, lookAtStreams, this.#all, call)
        : new ApartWait(this.#router, this.#queues, moveElement, this.#all, call);
    seeker.begin();
    if (call.client.inputHasEnded) seeker.wait.hangUp();
  }

  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    this.#queues.onPublish(snapshot, nodes);
  }

  /** Clients are paused, or not any more. */
  onPause(): void {
    if (!this.#ports.isPaused()) this.#queues.resume();
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
