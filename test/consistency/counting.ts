/**
 * Clients of every proxy that count in replicated keys, and read what they have written. Replicated values are on no
 * node: whatever becomes of nodes and of the ring, every command is answered, and nothing that was counted is lost.
 */
import { expect } from 'vitest';
import { RawClient } from '../support/raw-client.js';

/** As `key-groups` has it. */
export const COUNTED = 'key-groups: { counted: { prefixes: ["counted:"], cache: replicated } }\n';

const COUNTER = 'counted:n';
const CLIENTS_A_PROXY = 2;
/** Between two rounds of a client: others are to have the processor. */
const PAUSE_MS = 5;

interface Served {
  readonly host: string;
  readonly port: number;
}

export class Counting {
  readonly #proxies: readonly Served[];
  readonly #loops: Promise<void>[] = [];
  /** Replies that a client must not get. */
  readonly wrong: string[] = [];
  #counted = 0;
  /** Rounds of the client that has had the fewest. */
  readonly #rounds: number[] = [];
  #running = true;

  constructor(proxies: readonly Served[]) {
    this.#proxies = proxies;
  }

  async start(): Promise<void> {
    for (const { port, host } of this.#proxies) {
      for (let i = 0; i < CLIENTS_A_PROXY; i++) {
        // They live as long as what has started them.
        const client = await RawClient.connect(port, host);
        this.#loops.push(this.#count(client, this.#loops.length));
      }
    }
  }

  /** Ends them, and waits until each proxy has all that was counted, by whichever of its processes is asked. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
    expect(this.wrong).toEqual([]);
    expect(Math.min(...this.#rounds)).toBeGreaterThan(10);
    const wanted = `$${String(this.#counted).length}\r\n${this.#counted}\r\n`;
    for (const { port, host } of this.#proxies) {
      for (let i = 0; i < 4; i++) {
        const client = await RawClient.connect(port, host);
        await expect.poll(() => client.text('GET', COUNTER), { timeout: 30_000 }).toBe(wanted);
        client.close();
      }
    }
  }

  async #count(client: RawClient, number: number): Promise<void> {
    const own = `counted:own:${number}`;
    for (let round = 1; this.#running; round++) {
      const replies = await client.pipeline([
        ['INCR', COUNTER],
        ['SET', own, String(round)],
        ['GET', own],
      ]);
      const [counted, set, got] = replies.map(String);
      if (counted?.startsWith(':')) this.#counted++;
      else this.wrong.push(`INCR: ${counted}`);
      if (set !== '+OK\r\n') this.wrong.push(`SET: ${set}`);
      if (got !== `$${String(round).length}\r\n${round}\r\n`) this.wrong.push(`GET after ${round}: ${got}`);
      this.#rounds[number] = round;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    client.close();
  }
}
