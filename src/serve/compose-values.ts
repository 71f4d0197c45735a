/** Composition: the values that every proxy of the ring has, and how they come to have the same. */
import type { PeerHandlers } from '../fleet/peers/handlers.js';
import type { Peers } from '../fleet/peers/peers.js';
import { type ExchangeFigures, ValueExchange } from '../fleet/value-exchange/exchange.js';
import type { ValueStore } from '../fleet/values/store.js';
import type { KeyGroup } from '../proxy/caching/policy.js';
import type { Timers } from '../time/timers.js';
import type { RingStore } from '../topology/store/ring-store.js';

export interface ValuesNeeds {
  readonly values: ValueStore;
  /** This proxy's id, as it is at the moment. */
  readonly ownId: () => string;
  readonly peers: Peers;
  readonly handlers: Pick<PeerHandlers, 'on'>;
  readonly store: Pick<RingStore, 'members' | 'watch'>;
  /** The groups that are in force. */
  readonly groups: () => readonly KeyGroup[];
  readonly timers: Timers;
}

export interface ValuesParts {
  figures(): ExchangeFigures;
  /** Begins to tell and to hear, once this proxy is a member; waits until it has what others have, but not for long. */
  start(): Promise<void>;
  /** Tells the others what clients have written last. */
  close(): Promise<void>;
}

const PATH = 'values';
const NO_ANSWER = Buffer.alloc(0);
/** Who has just joined serves without others' values when none of them answers in this time. */
const JOIN_MS = 5000;
/** What was written last is told for no longer than this, when the proxy stops. */
const LEAVE_MS = 2000;

export function composeValues({ values, ownId, peers, handlers, store, groups, timers }: ValuesNeeds): ValuesParts {
  const exchange = new ValueExchange({
    own: ownId(),
    store: values,
    peers: {
      async ask(member, body, timeoutMs) {
        const answer = await peers.ask(member, PATH, body, timeoutMs);
        return answer.ok && Buffer.isBuffer(answer.body) && answer.body.length > 0 ? answer.body : null;
      },
    },
    timers,
    isWanted: () => values.size > 0 || groups().some(({ policy }) => policy?.cache === 'replicated'),
  });
  const readMembers = async (): Promise<void> => {
    const members = await store.members().catch(() => null);
    // A store that does not answer says nothing of who is gone.
    if (members === null) return;
    exchange.rename(ownId());
    exchange.setMembers(members.filter(({ fencedOff }) => !fencedOff).map(({ id }) => id));
  };
  const ends: (() => void)[] = [];
  return {
    figures: () => exchange.figures,
    async start() {
      ends.push(
        handlers.on(PATH, async ({ from, body }) => exchange.answer(from, body) ?? NO_ANSWER),
        store.watch(({ kind }) => {
          if (kind === 'members') void readMembers();
        }),
      );
      exchange.start();
      await readMembers();
      await exchange.joined(JOIN_MS);
    },
    async close() {
      for (const end of ends.splice(0)) end();
      await exchange.close(LEAVE_MS);
    },
  };
}
