/** What a request carries of how it is counted. */

/** A command without keys belongs to no group. */
export const NO_GROUP = -1;

/** The command does not read the cache by key. */
export const NO_READ = 0;
/** A nil reply is a miss, any other one a hit (GET). */
export const KEY_READ = 1;
/** So is each element of the reply (MGET). */
export const ARRAY_READ = 2;

export type ReadMark = typeof NO_READ | typeof KEY_READ | typeof ARRAY_READ;
