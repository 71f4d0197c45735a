import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { SkewedLoadOptions, SkewedResult } from './skewed-load.js';

/** The process of `skewed-load.ts`. */
export class SkewedLoad {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(options: SkewedLoadOptions): Promise<SkewedLoad> {
    const child = fork(fileURLToPath(new URL('./skewed-load.js', import.meta.url)));
    const load = new SkewedLoad(child);
    child.send({ type: 'start', options });
    await load.#answer();
    return load;
  }

  /** @returns what the clients saw since the last window, `milliseconds` from now */
  async window(milliseconds: number): Promise<SkewedResult> {
    await pause(milliseconds);
    this.#child.send({ type: 'window' });
    return (await this.#answer()) as SkewedResult;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }

  /** @throws Error when it ends instead */
  async #answer(): Promise<unknown> {
    const failed = once(this.#child, 'exit').then(() => Promise.reject(new Error('the load has failed')));
    failed.catch(() => {});
    const [answer] = (await Promise.race([once(this.#child, 'message'), failed])) as [unknown];
    return answer;
  }
}
