/** A step of a command failed, and the command with it. @see Operation, which answers its client so */
export class StepFailed extends Error {
  /** The error reply. */
  readonly reply: Buffer;
  /** It is none of Redis: the proxy could not carry the command out, or has lost a node meanwhile. */
  readonly isOwn: boolean;

  constructor(reply: Buffer, isOwn = false) {
    super(reply.toString('latin1', 1, reply.length - 2));
    this.name = 'StepFailed';
    this.reply = reply;
    this.isOwn = isOwn;
  }
}
