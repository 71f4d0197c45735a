/** Composition: where the proxies of the ring agree. */
import { etcdAccess } from '../config/fleet.js';
import type { Config } from '../config/settings.js';
import { RingproxyError } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import type { Timers } from '../time/timers.js';
import { EtcdStore } from '../topology/store/etcd-store.js';
import { LocalStore } from '../topology/store/local-store.js';
import type { RingStore } from '../topology/store/ring-store.js';
import { StateDir } from '../topology/store/state-dir.js';

/** How often it is said that nothing can begin yet. */
const SAID_EVERY_MS = 5000;

/** @param proxyId of a proxy that is alone; in a fleet it is given with each registration */
export function composeStore(config: Config, proxyId: string, log: Logger): RingStore {
  const warn = (message: string): void => log.warn(message);
  const etcd = etcdAccess(config);
  if (etcd !== null) return new EtcdStore({ ...etcd, onTrouble: warn });
  // At once, and with whatever is in flight: the other proxy may move keys any moment.
  const onStateDirLost = (why: string): void => {
    log.fatal(`${why}: ending`);
    process.exit(1);
  };
  const directory = config.stateDir === '' ? null : new StateDir(config.stateDir, onStateDirLost, warn);
  return new LocalStore(proxyId, directory);
}

export interface OpeningPorts {
  readonly warn: (message: string) => void;
  readonly timers: Pick<Timers, 'after'>;
  /** Whether to give up. */
  readonly isClosed: () => boolean;
}

/**
 * Opens the store. Where it is out of reach, waits for it, and says so.
 * @throws RingproxyError when waiting is of no use
 */
export async function openStore(store: RingStore, { warn, timers, isClosed }: OpeningPorts): Promise<void> {
  for (;;) {
    try {
      return await store.open();
    } catch (error) {
      if (!(error instanceof RingproxyError) || error.code !== 'ETCD_UNREACHABLE' || isClosed()) throw error;
      warn(`waits for etcd, nobody is served yet: ${error.message}`);
      await new Promise<void>((resolve) => timers.after(SAID_EVERY_MS, resolve));
    }
  }
}
