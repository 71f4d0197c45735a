/**
 * Keeps a state directory to one process, and takes over what a process that was killed has left. Whether the holder of
 * a lock lives, its process id tells at once, where that id means something: on the same machine, since the same boot,
 * and in the same PID namespace. Elsewhere (another container on the same volume, where every proxy is process 1; another
 * machine on the same network file system) the lock's time of change tells, which its holder renews.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { type FileHandle, link, open, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, RingproxyError, systemCode } from '../../errors.js';
import { describeLoss, isReplaced } from './state-lock-loss.js';

/** Nobody is this long about taking over a lock, unless it was killed on the way. */
const TAKEOVER_MS = 10_000;

/** How often a holder renews its lock's time. */
const RENEW_MS = 1000;
/**
 * How long a lock is watched before its holder counts as gone. Network file systems show a change of time up to three
 * seconds late.
 */
const WATCH_MS = 6000;

/** Who has a lock: a process id is used again, but not together with the instant at which its process started. */
interface Holder {
  readonly pid: number;
  /** The boot of its machine, and the ticks from then to its start; empty where the system does not tell. */
  readonly boot: string;
  readonly ticks: string;
  /** Where its process id holds, in the kernel's words; empty where the system does not tell. */
  readonly namespace: string;
}

export interface StateLockTimes {
  readonly renewMs: number;
  readonly watchMs: number;
}

export class StateLock {
  readonly #directory: string;
  readonly #file: string;
  readonly #times: StateLockTimes;
  readonly #onLost: (why: string) => void;
  readonly #onTrouble: (message: string) => void;
  /** What this process wrote into the lock. */
  #text = '';
  /** The directory as it was when this process took it. */
  #held: FileHandle | null = null;
  /** When the lock was last found to be this process' own. */
  #renewedAt = 0;
  /** What was last told of a lock that cannot be renewed; empty while it can. */
  #trouble = '';
  #locked = false;
  #renewal: NodeJS.Timeout | undefined;
  #renewing = false;

  /**
   * @param onLost called when another process has taken the lock: this one must not serve any more
   * @param onTrouble called when the lock cannot be renewed, and when it can again: clients are served meanwhile, but
   *   another proxy might take the directory
   */
  constructor(
    directory: string,
    onLost: (why: string) => void,
    times: StateLockTimes = { renewMs: RENEW_MS, watchMs: WATCH_MS },
    onTrouble: (message: string) => void = () => {},
  ) {
    this.#directory = directory;
    this.#file = join(directory, 'lock');
    this.#onLost = onLost;
    this.#onTrouble = onTrouble;
    this.#times = times;
  }

  /** @throws RingproxyError STATE_LOCKED when a living process has the directory; the system's error when it cannot be written */
  async take(): Promise<void> {
    for (;;) {
      if (await createWhole(this.#file)) {
        this.#locked = true;
        this.#text = await readFile(this.#file, 'utf8');
        this.#held = await open(this.#directory, 'r');
        this.#renewedAt = performance.now();
        this.#renewal = setInterval(() => void this.#renew(), this.#times.renewMs).unref();
        return;
      }
      const text = await readOrMissing(this.#file);
      if (text === null) continue;
      const holder = parseHolder(text);
      if (idMeansSomething(holder)) {
        if (isAlive(holder)) throw this.#inUse(`the process ${holder.pid}`);
      } else if (await this.#isRenewed()) throw this.#inUse('a proxy in another container or on another machine');
      await this.#removeStale(text);
    }
  }

  #inUse(by: string): RingproxyError {
    return new RingproxyError('STATE_LOCKED', `${this.#directory} is in use by ${by}`);
  }

  /** One at a time: a file system that stands still must not gather them. */
  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    const trouble = await this.#lookTwice().catch((error: unknown) => `cannot be looked at: ${messageOf(error)}`);
    this.#renewing = false;
    if (trouble === this.#trouble || !this.#locked) return;
    this.#trouble = trouble;
    const what = trouble === '' ? 'can be written again' : trouble;
    this.#onTrouble(`the state directory ${this.#directory} ${what}`);
  }

  /** What goes while it is looked at is not what is the matter: what is, the next look finds. */
  async #lookTwice(): Promise<string> {
    try {
      return await this.#look();
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      return await this.#look();
    }
  }

  /**
   * @returns what is wrong with the directory, or an empty text
   * @throws the system's error: ENOENT when something went meanwhile
   */
  async #look(): Promise<string> {
    const text = await readOrMissing(this.#file);
    if (!this.#locked) return '';
    if (text === null) return await this.#lockAgain();
    if (text !== this.#text) {
      const replaced = await this.#isReplaced();
      this.#locked = false;
      clearInterval(this.#renewal);
      const silentMs = performance.now() - this.#renewedAt;
      this.#onLost(describeLoss(this.#directory, replaced, silentMs, this.#times.watchMs));
      return '';
    }
    this.#renewedAt = performance.now();
    const now = new Date();
    return await utimes(this.#file, now, now).then(
      () => '',
      (error: unknown) => {
        if (systemCode(error) === 'ENOENT') throw error;
        return `cannot be written: ${messageOf(error)}; changes of the ring would fail`;
      },
    );
  }

  async #isReplaced(): Promise<boolean> {
    return this.#held !== null && (await isReplaced(this.#directory, this.#held));
  }

  /** The lock was deleted. Where its directory is still there it is made anew, before another process does so. */
  async #lockAgain(): Promise<string> {
    if (await this.#isReplaced()) {
      return 'is gone: it was removed or replaced while this proxy ran; clients are served, but changes of the ring would fail. Restore it, or start this proxy anew';
    }
    // A lock that another one makes at the same instant is found at the next look.
    if (await createWhole(this.#file)) this.#onTrouble(`the lock ${this.#file} was deleted: made anew`);
    return '';
  }

  /** Watches the lock of a holder whose process cannot be seen. Ends at once when it is renewed, or goes. */
  async #isRenewed(): Promise<boolean> {
    const timeOf = (): Promise<number | null> =>
      stat(this.#file).then(
        ({ mtimeMs }) => mtimeMs,
        () => null,
      );
    const first = await timeOf();
    const { renewMs, watchMs } = this.#times;
    const deadline = performance.now() + watchMs;
    while (performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, renewMs / 4));
      const now = await timeOf();
      if (now !== first) return now !== null;
    }
    return false;
  }

  async release(): Promise<void> {
    clearInterval(this.#renewal);
    // In a directory that has taken the place of this one's, the lock is another process'.
    const own = this.#locked && (await readFile(this.#file, 'utf8').catch(() => '')) === this.#text;
    this.#locked = false;
    if (own) await unlink(this.#file).catch(() => {});
    const held = this.#held;
    this.#held = null;
    await held?.close().catch(() => {});
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

/** @returns null when there is no such file. @throws the system's error when it cannot be read */
async function readOrMissing(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Creates a file that says who this process is; nobody ever sees it half written. @returns false when there is one */
async function createWhole(file: string): Promise<boolean> {
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, describeSelf());
  try {
    await link(temporary, file);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    // A file system without hard links.
    return await createInPlace(file);
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

async function createInPlace(file: string): Promise<boolean> {
  try {
    const created = await open(file, 'wx');
    await created.writeFile(describeSelf());
    await created.close();
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** As `describeSelf` wrote it; earlier versions left out the end, or all but the process id. */
function parseHolder(text: string): Holder {
  const [pid, boot = '', ticks = '', namespace = ''] = text.trim().split(' ');
  return { pid: Number(pid), boot, ticks, namespace };
}

function describeSelf(): string {
  const { pid } = process;
  return `${[pid, bootOfMachine(), ticksOf(pid), ownNamespace()].join(' ').trimEnd()}\n`;
}

/** Whether the holder's process can be seen from here, if it lives. */
function idMeansSomething({ pid, boot, namespace }: Holder): boolean {
  // Not written whole: its writer is gone, or had no space.
  if (!Number.isInteger(pid) || pid <= 0) return true;
  const [ownBoot, own] = [bootOfMachine(), ownNamespace()];
  if (boot !== '' && ownBoot !== '' && boot !== ownBoot) return false;
  return namespace === '' || own === '' || namespace === own;
}

function isAlive({ pid, ticks }: Holder): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const now = ticksOf(pid);
  if (ticks !== '' && now !== '') return now === ticks;
  // In a container the next process has the same id.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** What Linux calls this boot of the machine; empty elsewhere. */
function bootOfMachine(): string {
  return orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
}

/** The PID namespace of this process, such as `pid:[4026531836]`; empty where there are none. */
function ownNamespace(): string {
  return orEmpty(() => readlinkSync('/proc/self/ns/pid'));
}

/**
 * The ticks from the machine's boot to the start of this process, as Linux tells them (field 22 of `/proc/PID/stat`,
 * see proc(5)); empty when there is no such process, or the system does not tell.
 */
function ticksOf(pid: number): string {
  return orEmpty(() => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in brackets, which may hold anything.
    return fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  });
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
