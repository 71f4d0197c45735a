/**
 * The last values of keys whose group has `stale`: what clients get while another one fills the key anew. Kept of what
 * nodes have replied, and bounded in bytes; the one that was replied longest ago makes room.
 */
import type { ClientConnection } from '../../session/client-connection.js';

/** A larger one is not kept. */
const MOST_BYTES = 262_144;
/** Bytes that one takes beside its own. */
const OVERHEAD = 200;
/** More clients than this that have removed a key: then nobody gets its last value. */
const MOST_REMOVERS = 8;

interface LastValue {
  /** As the node has replied it. */
  readonly reply: Buffer;
  /** By the clock. */
  readonly seenAt: number;
  /** Clients that have removed the key since: they must not see what they have removed. */
  readonly removers: Set<number>;
}

export class LastValues {
  readonly #limit: number;
  readonly #values = new Map<string, LastValue>();
  /** When a client last did what nobody knows the keys of, by the clock: it is shown nothing from before. */
  readonly #blindSince = new WeakMap<ClientConnection, number>();
  #bytes = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#values.size;
  }

  /** The value `buffer[start, end)` of the key was replied now. */
  keep(key: Buffer, database: number, buffer: Buffer, start: number, end: number, now: number): void {
    if (end - start > MOST_BYTES) return;
    const name = nameOf(key, database);
    this.#delete(name);
    this.#values.set(name, { reply: Buffer.from(buffer.subarray(start, end)), seenAt: now, removers: new Set() });
    this.#bytes += end - start + key.length + OVERHEAD;
    for (const oldest of this.#values.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.#delete(oldest);
    }
  }

  /** @param since by the clock @returns the value, if it was replied since then and the client may see it; otherwise null */
  find(client: ClientConnection, key: Buffer, database: number, since: number): Buffer | null {
    const value = this.#values.get(nameOf(key, database));
    if (value === undefined || value.seenAt < since || value.removers.has(client.id)) return null;
    return value.seenAt < (this.#blindSince.get(client) ?? Number.NEGATIVE_INFINITY) ? null : value.reply;
  }

  /** The key has another value. */
  drop(key: Buffer, database: number): void {
    if (this.#values.size > 0) this.#delete(nameOf(key, database));
  }

  /** The client removes the key, or lets it expire. */
  onRemoved(client: ClientConnection, key: Buffer, database: number): void {
    const value = this.#values.size === 0 ? undefined : this.#values.get(nameOf(key, database));
    if (value === undefined) return;
    value.removers.add(client.id);
    if (value.removers.size > MOST_REMOVERS) this.drop(key, database);
  }

  /** The client has done something to keys that are not known here. */
  onUnknown(client: ClientConnection, now: number): void {
    if (this.#values.size > 0) this.#blindSince.set(client, now);
  }

  clear(): void {
    this.#values.clear();
    this.#bytes = 0;
  }

  #delete(name: string): void {
    const value = this.#values.get(name);
    if (value === undefined) return;
    this.#values.delete(name);
    this.#bytes -= value.reply.length + name.length - name.indexOf(':') - 1 + OVERHEAD;
  }
}

function nameOf(key: Buffer, database: number): string {
  return `${database}:${key.toString('latin1')}`;
}
