/**
 * What a client has queued between MULTI and EXEC.
 *
 *   MULTI             answered here
 *   SET {a}1 x        checked, copied, answered +QUEUED here
 *   EXEC              MULTI, the frames and EXEC go to the owner in one piece
 *
 * Nothing of a transaction is at a node before EXEC, so it runs on whichever node owns its keys then, and a client
 * that leaves, or a ring that changes, finds nothing there to be cleared. Since its frames stand one behind the
 * other, it needs no connection of its own either. WATCH does: its keys belong to a connection.
 */

import type { Published } from '../../peers/topic-kind.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { QueuedCommands } from '../queued-commands.js';
import type { QueuedKeys } from '../queued-keys.js';
import type { ElementMerge } from './nodes/reply-order.js';
import type { ForEveryNode } from './other-nodes.js';
import type { OwnCommand } from './own-answers.js';
import { QueuedFrames } from './queued-frames.js';

/** About what a queued command takes that is more than a frame: two objects and a buffer. */
const OBJECT_BYTES = 320;
const NUMBER_BYTES = 8;

/** What stands between MULTI and EXEC. */
export class Transaction {
  /** `Users.version` at MULTI: whether rights have changed since then. */
  readonly rightsVersion: number;
  readonly frames = new QueuedFrames();
  /** Which of the commands are SELECT, by their position. */
  readonly selects: { readonly at: number; readonly database: number }[] = [];
  /** Bytes of frames that are held once more, for other nodes or for the proxy itself. */
  copied = 0;
  /** Those that concern every node: the other nodes get them when EXEC went well. */
  readonly everywhere: ForEveryNode[] = [];
  /** Those that read all keys of every node (DBSIZE, KEYS, RANDOMKEY), by their position. */
  readonly readsOfAll: { readonly at: number; readonly how: ElementMerge }[] = [];
  /** Those that take steps over nodes wherever their own keys are (SCAN, SORT by patterns), by their position, ascending. */
  readonly overNodes: number[] = [];
  /** It has SCAN. */
  scans = false;
  /** What of that the proxy does itself, then. */
  readonly ownParts: (() => void)[] = [];
  /** Those that the proxy answers. */
  readonly answeredHere: OwnCommand[] = [];
  /** Which of the frames are the proxy's own, ascending: what they are answered is not part of EXEC's reply. */
  readonly unseen: number[] = [];
  /** Digests of the scripts that it calls. */
  readonly digests: string[] = [];
  /** Channels that it publishes on. */
  readonly published: Published[] = [];
  /** It calls code that may publish. */
  codePublishes = false;
  /** It calls scripts or functions. */
  runsCode = false;
  flushesScripts = false;
  /** It has FLUSHALL or FLUSHDB. */
  flushesKeys = false;
  /** It has COPY with DB, or MOVE. */
  writesOtherDatabases = false;
  /** The node that was too busy for one of the commands; null: none was. */
  refusedBy: UpstreamNode | null = null;
  /** One of its commands may write. */
  writes = false;
  /** A command could not be queued: EXEC answers EXECABORT. */
  aborted = false;

  constructor(rightsVersion: number) {
    this.rightsVersion = rightsVersion;
  }

  /** Bytes that are held, about: most commands are held as frames only. */
  get bytes(): number {
    const { selects, everywhere, readsOfAll, ownParts, answeredHere, digests, unseen, overNodes } = this;
    const notes = [selects, everywhere, readsOfAll, ownParts, answeredHere, digests];
    const objects = notes.reduce((sum, { length }) => sum + length, 0);
    return this.frames.bytes + this.copied + objects * OBJECT_BYTES + (unseen.length + overNodes.length) * NUMBER_BYTES;
  }

  /** Commands that the client has queued. */
  get queued(): number {
    return this.frames.count - this.unseen.length;
  }

  /** Those that log in: what needs no login is there for that. */
  get logins(): Buffer[] {
    return this.answeredHere.filter(({ command }) => command.beforeAuth).map(({ frame }) => frame);
  }

  /** Adds a frame of the proxy's own, `frame[0, length)`, for a key of the one that was added last. */
  addUnseen(frame: Uint8Array, length: number): void {
    if (this.aborted) return;
    this.unseen.push(this.frames.count);
    this.frames.add(frame, 0, length);
  }

  /** It concerns keys that are not named, on every node: none may be on its way from one to another while it runs. */
  get concernsAllKeys(): boolean {
    return this.flushesKeys || this.readsOfAll.length > 0;
  }

  /** Which keys EXEC will touch. */
  get queuedKeys(): QueuedKeys {
    const { frames, flushesKeys, runsCode } = this;
    return {
      keyCount: frames.keyCount,
      keyAt: (i) => frames.keyAt(i),
      touchesAnyKey: flushesKeys || this.overNodes.length > 0 || (runsCode && frames.keyCount === 0),
    };
  }

  /** What is looked at anew when rights have changed. */
  get queuedCommands(): QueuedCommands {
    const { frames, unseen, answeredHere, rightsVersion } = this;
    return { pieces: frames.held(), own: unseen, instead: answeredHere, rightsVersion };
  }

  abort(): void {
    this.aborted = true;
    this.frames.clear();
    this.copied = 0;
    this.selects.length = 0;
    this.digests.length = 0;
    this.unseen.length = 0;
    this.everywhere.length = 0;
    this.readsOfAll.length = 0;
    this.overNodes.length = 0;
    this.ownParts.length = 0;
    this.published.length = 0;
    this.answeredHere.length = 0;
  }
}
