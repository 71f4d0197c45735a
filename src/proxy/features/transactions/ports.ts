/** What transactions need of other features. */
import type { Command } from '../../../commands/command.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Lane } from '../../upstream/lane.js';
import type { LocalCommand } from '../local-command.js';
import type { PublishGate } from '../publish-gate.js';

/** The scripts that queued commands bring and call. */
export interface QueuedScripts {
  /**
   * Remembers the script that the command at hand brings.
   * @returns the digest of the script that it calls by it, which the node must know then; empty: it calls none so
   */
  noteQueued(command: Command, framer: RequestFramer): string;
  /** Whether the code that the command at hand calls may publish. */
  mayPublish(command: Command, source: Buffer): boolean;
  /** Takes out of `digests` those that nobody knows. @returns false when the client waits until others have been asked */
  find(client: ClientConnection, digests: string[]): boolean;
  /** Loads these scripts on the lane, in front of what follows. */
  loadFor(digests: readonly string[], lane: Lane): void;
  /** SCRIPT FLUSH is on its way to the nodes. */
  flush(): void;
}

/** AUTH in transactions: who may be a user's client is asked before anything runs. */
export interface QueuedLogins {
  /** @param frames the AUTHs in its transaction @returns false when the client waits until that is known */
  reserve(client: ClientConnection, frames: readonly Buffer[]): boolean;
  /** The client's transaction has ended, or does not run. */
  release(client: ClientConnection): void;
}

export interface TransactionPorts {
  readonly logins: QueuedLogins;
  readonly scripts: QueuedScripts;
  readonly publishGate: PublishGate;
  /** Whether the command at hand may write, as far as can be told without asking. */
  readonly mayWrite: (command: Command, framer: RequestFramer) => boolean;
  /** What a CONFIG SET that the nodes have accepted means to the proxy itself. @returns does it; null: nothing */
  readonly ownPartOfSettings: (framer: RequestFramer) => (() => void) | null;
  /** A transaction is carried out in steps: a fence waits until it has ended. */
  readonly isUnderWay: (ended: Promise<void>) => void;
  /** Carries out a command that the proxy answers itself. */
  readonly runLocal: (...call: Parameters<LocalCommand>) => void;
}
