import { RawClient } from '../support/raw-client.js';
import type { RedisProcess } from '../support/redis-process.js';

/** Counts what the nodes carry out: they know it whatever stands in front of them. */
export class NodeCommands {
  readonly #observers: readonly RawClient[];

  private constructor(observers: readonly RawClient[]) {
    this.#observers = observers;
  }

  static async of(nodes: readonly RedisProcess[]): Promise<NodeCommands> {
    return new NodeCommands(await Promise.all(nodes.map((node) => RawClient.connect(node.port))));
  }

  /** @returns how many commands all of them have carried out since they started, these questions among them */
  async total(): Promise<number> {
    const texts = await Promise.all(this.#observers.map((observer) => observer.text('INFO', 'stats')));
    return texts.reduce((sum, text) => sum + Number(/total_commands_processed:(\d+)/.exec(text)?.[1]), 0);
  }

  close(): void {
    for (const observer of this.#observers) observer.close();
  }
}
