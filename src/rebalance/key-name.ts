import { createHash } from 'node:crypto';

/** Longer keys are named by their digest: a string cannot be as long as a key, and is not needed to be. */
const LONGEST_NAME = 4096;

/** A key of a node and database as a name for maps; different keys have different ones. */
export function keyName(source: number, database: number, key: Buffer): string {
  const name =
    key.length <= LONGEST_NAME ? `:${key.toString('latin1')}` : createHash('sha256').update(key).digest('hex');
  return `${source} ${database} ${name}`;
}
