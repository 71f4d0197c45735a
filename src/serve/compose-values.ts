/** Composition: the values that every proxy of the ring has, how they come to have the same, and what outlives them. */
import { join } from 'node:path';
import { etcdAccess } from '../config/fleet.js';
import type { Config } from '../config/settings.js';
import type { PeerHandlers } from '../fleet/peers/handlers.js';
import type { Peers } from '../fleet/peers/peers.js';
import { type ExchangeFigures, ValueExchange } from '../fleet/value-exchange/exchange.js';
import { ALONE, ValueSnapshot } from '../fleet/value-snapshot/value-snapshot.js';
import type { ValueStore } from '../fleet/values/store.js';
import type { KeyGroup } from '../proxy/caching/policy.js';
import { KeyGroups } from '../proxy/measure/key-groups.js';
import type { Logger } from '../telemetry/log.js';
import type { Timers } from '../time/timers.js';
import type { RingStore } from '../topology/store/ring-store.js';
import { clockWatch } from './clock-watch.js';

export interface ValuesNeeds {
  readonly config: Config;
  readonly log: Logger;
  readonly values: ValueStore;
  /** This proxy's id, as it is at the moment. */
  readonly ownId: () => string;
  /** How others are reached; null: this proxy is alone. */
  readonly peers: { readonly peers: Peers; readonly handlers: Pick<PeerHandlers, 'on'> } | null;
  readonly store: Pick<RingStore, 'members' | 'watch'>;
  /** The groups that are in force. */
  readonly groups: () => readonly KeyGroup[];
  readonly timers: Timers;
}

export interface ValuesParts {
  /** Null: this proxy is alone. */
  figures(): ExchangeFigures | null;
  /**
   * Begins to tell and to hear, once this proxy is a member; waits until it has what others have, but not for long, and
   * what it had before its start.
   * @param isFounder the ring is the one that this proxy had while it was alone
   */
  start(isFounder: boolean): Promise<void>;
  /** Tells the others what clients have written last, and keeps it. */
  close(): Promise<void>;
}

interface Exchanging {
  readonly exchange: ValueExchange;
  start(): Promise<void>;
  compareAgain(): Promise<void>;
  close(): Promise<void>;
}

const PATH = 'values';
const FILE = 'values.bin';
const NO_ANSWER = Buffer.alloc(0);
/** Who has just joined serves without others' values when none of them answers in this time. */
const JOIN_MS = 5000;
/** What was written last is told for no longer than this, when the proxy stops. */
const LEAVE_MS = 2000;
/** So often it is looked whether this machine's clock has gone back. */
const CLOCK_MS = 1000;

export function composeValues(needs: ValuesNeeds): ValuesParts {
  const { groups } = needs;
  const isReplicated = (): boolean => groups().some(({ policy }) => policy?.cache === 'replicated');
  const exchanging = needs.peers === null ? null : composeExchange(needs, needs.peers, isReplicated);
  const snapshot = composeSnapshot(needs, exchanging?.exchange ?? null);
  return {
    figures: () => exchanging?.exchange.figures ?? null,
    async start(isFounder) {
      const isKept = isReplicated();
      if (isKept) await snapshot?.open(isFounder ? ALONE : null);
      await exchanging?.start();
      const isAlone = exchanging?.exchange.hasCompared !== true;
      const isRestored = isKept && (await snapshot?.restore({ isAlone, belongs: replicatedAmong(groups()) })) === true;
      // What is deleted at others is not among what they have told.
      if (isRestored) await exchanging?.compareAgain();
      snapshot?.start();
    },
    async close() {
      await Promise.all([snapshot?.close(), exchanging?.close()]);
    },
  };
}

function composeExchange(
  { values, ownId, store, timers, log }: ValuesNeeds,
  { peers, handlers }: NonNullable<ValuesNeeds['peers']>,
  isReplicated: () => boolean,
): Exchanging {
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
    isWanted: () => values.size > 0 || isReplicated(),
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
    exchange,
    async start() {
      ends.push(
        handlers.on(PATH, async ({ from, body }) => exchange.answer(from, body) ?? NO_ANSWER),
        store.watch(({ kind }) => {
          if (kind === 'members') void readMembers();
        }),
      );
      ends.push(timers.every(CLOCK_MS, clockWatch({ values, log, compareNow: () => exchange.compareNow() })));
      exchange.start();
      await readMembers();
      await exchange.joined(JOIN_MS);
    },
    async compareAgain() {
      if (!exchange.hasCompared) return;
      exchange.compareNow();
      await exchange.joined(JOIN_MS);
    },
    async close() {
      for (const end of ends.splice(0)) end();
      await exchange.close(LEAVE_MS);
    },
  };
}

/** @returns null: there is nowhere to keep them */
function composeSnapshot(
  { config, log, values, timers }: ValuesNeeds,
  exchange: ValueExchange | null,
): ValueSnapshot | null {
  if (config.stateDir === '') return null;
  const etcd = etcdAccess(config);
  return new ValueSnapshot({
    path: join(config.stateDir, FILE),
    ring: etcd === null ? ALONE : `${etcd.prefix}${etcd.ringName}`,
    store: values,
    timers,
    knownUpTo: () => exchange?.knownUpTo ?? values.clock.wall(),
    info: (message) => log.info(message),
    warn: (message) => log.warn(message),
  });
}

/** @returns whether a key, one character for each byte, is of a group that is replicated */
function replicatedAmong(groups: readonly KeyGroup[]): (key: string) => boolean {
  const matching = new KeyGroups(groups);
  return (key) => {
    const bytes = Buffer.from(key, 'latin1');
    return matching.policyOf(bytes, 0, bytes.length)?.cache === 'replicated';
  };
}
