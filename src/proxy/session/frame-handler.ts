import type { RequestFramer } from '../../resp/request-framer.js';
import type { FrameVerdict } from '../request/verdict.js';
import type { ClientConnection } from './client-connection.js';
import type { UploadPlan } from './upload.js';

/** Who a client's frames are given to, and who hears of what becomes of it: all that a client knows of the layers above. */
export interface FrameHandler {
  /** The id in the flat counters of what is no command. */
  readonly unknownCommandId: number;
  /** Handles the complete frame that `framer` holds. */
  onFrame(client: ClientConnection, framer: RequestFramer): FrameVerdict;
  /**
   * The frame that `framer` holds was `ANSWERED`: those behind it in `buffer[start, end)` that are like it are answered
   * together. @returns the offset behind the last one of them
   */
  onAnsweredAtOnce(client: ClientConnection, framer: RequestFramer, buffer: Buffer, start: number, end: number): number;
  /** The client waits; behind the command at hand, which is offered again, `buffer[start, end)` has come from it. */
  onHeld(client: ClientConnection, buffer: Buffer, start: number, end: number): void;
  /**
   * The frame has a large value.
   * @param buffer holds the beginning of the frame, from `start` on
   * @returns null when the frame must be gathered: its keys are not all here, or it has no single node
   */
  planUpload(client: ClientConnection, framer: RequestFramer, buffer: Buffer, start: number): UploadPlan | null;
  /** A reply has left, and the client tracks keys. */
  onAnswered(client: ClientConnection): void;
  /** A command of a client that tracks keys was answered with an error. */
  onFailed(client: ClientConnection): void;
  /** Nothing further of the client's is handled before all of its replies have left, and one waits for another client. */
  onBarrier(client: ClientConnection): void;
  /** The client has left, and its lanes were given back but for the one that watches keys. */
  onClosed(client: ClientConnection): void;
  /** The name of the command with this id. */
  nameOf(command: number): string;
}
