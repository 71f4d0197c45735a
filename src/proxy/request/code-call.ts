/** A request that runs code at its node (EVAL, EVALSHA, FCALL): it may run for long, and lack its script. */
export class CodeCall {
  /** SHA-1 of the script that is called by it, or an empty string. */
  readonly digest: string;
  /** The command, to send it again when the node does not know the script; null: that is not done. */
  readonly frame: Buffer | null;

  constructor(digest: string, frame: Buffer | null) {
    this.digest = digest;
    this.frame = frame;
  }
}

/** Nothing can be done about its reply. */
export const PLAIN_CALL = new CodeCall('', null);
