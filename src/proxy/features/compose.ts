import type { Router } from '../route/router.js';
import { type RunKeyed, runSpecial } from '../route/special.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { RoutingSnapshot } from '../snapshot.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import { BlockedCommands } from './blocking/blocked-commands.js';
import { mayWait } from './blocking/blocking-frame.js';
import { Guard } from './clients/guard.js';
import { Pause } from './clients/pause.js';
import type { LocalContext } from './context.js';
import { Monitors } from './monitor/monitors.js';
import { PeerCounts } from './pubsub/peer-counts.js';
import { PeerSubscriptions } from './pubsub/peer-subscriptions.js';
import { PublishOrder } from './pubsub/publish-order.js';
import { PubSub } from './pubsub/pubsub.js';
import { ScriptStore } from './scripts/script-store.js';
import { Scripts } from './scripts/scripts.js';
import { Tracking } from './tracking/tracking.js';
import { endWatch } from './transactions/watch-lane.js';

/** The features of a data plane. */
export class Features {
  readonly router: Router;
  readonly context: LocalContext;
  /** Commands that wait at nodes. */
  readonly blocked = new BlockedCommands(this);
  /** What clients are subscribed to. */
  readonly pubsub: PubSub;
  /** Keeps what is published behind what was subscribed to before. */
  readonly publishOrder: PublishOrder;
  /** What the proxy's other processes have subscribed to; null: there are none. */
  readonly peerCounts: PeerCounts | null;
  /** Which clients are told of changes of which keys. */
  readonly tracking: Tracking;
  /** CLIENT PAUSE. */
  readonly pause: Pause;
  /** MONITOR. */
  readonly monitors: Monitors;
  /** What ends clients that look like an attack. */
  readonly guard: Guard;
  /** Scripts that clients have sent. */
  readonly scripts: Scripts;
  readonly #runCode: RunKeyed = (...call) => this.scripts.run(...call);

  /** @param attend is told whether every command must be looked at more closely: clients are paused, or monitored */
  constructor(router: Router, context: LocalContext, attend: (attentive: boolean) => void) {
    this.router = router;
    this.context = context;
    const { clock, requests, options, turn } = context.shared;
    const { peers, board } = context;
    this.pubsub = new PubSub({ requests, clientOutputLimit: options.clientOutputLimit, board });
    this.peerCounts = peers === null ? null : new PeerCounts(peers);
    const peerSubscriptions = peers === null || board === null ? null : new PeerSubscriptions(peers, board);
    this.publishOrder = new PublishOrder(this.pubsub, peerSubscriptions);
    this.tracking = new Tracking(options.trackingTableMaxKeys, clock, async (client, keys) => {
      const answers = (await context.peers?.ask({ type: 'invalidated', client, keys })) ?? [];
      if (answers.includes(1)) return true;
      return answers.includes(null) ? null : false;
    });
    const changed = (): void => attend(this.pause.active || this.monitors.active);
    this.guard = new Guard(clock);
    this.pause = new Pause(changed);
    this.monitors = new Monitors(turn, context.peers, options.proxyId, changed);
    this.scripts = new Scripts(this, new ScriptStore(options.scriptCache, context.scriptPeers));
  }

  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    this.blocked.onPublish();
    this.pubsub.onPublish(snapshot, nodes);
    this.tracking.onPublish(snapshot, nodes);
  }

  /** Forwards the frame to the owner of its keys; one that may wait at the node gets a lane of its own. */
  readonly runKeyed: RunKeyed = (client, command, owner, source, framer, keys, keyHash) => {
    if (command.waits !== null && mayWait(command, framer)) return this.blocked.begin(client, command, framer, owner);
    if (command.special === null) return this.router.forward(client, command, owner, source, framer, keys, keyHash);
    return runSpecial(this.router, client, command, owner, source, framer, keys, keyHash, this.#runCode);
  };

  /** The client has left. */
  onClosed(client: ClientConnection): void {
    if (client.subscriptions !== null) this.pubsub.forget(client);
    endWatch(client, false);
    this.tracking.stop(client);
    this.pause.forget(client);
    this.publishOrder.forget(client);
    if (client.monitors) this.monitors.forget(client);
  }
}
