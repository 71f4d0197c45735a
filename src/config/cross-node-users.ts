/** The setting `cross-node-users`: for which users `cross-node` is otherwise. */
import { z } from 'zod';
import { type PathMistake, type UsersOfConfig, unknownUsers } from './unknown-users.js';

const EXPECTED = 'expected users with allow or refuse, such as { batch: allow }';
const choice = z.enum(['allow', 'refuse'], { message: 'expected one of allow, refuse' });

/** As an object by the user, or as text `NAME=allow`, with blanks in between. */
export const crossNodeUsers: z.ZodType<Readonly<Record<string, 'allow' | 'refuse'>>> = z
  .preprocess(
    (value) => (typeof value === 'string' ? entriesIn(value) : value),
    z.record(z.string(), choice, { message: EXPECTED }),
  )
  .prefault({});

export function crossNodeMistakes(
  config: UsersOfConfig & { readonly crossNodeUsers: Readonly<Record<string, string>> },
): PathMistake[] {
  return unknownUsers('cross-node-users', Object.keys(config.crossNodeUsers), config);
}

function entriesIn(text: string): Record<string, string> {
  const words = text.split(/\s+/).filter((word) => word !== '');
  return Object.fromEntries(
    words.map((word) => {
      const at = word.lastIndexOf('=');
      return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}
