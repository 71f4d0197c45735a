import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WindowResult } from './client-load.js';

export interface ClientLoadOptions {
  readonly port: number;
  readonly clients: number;
  readonly keys: number;
  /** Percent of the commands that write. */
  readonly writes: number;
  /** Bytes. */
  readonly valueSize: number;
}

/** The process of `client-load.ts`. */
export class ClientLoad {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(options: ClientLoadOptions): Promise<ClientLoad> {
    const child = fork(fileURLToPath(new URL('./client-load.js', import.meta.url)));
    await once(child, 'spawn');
    const { valueSize, ...others } = options;
    child.send({ type: 'start', options: { ...others, value: 'x'.repeat(valueSize) } });
    return new ClientLoad(child);
  }

  /** @returns what the clients saw since the last window, `milliseconds` from now */
  async window(milliseconds: number): Promise<WindowResult> {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    this.#child.send({ type: 'window' });
    const [result] = (await once(this.#child, 'message')) as [WindowResult];
    return result;
  }

  stop(): void {
    this.#child.disconnect();
  }
}
