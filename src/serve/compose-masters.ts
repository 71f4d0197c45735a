/** Composition: where the masters of nodes are that do not say it by their address. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Config } from '../config/settings.js';
import type { AgreementPort } from '../failover/agreement.js';
import { Masters } from '../failover/masters.js';
import { type NodeEmptiedEvent, nodeEmptied } from '../health/node-monitor.js';
import { reachOf } from '../node/access.js';
import type { NodeEndpoint, Speech } from '../node/endpoint.js';
import type { PlaneHost } from '../plane/host.js';
import { nodeDown, nodeImpaired } from '../proxy/events.js';
import { killProxies } from '../rebalance/connections.js';
import { monotonicNow } from '../time/monotonic.js';
import { systemTimers } from '../time/timers.js';
import type { Consistency, Member } from '../topology/state/ring-state.js';
import type { MasterRecords } from '../topology/store/master-records.js';
import type { RingStore } from '../topology/store/ring-store.js';
import type { OwnAccess } from './own-access.js';

export interface MastersNeeds {
  readonly config: Config;
  /** How nodes are spoken to. */
  readonly access: OwnAccess;
  readonly plane: () => Pick<PlaneHost, 'published'>;
  /** The ring is to be published once more, since a node is reached otherwise. */
  readonly publishAnew: () => void;
  readonly ownId: () => string;
  readonly store: RingStore & MasterRecords;
  readonly consistency: () => Consistency;
  /** Whether masters that may have what is of the past are emptied. */
  readonly empties: () => boolean;
  /** @see emptyNode */
  readonly emptyServer: (server: NodeEndpoint, mayRemove: (runId: string) => Promise<void>) => Promise<string>;
  readonly warn: (message: string) => void;
}

export interface MastersParts {
  readonly masters: Masters<Member>;
  stop(): void;
}

export function composeMasters({ config, access, plane, publishAnew, ...rest }: MastersNeeds): MastersParts {
  const { connectTimeout } = config;
  const { store, ownId } = rest;
  const login = (node: Member): Speech => {
    const { username, password, tls } = reachOf(node, access);
    return { username, password, tls };
  };
  const masters = new Masters<Member>(
    {
      interval: config.probeInterval,
      timeout: config.probeTimeout,
      sentinels: () => access.sentinels,
      timers: systemTimers,
      empties: rest.empties,
    },
    {
      login,
      changed: publishAnew,
      cut: () => plane().published(),
      drop: async (server, more = []) => {
        const others = (await store.members()).map(({ id }) => id);
        return killProxies([server], [ownId(), ...others, ...more], connectTimeout);
      },
      empty: rest.emptyServer,
      emptied: ({ name, address }, server) => {
        if (!nodeEmptied.hasSubscribers) return;
        const summary = `node ${name} (${address}): its master ${server}, which had what may be of the past, was emptied, and serves`;
        const event: NodeEmptiedEvent = { node: name, address, summary };
        nodeEmptied.publish(event);
      },
      warn: rest.warn,
      agreement: agreementBy(rest),
    },
  );
  // A node that is lost, or says that it is a replica, may just have failed over.
  const onTrouble = (message: unknown): void => {
    const { node, address } = message as { readonly node: string; readonly address: string };
    masters.look({ name: node, address });
  };
  for (const { name } of [nodeDown, nodeImpaired]) subscribe(name, onTrouble);
  const stop = (): void => {
    for (const { name } of [nodeDown, nodeImpaired]) unsubscribe(name, onTrouble);
    masters.close();
  };
  return { masters, stop };
}

function agreementBy({
  store,
  ownId,
  consistency,
}: Pick<MastersNeeds, 'store' | 'ownId' | 'consistency'>): AgreementPort {
  return {
    get ownId() {
      return ownId();
    },
    get validUntil() {
      return store.validUntil;
    },
    get isStrict() {
      return consistency() === 'strict';
    },
    now: monotonicNow,
    load: (node) => store.loadMaster(node),
    save: (node, expected, record) => store.saveMaster(node, expected, record),
    forget: (node) => store.forgetMaster(node),
    watch: (listener) =>
      store.watch((event) => {
        if (event.kind === 'master') listener(event.node, event.master);
        else if (event.kind === 'members' || event.kind === 'standing') listener(null, null);
      }),
    proxies: async () =>
      (await store.members())
        .filter(({ fencedOff }) => !fencedOff)
        .map(({ id, alive, info }) => ({ id, alive, agrees: info?.agreesOnMasters === true })),
  };
}
