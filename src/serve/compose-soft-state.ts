/** Composition: what this proxy and the others of its ring tell each other, and what it makes of that. */
import type { OwnNodeView } from '../admin/api.js';
import type { PeerHandlers } from '../fleet/peers/handlers.js';
import type { Peers } from '../fleet/peers/peers.js';
import { KnownScripts } from '../fleet/soft-state/documents/known-scripts.js';
import { NodeOpinions } from '../fleet/soft-state/documents/node-opinions.js';
import { type ProxyNews, ProxyNewsBoard } from '../fleet/soft-state/documents/proxy-news.js';
import { SubscriberCounts } from '../fleet/soft-state/documents/subscriber-counts.js';
import type { ExchangeOptions } from '../fleet/soft-state/exchange.js';
import { SoftState } from '../fleet/soft-state/soft-state.js';
import type { FleetLink } from '../plane/fleet-link.js';
import type { PlaneHost } from '../plane/host.js';
import type { SoftStateFigures } from '../telemetry/fleet-figures.js';
import type { Timers } from '../time/timers.js';
import type { RingStore } from '../topology/store/ring-store.js';
import type { HeardOfOthers } from './compose-fleet-view.js';

export interface SoftStateNeeds {
  /** This proxy's id, as it is at the moment. */
  readonly ownId: () => string;
  readonly peers: Peers;
  readonly handlers: Pick<PeerHandlers, 'on'>;
  readonly store: Pick<RingStore, 'members' | 'watch'>;
  readonly timers: Timers;
  readonly exchange?: ExchangeOptions;
}

/** What is told of this proxy. */
export interface ToldOfOwn {
  readonly news: () => ProxyNews;
  readonly nodes: () => readonly OwnNodeView[];
  readonly plane: Pick<PlaneHost, 'scriptBody' | 'flushScripts'>;
}

export interface SoftStateParts extends HeardOfOthers {
  /** For the data plane. */
  readonly link: FleetLink;
  readonly figures: () => SoftStateFigures;
  /** Begins to tell and to hear, once this proxy is a member. */
  start(own: ToldOfOwn): void;
  stop(): void;
}

const EXCHANGE_PATH = 'soft-state';
const SCRIPT_PATH = 'script';
const SCRIPT_TIMEOUT_MS = 500;
/** How often it is looked which nodes are down. */
const LOOK_MS = 1000;
const NO_ANSWER = Buffer.alloc(0);

export function composeSoftState({ ownId, peers, handlers, store, timers, exchange }: SoftStateNeeds): SoftStateParts {
  const ask = async (member: string, path: string, body: Buffer, timeoutMs: number): Promise<Buffer | null> => {
    const answer = await peers.ask(member, path, body, timeoutMs);
    return answer.ok && Buffer.isBuffer(answer.body) && answer.body.length > 0 ? answer.body : null;
  };
  const state = new SoftState({
    own: ownId(),
    peers: { ask: (member, body, timeoutMs) => ask(member, EXCHANGE_PATH, body, timeoutMs) },
    timers,
    wallNow: Date.now,
    random: Math.random,
    ...(exchange !== undefined && { exchange }),
  });
  let told: ToldOfOwn | null = null;
  const nothing: ProxyNews = { generation: 0, phase: 'stable', load: null };
  const news = new ProxyNewsBoard(state, timers, () => told?.news() ?? nothing);
  const opinions = new NodeOpinions(state);
  const subscribers = new SubscriberCounts(state);
  const scripts = new KnownScripts(state, timers, (proxy, digest) =>
    ask(proxy, SCRIPT_PATH, Buffer.from(digest), SCRIPT_TIMEOUT_MS),
  );

  const look = (): void =>
    opinions.tell(
      (told?.nodes() ?? []).flatMap(({ name, address, downSince: since, error, reason }) =>
        since === null ? [] : [{ name, address, since, why: error ?? reason ?? '' }],
      ),
    );

  const readMembers = async (): Promise<void> => {
    const members = await store.members().catch(() => null);
    // A store that does not answer says nothing of who is gone.
    if (members === null) return;
    state.rename(ownId());
    state.setMembers(members.filter(({ fencedOff }) => !fencedOff).map(({ id }) => id));
  };

  const ends: (() => void)[] = [];
  return {
    link: { subscribers, scripts, tell: (topics) => subscribers.tell(topics) },
    newsOf: (id) => news.of(id),
    lags: () => state.figures().lags,
    opinionsOf: (node) => opinions.of(node),
    figures() {
      const figures = state.figures();
      return { ...figures, conflicts: figures.repairs };
    },
    start(own) {
      told = own;
      scripts.serve({
        body: (digest) => own.plane.scriptBody(digest),
        flush: (kept) => own.plane.flushScripts(kept),
      });
      ends.push(
        handlers.on(EXCHANGE_PATH, async ({ body }) => state.answer(body) ?? NO_ANSWER),
        handlers.on(SCRIPT_PATH, async ({ body }) => scripts.answer(body)),
        store.watch(({ kind }) => {
          if (kind === 'members') void readMembers();
        }),
        timers.every(LOOK_MS, look),
      );
      void readMembers();
      look();
      news.start();
      state.start();
    },
    stop() {
      for (const end of ends.splice(0)) end();
      news.stop();
      state.stop();
    },
  };
}
