/** What operators ask for. */
import type { ChangeRequest, NodeInput } from '../../admin/api.js';
import { RingproxyError } from '../../errors.js';
import type { NodeAccess } from '../../node/access.js';
import { formatAddress, notAnAddress, parsePeerAddress, withoutLogin, withoutScheme } from '../../node/address.js';
import { formatPlace, parseFollowed } from '../../node/followed.js';
import type { NewMember } from '../state/ring-state.js';

/** One line that says what is asked for. */
export function describeRequest(request: ChangeRequest): string {
  const parts = [
    ...(request.add ?? []).map((node) => `add ${node.name ?? node.address}`),
    ...(request.remove ?? []).map((name) => `remove ${name}`),
    ...(request.weights ?? []).map((entry) => `weight of ${entry.name} to ${entry.weight}`),
    ...(request.replace ?? []).map((entry) => `replace ${entry.name} by ${entry.address}`),
  ];
  return parts.join(', ');
}

/** @throws RingproxyError when the address is none */
export function toNewMember(input: NodeInput): NewMember {
  const { text, tls = input.tls } = withoutScheme(input.address);
  const address = formatPlace(text);
  if (address === null) {
    const { shown, expected } = notAnAddress(input.address);
    throw new RingproxyError('BAD_ADDRESS', `'${shown}' is not a node's address`, expected);
  }
  if (tls === true && address.startsWith('/')) {
    throw new RingproxyError('BAD_ADDRESS', `'${address}' is a Unix socket, which is not spoken to by TLS`);
  }
  const isFollowed = parseFollowed(address) !== null;
  if (isFollowed && input.name === undefined) {
    throw new RingproxyError('BAD_ADDRESS', `${address} needs a name`, `give one: NAME=${address}`);
  }
  if (isFollowed && input.peerAddress !== undefined) {
    throw new RingproxyError(
      'BAD_ADDRESS',
      `${address} is found where its master is, and has no peer address`,
      'leave the peer address out',
    );
  }
  const { username, password, tlsServerName } = input;
  const access = { username, password, tls, tlsServerName, ...toPeer(input.peerAddress) };
  return { name: input.name ?? address, address, weight: input.weight ?? 1, access };
}

/** @throws RingproxyError when other nodes cannot connect to the address */
function toPeer(given: string | undefined): Pick<NodeAccess, 'peerAddress' | 'peerTls'> {
  if (given === undefined) return {};
  const { text, tls: peerTls } = withoutScheme(given);
  const parsed = parsePeerAddress(text);
  if (parsed !== null) return { peerAddress: formatAddress(parsed), peerTls };
  throw new RingproxyError('BAD_ADDRESS', `'${withoutLogin(given)}' is not an address that other nodes can connect to`);
}
