/** What operators ask for. */
import type { ChangeRequest, NodeInput } from '../../admin/api.js';
import { RingproxyError } from '../../errors.js';
import { formatAddress, parseNodeAddress } from '../../node/address.js';
import type { NodeSpec } from '../../ring/node-spec.js';

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
export function toSpec(input: NodeInput): NodeSpec {
  const parsed = parseNodeAddress(input.address);
  if (parsed === null) {
    throw new RingproxyError('BAD_ADDRESS', `'${input.address}' is not a node's address`);
  }
  const address = formatAddress(parsed);
  return { name: input.name ?? address, address, weight: input.weight ?? 1 };
}
