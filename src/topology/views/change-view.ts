/** What operators read of a change. */
import type { ChangeRequest, ChangeView, NodeInput } from '../../admin/api.js';
import { RingproxyError } from '../../errors.js';
import { formatAddress, parseNodeAddress, parsePeerAddress } from '../../node/address.js';
import type { Mover } from '../../rebalance/mover.js';
import type { NewMember, RunningChange } from '../state/ring-state.js';

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

/**
 * @param keysEstimated keys of the sources
 * @param failure why the change cannot go on, when it is not the mover that says so
 */
export function describeChange(
  change: RunningChange,
  mover: Mover | null,
  keysEstimated: number,
  failure: string | null,
  proxyId: string,
): ChangeView {
  const sources = mover?.progress ?? [];
  const keysMoved = sources.reduce((sum, source) => sum + source.keysMoved, 0);
  const keysScanned = sources.reduce((sum, source) => sum + source.keysScanned, 0);
  const seconds = (Date.now() - new Date(change.startedAt).getTime()) / 1000;
  const done = sources.length > 0 && sources.every((source) => source.done);
  const part = done ? 1 : keysEstimated === 0 ? 0 : Math.min(0.999, keysScanned / keysEstimated);
  return {
    id: change.id,
    kind: change.kind,
    phase: change.phase,
    paused: mover?.paused ?? false,
    startedAt: change.startedAt,
    keysMoved,
    keysScanned,
    keysEstimated,
    bytesMoved: mover?.bytesMoved ?? 0,
    keysDropped: change.keysDropped ?? 0,
    percent: Math.round(part * 1000) / 10,
    etaSeconds: part > 0 ? Math.round((seconds / part) * (1 - part)) : null,
    throttle: mover?.keysPerSecond ?? change.throttle ?? 0,
    sources: sources.map((source) => ({ ...source, owner: proxyId })),
    error: failure ?? mover?.error ?? null,
  };
}

/** @throws RingproxyError when the address is none */
export function toNewMember(input: NodeInput): NewMember {
  const parsed = parseNodeAddress(input.address);
  if (parsed === null) {
    throw new RingproxyError('BAD_ADDRESS', `'${input.address}' is not a node's address`);
  }
  const address = formatAddress(parsed);
  const { username, password, peerAddress } = input;
  const access = { username, password, peerAddress: peerAddress === undefined ? undefined : toPeer(peerAddress) };
  return { name: input.name ?? address, address, weight: input.weight ?? 1, access };
}

/** @throws RingproxyError when other nodes cannot connect to the address */
function toPeer(text: string): string {
  const parsed = parsePeerAddress(text);
  if (parsed !== null) return formatAddress(parsed);
  throw new RingproxyError('BAD_ADDRESS', `'${text}' is not an address that other nodes can connect to`);
}
