/** Keeps a state directory to one process, and takes over what a process that was killed has left. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, open, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RingproxyError } from '../errors.js';

/** Nobody is this long about taking over a lock, unless it was killed on the way. */
const TAKEOVER_MS = 10_000;

/** Who has a lock: a process id is used again, but not together with the instant at which its process started. */
interface Holder {
  readonly pid: number;
  /** In the kernel's words; empty where the system does not tell. */
  readonly started: string;
}

export class StateLock {
  readonly #directory: string;
  readonly #file: string;
  #locked = false;

  constructor(directory: string) {
    this.#directory = directory;
    this.#file = join(directory, 'lock');
  }

  /** @throws RingproxyError STATE_LOCKED when a living process has the directory; the system's error when it cannot be written */
  async take(): Promise<void> {
    for (;;) {
      if (await createWhole(this.#file)) {
        this.#locked = true;
        return;
      }
      const text = await readFile(this.#file, 'utf8').catch(() => null);
      if (text === null) continue;
      const holder = parseHolder(text);
      if (isAlive(holder)) {
        throw new RingproxyError(
          'STATE_LOCKED',
          `${this.#directory} is in use by the process ${holder.pid}`,
          'give each proxy a state directory of its own',
          500,
        );
      }
      await this.#removeStale(text);
    }
  }

  async release(): Promise<void> {
    if (this.#locked) await unlink(this.#file).catch(() => {});
    this.#locked = false;
  }

  /**
   * Removes the lock of a process that is gone. Of several that want to, one does so at a time, and looks again
   * whether it is still that one's: else the second would remove what the first has just taken.
   */
  async #removeStale(text: string): Promise<void> {
    const takeover = `${this.#file}.takeover`;
    if (!(await createWhole(takeover))) {
      const since = await stat(takeover).catch(() => null);
      if (since !== null && Date.now() - since.mtimeMs > TAKEOVER_MS) await unlink(takeover).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 20));
      return;
    }
    try {
      if ((await readFile(this.#file, 'utf8').catch(() => null)) === text) await unlink(this.#file);
    } finally {
      await unlink(takeover).catch(() => {});
    }
  }
}

/** Creates a file that says who this process is; nobody ever sees it half written. @returns false when there is one */
async function createWhole(file: string): Promise<boolean> {
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, `${process.pid} ${startOf(process.pid)}\n`);
  try {
    await link(temporary, file);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    // A file system without hard links.
    return await createInPlace(file);
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

async function createInPlace(file: string): Promise<boolean> {
  try {
    const created = await open(file, 'wx');
    await created.writeFile(`${process.pid} ${startOf(process.pid)}\n`);
    await created.close();
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function parseHolder(text: string): Holder {
  const [pid, ...started] = text.trim().split(' ');
  return { pid: Number(pid), started: started.join(' ') };
}

function isAlive(holder: Holder): boolean {
  const { pid, started } = holder;
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const now = startOf(pid);
  if (started !== '' && now !== '') return now === started;
  // In a container the next process has the same id.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

/**
 * The boot of the machine, and the ticks from then to the start of this process, as Linux tells them (field 22 of
 * `/proc/PID/stat`, see proc(5)); empty when there is no such process, or the system does not tell.
 */
function startOf(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in brackets, which may hold anything.
    const ticks = fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19];
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${ticks}`;
  } catch {
    return '';
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
