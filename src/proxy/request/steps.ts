/** A client's command that takes several steps, at several nodes. */
export interface Steps {
  /** The frame, which concerns this key of the command only, goes to the key's node when the command has ended. */
  sendBehind(key: Buffer, frame: Buffer): void;
}
