import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { atEnd, atExit } from './cleanup.js';
import { findProgram, requireProgram } from './programs.js';

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What stands in front of the program, such as what puts it into a network namespace. */
  readonly prefix?: readonly string[];
  /** The caller ends it; otherwise it ends with the test (or file) in which it was started. */
  readonly unbound?: boolean;
}

/** A started process that ends with its test (or file) at the latest, and keeps what it wrote. */
export class Child {
  readonly name: string;
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  readonly #process: ChildProcess;
  readonly #watchers = new Set<(line: string) => void>();
  #ended = false;

  constructor(name: string, process: ChildProcess) {
    this.name = name;
    this.#process = process;
    const forget = atExit(() => process.kill('SIGKILL'));
    this.#collect('stdout');
    this.#collect('stderr');
    this.exited = new Promise((resolve, reject) => {
      process.once('error', (error) => {
        forget();
        this.#ended = true;
        reject(error);
      });
      // 'close' and not 'exit', so that all that it wrote has been read.
      process.once('close', (code, signal) => {
        forget();
        this.#ended = true;
        resolve(code ?? signal ?? 0);
      });
    });
    this.exited.catch(() => {});
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  get running(): boolean {
    return !this.#ended;
  }

  /**
   * Waits for a line of its output that `match` finds something in.
   * @throws Error with all its output when it ends before
   */
  async line<T>(match: (line: string) => T | null): Promise<T> {
    for (const line of [...this.stdout, ...this.stderr]) {
      const found = match(line);
      if (found !== null) return found;
    }
    let watcher: (line: string) => void = () => {};
    const found = new Promise<T>((resolve) => {
      watcher = (line) => {
        const value = match(line);
        if (value !== null) resolve(value);
      };
      this.#watchers.add(watcher);
    });
    try {
      return await Promise.race([found, this.#failure()]);
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Asks it to end, and insists when it has not within `patience` milliseconds. @returns how it ended */
  async stop(patience = 5000): Promise<number | NodeJS.Signals> {
    if (!this.running) return this.exited;
    this.signal('SIGTERM');
    // A stopped process takes no SIGTERM.
    this.signal('SIGCONT');
    const insist = setTimeout(() => this.signal('SIGKILL'), patience);
    try {
      return await this.exited;
    } finally {
      clearTimeout(insist);
    }
  }

  async kill(): Promise<void> {
    if (this.running) this.signal('SIGKILL');
    await this.exited.catch(() => {});
  }

  get output(): string {
    return [...this.stdout, ...this.stderr].join('\n');
  }

  async #failure(): Promise<never> {
    const how = await this.exited;
    throw new Error(`${this.name} ended with ${how}:\n${this.output}`);
  }

  #collect(name: 'stdout' | 'stderr'): void {
    const stream = this.#process[name];
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (line) => {
      this[name].push(line);
      for (const watcher of this.#watchers) watcher(line);
    });
  }
}

/**
 * Starts a program. It ends with the test that started it, or with the file when none is running; with this
 * process in any case; and, where the system can do that, also when this process is killed.
 */
export async function startChild(program: string, args: readonly string[], options: ChildOptions = {}): Promise<Child> {
  const words = [...(options.prefix ?? []), requireProgram(program), ...args];
  const [path = '', ...rest] = words;
  const setpriv = process.platform === 'linux' ? findProgram('setpriv') : null;
  const [command, commandArgs] = setpriv === null ? [path, rest] : [setpriv, ['--pdeathsig', 'KILL', '--', ...words]];
  const spawned = spawn(command, commandArgs, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const child = new Child(program, spawned);
  if (options.unbound !== true) atEnd(() => child.kill());
  await once(spawned, 'spawn');
  return child;
}
