/** What nodes carry out, as they say it themselves (MONITOR): for whoever wants to understand what a checker has found. */
import { RawClient } from '../../support/raw-client.js';
import type { RedisProcess } from '../../support/redis-process.js';

/** Of one round. */
const MOST_LINES = 400;

export class NodeLog {
  #lines: string[] = [];

  /** Listens to all of them. */
  static async of(nodes: readonly RedisProcess[]): Promise<NodeLog> {
    const log = new NodeLog();
    for (const [i, { port }] of nodes.entries()) {
      const client = await RawClient.connect(port);
      await client.command('MONITOR');
      void log.#listen(client, i);
    }
    return log;
  }

  /** @returns what was carried out since this was asked the last time, in the order of the nodes' clocks */
  take(): string {
    const lines = this.#lines.sort();
    this.#lines = [];
    return lines.slice(-MOST_LINES).join('\n');
  }

  async #listen(client: RawClient, node: number): Promise<void> {
    for (;;) {
      const [line] = await client.replies(1).catch(() => []);
      if (line === undefined) return;
      const [, at, rest] = /^\+(\S+) \[\d+ [^ ]*?:?(\d+\].*)$/.exec(line.toString('latin1').trimEnd()) ?? [];
      this.#lines.push(`${at} node ${node} [${rest}`);
    }
  }
}
