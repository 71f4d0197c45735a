import type { Outlook } from '../node/failure.js';
import { missesAnother, passesByItself, saidByTarget } from '../node/reply-errors.js';
import { ReplyError, type ReplyValue } from '../resp/decode.js';
import type { NodeLink } from './node-link.js';

/** A node answered with an error. */
export class TransferRefused extends Error {
  readonly outlook: Outlook;

  private constructor(message: string, outlook: Outlook) {
    super(message);
    this.outlook = outlook;
  }

  /** @param reply to `what`, which is not as it should be */
  static by(link: NodeLink, reply: ReplyValue, what: string): TransferRefused {
    const text = reply instanceof ReplyError ? reply.message : 'it is not what Redis answers';
    const message = `node ${link.node.name} (${link.node.address}) refused ${what}: ${text}`;
    return new TransferRefused(message, outlookOf(saidByTarget(text)));
  }
}

function outlookOf(error: string): Outlook {
  if (passesByItself(error)) return 'passes';
  return missesAnother(error) ? 'may pass' : 'stays';
}
