/** What counts as one address: an IPv4 address, or a /64 of IPv6, which one household or one machine has all of. */
import { isIPv6 } from 'node:net';

const GROUPS = 8;
const KEPT_GROUPS = 4;

/** @param address as the kernel gives it */
export function addressKey(address: string): string {
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  return isIPv6(plain) ? networkOf(plain) : plain;
}

/** @param peer `ADDRESS:PORT` @returns null: whoever comes by a Unix socket has no address */
export function peerKey(peer: string): string | null {
  const at = peer.lastIndexOf(':');
  return at < 0 ? null : addressKey(peer.slice(0, at));
}

function networkOf(address: string): string {
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::');
  const before = head.split(':').filter((group) => group !== '');
  const after = tail.split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: Math.max(0, GROUPS - before.length - after.length) }, () => '0');
  const groups = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16).toString(16));
  return `${groups.slice(0, KEPT_GROUPS).join(':')}::/64`;
}
