/**
 * The board that the processes of one proxy share: one byte each, in a file without a name that the primary makes and
 * its workers inherit. Reading it costs less than a microsecond, where asking would cost a way through two processes.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SubscriptionBoard } from '../../proxy/peers/subscription-board.js';

/** Where the worker finds the file among those that it has inherited. */
export const BOARD_FD = 4;

const BEHIND = 1;

/** The primary's side. */
export class BoardFile {
  /** Null: there is none, and workers ask each other every time. */
  readonly fd: number | null;

  /** @param workers as many as there may be at the same time */
  constructor(workers: number) {
    this.fd = createFile(workers);
  }

  /** The worker in this slot has ended. */
  clear(slot: number): void {
    if (this.fd !== null) writeSync(this.fd, Buffer.alloc(1), 0, 1, slot - 1);
  }

  close(): void {
    if (this.fd !== null) closeSync(this.fd);
  }
}

/** @returns the worker's side. @param slot from 1 on */
export function openBoard(hasFile: boolean, slot: number, workers: number): SubscriptionBoard {
  const own = slot - 1;
  const seen = Buffer.alloc(workers);
  const byte = Buffer.alloc(1);
  let isUsable = hasFile;
  return {
    show(isBehind) {
      if (!isUsable) return;
      byte[0] = isBehind ? BEHIND : 0;
      try {
        writeSync(BOARD_FD, byte, 0, 1, own);
      } catch {
        isUsable = false;
      }
    },
    othersAreBehind() {
      if (!isUsable) return true;
      try {
        readSync(BOARD_FD, seen, 0, workers, 0);
      } catch {
        isUsable = false;
        return true;
      }
      for (let i = 0; i < workers; i++) if (i !== own && seen[i] === BEHIND) return true;
      return false;
    },
  };
}

function createFile(bytes: number): number | null {
  const path = join(tmpdir(), `ringproxy-board-${process.pid}`);
  try {
    rmSync(path, { force: true });
    // Only this user may open it; it has no name any more when somebody else could look for it.
    const fd = openSync(path, 'wx+', 0o600);
    rmSync(path);
    writeSync(fd, Buffer.alloc(bytes), 0, bytes, 0);
    return fd;
  } catch {
    return null;
  }
}
