/**
 * Which keys of near groups a command touches that is not answered from what is kept: what is kept of those that it may
 * write ends, and until it is answered nothing of them is kept. Where it is not known which keys it writes, it is all.
 */
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { args } from '../../../resp/request-framer.js';
import type { KeyGroups } from '../../measure/key-groups.js';
import { namesKeysByPatterns } from '../../route/sort-patterns.js';
import type { QueuedKeys } from '../queued-keys.js';
import type { Keeper } from './keeper.js';
import { keyHashOf } from './store/near-store.js';
import { type Touch, TouchPool } from './touch.js';

export class Touches {
  readonly #groups: KeyGroups;
  readonly #keeper: Keeper;
  readonly #pool: TouchPool;
  /** Of the command at hand, until it is sent. */
  #current: Touch;

  constructor(groups: KeyGroups, keeper: Keeper) {
    this.#groups = groups;
    this.#keeper = keeper;
    this.#pool = new TouchPool(keeper.inFlight, keeper);
    this.#current = this.#pool.take();
  }

  /** The command at hand reads the key at its node. */
  noteRead(keyHash: number): void {
    this.#begin(false).add(keyHash);
  }

  /** The command at hand may write the key. */
  noteWrite(keyHash: number): void {
    this.#begin(true).add(keyHash);
    this.#keeper.endKey(keyHash);
  }

  /** The command at hand touches the key, which is of a near group. */
  noteKey(command: Command, source: Buffer, start: number, end: number): void {
    const keyHash = keyHashOf(source, start, end);
    if (command.readOnly && !command.replicated) this.noteRead(keyHash);
    else this.noteWrite(keyHash);
  }

  /** Notes what the command at hand touches, which may have several keys or none. */
  note(command: Command, argc: number, source: Buffer): void {
    if (touchesAny(command, argc, source)) {
      this.#noteAny();
      return;
    }
    const count = findKeys(command, args, argc, source);
    if (count <= 0) {
      if (count !== 0) return;
      if (mayWriteAny(command)) this.#noteAny();
      else if (mayTellOfAny(command)) this.#begin(false).ofAnyKey = true;
      return;
    }
    const writes = !command.readOnly || command.replicated;
    let touch: Touch | null = null;
    for (let i = 0; i < count; i++) {
      const at = keyPositions.at[i] as number;
      const start = args.start[at] as number;
      const end = args.end[at] as number;
      if (this.#groups.policyOf(source, start, end)?.cache !== 'near') continue;
      const keyHash = keyHashOf(source, start, end);
      touch ??= this.#begin(writes);
      touch.add(keyHash);
      if (writes) this.#keeper.endKey(keyHash);
    }
  }

  /** The command at hand is EXEC: what it reads counts as written, since of which commands is which key nobody knows. */
  noteQueued(queued: QueuedKeys): void {
    if (queued.touchesAnyKey) {
      this.#noteAny();
      return;
    }
    let touch: Touch | null = null;
    for (let i = 0; i < queued.keyCount; i++) {
      const key = queued.keyAt(i);
      if (this.#groups.policyOf(key, 0, key.length)?.cache !== 'near') continue;
      const keyHash = keyHashOf(key, 0, key.length);
      touch ??= this.#begin(true);
      touch.add(keyHash);
      this.#keeper.endKey(keyHash);
    }
  }

  #noteAny(): void {
    this.#begin(true).ofAnyKey = true;
    this.#keeper.endAll();
  }

  #begin(writes: boolean): Touch {
    if (this.#current.sent) this.#current = this.#pool.take();
    else this.#current.reset();
    this.#current.writes = writes;
    this.#groups.companion = this.#current;
    return this.#current;
  }
}

/** Whether the command has keys, and touches others beside them. */
function touchesAny(command: Command, argc: number, source: Buffer): boolean {
  if (command.onAllKeys) return command.write;
  return command.special === 'sort' && namesKeysByPatterns(argc, source);
}

/** Whether a command that names no key may write some. */
function mayWriteAny(command: Command): boolean {
  return command.write || (!command.readOnly && runsCode(command));
}

/** Whether a client learns by a command that names no key which keys there are, or what is in them. */
function mayTellOfAny(command: Command): boolean {
  return command.onAllKeys || command.route === 'scan' || runsCode(command);
}

function runsCode({ special }: Command): boolean {
  return special === 'script' || special === 'digest' || special === 'code';
}
