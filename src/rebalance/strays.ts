/**
 * Strays: keys on nodes that do not own them. Nobody reads them as long as the ring stays as it is, but KEYS and DBSIZE
 * show them, and when their node becomes the owner they would come to light, with values of the past.
 *
 * They are left by a node that comes back from a snapshot, by proxies that place keys elsewhere while a node is down
 * (twemproxy's `auto_eject_hosts`), by scripts with keys that they do not declare, and by whoever writes past the proxy.
 */
import { isReserved } from '../proxy/route/reserved.js';
import type { KeyHash, Rings } from '../ring/rings.js';
import type { NodeLink } from './node-link.js';
import { once, walkNode } from './sweep.js';
import { unlinkKeys } from './unlink.js';

export interface StrayHooks {
  /** Waits as long as is due. @returns whether to go on */
  goesOn(): Promise<boolean>;
  /** So many keys were looked at. */
  looked(keys: number): void;
  /** Keys that are not where they belong. When it returns, they may be removed. */
  found(database: number, keys: readonly Buffer[]): void;
  /** Keys that belong on no node, where the node would own them. They stay: their group may be another one in a moment. */
  foundOfNoNode(database: number, keys: readonly Buffer[]): void;
  isOfNoNode(key: Buffer): boolean;
}

/** COUNT of a SCAN: more would stop a node for longer than clients should wait. */
const SCAN_KEYS = 512;

/**
 * Walks all keys of a node, in every database.
 * @param node its index in `rings`
 * @param concerns which of the keys that it does not own count, by their hash
 * @param removes whether strays are removed
 * @returns false when `goesOn` has ended it
 * @throws NodeFailure, TransferRefused
 */
export function walkStrays(
  link: NodeLink,
  node: number,
  rings: Rings,
  concerns: (hash: KeyHash) => boolean,
  removes: boolean,
  hooks: StrayHooks,
): Promise<boolean> {
  const walk = {
    link: () => Promise.resolve(link),
    scanKeys: () => SCAN_KEYS,
    scanned: hooks.looked,
    goesOn: hooks.goesOn,
    persist: once,
  };
  return walkNode(walk, async (database, keys) => {
    const ofNoNode: Buffer[] = [];
    const strays = keys.filter((key) => {
      if (isReserved(key, 0, key.length)) return false;
      const hash = rings.hashOf(key, 0, key.length);
      if (rings.ownerOf(hash) !== node) return concerns(hash);
      if (hooks.isOfNoNode(key)) ofNoNode.push(key);
      return false;
    });
    if (ofNoNode.length > 0) hooks.foundOfNoNode(database, ofNoNode);
    if (strays.length === 0) return;
    hooks.found(database, strays);
    if (removes) await unlinkKeys(link, database, strays);
  });
}
