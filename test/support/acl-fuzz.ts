/** Rules and commands by lot, for comparing rights with those of a real Redis. The same seed gives the same ones. */

import { ACL_CATEGORIES } from '../../src/commands/acl.js';
import type { Command } from '../../src/commands/command.js';
import type { CommandTable } from '../../src/commands/table.js';

export type Random = () => number;

/** Mulberry32. @returns numbers from 0 up to 1 */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export class AclFuzz {
  readonly #random: Random;
  readonly #commands: readonly Command[];

  /** @param known which commands the other side knows */
  constructor(random: Random, table: CommandTable, known: ReadonlySet<string>) {
    this.#random = random;
    this.#commands = [...table.rows()]
      .flatMap((row) => [row, ...(row.subcommands?.rows() ?? [])])
      .filter((row) => known.has(row.name) && row.subcommands === null);
  }

  pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.#random() * of.length)] as T;
  }

  chance(part: number): boolean {
    return this.#random() < part;
  }

  upTo(most: number): number {
    return Math.floor(this.#random() * (most + 1));
  }

  many<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }

  /** Rules of a user, some of which may be wrong. */
  rules(): string[] {
    const rules = this.many(this.upTo(6), () => this.#rule());
    if (this.chance(0.3)) rules.push(this.#selector());
    if (this.chance(0.2)) rules.push(this.#selector());
    // Enough is allowed for something to come as far as keys.
    return this.chance(0.6) ? [this.pick(['+@all', 'allcommands', '+@read', '+@write']), ...rules] : rules;
  }

  #selector(): string {
    return `(${this.many(this.upTo(4), () => this.#rule()).join(' ')})`;
  }

  #rule(): string {
    const sign = this.pick(['+', '-']);
    switch (this.upTo(9)) {
      case 0:
      case 1:
        return `${sign}@${this.pick(ACL_CATEGORIES)}`;
      case 2:
        return `${sign}${this.#anyCase(this.pick(this.#commands).name)}`;
      case 3:
        return this.pick(['+@all', '-@all', 'allcommands', 'nocommands', 'allkeys', 'resetkeys', '~*', '&*']);
      case 4:
        return this.pick([
          'allchannels',
          'resetchannels',
          '+nosuch',
          '+@nosuch',
          '%~a',
          '%RR~a',
          '%RW',
          '%',
          '%~a',
          'nonsense',
          '+config|get|x',
        ]);
      case 5:
        return `+${this.pick(['select', 'debug', 'get', 'set', 'sort', 'client', 'config'])}|${this.pick(['0', 'object', 'a', 'id', 'get', ''])}`;
      case 6:
        return `&${this.#pattern()}`;
      default:
        return `${this.pick(['~', '~', '%R~', '%W~', '%RW~', '%wr~'])}${this.#pattern()}`;
    }
  }

  #pattern(): string {
    return this.pick([
      '*',
      'a*',
      'b*',
      '?',
      'a',
      'b',
      '[a-b]*',
      '[^a]',
      '*1',
      'a:*',
      '\\*',
      'c?*',
      '',
      '[b-a]',
      '[a',
      'a[b\\',
      '*a*b',
    ]);
  }

  /** A command with arguments that mostly fit. */
  command(): { command: Command; words: string[] } {
    const command = this.pick(this.#commands);
    const name = command.name.split('|').map((word) => this.#anyCase(word));
    const least = Math.abs(command.arity) - name.length;
    const count = command.arity > 0 ? least : least + this.upTo(this.chance(0.2) ? 8 : 3);
    const words = this.many(Math.max(0, count), () => this.#argument());
    for (const spec of command.keySpecs) {
      if (spec.kind === 'count' && this.chance(0.9)) words[spec.first - name.length] = String(1 + this.upTo(2));
      if (spec.kind === 'range' && spec.word === 'streams' && this.chance(0.8)) words[words.length - 3] = 'STREAMS';
    }
    return { command, words: [...name, ...words] };
  }

  #argument(): string {
    if (this.chance(0.7)) return this.pick(['a', 'b', 'c', 'a1', 'b1', 'a:x', 'ab', 'ca', '*', 'x', '', 'a*', 'bab']);
    return this.pick([
      ...['GET', 'get', 'BY', 'STORE', 'storedist', 'LIMIT', 'STREAMS', 'streams', 'BLOCK', 'COUNT', 'GROUP', 'NOACK'],
      ...[
        '0',
        '1',
        '2',
        '3',
        '-1',
        '1x',
        '4294967297',
        ' 1',
        '+1',
        'OVERFLOW',
        'INCRBY',
        'SET',
        'WRAP',
        'KEYS',
        'OBJECT',
      ],
    ]);
  }

  #anyCase(word: string): string {
    return this.chance(0.2) ? word.toUpperCase() : word;
  }
}
