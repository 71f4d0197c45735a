import { passesByItself } from '../node/reply-errors.js';
import { ReplyError, type ReplyValue } from '../resp/decode.js';
import type { NodeLink } from './node-link.js';

/** A node answered with an error. */
export class TransferRefused extends Error {
  /** It will answer otherwise in a while, by itself: it runs a script, or loads its data. */
  readonly passes: boolean;

  private constructor(message: string, passes: boolean) {
    super(message);
    this.passes = passes;
  }

  /** @param reply to `what`, which is not as it should be */
  static by(link: NodeLink, reply: ReplyValue, what: string): TransferRefused {
    const text = reply instanceof ReplyError ? reply.message : 'it is not what Redis answers';
    const message = `node ${link.node.name} (${link.node.address}) refused ${what}: ${text}`;
    return new TransferRefused(message, passesByItself(text));
  }
}
