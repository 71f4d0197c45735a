import type { Command } from './command.js';

/**
 * Commands by the bytes of their names, in any case. Open addressing over flat arrays: a lookup makes no
 * string and allocates nothing.
 */
export class CommandTable {
  readonly size: number;
  readonly #rows: readonly Command[];
  readonly #byName = new Map<string, Command>();
  readonly #mask: number;
  /** Index of the row plus 1; 0: the slot is free. */
  readonly #slots: Uint16Array;
  /** The name each row is looked up by: of a subcommand that is the word behind the container's name. */
  readonly #names: readonly Uint8Array[];

  constructor(rows: readonly Command[]) {
    this.#rows = rows;
    this.size = rows.length;
    let slots = 16;
    while (slots < rows.length * 4) slots *= 2;
    this.#mask = slots - 1;
    this.#slots = new Uint16Array(slots);
    this.#names = rows.map((row) => Buffer.from(row.name.slice(row.name.indexOf('|') + 1)));
    rows.forEach((row, index) => {
      this.#byName.set(row.name, row);
      const name = this.#names[index] as Uint8Array;
      let slot = hashName(name, 0, name.length) & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = index + 1;
    });
  }

  /** The row of the command named `buffer[start, end)`. */
  lookup(buffer: Uint8Array, start: number, end: number): Command | undefined {
    let slot = hashName(buffer, start, end) & this.#mask;
    for (let entry = this.#slots[slot] as number; entry !== 0; entry = this.#slots[slot] as number) {
      if (sameName(this.#names[entry - 1] as Uint8Array, buffer, start, end)) return this.#rows[entry - 1];
      slot = (slot + 1) & this.#mask;
    }
    return undefined;
  }

  /** The row with this name, in lower case. */
  get(name: string): Command | undefined {
    return this.#byName.get(name);
  }

  rows(): Iterable<Command> {
    return this.#rows;
  }
}

/** FNV-1a over at most 24 bytes; bit 5 is set so that letters hash alike in both cases. */
function hashName(buffer: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 ^ (end - start);
  const stop = end - start > 24 ? start + 24 : end;
  for (let i = start; i < stop; i++) hash = Math.imul(hash ^ ((buffer[i] as number) | 0x20), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function sameName(name: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
  const length = name.length;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) {
    let byte = buffer[start + i] as number;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    if (byte !== name[i]) return false;
  }
  return true;
}
