/** A client's command that takes several steps, at several nodes, or that waits at one. */
export interface Steps {
  /** The frame, which concerns this key of the command only, goes to the key's node when the command has ended. */
  sendBehind(key: Buffer, frame: Buffer): void;
}

/** What goes behind a command, and to which of its keys. */
export interface FrameBehind {
  readonly key: Buffer;
  readonly frame: Buffer;
}
