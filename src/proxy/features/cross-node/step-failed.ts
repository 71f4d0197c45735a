/** A step of a command failed, and the command with it. @see Operation, which answers its client so */
export class StepFailed extends Error {
  /** The error reply. */
  readonly reply: Buffer;

  constructor(reply: Buffer) {
    super(reply.toString('latin1', 1, reply.length - 2));
    this.name = 'StepFailed';
    this.reply = reply;
  }
}
