/**
 * Nodes that are a pair, or more, of servers of which one is master: their address does not say where that is, but who
 * knows it. The text of such an address is the node's, and stays the same whoever is master.
 */
import { formatAddress, parseNodeAddress } from './address.js';

/** Who knows where the master is: the Sentinels that look after it, or the servers themselves. */
export type Followed =
  | { readonly kind: 'sentinel'; readonly sentinels: readonly string[]; readonly master: string }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] };

const SCHEME = 'sentinel://';
const SENTINEL_PORT = 26_379;
/** What Sentinel lets a master be called. */
const MASTER_NAME = /^[A-Za-z0-9._-]+$/;

/** What a followed address looks like, for whoever has mistaken it. */
export const FOLLOWED_FORMS = 'sentinel://HOST:PORT,HOST:PORT/MASTER, or HOST:PORT,HOST:PORT';

/** @returns null when the text is none of `FOLLOWED_FORMS`: then it may be an ordinary address */
export function parseFollowed(text: string): Followed | null {
  if (!text.startsWith(SCHEME)) {
    const addresses = parseList(text, null);
    return addresses === null || addresses.length < 2 ? null : { kind: 'addresses', addresses };
  }
  const [hosts = '', master = '', ...rest] = text.slice(SCHEME.length).split('/');
  const sentinels = parseList(hosts, SENTINEL_PORT);
  if (sentinels === null || rest.length > 0 || !MASTER_NAME.test(master)) return null;
  return { kind: 'sentinel', sentinels, master };
}

/** Whether the text is meant to be a followed address, right or wrong. */
export function looksFollowed(text: string): boolean {
  return text.startsWith(SCHEME) || text.includes(',');
}

/** The one form in which a followed address is compared and kept. */
export function formatFollowed(followed: Followed): string {
  if (followed.kind === 'addresses') return followed.addresses.join(',');
  return `${SCHEME}${followed.sentinels.join(',')}/${followed.master}`;
}

/** @returns the one form of a node's address of either kind, or null */
export function formatPlace(text: string): string | null {
  const followed = parseFollowed(text);
  if (followed !== null) return formatFollowed(followed);
  const address = parseNodeAddress(text);
  return address === null ? null : formatAddress(address);
}

/** In one order, whoever has written them: the set is what counts. No address twice, since each has a vote. */
function parseList(text: string, defaultPort: number | null): readonly string[] | null {
  const found = text.split(',').map((part) => {
    const parsed = parseNodeAddress(part) ?? (defaultPort === null ? null : parseNodeAddress(`${part}:${defaultPort}`));
    return parsed === null || 'path' in parsed ? null : formatAddress(parsed);
  });
  const addresses = found.filter((address) => address !== null);
  if (addresses.length < found.length || new Set(addresses).size < found.length) return null;
  return addresses.sort();
}
