/** What operators read of a change. */
import type { ChangeRequest, ChangeView, NodeInput, RingPhase } from '../../admin/api.js';
import { RingproxyError } from '../../errors.js';
import { formatAddress, parseNodeAddress } from '../../node/address.js';
import type { NodeSpec } from '../../ring/node-spec.js';
import type { MoveStatus } from '../jobs/move-job.js';
import type { RunningChange } from '../state/ring-state.js';
import type { Phase } from '../state/transitions.js';

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

/** @param job what moves the keys here, or null before they move */
export function describeChange(change: RunningChange, job: MoveStatus | null): ChangeView {
  const sources = job?.sources ?? [];
  const keysEstimated = job?.keysEstimated ?? 0;
  const keysMoved = sources.reduce((sum, source) => sum + source.keysMoved, 0);
  const keysScanned = sources.reduce((sum, source) => sum + source.keysScanned, 0);
  const seconds = (Date.now() - new Date(change.startedAt).getTime()) / 1000;
  const done = sources.length > 0 && sources.every((source) => source.done);
  const part = done ? 1 : keysEstimated === 0 ? 0 : Math.min(0.999, keysScanned / keysEstimated);
  return {
    id: change.id,
    kind: change.kind,
    phase: shownPhase(change.phase),
    paused: job?.paused ?? false,
    startedAt: change.startedAt,
    keysMoved,
    keysScanned,
    keysEstimated,
    bytesMoved: job?.bytesMoved ?? 0,
    keysDropped: job?.keysDropped ?? change.keysDropped ?? 0,
    percent: Math.round(part * 1000) / 10,
    etaSeconds: part > 0 ? Math.round((seconds / part) * (1 - part)) : null,
    throttle: job?.keysPerSecond ?? change.throttle ?? 0,
    sources: [...sources],
    error: job?.error ?? null,
  };
}

/** Until it is decided that a change turns round, it is what it was. */
export function shownPhase(phase: Phase): RingPhase {
  return phase === 'turning' ? 'moving' : phase;
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
