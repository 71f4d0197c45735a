/** A file that is of no use is not written over: somebody may want to look at it. */
import { rename } from 'node:fs/promises';

/** Gives the file another name. @returns what became of it, in words: behind a sentence on what is wrong with it */
export function setAside(path: string): Promise<string> {
  const aside = `${path}.aside`;
  return rename(path, aside).then(
    () => `it was set aside as ${aside}`,
    (error: unknown) => `and cannot be set aside: ${error instanceof Error ? error.message : String(error)}`,
  );
}
