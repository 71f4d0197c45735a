import type { Publishes } from '../../commands/columns.js';
import type { Command } from '../../commands/command.js';
import type { Router } from '../route/router.js';
import { type RunKeyed, runSpecial } from '../route/special.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { RoutingSnapshot } from '../snapshot.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import { Blocking } from './blocking/blocking.js';
import { mayWait } from './blocking/blocking-frame.js';
import type { TransactionFigures } from './clients/describe.js';
import { Guard } from './clients/guard.js';
import { mayWrite } from './clients/may-write.js';
import { Pause } from './clients/pause.js';
import type { LocalContext } from './context.js';
import { type LocalCommand, localCommands } from './index.js';
import { Monitors } from './monitor/monitors.js';
import { PeerCounts } from './pubsub/peer-counts.js';
import { PeerSubscriptions } from './pubsub/peer-subscriptions.js';
import { PublishOrder } from './pubsub/publish-order.js';
import { PubSub } from './pubsub/pubsub.js';
import { CHANNEL, SHARD, type TopicKind } from './pubsub/topic.js';
import { ScriptStore } from './scripts/script-store.js';
import { Scripts } from './scripts/scripts.js';
import { ownPartOfSettings } from './server/config-command.js';
import { Tracking } from './tracking/tracking.js';
import type { Published } from './transactions/ports.js';
import { Transactions } from './transactions/transactions.js';

/** Of functions it is not known whether they write. */
const NO_FUNCTION = (): boolean => false;

const KINDS = { channel: CHANNEL, shard: SHARD } as const satisfies Record<Publishes, TopicKind>;

function topicOf({ on, key }: Published): { kind: TopicKind; key: string } {
  return { kind: KINDS[on], key };
}

/** The features of a data plane. */
export class Features {
  readonly router: Router;
  readonly context: LocalContext;
  /** Commands that wait at nodes. */
  readonly blocking: Blocking;
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
  /** MULTI and WATCH. */
  readonly transactions: Transactions;
  /** By the command's name (`container|subcommand`). */
  readonly #handlers: ReadonlyMap<string, LocalCommand>;
  readonly #runCode: RunKeyed = (...call) => this.scripts.run(...call);

  /** @param attend is told whether every command must be looked at more closely: clients are paused, or monitored */
  constructor(router: Router, context: LocalContext, attend: (attentive: boolean) => void) {
    this.router = router;
    this.context = context;
    const { clock, requests, options, turn } = context.shared;
    const { peers, board } = context;
    this.blocking = new Blocking(router, peers);
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
    this.transactions = this.#createTransactions();
    this.#handlers = localCommands(this);
  }

  /** What CLIENT LIST says of a client's transaction. */
  readonly tellTransaction = (client: ClientConnection): TransactionFigures => this.transactions.figuresOf(client);

  #createTransactions(): Transactions {
    const { scripts, publishOrder } = this;
    return new Transactions(this.router, this.context.peers, {
      scripts,
      publishGate: {
        mustWait: (client, framer, node, published) =>
          publishOrder.mustWait(client, framer, node, published?.map(topicOf) ?? null),
      },
      mayWrite: (command, framer) => mayWrite(command, framer, scripts.store, NO_FUNCTION),
      ownPartOfSettings: (framer) => ownPartOfSettings(this, framer),
      runLocal: (client, command, framer) => {
        this.handlerOf(command)?.(client, command, framer, this);
      },
    });
  }

  /** Who answers a command that the proxy answers itself; undefined: it is none. */
  handlerOf(command: Command): LocalCommand | undefined {
    return this.#handlers.get(command.name);
  }

  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    this.blocking.onPublish();
    this.pubsub.onPublish(snapshot, nodes);
    this.tracking.onPublish(snapshot, nodes);
    this.transactions.onPublish(snapshot, nodes);
  }

  /** Forwards the frame to the owner of its keys; one that may wait at the node gets a lane of its own. */
  readonly runKeyed: RunKeyed = (client, command, owner, source, framer, keys, keyHash) => {
    if (command.waits !== null && mayWait(command, framer)) return this.blocking.begin(client, command, framer, owner);
    if (command.special === null) return this.router.forward(client, command, owner, source, framer, keys, keyHash);
    return runSpecial(this.router, client, command, owner, source, framer, keys, keyHash, this.#runCode);
  };

  /** The client has left. */
  onClosed(client: ClientConnection): void {
    if (client.subscriptions !== null) this.pubsub.forget(client);
    this.transactions.forget(client);
    this.tracking.stop(client);
    this.pause.forget(client);
    this.publishOrder.forget(client);
    if (client.monitors) this.monitors.forget(client);
  }
}
