import type { Outlook } from '../node/failure.js';
import type { NodeIdentity } from '../node/identity.js';
import { missesAnother, passesByItself, saidByTarget, saysNoGroup, saysNoSuchKey } from '../node/reply-errors.js';
import { ReplyError, type ReplyValue } from '../resp/decode.js';
import type { NodeLink } from './node-link.js';

/** A node answered with an error, or has not kept what it was given. */
export class TransferRefused extends Error {
  readonly outlook: Outlook;
  /** What the node has not, where it says that: it has expired, or was evicted. */
  readonly lacks: 'key' | 'group' | null;

  private constructor(message: string, outlook: Outlook, lacks: 'key' | 'group' | null = null) {
    super(message);
    this.outlook = outlook;
    this.lacks = lacks;
  }

  /** @param reply to `what`, which is not as it should be @param hint what it may come from; empty: nothing is known */
  static by(link: NodeLink, reply: ReplyValue, what: string, hint = ''): TransferRefused {
    const text = reply instanceof ReplyError ? reply.message : 'it is not what Redis answers';
    const message = `node ${link.node.name} (${link.node.address}) refused ${what}: ${text}${hint === '' ? '' : ` (${hint})`}`;
    return new TransferRefused(message, outlookOf(saidByTarget(text)), lackOf(text));
  }

  /** Two nodes have come to be one server: what would be removed at one of them is what the other one has. */
  static bySameServer(link: NodeLink, other: NodeIdentity): TransferRefused {
    const { name, address } = link.node;
    const message = `node ${name} (${address}) is the same server as ${other.name} (${other.address}): nothing is moved between them while that is so`;
    return new TransferRefused(message, 'may pass');
  }

  /** A copy that was written at `link` is not what the source has: it was evicted in between, most likely. */
  static byCopy(link: NodeLink, has: string): TransferRefused {
    const message = `node ${link.node.name} (${link.node.address}) has kept ${has} of a large value that was copied there`;
    return new TransferRefused(message, 'may pass');
  }
}

function lackOf(error: string): 'key' | 'group' | null {
  if (saysNoSuchKey(error)) return 'key';
  return saysNoGroup(error) ? 'group' : null;
}

function outlookOf(error: string): Outlook {
  if (passesByItself(error)) return 'passes';
  return missesAnother(error) ? 'may pass' : 'stays';
}
