/** Composition: where the proxies of the ring agree, and what this one remembers of that. */
import { join } from 'node:path';
import { etcdAccess } from '../config/fleet.js';
import type { Config } from '../config/settings.js';
import { etcdFiles, tlsRules } from '../config/tls.js';
import { RingproxyError } from '../errors.js';
import type { OwnIdentity } from '../identity.js';
import type { Logger } from '../telemetry/log.js';
import { systemTimers } from '../time/timers.js';
import type { Certificates } from '../tls/certificates.js';
import { NO_MATERIAL, secureOptions } from '../tls/material.js';
import type { RingState } from '../topology/state/ring-state.js';
import { afterEverybodyIsGone } from '../topology/state/transitions.js';
import { FleetFile, type KnownFleet } from '../topology/store/fleet-file.js';
import type { GroupRecords, StoredGroups } from '../topology/store/group-records.js';
import { LocalStore } from '../topology/store/local-store.js';
import type { MasterRecords } from '../topology/store/master-records.js';
import type { RingStore, StoredRing } from '../topology/store/ring-store.js';
import { StateDir } from '../topology/store/state-dir.js';

/** How often it is said that nothing can begin yet. */
const SAID_EVERY_MS = 5000;
/** Without an answer. */
const OUT_OF_REACH = ['ETCD_UNREACHABLE', 'ETCD_NO_LEADER'];

/** What is known when the store is open. */
export interface Opened {
  /** The ring that this proxy had while it was alone, where it is one of a fleet now; null: it had none. */
  readonly former: RingState | null;
  /** The ring of the fleet as this proxy knew it last; null: it knew none. */
  readonly remembered: RingState | null;
  /** The groups of keys that go with the one or the other; null: there were none. */
  readonly groups: StoredGroups | null;
  /** The store is out of reach, and this is to be served until it is back; null: it answers. */
  readonly known: KnownFleet | null;
}

export interface StoreParts {
  readonly store: RingStore & GroupRecords & MasterRecords;
  /**
   * Opens it. Where it is out of reach and nothing is known that may be served without it, waits for it, and says so.
   * @throws RingproxyError when waiting is of no use
   */
  open(): Promise<Opened>;
  close(): Promise<void>;
}

export interface StoreNeeds {
  readonly config: Config;
  readonly identity: OwnIdentity;
  readonly log: Logger;
  readonly certificates: Certificates;
  /** Another proxy has the state directory. */
  readonly onLost: (why: string) => void;
}

export async function composeStore({ config, identity, log, certificates, onLost }: StoreNeeds): Promise<StoreParts> {
  const warn = (message: string): void => log.warn(message);
  const onStateDirLost = (why: string): void => {
    log.fatal(`${why}: ending`);
    onLost(why);
  };
  const directory = config.stateDir === '' ? null : new StateDir(config.stateDir, onStateDirLost, warn);
  const etcd = etcdAccess(config);
  if (etcd === null) {
    const store = new LocalStore(identity.proxyId, directory);
    const open = async (): Promise<Opened> => {
      await store.open();
      return { former: null, remembered: null, groups: null, known: null };
    };
    return { store, open, close: () => store.close() };
  }
  const files = etcdFiles(config);
  const watched = files === null ? null : certificates.open('etcd', files.files);
  const rules = tlsRules(config);
  const tls = () => secureOptions(watched?.material ?? NO_MATERIAL, rules);
  // Loaded when it is needed: a proxy that is alone starts faster without it.
  const { EtcdStore } = await import('../topology/store/etcd-store.js');
  const store = new EtcdStore({ ...etcd, tls, onTrouble: warn });
  watched?.onChange(() => store.renewTls());
  const memory = directory === null ? null : new FleetFile(join(config.stateDir, 'fleet.json'));
  const place = `${etcd.prefix}${etcd.ringName}`;
  let isClosed = false;
  return {
    store,
    async open() {
      await directory?.open();
      const kept = (await directory?.load()) ?? null;
      const former = kept === null ? null : afterEverybodyIsGone(kept.state);
      const known = (await memory?.load(place)) ?? null;
      const remembered = known === null ? null : known.ring.state;
      const groups = known === null ? ((await directory?.groups.load()) ?? null) : (known.groups ?? null);
      if (memory !== null) keepKnown(memory, place, store, identity, known, warn);
      for (;;) {
        try {
          await store.open();
          return { former, remembered, groups, known: null };
        } catch (error) {
          if (!(error instanceof RingproxyError) || !OUT_OF_REACH.includes(error.code) || isClosed) throw error;
          if (known?.ring.state.consistency === 'available') {
            warn(`etcd is out of reach: serves the ring that this proxy knew last. ${error.message}`);
            return { former, remembered, groups, known };
          }
          warn(`waits for etcd, nobody is served yet: ${error.message}`);
          await new Promise<void>((resolve) => systemTimers.after(SAID_EVERY_MS, resolve));
        }
      }
    },
    async close() {
      isClosed = true;
      await store.close();
      await directory?.close();
    },
  };
}

/**
 * Remembers the ring with its groups of keys, and by which id this proxy is a member.
 * @param known what is remembered now: no ring of the past takes its place
 */
function keepKnown(
  memory: FleetFile,
  place: string,
  store: RingStore,
  identity: OwnIdentity,
  known: KnownFleet | null,
  warn: (message: string) => void,
): void {
  let isFailing = false;
  let ring: StoredRing | null = null;
  let groups = known?.groups ?? null;
  let keptId = '';
  store.watch((event) => {
    if (event.kind === 'ring') ring = event.ring;
    else if (event.kind === 'groups') groups = event.groups;
    // It has joined anew, by a record that others are told of as well; the ring may be as it was.
    else if (event.kind !== 'members' || keptId === identity.proxyId) return;
    if (ring === null || ring.state.generation < (known?.ring.state.generation ?? 0)) return;
    keptId = identity.proxyId;
    memory.save({ place, proxyId: keptId, ring, groups }).then(
      () => {
        isFailing = false;
      },
      (error: unknown) => {
        if (!isFailing) warn(`the ring is not kept for a restart without etcd: ${String(error)}`);
        isFailing = true;
      },
    );
  });
}
