import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findReferee } from './programs.js';
import { tempFolder } from './temp-folder.js';

const LIBRARIES = '/usr/lib';

/** Whether clocks can be made to jump here. In CI they must. */
export const canJump = findReferee('faketime') !== null;

/** The time of day of a process, as it sees it: it can jump. What runs evenly (CLOCK_MONOTONIC) is left alone. */
export class JumpingClock {
  readonly #file = join(tempFolder('clock'), 'offset');

  constructor() {
    this.jump(0);
  }

  /** What the process is to be started with. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: findLibrary(),
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // Its older name.
      DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** From now on the clock is so many seconds from the machine's. */
  jump(seconds: number): void {
    const next = `${this.#file}.next`;
    writeFileSync(next, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    renameSync(next, this.#file);
  }
}

function findLibrary(): string {
  for (const folder of readdirSync(LIBRARIES, { withFileTypes: true })) {
    if (!folder.isDirectory()) continue;
    const inside = join(LIBRARIES, folder.name);
    if (!readdirSync(inside).includes('faketime')) continue;
    return join(inside, 'faketime/libfaketime.so.1');
  }
  throw new Error('libfaketime is not installed');
}
