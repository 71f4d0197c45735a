import { error as encodeError } from '../../resp/encode.js';

/** Why a lane ended, which decides what the node is held for. */
export type LaneEnd =
  | 'connect'
  | 'greeting'
  | 'refused'
  | 'turned-away'
  /** The node is well, and this proxy may not speak to it, or not yet. */
  | 'no-leave'
  | 'lost'
  | 'timeout'
  | 'protocol'
  | 'closed';

/** Whether commands on it may have run, and with which code they fail. */
const OUTCOMES = {
  connect: { neverSent: true, code: 'NODEDOWN' },
  greeting: { neverSent: true, code: 'NODEDOWN' },
  refused: { neverSent: true, code: 'ERR' },
  'turned-away': { neverSent: true, code: 'ERR' },
  'no-leave': { neverSent: true, code: 'TRYAGAIN' },
  lost: { neverSent: false, code: 'NODEDOWN' },
  timeout: { neverSent: false, code: 'NODEDOWN' },
  protocol: { neverSent: false, code: 'NODEDOWN' },
  closed: { neverSent: false, code: 'NODEDOWN' },
} as const satisfies Record<LaneEnd, { neverSent: boolean; code: string }>;

/** What the commands are answered that were in flight. @param why as a predicate of the node */
export function failedReply(node: { name: string; shownAddress: string }, reason: LaneEnd, why: string): Buffer {
  const { neverSent, code } = OUTCOMES[reason];
  const outcome = neverSent ? '' : '; the outcome of the command is unknown';
  return encodeError(`${code} node ${node.name} (${node.shownAddress}) ${why}${outcome}`);
}
