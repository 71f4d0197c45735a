/** Whether a server would do as a node of a ring, what lacks, and what works how without it: for who sets up nodes. */
import { RingproxyError } from '../errors.js';
import { describeNodeError, onNode } from '../node/client.js';
import type { NodeEndpoint } from '../node/endpoint.js';
import { type FailureKind, NodeFailure } from '../node/failure.js';
import { lackingForMoves, NODE_RIGHTS, type NodeRight, withoutRight } from '../node-rights.js';
import { examineNode, type LackingRight } from './examine.js';
import { INSPECTS, inspectNode, type NodeFacts } from './inspect.js';
import { type JudgedSetting, judgeSettings } from './node-settings.js';
import { lackingOfState } from './stateful-rights.js';

/** A right that lacks, for people and programs. */
export interface JudgedRight extends Pick<LackingRight, 'command' | 'need' | 'purpose' | 'why'> {
  /** Without it the node is of no use, or the ring cannot change. */
  readonly needed: boolean;
  /** What becomes of it without the right. */
  readonly without: string;
}

export interface NodeVerdict {
  readonly address: string;
  /** Whose rights these are. */
  readonly username: string;
  /** null: the node does not tell. */
  readonly version: string | null;
  /** Nothing lacks that is needed, and no setting stands against it. */
  readonly fit: boolean;
  readonly lacking: readonly JudgedRight[];
  readonly settings: readonly JudgedSetting[];
  /** Gives the user what lacks; null: nothing does that rights could give. */
  readonly acl: string | null;
}

/**
 * Looks at a server, and leaves it as it is.
 * @param databases how many the ring needs
 * @param timeout milliseconds, for connecting and for each answer
 * @throws RingproxyError NODE_UNREACHABLE when it cannot be asked, with what helps
 */
export async function judgeNode(node: NodeEndpoint, databases: number, timeout: number): Promise<NodeVerdict> {
  const ofState = await reached(node, timeout);
  const exam = await examineNode(node, databases, timeout);
  const rank = ({ command }: NodeRight): number => NODE_RIGHTS.findIndex((row) => row.command === command);
  const lacking = [...exam.lacking, ...ofState].sort((a, b) => rank(a) - rank(b));
  const facts = lacking.some(({ command }) => command === 'info') ? null : await inspectNode(node, timeout);
  return verdictOf(node, lacking, facts, judgeSettings(facts, exam, databases));
}

function verdictOf(
  { address, username }: NodeEndpoint,
  lacking: readonly LackingRight[],
  facts: NodeFacts | null,
  settings: readonly JudgedSetting[],
): NodeVerdict {
  const needed = new Set(lackingForMoves(lacking));
  const rights = lacking.map((row): JudgedRight => {
    const { command, need, purpose, why } = row;
    const isNeeded = needed.has(command);
    return { command, need, needed: isNeeded, why, purpose, without: withoutRight(row, isNeeded) };
  });
  const user = username === '' ? 'default' : username;
  const fit = needed.size === 0 && settings.every(({ state }) => state !== 'refused');
  return {
    address,
    username: user,
    version: facts?.version ?? null,
    fit,
    lacking: rights,
    settings,
    acl: aclOf(user, lacking),
  };
}

/** What is added to a user keeps its password, and what else it may do. */
function aclOf(user: string, lacking: readonly LackingRight[]): string | null {
  const commands = lacking.filter(({ why }) => why === 'right').map(({ command }: NodeRight) => `+${command}`);
  const patterns = lacking.some(({ why }) => why === 'keys') ? ['~*', '&*'] : [];
  const rules = [...patterns, ...commands];
  return rules.length === 0 ? null : `ACL SETUSER ${user} ${rules.join(' ')}`;
}

const HINTS: Partial<Readonly<Record<FailureKind, string>>> = {
  refused: 'start redis-server there, or give the address and port where it listens (bind, port)',
  'no-socket': 'start redis-server there, or give the path of its socket (unixsocket)',
  'not-found': 'check the name of the host',
  timeout: 'check that a redis-server runs there and no firewall is in between, or wait longer with --timeout',
  auth: 'give its user with --username and its password with --password-file',
  'turned-away': 'see maxclients, bind and protected-mode of the server',
  protocol: 'that is no redis-server, or it speaks TLS: then give --tls, or write rediss:// in front of its address',
  'tls-only': 'give --tls, or write rediss:// in front of its address',
  'no-tls': 'ask it without --tls, or give the address of its tls-port',
  untrusted: 'give the certificate of the authority that signs its own with --tls-ca',
  expired: 'give it a certificate that is valid now, and compare the clocks',
  'wrong-name': 'give the name that its certificate bears with --tls-server-name',
  'client-certificate': 'give a certificate that it accepts with --tls-cert and --tls-key',
};
const OTHER_HINT = 'check that a redis-server runs there and can be reached from this machine';

/** The first connection, which tells why there can be none. */
async function reached(node: NodeEndpoint, timeout: number): Promise<LackingRight[]> {
  try {
    return await onNode(node, INSPECTS, timeout, lackingOfState);
  } catch (error) {
    const hint = error instanceof NodeFailure ? HINTS[error.kind] : undefined;
    throw new RingproxyError(
      'NODE_UNREACHABLE',
      `${node.address} cannot be checked: ${describeNodeError(error)}`,
      hint ?? OTHER_HINT,
    );
  }
}
