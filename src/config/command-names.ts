/** The settings `deny-commands` and `rename-commands`. */
import { z } from 'zod';

/** A command, or one of its subcommands. */
const DENIED = /^[a-z0-9._-]{1,64}(\|[a-z0-9._-]{1,64})?$/;
const NAME = /^[a-z0-9._-]{1,64}$/;

const listOrText = z
  .union([z.string(), z.array(z.string())], { message: 'expected names of commands' })
  .transform((value) => (typeof value === 'string' ? value.split(/[\s,]+/) : value));

/** As a list, or as text with commas or blanks in between. */
export const commandNames: z.ZodType<readonly string[]> = listOrText
  .transform((names, context) => {
    const lower = names.map((name) => name.trim().toLowerCase()).filter((name) => name !== '');
    const wrong = lower.find((name) => !DENIED.test(name));
    if (wrong === undefined) return [...new Set(lower)];
    context.addIssue({
      code: 'custom',
      message: `'${wrong}' is no name of a command: expected such as FLUSHALL, or CONFIG|SET`,
    });
    return z.NEVER;
  })
  .prefault([]);

/** As an object by the own name, or as text `NAME=OTHER`, with commas or blanks in between. */
export const commandRenames: z.ZodType<Readonly<Record<string, string>>> = z
  .union([z.string(), z.record(z.string(), z.string())], { message: 'expected names of commands with other names' })
  .transform((value, context) => {
    const refuse = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    const pairs = typeof value === 'string' ? pairsIn(value) : Object.entries(value);
    const renames: Record<string, string> = {};
    for (const [given, other] of pairs) {
      const name = given.toLowerCase();
      const target = other.toLowerCase();
      if (!NAME.test(name)) return refuse(`'${given}' is no name of a command`);
      if (target === '') return refuse(`${given} has no other name: to deny it, put it into deny-commands`);
      // Other names may be secrets, and are not told.
      if (!NAME.test(target)) return refuse(`the other name of ${given} is to be letters, digits, '.', '_' and '-'`);
      if (Object.values(renames).includes(target)) return refuse(`${given} has the other name of a further command`);
      if (Object.hasOwn(renames, name)) return refuse(`${given} has two other names`);
      renames[name] = target;
    }
    return renames;
  })
  .prefault({});

function pairsIn(text: string): [string, string][] {
  return text
    .split(/[\s,]+/)
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    });
}
